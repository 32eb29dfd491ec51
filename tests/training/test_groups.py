"""Parameter groups: who belongs to which, where they lie, and whose options hold."""

import numpy as np
import pytest

from kitnet.layers import BatchNorm2d, Conv2d, Flatten, Linear, Parameter, ReLU
from kitnet.models import Sequential
from kitnet.training import LARS, SGD, Adam


def net():
    rng = np.random.default_rng(0)
    return Sequential(Conv2d(1, 2, 3, rng=rng), BatchNorm2d(2), ReLU(), Flatten(), Linear(8, 3, rng=rng))


ALL = ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"]


def test_one_group_is_one_run():
    model = net()
    (group,) = SGD(model, momentum=0.9).param_groups
    (run,) = group.runs
    assert group.names == run.names == ALL
    assert run.data.size == run.grad.size == run.momentum_buffer.size == model.flat_data.size
    assert np.shares_memory(run.data, model.flat_data)


def test_a_group_has_a_run_for_each_stretch_of_the_flat_array():
    model = net()
    optimizer = SGD(model, momentum=0.9, params=[{"params": ["*.bias", "1.*"]}, {"params": "*"}])
    small, large = optimizer.param_groups
    assert [run.names for run in small.runs] == [["0.bias", "1.weight", "1.bias"], ["4.bias"]]
    assert [run.names for run in large.runs] == [["0.weight"], ["4.weight"]]
    optimizer.grad[...] = np.arange(optimizer.grad.size)
    optimizer.step()
    np.testing.assert_array_equal(optimizer.momentum_buffer, optimizer.grad)


def test_what_no_group_names_is_left_alone_and_takes_no_memory():
    model = net()
    before = model.flatten_parameters() or model.flat_data.copy()
    optimizer = Adam(model, params=["0.weight", "4.*"])
    optimizer.grad[...] = 1
    optimizer.step()
    changed = {name for name, p in model.named_parameters() if (p.data != 0).any()}
    named = dict(zip(ALL, np.split(before, np.cumsum([18, 2, 2, 2, 24])), strict=True))
    changed = {name for name, p in model.named_parameters() if (p.data.ravel() != named[name]).any()}
    assert changed == {"0.weight", "4.weight", "4.bias"}
    assert optimizer.exp_avg.size == 18 + 24 + 3


def test_runs_of_whole_parameters_have_their_shapes():
    (group,) = LARS(net()).param_groups
    assert [run.data.shape for run in group.runs] == [(2, 1, 3, 3), (2,), (2,), (2,), (3, 8), (3,)]
    assert [run.momentum_buffer.shape for run in group.runs] == [run.data.shape for run in group.runs]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, [ALL]),
        ("*", [ALL]),
        (["0.bias", "0.weight"], [["0.weight", "0.bias"]]),
        (lambda m: m[4], [["4.weight", "4.bias"]]),
        (lambda m: m[4].bias, [["4.bias"]]),
        (lambda m: [m[0], m[4].bias], [["0.weight", "0.bias", "4.bias"]]),
        (
            lambda m: (p for p in m.parameters() if len(p.shape) == 1),
            [["0.bias", "1.weight", "1.bias", "4.bias"]],
        ),
        ({"params": "0.*", "lr": 1}, [["0.weight", "0.bias"]]),
        (
            [{"params": "*.bias"}, {"params": ["0.*", "1.bias"]}, {"params": "*"}],
            [["0.bias", "1.bias", "4.bias"], ["0.weight"], ["1.weight", "4.weight"]],
        ),
    ],
)
def test_ways_to_name_parameters(params, expected):
    model = net()
    optimizer = SGD(model, params=params(model) if callable(params) else params)
    assert [group.names for group in optimizer.param_groups] == expected
    parameters = dict(model.named_parameters())
    for group in optimizer.param_groups:
        assert group["params"] == [parameters[name] for name in group.names]


def test_own_options_come_first():
    model = net()
    optimizer = SGD(model, lr=0.5, params=[{"params": "*.bias", "lr": 0.1}, {"params": "*"}])
    bias, rest = optimizer.param_groups
    optimizer.lr = 0.25
    assert (bias["lr"], rest["lr"]) == (0.1, 0.25)
    bias["weight_decay"] = 0.5
    del bias["lr"]
    assert (bias["lr"], bias["weight_decay"], rest["weight_decay"]) == (0.25, 0.5, 0)
    assert set(bias) == {
        "params",
        "lr",
        "schedule",
        "momentum",
        "dampening",
        "weight_decay",
        "nesterov",
        "maximize",
    }
    assert len(bias) == 8
    assert dict(bias)["lr"] == 0.25
    assert repr(bias) == "Group(['0.bias', '1.bias', '4.bias'], {'weight_decay': 0.5})"
    with pytest.raises(KeyError):
        bias["eps"]
    with pytest.raises(ValueError, match="momentum"):
        bias["momentum"] = -1


def test_schedules_of_their_own():
    optimizer = SGD(
        net(),
        lr=1.0,
        schedule=lambda step: 0.5,
        params=[{"params": "*.bias", "schedule": lambda step: 0.25}, {"params": "*"}],
    )
    optimizer.step()
    assert [group.last_lr for group in optimizer.param_groups] == [0.25, 0.5]
    assert optimizer.last_lr == 0.25


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        ("2.weight", ValueError, "params: expected the name of a parameter, or a pattern, got '2.weight'"),
        (Parameter(np.ones(2)), ValueError, "params: expected parameters of the model"),
        (Linear(2, 2), ValueError, "params: expected parameters of the model"),
        (5, TypeError, "params: expected names, parameters, layers or lists of them, got 5"),
        ([5], TypeError, "params: expected names"),
        ([], ValueError, "params: expected parameters in each group"),
        (
            [{"params": "*"}, "0.bias"],
            TypeError,
            "params: expected dicts with 'params' in all groups or in none",
        ),
        ([{"lr": 0.1}], TypeError, "params: expected dicts with 'params'"),
        ([{"params": "*"}, {"params": "0.bias"}], ValueError, "params: expected parameters in each group"),
        ([{"params": "*", "lr": -1}], ValueError, "lr"),
        ([{"params": "*", "rho": 1}], ValueError, "params: expected options among lr, schedule, momentum"),
        ([{"params": "*", "nesterov": True}], ValueError, "nesterov"),
        ([{"params": "*", "schedule": 1}], TypeError, "schedule"),
    ],
)
def test_bad_groups_are_named(params, error, match):
    with pytest.raises(error, match=rf"^{match}"):
        SGD(net(), params=params)
