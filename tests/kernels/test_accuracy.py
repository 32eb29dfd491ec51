"""Errors that parity with a general bound would hide: hard statistics, exp and log, Winograd's algorithm."""

import math
from functools import lru_cache
from itertools import product

import numpy as np
import pytest
from families import Arrays, Call, Conv

from kitnet import _backend
from kitnet._geometry import Window

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


# ---- Winograd ---------------------------------------------------------------------------------------

TIMES = 5
"""What ``set_config`` says of the error, in the norm: so many times that of a plain sum in float32 ..."""
LEAST = 4 * float(np.finfo(np.float32).eps)
"""... or this, where that is smaller: a gradient of the weights that sums a handful of products."""

OUTPUT = {"conv_forward": "y", "conv_backward_data": "dx", "conv_backward_weight": "dweight"}


def shifted(x: np.ndarray, i: int, j: int) -> np.ndarray:
    """What tap (i, j) of a 3x3 kernel meets in the planes of x, with a border of one zero."""
    bordered = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return bordered[..., i : i + x.shape[-2], j : j + x.shape[-1]]


def plain_sum(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A 3x3 convolution as a textbook writes it: one term after the other, over (c, kh, kw), in float32."""
    y = np.zeros((len(x), len(weight), *x.shape[2:]), np.float32)
    for c, i, j in product(range(x.shape[1]), range(3), range(3)):
        y += weight[:, c, i, j, None, None] * shifted(x, i, j)[:, c, None]
    return y


def plain_weight_sum(dy: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The gradient of its weights: one term after the other, over the images and their pixels."""
    taps = np.stack([shifted(x, i, j) for i, j in product(range(3), range(3))], axis=2)  # (n, c, 9, h, w)
    dweight = np.zeros((dy.shape[1], *taps.shape[1:3]), np.float32)
    for n, h, w in product(range(len(x)), range(x.shape[2]), range(x.shape[3])):
        dweight += dy[n, :, None, None, h, w] * taps[n, :, :, h, w]
    return dweight


def plain(call: Call) -> np.ndarray:
    arrays = {name: array[:, :, 0] for name, array in call.inputs.items() if array.ndim == 5}
    if call.kernel == "conv_forward":
        return plain_sum(arrays["x"], arrays["weight"])
    if call.kernel == "conv_backward_data":
        return plain_sum(arrays["dy"], arrays["weight"][:, :, ::-1, ::-1].swapaxes(0, 1))
    return plain_weight_sum(arrays["dy"], arrays["x"])


@lru_cache(maxsize=1)
def exact_and_plain(case: Conv) -> dict[str, tuple[Call, Arrays, float]]:
    """By kernel: the call in float32, its results in float64, and the error of the plain sum."""
    found = {}
    for kernel, call in case.calls(np.dtype(np.float32)).items():
        wide = case.calls(np.dtype(np.float64))[kernel].given(
            **{name: array.astype(np.float64) for name, array in call.inputs.items()}
        )
        exact = wide.run(compiled)[OUTPUT[kernel]]
        found[kernel] = call, exact, relative_error(plain(call), exact)
    return found


def relative_error(y: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(y.astype(np.float64).ravel() - exact.ravel()) / np.linalg.norm(exact))


FEW_TILES = 32
"""Batches of fewer tiles than this do not pay for the transforms of the gradient of the weights."""


def tiles(case: Conv) -> int:
    n, _, *size = case.x
    rows, columns = (-(-out // 4) for out in Window.of(size, case.kernel, 1, case.padding).out_size)
    return n * rows * columns


@every_isa
@pytest.mark.parametrize(
    "case",
    [
        Conv(x=(n, c, h, w), k=k, kernel=3, padding=1, bias=False)
        for n, c, k, h, w in (
            (1, 16, 64, 8, 8),
            (1, 64, 16, 8, 8),
            (1, 32, 32, 7, 8),
            (1, 32, 32, 4, 4),
            (1, 16, 64, 2, 4),
            (2, 64, 64, 28, 28),
            (1, 16, 64, 32, 32),
            (1, 128, 128, 12, 12),
            (1, 512, 32, 8, 8),
        )
    ],
    ids=str,
)
def test_winograd_errs_little_more_than_a_plain_sum(isa: str, case: Conv):
    for kernel, (call, exact, error_of_plain) in exact_and_plain(case).items():
        error = relative_error(call.run(compiled)[OUTPUT[kernel]], exact)
        assert error <= max(TIMES * error_of_plain, LEAST), f"{kernel}: {error / error_of_plain:.2f} times"
        compiled.set_winograd(False)
        try:
            direct = call.run(compiled)[OUTPUT[kernel]]
        finally:
            compiled.set_winograd(True)
        if kernel == "conv_backward_weight" and tiles(case) < FEW_TILES:
            assert relative_error(direct, exact) == error
        else:
            assert relative_error(direct, exact) < error, f"{kernel} did not use Winograd's algorithm"
