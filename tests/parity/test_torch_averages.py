"""Averaged weights, fresh statistics and clipped gradients are PyTorch's."""

import math

import numpy as np
import pytest

from kitnet.layers import BatchNorm2d, Conv2d, ReLU
from kitnet.models import Sequential
from kitnet.training import (
    AveragedModel,
    clip_grad_norm_,
    clip_grad_value_,
    get_ema_multi_avg_fn,
    get_total_norm,
    update_bn,
)

torch = pytest.importorskip("torch")
nn, swa = torch.nn, torch.optim.swa_utils

BOUND = {np.float32: 1e-5, np.float64: 1e-10}
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def networks(dtype):
    """The same network in both libraries."""
    mine = Sequential(
        Conv2d(2, 3, 3, dtype=dtype, rng=np.random.default_rng(0)),
        BatchNorm2d(3, dtype=dtype),
        ReLU(),
        Conv2d(3, 2, 1, bias=False, dtype=dtype, rng=np.random.default_rng(1)),
    )
    theirs = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1, bias=False))
    theirs = theirs.to(torch.float32 if dtype == np.float32 else torch.float64)
    for parameter, tensor in zip(mine.parameters(), theirs.parameters(), strict=True):
        tensor.data.copy_(torch.from_numpy(parameter.data))
    return mine, theirs


def stir(mine, theirs, rng):
    """New parameters, and a batch for the running statistics, in both."""
    for parameter, tensor in zip(mine.parameters(), theirs.parameters(), strict=True):
        parameter.data = rng.standard_normal(parameter.shape).astype(parameter.dtype)
        tensor.data.copy_(torch.from_numpy(parameter.data))
    x = rng.standard_normal((4, 2, 5, 5)).astype(parameter.dtype)
    mine.vjp(x)
    theirs(torch.from_numpy(x))


def assert_same(mine, theirs, bound):
    expected = dict(theirs.named_parameters()) | dict(theirs.named_buffers())
    arrays = {name: p.data for name, p in mine.named_parameters()} | mine.buffers()
    assert set(arrays) == set(expected)
    for name, array in arrays.items():
        np.testing.assert_allclose(
            array, expected[name].detach().numpy(), rtol=bound, atol=bound, err_msg=name
        )


def halves(average, newest, n):
    return (average + newest) / 2


FUNCTIONS = {
    "mean": ({}, {}),
    "exponential": (
        {"multi_avg_fn": get_ema_multi_avg_fn(0.9)},
        {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.9)},
    ),
    "own function": ({"avg_fn": halves}, {"avg_fn": halves}),
}


@every_dtype
@pytest.mark.parametrize(
    ("function", "use_buffers"),
    [("mean", False), ("exponential", False), ("exponential", True), ("own function", True)],
)
def test_averages(function, use_buffers, dtype):
    my_options, their_options = FUNCTIONS[function]
    mine, theirs = networks(dtype)
    my_average = AveragedModel(mine, use_buffers=use_buffers, **my_options)
    their_average = swa.AveragedModel(theirs, use_buffers=use_buffers, **their_options)
    rng = np.random.default_rng(2)
    for _ in range(100):
        stir(mine, theirs, rng)
        my_average.update_parameters(mine)
        their_average.update_parameters(theirs)
    assert my_average.n_averaged == their_average.n_averaged == 100
    assert_same(my_average.module, their_average.module, BOUND[dtype])


@every_dtype
def test_fresh_statistics(dtype):
    mine, theirs = networks(dtype)
    rng = np.random.default_rng(3)
    stir(mine, theirs, rng)
    batches = [rng.standard_normal((size, 2, 5, 5)).astype(dtype) for size in (8, 8, 3)]
    update_bn([(batch, None) for batch in batches], mine)
    swa.update_bn([torch.from_numpy(batch) for batch in batches], theirs)
    assert_same(mine, theirs, BOUND[dtype])
    assert mine[1].momentum == 0.1
    whole, _ = networks(dtype)
    for parameter, source in zip(whole.parameters(), mine.parameters(), strict=True):
        parameter.data = source.data
    update_bn(np.concatenate(batches), whole, batch_size=8)
    assert whole.buffers()["1.running_var"].tobytes() == mine.buffers()["1.running_var"].tobytes()


def with_gradients(dtype, size, flat):
    mine, theirs = networks(dtype)
    rng = np.random.default_rng(4)
    if flat:
        mine.flatten_parameters()
    for parameter, tensor in zip(mine.parameters(), theirs.parameters(), strict=True):
        gradient = (size * rng.standard_normal(parameter.shape)).astype(dtype)
        parameter.accumulate(gradient)
        tensor.grad = torch.from_numpy(gradient.copy())
    return mine, theirs


def assert_same_gradients(mine, theirs, bound):
    for (name, parameter), tensor in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(parameter.grad, tensor.grad.numpy(), rtol=bound, atol=bound, err_msg=name)


@every_dtype
@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("norm_type", [2, 1, 3.5, 0.5, math.inf])
@pytest.mark.parametrize("max_norm", [0.0, 1.0, 50.0])
@pytest.mark.parametrize("size", [0.0, 1e-3, 10.0])
def test_clipping_by_norm(size, max_norm, norm_type, flat, dtype):
    mine, theirs = with_gradients(dtype, size, flat)
    norm = clip_grad_norm_(mine, max_norm, norm_type)
    expected = nn.utils.clip_grad_norm_(theirs.parameters(), max_norm, norm_type)
    assert norm == pytest.approx(expected.item(), rel=BOUND[dtype])
    assert_same_gradients(mine, theirs, BOUND[dtype])


@every_dtype
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("norm_type", [2, 1, math.inf])
def test_clipping_of_what_is_not_finite(norm_type, value, dtype):
    mine, theirs = with_gradients(dtype, 1.0, True)
    mine[0].weight.grad[0, 0, 0, 0] = value
    theirs[0].weight.grad[0, 0, 0, 0] = value
    with pytest.raises(RuntimeError, match="gradients: expected a finite norm"):
        clip_grad_norm_(mine, 1.0, norm_type, error_if_nonfinite=True)
    norm = clip_grad_norm_(mine.parameters(), 1.0, norm_type)
    expected = nn.utils.clip_grad_norm_(theirs.parameters(), 1.0, norm_type)
    assert norm == expected.item() or (math.isnan(norm) and math.isnan(expected.item()))
    assert_same_gradients(mine, theirs, BOUND[dtype])


@every_dtype
@pytest.mark.parametrize("clip_value", [0.0, 0.5, 100.0])
def test_clipping_by_value(clip_value, dtype):
    mine, theirs = with_gradients(dtype, 1.0, True)
    mine[0].weight.grad[0, 0, 0, 0] = theirs[0].weight.grad[0, 0, 0, 0] = math.nan
    clip_grad_value_(mine, clip_value)
    nn.utils.clip_grad_value_(theirs.parameters(), clip_value)
    assert_same_gradients(mine, theirs, 0)


def test_norm_of_some():
    mine, theirs = with_gradients(np.float64, 1.0, True)
    expected = nn.utils.get_total_norm([theirs[0].weight.grad, theirs[3].weight.grad])
    assert get_total_norm([mine[0].weight, mine[3].weight]) == pytest.approx(expected.item(), rel=1e-12)
    assert get_total_norm(mine[0].bias) == pytest.approx(np.linalg.norm(mine[0].bias.grad), rel=1e-12)
