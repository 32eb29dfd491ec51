"""Initialisers: PyTorch's formulas, on the fans of a weight."""

import math
import tracemalloc

import numpy as np
import pytest

import kitnet
from kitnet import functional as F
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


def test_truncated_normal_is_the_bell_between_its_bounds():
    rng = np.random.default_rng(0)
    values = init.trunc_normal((200_000,), rng, dtype=np.float64)
    assert abs(values).max() <= 2
    assert values.std() == pytest.approx(0.87962566, rel=0.01)  # 1 - 4 phi(2) / (2 Phi(2) - 1), rooted
    assert values.mean() == pytest.approx(0, abs=0.01)
    shifted = init.trunc_normal((10_000,), rng, mean=1.0, std=0.5, a=0.0, b=1.5, dtype=np.float64)
    assert 0 <= shifted.min() < 0.05
    assert 1.49 < shifted.max() <= 1.5


@pytest.mark.parametrize(
    ("mean", "a", "b"), [(0.0, 3.0, 6.0), (0.0, -6.0, -3.0), (0.0, -0.1, 0.2), (9.0, -1, 1)]
)
def test_bounds_that_hold_little_of_the_bell(mean, a, b):
    """Against the density, integrated."""
    values = init.trunc_normal((100_000,), np.random.default_rng(1), mean, 1.0, a, b, np.float64)
    assert a <= values.min() < values.max() <= b
    x = np.linspace(a, b, 10_001)
    density = np.exp(-((x - mean) ** 2) / 2)
    expected = (x * density).sum() / density.sum()
    assert values.mean() == pytest.approx(expected, abs=0.01 * (b - a))


def test_lecun_is_a_fan_to_the_power_of_minus_a_half():
    rng = np.random.default_rng(0)
    assert init.lecun_normal(SHAPE, rng).std() == pytest.approx(150**-0.5, rel=0.03)
    assert init.lecun_uniform(SHAPE, rng, "fan_out").std() == pytest.approx(240**-0.5, rel=0.03)
    assert abs(init.lecun_uniform(SHAPE, rng)).max() <= (3 / 150) ** 0.5


@pytest.mark.parametrize(
    "shape", [(5, 5), (3, 7), (7, 3), (40, 2, 3, 3), (300, 300), (200, 150), (1, 4), (70, 300)], ids=str
)
def test_orthogonal_matrices_are(shape):
    w = init.orthogonal(shape, np.random.default_rng(0), gain=2.0, dtype=np.float64)
    matrix = w.reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-14)
    single = init.orthogonal(shape, np.random.default_rng(0), gain=2.0)
    np.testing.assert_array_equal(single, w.astype(np.float32))


def test_orthogonal_matrices_have_no_direction():
    """Over many of them the entries of a row are as those of a random direction: all places alike."""
    rng = np.random.default_rng(0)
    many = np.array([init.orthogonal((3, 3), rng, dtype=np.float64) for _ in range(4000)])
    np.testing.assert_allclose(many.mean(0), 0, atol=0.05)
    np.testing.assert_allclose((many**2).mean(0), 1 / 3, atol=0.02)
    assert np.mean(np.linalg.det(many) > 0) == pytest.approx(0.5, abs=0.03)


def test_orthogonal_has_the_same_bits_for_any_number_of_threads():
    threads, bits = kitnet.get_num_threads(), set()
    try:
        for n in (1, 2, 3):
            kitnet.set_num_threads(n)
            bits.add(init.orthogonal((300, 400), np.random.default_rng(0), dtype=np.float64).tobytes())
    finally:
        kitnet.set_num_threads(threads)
    assert len(bits) == 1


def test_identities():
    assert init.eye((3, 2), np.float64).tolist() == [[1, 0], [0, 1], [0, 0]]
    filters = init.dirac((4, 3, 3, 5))
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 7), np.float32)
    y = F.conv2d(x, filters, padding="same")
    np.testing.assert_array_equal(y[:, :3], x)
    assert not y[:, 3].any()
    grouped = init.dirac((6, 2, 3), groups=2)  # three filters a group, for two channels
    x = np.random.default_rng(0).standard_normal((1, 4, 8), np.float32)
    y = F.conv1d(x, grouped, padding=1, groups=2)
    np.testing.assert_array_equal(y[:, [0, 1, 3, 4]], x)
    assert not y[:, [2, 5]].any()
    assert init.dirac((2, 2, 1, 1, 4)).sum() == 2


def test_sparse_matrices_are_and_the_rest_is_normal():
    w = init.sparse((1000, 20), np.random.default_rng(0), 0.9001, std=0.5, dtype=np.float64)
    assert ((w == 0).sum(axis=0) == 901).all()
    assert w[w != 0].std() == pytest.approx(0.5, rel=0.05)
    assert len({tuple(np.flatnonzero(column)) for column in w.T}) == 20
    assert not init.sparse((4, 4), np.random.default_rng(0), 1.0).any()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda rng: init.trunc_normal((2,), rng, std=0), "std"),
        (lambda rng: init.trunc_normal((2,), rng, a=1, b=1), "b"),
        (lambda rng: init.orthogonal((2,), rng), "shape"),
        (lambda rng: init.eye((2, 2, 2)), "shape"),
        (lambda rng: init.dirac((2, 2)), "shape"),
        (lambda rng: init.dirac((3, 2, 3), groups=2), "groups"),
        (lambda rng: init.sparse((2, 2, 2), rng, 0.5), "shape"),
        (lambda rng: init.sparse((2, 2), rng, 1.5), "sparsity"),
        (lambda rng: init.lecun_normal((2, 2), rng, mode="fan"), "mode"),
        (lambda rng: init.lecun_uniform((2,), rng), "shape"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises(ValueError, match=rf"^{match}: expected"):
        make(np.random.default_rng(0))


@pytest.mark.parametrize("shape", [(0, 3, 3), (3, 0, 3), (3, 3, 0)])
def test_structures_without_elements(shape):
    rng = np.random.default_rng(0)
    assert init.orthogonal(shape, rng).shape == shape
    assert init.dirac(shape).shape == shape
    assert init.trunc_normal(shape, rng).shape == shape
    assert init.sparse(shape[:2], rng, 0.5).shape == shape[:2]
    assert init.eye(shape[:2]).shape == shape[:2]
