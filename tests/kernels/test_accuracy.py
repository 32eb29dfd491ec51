"""Errors that parity with a general bound would hide: hard statistics, and exp and log themselves."""

import math

import numpy as np
import pytest

from kitnet import _backend

compiled = _backend.compiled
ISAS = compiled.available_isas() if compiled else []

pytestmark = pytest.mark.skipif(not ISAS, reason="the compiled kernels were not built")

every_isa = pytest.mark.parametrize("isa", ISAS or ["none"])
every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture(autouse=True)
def _isa(isa: str):
    from kitnet._kernels._dispatch import use_isa

    with use_isa(isa):
        yield


@every_isa
@every_dtype
@pytest.mark.parametrize("shape", [(32, 3, 28 * 28), (64, 5, 16), (700, 40, 1), (1, 2, 30_000)], ids=str)
@pytest.mark.parametrize(("offset", "spread"), [(1e4, 1.0), (-1e3, 0.01), (0.0, 1e-6), (1.0, 1e12)])
def test_variance_far_from_zero(isa: str, dtype: type, shape: tuple[int, ...], offset: float, spread: float):
    x = (np.random.default_rng(0).standard_normal(shape) * spread + offset).astype(dtype)
    mean, var = np.empty(shape[1], dtype), np.empty(shape[1], dtype)
    compiled.batchnorm_statistics(x, mean, var, 2)
    exact = x.astype(np.longdouble)
    eps = np.finfo(dtype).eps
    assert np.abs(mean - exact.mean(axis=(0, 2))).max() <= 2 * eps * (abs(offset) + spread)
    condition = 1 + abs(offset) / spread if dtype == np.float64 else 1  # pieces are joined in float64
    np.testing.assert_allclose(var, exact.var(axis=(0, 2)), rtol=8 * eps * condition, atol=0)


def _exp(x: np.ndarray) -> np.ndarray:
    """exp(x) for x <= 0, as softmax computes it: beside 0, and where the sum is 1 but for 2^-30."""
    y = np.empty((len(x), 2), x.dtype)
    compiled.softmax_forward(np.stack([x, np.zeros_like(x)], axis=1), y, 1)
    return y[:, 0]


@every_isa
@every_dtype
def test_exp(isa: str, dtype: type):
    smallest = math.log(np.finfo(dtype).tiny) + 1
    x = np.linspace(smallest, -21 if dtype == np.float32 else -40, 200_001).astype(dtype)
    np.testing.assert_allclose(
        _exp(x).astype(np.longdouble), np.exp(x.astype(np.longdouble)), rtol=1.1 * np.finfo(dtype).eps, atol=0
    )
    far = np.array([-math.inf, -1e4, smallest - 3], dtype)
    assert (_exp(far) == 0).all()


@every_isa
@every_dtype
def test_log(isa: str, dtype: type):
    """The loss of n equal logits is log n, as long as n is exact."""
    for n in (1, 2, 3, 7, 8, 1000, 4097):
        loss = np.empty(1, dtype)
        compiled.cross_entropy_forward(
            np.zeros((1, n), dtype), np.array([n - 1]), np.empty((1, n), dtype), loss, 1
        )
        assert abs(loss[0] - math.log(n)) <= np.finfo(dtype).eps * math.log(n), n
