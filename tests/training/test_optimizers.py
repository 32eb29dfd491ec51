"""Optimizers beside what ``tests/parity`` compares: state, schedules, threads, errors."""

import math

import numpy as np
import pytest
from training.optimizer_cases import MAKE, classes, gradients, train

import kitnet
from kitnet.layers import Conv2d, Flatten, Linear, ReLU
from kitnet.models import Sequential
from kitnet.training import (
    ASGD,
    LAMB,
    LARS,
    LBFGS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
    Several,
    schedules,
)

every_optimizer = pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def net(dtype=np.float32):
    """A little of everything: matrices, kernels, biases, under the names of ``conftest.small_net``."""
    rng = np.random.default_rng(0)
    convolution = Conv2d(2, 3, 3, dtype=dtype, rng=rng)
    return Sequential(convolution, *(ReLU() for _ in range(5)), Linear(27, 2, dtype=dtype, rng=rng))


def test_maximize_goes_up():
    for name in ("SGD", "AdamW", "Adafactor", "Lion", "LARS", "LAMB", "ASGD", "Rprop"):
        kind = next(one for one in classes() if one.__name__ == name)
        down, up = (Linear(3, 2, dtype=np.float64, rng=np.random.default_rng(0)) for _ in range(2))
        one, other = kind(down), kind(up, maximize=True)
        one.grad[...] = other.grad[...] = gradients(8)[0]
        other.grad[...] *= -1
        one.step()
        other.step()
        assert one.data.tobytes() == other.data.tobytes(), name


def test_defaults_are_pytorchs():
    model = Linear(1, 1)
    assert (SGD(model).lr, Adam(model).lr, Adam(model).weight_decay, AdamW(model).weight_decay) == (
        0.001,
        0.001,
        0,
        0.01,
    )
    assert repr(AdamW(model)) == (
        "AdamW(lr=0.001, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.01, amsgrad=False, maximize=False, "
        "decoupled_weight_decay=True)"
    )


def test_layers_see_the_steps_and_zero_grad_is_for_all():
    model = Linear(3, 2)
    optimizer = SGD(model, 1.0)
    model.weight.accumulate(np.ones((2, 3), np.float32))
    before = model.weight.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(model.weight.data, before - 1)
    optimizer.zero_grad()
    assert not model.weight.grad.any()


def test_state_arrays_are_there_only_where_they_are_needed():
    model = Linear(3, 2)
    assert SGD(model).momentum_buffer is None
    assert SGD(model, momentum=0.5).momentum_buffer.size == 8
    assert SGD(model, params=[{"params": "bias", "momentum": 0.5}, {"params": "*"}]).momentum_buffer.size == 8
    assert not hasattr(Adam(model), "max_exp_avg_sq")
    assert Adam(model, amsgrad=True).max_exp_avg_sq.size == 8
    assert set(RMSprop(model, centered=True).slots) == {"square_avg", "grad_avg"}
    assert set(RMSprop(model, momentum=0.5).slots) == {"square_avg", "momentum_buffer"}
    assert Adam(model, params="bias").exp_avg.size == 2


def test_schedule_scales_the_rate_of_each_step():
    optimizer = SGD(Linear(1, 1), 0.5, schedule=schedules.StepLR(2, gamma=0.5))
    rates = []
    for _ in range(4):
        optimizer.step()
        rates.append(optimizer.last_lr)
    assert rates == [0.5, 0.5, 0.25, 0.25]


def test_schedule_with_a_momentum():
    cycle = schedules.OneCycleLR(1.0, 10)
    with pytest.raises(
        ValueError, match=r"schedule: expected one without a momentum \(cycle_momentum=False\)"
    ):
        Adagrad(Linear(1, 1), schedule=cycle)
    Adagrad(Linear(1, 1), schedule=schedules.OneCycleLR(1.0, 10, cycle_momentum=False))
    optimizer = SGD(Linear(1, 1), schedule=cycle)  # without a momentum of its own
    for step in range(3):
        optimizer.step()
        assert optimizer.param_groups[0]["momentum"] == cycle.momentum(step)
    assert Adam(Linear(1, 1), schedule=cycle).param_groups[0]["betas"] == (0.95, 0.999)


def test_a_momentum_that_comes_later_starts_from_the_gradient():
    optimizer = SGD(Linear(1, 1, bias=False, dtype=np.float64), 1.0, momentum=0.5, dampening=0.5)
    (group,) = optimizer.param_groups
    optimizer.grad[...] = 1.0
    group["momentum"] = 0.0
    optimizer.step()
    del group["momentum"]
    optimizer.step()
    assert optimizer.momentum_buffer == 1.0
    optimizer.step()
    assert optimizer.momentum_buffer == 0.5 + 0.5


def test_step_with_a_closure_returns_its_loss():
    optimizer = SGD(Linear(1, 1))
    assert optimizer.step() is None
    assert optimizer.step(lambda: 7.5) == 7.5
    both = Several([SGD(model := Linear(1, 1), params="bias"), SGD(model, params="weight")])
    assert both.step(lambda: 7.5) == 7.5
    assert both.steps == 1


@every_optimizer
@every_dtype
def test_state_carries_everything(make, dtype):
    def step(optimizer, gradient):
        optimizer.grad[...] = gradient
        optimizer.step()

    def slots(optimizer):
        return [
            getattr(one, slot) for one in getattr(optimizer, "optimizers", [optimizer]) for slot in one.slots
        ]

    a, b = make(net(dtype), 0.1), make(net(dtype), 0.1)
    for gradient in gradients(a.data.size, 2, seed=5):
        step(b, gradient)  # a past of its own
    for gradient in gradients(a.data.size, 3):
        step(a, gradient)
    state = a.state()
    b.data[...] = a.data
    b.load_state(state)
    saved = [slot.copy() for slot in slots(a)]
    for gradient in gradients(a.data.size, 2):
        step(a, gradient)
        step(b, gradient)
    assert a.data.tobytes() == b.data.tobytes()
    c = make(net(dtype), 0.1)
    c.load_state(state)
    for array, before in zip(slots(c), saved, strict=True):  # a copy: the steps after did not change it
        np.testing.assert_array_equal(array, before)


def test_options_are_state():
    a, b = (SGD(Linear(3, 2), 0.1, params=[{"params": "bias"}, {"params": "*"}]) for _ in range(2))
    a.lr, a.param_groups[0]["momentum"] = 0.7, 0.3
    b.load_state(a.state())
    assert [group["lr"] for group in b.param_groups] == [0.7, 0.7]
    assert [group["momentum"] for group in b.param_groups] == [0.3, 0.0]


@every_optimizer
def test_same_bits_for_any_number_of_threads(make):
    def build(dtype):
        rng = np.random.default_rng(0)
        layers = (
            Conv2d(32, 48, 3, rng=rng),
            *(ReLU() for _ in range(4)),
            Flatten(),
            Linear(700, 64, rng=rng),
        )
        return Sequential(*layers)

    threads, results = kitnet.get_num_threads(), []
    try:
        for n in (1, 2, 3):
            kitnet.set_num_threads(n)
            results.append(train(lambda model: make(model, 0.01), np.float32, 3, build)[1][-1].tobytes())
    finally:
        kitnet.set_num_threads(threads)
    assert results[0] == results[1] == results[2]


@every_optimizer
def test_backends_agree(make):
    if kitnet.backend() != "cython":
        pytest.skip("the compiled kernels were not built")
    _, compiled = train(lambda model: make(model, 0.01), np.float64, 5, net)
    with kitnet.use_backend("numpy"):
        _, reference = train(lambda model: make(model, 0.01), np.float64, 5, net)
    np.testing.assert_allclose(compiled, reference, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda s: s.update({"class": "SGD"}), "expected the state of Adam, got that of SGD"),
        (lambda s: s.pop("exp_avg"), "expected a state with"),
        (lambda s: s.update(extra=1), "expected a state with"),
        (lambda s: s.update(exp_avg=np.zeros(3)), "expected exp_avg of shape"),
        (lambda s: s.update(lr=-1), "lr"),
        (lambda s: s.update(betas=(0.5, 1.0)), "betas"),
        (lambda s: s["groups"].append(s["groups"][0]), "expected groups of"),
        (lambda s: s["groups"][0].update(params=["weight"]), "expected groups of"),
        (lambda s: s["groups"][0]["own"].update(eps=-1), "eps"),
        (lambda s: s["groups"][0]["own"].update(other=1), "expected options among"),
    ],
)
def test_state_of_another_optimizer_is_refused_whole(spoil, match):
    optimizer = Adam(Linear(3, 2))
    state = optimizer.state() | {"steps": 7}
    spoil(state)
    with pytest.raises(ValueError, match=match):
        optimizer.load_state(state)
    assert optimizer.steps == 0


def test_states_of_several_are_refused_whole():
    def several(model, names=("weight", "bias")):
        return Several(SGD(model, params=name, momentum=0.5) for name in names)

    optimizer, other = several(Linear(3, 2)), several(Linear(3, 2), ("bias", "weight"))
    for state in (other.state(), SGD(Linear(3, 2)).state(), {"class": "Several", "optimizers": {}}):
        with pytest.raises(ValueError, match="optimizer: expected"):
            optimizer.load_state(state)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda m: SGD(m, -1.0), ValueError, "lr"),
        (lambda m: SGD(m, float("nan")), ValueError, "lr"),
        (lambda m: SGD(m, "fast"), TypeError, "lr"),
        (lambda m: SGD(m, 0.1, momentum=-0.5), ValueError, "momentum"),
        (lambda m: SGD(m, 0.1, nesterov=True), ValueError, "nesterov"),
        (lambda m: SGD(m, 0.1, 0.9, 0.1, nesterov=True), ValueError, "nesterov"),
        (lambda m: SGD(m, 0.1, weight_decay=-1), ValueError, "weight_decay"),
        (lambda m: SGD(m, schedule=0.5), TypeError, "schedule"),
        (lambda m: Adam(m, betas=(1.0, 0.9)), ValueError, "betas"),
        (lambda m: Adam(m, betas=0.9), TypeError, "betas"),
        (lambda m: Adam(m, betas=(0.9, 0.9, 0.9)), TypeError, "betas"),
        (lambda m: Adam(m, eps=-1), ValueError, "eps"),
        (lambda m: Adam(None), TypeError, "model"),
        (lambda m: Muon(None), TypeError, "model"),
        (lambda m: Adamax(m, eps=-1), ValueError, "eps"),
        (lambda m: NAdam(m, momentum_decay=-1), ValueError, "momentum_decay"),
        (lambda m: RAdam(m, weight_decay=-1), ValueError, "weight_decay"),
        (lambda m: Adagrad(m, lr_decay=-1), ValueError, "lr_decay"),
        (lambda m: Adagrad(m, initial_accumulator_value=-1), ValueError, "initial_accumulator_value"),
        (lambda m: Adadelta(m, rho=1.5), ValueError, "rho"),
        (lambda m: RMSprop(m, alpha=-1), ValueError, "alpha"),
        (lambda m: Rprop(m, etas=(1.0, 1.2)), ValueError, "etas"),
        (lambda m: Rprop(m, etas=(0.5, 1.0)), ValueError, "etas"),
        (lambda m: Rprop(m, step_sizes=(2, 1)), ValueError, "step_sizes"),
        (lambda m: ASGD(m, lambd=-1), ValueError, "lambd"),
        (lambda m: Adafactor(m, beta2_decay=0.5), ValueError, "beta2_decay"),
        (lambda m: Adafactor(m, d=0.5), ValueError, "d"),
        (lambda m: Adafactor(m, eps=(-1, 0)), ValueError, "eps"),
        (lambda m: Lion(m, betas=(0.5, 1.0)), ValueError, "betas"),
        (lambda m: LARS(m, trust_coefficient=-1), ValueError, "trust_coefficient"),
        (lambda m: LAMB(m, eps=-1), ValueError, "eps"),
        (lambda m: Muon(m, params="*"), ValueError, "params: expected parameters of 2 dimensions, got bias"),
        (lambda m: Muon(m, ns_steps=100), ValueError, "ns_steps"),
        (lambda m: Muon(m, ns_coefficients=(1, 2)), TypeError, "ns_coefficients"),
        (lambda m: Muon(m, adjust_lr_fn="none"), ValueError, "adjust_lr_fn"),
        (lambda m: LBFGS(m, max_iter=0), ValueError, "max_iter"),
        (lambda m: LBFGS(m, line_search_fn="armijo"), ValueError, "line_search_fn"),
        (lambda m: LBFGS(m, params=[{"params": "bias"}, {"params": "*"}]), ValueError, "params"),
        (lambda m: LBFGS(m).step(), TypeError, "closure"),
        (lambda m: Several([]), ValueError, "optimizers"),
        (lambda m: Several([m]), TypeError, "optimizers"),
        (lambda m: Several([SGD(m), SGD(Linear(1, 1))]), ValueError, "optimizers"),
        (lambda m: Several([SGD(m), SGD(m)]), ValueError, "optimizers: expected no parameter in two"),
    ],
)
def test_bad_arguments_are_named(make, error, match):
    with pytest.raises(error, match=rf"^{match}"):
        make(Linear(1, 1))


def test_a_model_without_parameters_is_fine():
    optimizer = Adam(ReLU())
    optimizer.zero_grad()
    optimizer.step()
    assert optimizer.data.size == 0


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="_update"):
        Optimizer(Linear(1, 1), 0.1).step()


def test_every_optimizer_has_a_row():
    made = [make(net(), 0.1) for make in MAKE.values()]
    made += [one for several in made for one in getattr(several, "optimizers", [])]
    assert classes() - {type(one) for one in made} == {LBFGS, Optimizer}
    assert math.isfinite(sum(one.data.sum() for one in made))
