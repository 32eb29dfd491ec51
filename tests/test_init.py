"""Initialisers: PyTorch's formulas, on the fans of a weight."""

import math
import tracemalloc

import numpy as np
import pytest

from kitnet import init

SHAPE = (40, 25, 3, 2)  # fan_in 150, fan_out 240


@pytest.mark.parametrize(
    ("make", "std", "uniform"),
    [
        (lambda rng, **kw: init.uniform(SHAPE, rng, -1, 3, **kw), 4 / math.sqrt(12), True),
        (lambda rng, **kw: init.normal(SHAPE, rng, 5, 0.3, **kw), 0.3, False),
        (lambda rng, **kw: init.xavier_uniform(SHAPE, rng, **kw), math.sqrt(2 / 390), True),
        (lambda rng, **kw: init.xavier_normal(SHAPE, rng, gain=3.0, **kw), 3 * math.sqrt(2 / 390), False),
        (lambda rng, **kw: init.kaiming_uniform(SHAPE, rng, **kw), math.sqrt(2 / 150), True),
        (lambda rng, **kw: init.kaiming_uniform(SHAPE, rng, a=math.sqrt(5), **kw), math.sqrt(1 / 450), True),
        (lambda rng, **kw: init.kaiming_normal(SHAPE, rng, mode="fan_out", **kw), math.sqrt(2 / 240), False),
        (
            lambda rng, **kw: init.kaiming_normal(SHAPE, rng, nonlinearity="tanh", **kw),
            5 / 3 / math.sqrt(150),
            False,
        ),
    ],
)
def test_deviation_and_distribution(make, std, uniform):
    values = make(np.random.default_rng(0), dtype=np.float64)
    assert values.shape == SHAPE
    assert values.dtype == np.float64
    assert values.std() == pytest.approx(std, rel=0.03)
    spread = (values.max() - values.min()) / std
    assert (3.4 < spread <= math.sqrt(12)) if uniform else spread > 6
    single = make(np.random.default_rng(0))
    assert single.dtype == np.float32
    assert np.array_equal(single, values.astype(np.float32))


def test_centres():
    rng = np.random.default_rng(0)
    assert init.uniform((10_000,), rng, 2, 4).mean() == pytest.approx(3, abs=0.05)
    assert init.normal((10_000,), rng, 5, 0.3).mean() == pytest.approx(5, abs=0.02)
    assert init.xavier_uniform((100, 100), rng).mean() == pytest.approx(0, abs=0.01)


def test_constants():
    assert init.constant((2, 3), 1.5).tolist() == [[1.5] * 3] * 2
    assert init.zeros((2,), np.float64).tolist() == [0, 0]
    assert init.ones((2,)).dtype == np.float32


def test_fans_of_dense_and_convolutional_weights():
    assert init.fans((5, 7)) == (7, 5)
    assert init.fans(SHAPE) == (150, 240)
    with pytest.raises(ValueError, match="shape: expected at least 2 dimensions"):
        init.xavier_normal((3,), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1),
        ("conv2d", None, 1),
        ("sigmoid", None, 1),
        ("tanh", None, 5 / 3),
        ("relu", None, math.sqrt(2)),
        ("leaky_relu", None, math.sqrt(2 / 1.0001)),
        ("leaky_relu", 0.5, math.sqrt(1.6)),
        ("selu", None, 0.75),
    ],
)
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain)


def test_unknown_names():
    with pytest.raises(ValueError, match=r"nonlinearity: expected one of .*leaky_relu.*, got 'gelu'"):
        init.calculate_gain("gelu")
    with pytest.raises(ValueError, match="mode: expected 'fan_in' or 'fan_out', got 'fan'"):
        init.kaiming_normal((2, 2), np.random.default_rng(0), mode="fan")
    with pytest.raises(ValueError, match="shape: expected a result that fits in memory"):
        init.zeros((2**40, 2**40))


def test_weights_without_elements():
    rng = np.random.default_rng(0)
    assert init.xavier_uniform((0, 0), rng).shape == (0, 0)
    assert init.kaiming_normal((3, 0), rng).shape == (3, 0)


def test_placeholders_cost_nothing():
    tracemalloc.start()
    try:
        with init.placeholders():
            stand_in = init.kaiming_uniform((10**6, 10**6), np.random.default_rng(0), dtype=np.float64)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert stand_in.shape == (10**6, 10**6)
    assert stand_in.dtype == np.float64
    assert not stand_in.flags.writeable
    assert peak < 1e6
    assert init.zeros((2,)).flags.writeable
