"""Errors that a general bound on parity would hide: hard statistics, ``kn_math.h``, Winograd's algorithm."""

import math
from collections.abc import Iterator
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
    compiled.softmax_forward(np.stack([x, np.zeros_like(x)], axis=1)[..., None], y[..., None], 1)
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
        loss = np.empty((1, 1), dtype)
        compiled.cross_entropy_forward(
            np.zeros((1, n, 1), dtype),
            np.array([[n - 1]]),
            np.empty(0, dtype),
            0,
            np.empty((1, n, 1), dtype),
            loss,
            1,
        )
        assert abs(loss[0, 0] - math.log(n)) <= np.finfo(dtype).eps * math.log(n), n


# ---- Winograd ---------------------------------------------------------------------------------------

TIMES = 5
"""What ``set_config`` says of the error, in the norm: so many times that of a plain sum in float32 ..."""
LEAST = 4 * float(np.finfo(np.float32).eps)
"""... or this, where that is smaller: a gradient of the weights that sums a handful of products."""

OUTPUT = {"conv_forward": "y", "conv_backward_data": "dx", "conv_backward_weight": "dweight"}


Sizes = tuple[int, ...]


def shifted(
    x: np.ndarray, kernel: Sizes, dilation: Sizes, backward: bool = False
) -> Iterator[tuple[Sizes, np.ndarray]]:
    """Each tap of a kernel that keeps the size, and what it meets in the images of x, zeros around them:
    where sizes are even, one more before, or ``backward`` behind."""
    before = [(size - 1) // 2 if backward else size // 2 for size in kernel]
    around = [(n * d, (size - 1 - n) * d) for n, size, d in zip(before, kernel, dilation, strict=True)]
    bordered = np.pad(x, [(0, 0), (0, 0), *around])
    for tap in product(*map(range, kernel)):
        places = zip(tap, dilation, x.shape[2:], strict=True)
        yield tap, bordered[(..., *(slice(i * d, i * d + n) for i, d, n in places))]


def plain_sum(x: np.ndarray, weight: np.ndarray, dilation: Sizes, backward: bool = False) -> np.ndarray:
    """A convolution as a textbook writes it: one term after the other, over (c, kd, kh, kw), in float32."""
    y = np.zeros((len(x), len(weight), *x.shape[2:]), np.float32)
    taps = list(shifted(x, weight.shape[2:], dilation, backward))
    for c in range(x.shape[1]):
        for tap, seen in taps:
            y += weight[(slice(None), c, *tap, None, None, None)] * seen[:, c, None]
    return y


def plain_weight_sum(dy: np.ndarray, x: np.ndarray, kernel: Sizes, dilation: Sizes) -> np.ndarray:
    """The gradient of its weights: one term after the other, over the images and their pixels."""
    taps = np.stack([seen for _, seen in shifted(x, kernel, dilation)], axis=2)  # (n, c, taps, d, h, w)
    dweight = np.zeros((dy.shape[1], *taps.shape[1:3]), np.float32)
    for n, *pixel in product(range(len(x)), *map(range, x.shape[2:])):
        dweight += dy[(n, slice(None), None, None, *pixel)] * taps[(n, slice(None), slice(None), *pixel)]
    return dweight


def plain(case: Conv, call: Call) -> np.ndarray:
    arrays, dilation = call.inputs, call.scalars["dilation"]
    if call.kernel == "conv_forward":
        return plain_sum(arrays["x"], arrays["weight"], dilation)
    if call.kernel == "conv_backward_data":
        return plain_sum(arrays["dy"], np.flip(arrays["weight"], (2, 3, 4)).swapaxes(0, 1), dilation, True)
    return plain_weight_sum(arrays["dy"], arrays["x"], call.outputs["dweight"][0][2:], dilation)


@lru_cache(maxsize=1)
def exact_and_plain(case: Conv) -> dict[str, tuple[Call, Arrays, float]]:
    """By kernel: the call in float32, its results in float64, and the error of the plain sum."""
    found = {}
    for kernel, call in case.calls(np.dtype(np.float32)).items():
        wide = case.calls(np.dtype(np.float64))[kernel].given(
            **{name: array.astype(np.float64) for name, array in call.inputs.items()}
        )
        exact = wide.run(compiled)[OUTPUT[kernel]]
        found[kernel] = call, exact, relative_error(plain(case, call), exact)
    return found


def relative_error(y: np.ndarray, exact: np.ndarray) -> float:
    return float(np.linalg.norm(y.astype(np.float64).ravel() - exact.ravel()) / np.linalg.norm(exact))


FEW_TILES = 32
"""Batches of fewer tiles than this do not pay for the transforms of the gradient of the weights."""


def tiles(case: Conv) -> int:
    n, _, *size = case.x
    window = Window.of(size, case.kernel, 1, case.padding, case.dilation)
    *slices, h, w = window.out_size
    along = (d * -(-n // (4 * d)) for n, d in zip((h, w), window.dilation[-2:], strict=True))
    return n * math.prod(slices) * math.prod(along)


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
    ]
    + [
        Conv(x=(2, c, *size), k=2 * c, kernel=kernel, padding=padding, bias=False)
        for c, size, kernel, padding in (
            (32, (16, 20), 5, 2),
            (32, (12, 12), (3, 5), (1, 2)),
            (32, (3, 12, 16), 3, 1),
            (32, (4, 12, 12), (1, 5, 5), (0, 2, 2)),
            (64, (16, 20), 2, ((1, 0), (1, 0))),
            (64, (12, 16), 4, ((2, 1), (2, 1))),
            (64, (3, 12, 16), 2, ((1, 0),) * 3),
        )
    ]
    + [
        Conv(x=(2, 32, *size), k=64, kernel=kernel, padding=padding, dilation=dilation, bias=False)
        for size, kernel, padding, dilation in (
            ((15, 18), 3, 2, 2),
            ((12, 16), 3, (3, 4), (3, 4)),
            ((16, 16), 5, 4, 2),
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


# ---- activations: the largest relative error, in epsilons of the dtype ----------------------------------


def _exact_logistic(x: np.ndarray) -> np.ndarray:
    e = np.exp(-abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def _exact_softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def _exact_mish(x: np.ndarray) -> np.ndarray:
    w = np.exp(-abs(x))
    n = np.where(x < 0, w * (w + 2), 1 + 2 * w)
    return x * n / (n + 2 * np.where(x < 0, 1, w * w))


def _exact_normal(x: np.ndarray) -> np.ndarray:
    """The probability of a normal number below x: a series near 0, a continued fraction away from it."""
    bell = np.exp(-x * x / 2) / np.sqrt(8 * np.arctan(np.longdouble(1)))
    term, near = x.copy(), x.copy()
    for k in range(1, 60):
        term = term * x * x / (2 * k + 1)
        near = near + term
    a, ratio = np.maximum(abs(x), 2), np.zeros_like(x)
    for k in range(300, 0, -1):
        ratio = k / (a + ratio)
    beyond = bell / (a + ratio)
    return np.where(abs(x) < 2, 0.5 + bell * near, np.where(x < 0, beyond, 1 - beyond))


FUNCTIONS = {  # kind: parameters, range, what it is in long double, epsilons
    "elu": ((1, 1), 40, lambda x: np.where(x > 0, x, np.expm1(x)), 1.1),
    "tanh": ((0, 0), 20, np.tanh, 1.5),
    "sigmoid": ((0, 0), 80, _exact_logistic, 1.5),
    "softplus": ((1, math.inf), 80, _exact_softplus, 2),
    "logsigmoid": ((0, 0), 80, lambda x: -_exact_softplus(-x), 2),
    "silu": ((0, 0), 80, lambda x: x * _exact_logistic(x), 2),
    "mish": ((0, 0), 40, _exact_mish, 3),
    "gelu": ((0, 0), 37, lambda x: x * _exact_normal(x), 3),
}
SLOPES = {  # the same of gradients; they cancel where the function turns, hence in epsilons of 1
    "silu": ((0, 0), 80, lambda x: _exact_logistic(x) * (1 + x * _exact_logistic(-x)), 3),
    "softplus": ((1, math.inf), 80, _exact_logistic, 1.5),
    "elu": ((1, 1), 40, lambda x: np.where(x > 0, 1, np.exp(x)), 1.1),
    "tanhshrink": ((0, 0), 20, lambda x: np.tanh(x) ** 2, 3),
}


def _numbers(dtype: type, reach: float) -> np.ndarray:
    """Over the whole range, around 0 in all sizes, and at the places where methods change."""
    rng = np.random.default_rng(0)
    wide, near = rng.uniform(-reach, reach, 100_000), rng.uniform(-1.5, 1.5, 100_000)
    tiny = np.exp(rng.uniform(-40, 0, 50_000)) * rng.choice([-1, 1], 50_000)
    return np.concatenate([wide, near, tiny, np.arange(-reach, reach + 1)]).astype(dtype)


@every_isa
@every_dtype
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_activations(isa: str, dtype: type, kind: str):
    (a, b), reach, function, epsilons = FUNCTIONS[kind]
    x = _numbers(dtype, reach)
    y = np.empty_like(x)
    compiled.activation_forward(kind, x, y, a, b, 2)
    exact = function(x.astype(np.longdouble))
    seen = abs(exact) > 100 * np.finfo(dtype).tiny  # smaller ones have factors that count as 0
    error = abs(y[seen] - exact[seen]) / abs(exact[seen])
    assert error.max() <= epsilons * np.finfo(dtype).eps


@every_isa
@every_dtype
@pytest.mark.parametrize("kind", SLOPES)
def test_slopes_of_activations(isa: str, dtype: type, kind: str):
    (a, b), reach, function, epsilons = SLOPES[kind]
    x = _numbers(dtype, reach)
    dx = np.empty_like(x)
    compiled.activation_backward(kind, np.ones_like(x), x, dx, a, b, 2)
    exact = function(x.astype(np.longdouble))
    assert abs(dx - exact).max() <= epsilons * np.finfo(dtype).eps


@every_isa
@every_dtype
def test_logarithms_of_probabilities(isa: str, dtype: type):
    """-log x and -log(1 - x), through binary cross-entropy."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.random(100_000), np.exp(rng.uniform(-40, 0, 100_000))]).astype(dtype)
    exact = x.astype(np.longdouble)
    for target, expected, epsilons in ((1, -np.log(exact), 1), (0, -np.log1p(-exact), 1.5)):
        loss = np.empty_like(x)
        compiled.loss_forward("bce", x, np.full_like(x, target), loss, np.empty(1, dtype), 0, 0, 1)
        seen = (expected > 0) & (x < 1)
        error = abs(loss[seen] - expected[seen]) / expected[seen]
        assert error.max() <= epsilons * np.finfo(dtype).eps


@every_isa
@every_dtype
@pytest.mark.parametrize("size", [1, 7, 16, 100, 20_000, 40_003])
def test_the_sum_of_losses_is_exact_enough(isa: str, dtype: type, size: int):
    x = np.random.default_rng(size).standard_normal(size).astype(dtype)
    total = np.empty(1, dtype)
    compiled.loss_forward("mse", x, np.zeros_like(x), np.empty(0, dtype), total, 0, 0, 3)
    exact = (x.astype(np.longdouble) ** 2).sum()
    assert abs(total[0] - exact) <= 8 * np.finfo(dtype).eps * exact


@every_isa
@every_dtype
@pytest.mark.parametrize("kind", ["relu", "gelu", "mish", "elu", "softplus", "tanh"])
def test_an_element_is_the_same_in_any_place(isa: str, dtype: type, kind: str):
    """In the body of a loop, in what is left at its end, alone."""
    x = np.random.default_rng(0).standard_normal(67).astype(dtype) * 3
    y, dx = np.empty_like(x), np.empty_like(x)
    compiled.activation_forward(kind, x, y, 1, 20, 1)
    compiled.activation_backward(kind, x[::-1].copy(), x, dx, 1, 20, 1)
    for i in range(len(x)):
        one = np.empty(1, dtype)
        compiled.activation_forward(kind, x[i : i + 1], one, 1, 20, 1)
        assert one.tobytes() == y[i : i + 1].tobytes()
        compiled.activation_backward(kind, x[::-1].copy()[i : i + 1], x[i : i + 1], one, 1, 20, 1)
        assert one.tobytes() == dx[i : i + 1].tobytes()
