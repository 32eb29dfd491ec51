"""Convolution and pooling with Keras's and TensorFlow's padding, against oracles written from its definition.

"same" has ceil(size / stride) windows, between borders that differ by one cell at most, the larger one at the
end; "causal" has its border in front, as wide as a window less one cell. A border is no part of a pool: a
mean counts cells of the image. Oracles go from window to window and tap to tap, and know nothing of kitnet.
"""

import math
import random

import numpy as np
import pytest

from kitnet import functional as F


def starts(rule, size, span, stride):
    """Where the windows of one axis start."""
    if rule == "valid":
        return range(0, size - span + 1, stride)
    if rule == "causal":
        return range(1 - span, size - span + 1, stride)
    count = -(-size // stride)
    border = max((count - 1) * stride + span - size, 0)
    before = border - border // 2 if rule == "same_lower" else border // 2
    return range(-before, count * stride - before, stride)


def windows(rule, size, kernel, stride, dilation):
    """(place, [(tap, cell), ...]) for each window: the cells of the image it sees, and by which tap."""
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    axes = [starts(rule, *axis) for axis in zip(size, spans, stride, strict=True)]
    for place in np.ndindex(*map(len, axes)):
        corner = [axis[i] for axis, i in zip(axes, place, strict=True)]
        seen = []
        for tap in np.ndindex(*kernel):
            cell = tuple(c + t * d for c, t, d in zip(corner, tap, dilation, strict=True))
            if all(0 <= c < s for c, s in zip(cell, size, strict=True)):
                seen.append((tap, cell))
        yield place, seen


def np_conv(x, weight, bias, windows, groups):
    """y and a function from dy to (dx, dweight, dbias)."""
    windows, (k, c), n = list(windows), weight.shape[:2], len(x)
    y = np.zeros((n, k, *(i + 1 for i in windows[-1][0]))) + bias[(..., *(None,) * (x.ndim - 2))]
    every = (slice(None), slice(None))

    def pairs():
        for g in range(groups):
            maps, channels = slice(g * k // groups, (g + 1) * k // groups), slice(g * c, (g + 1) * c)
            for place, seen in windows:
                for tap, cell in seen:
                    yield (
                        (slice(None), maps, *place),
                        (maps, slice(None), *tap),
                        (slice(None), channels, *cell),
                    )

    for at, tap, cell in pairs():
        y[at] += x[cell] @ weight[tap].T

    def backward(dy):
        dx, dw = np.zeros(x.shape), np.zeros(weight.shape)
        for at, tap, cell in pairs():
            dx[cell] += dy[at] @ weight[tap]
            dw[tap] += dy[at].T @ x[cell]
        return dx, dw, dy[every].sum(axis=(0, *range(2, dy.ndim)))

    return y, backward


def np_pool(x, windows, reduce):
    y = np.empty((*x.shape[:2], *(i + 1 for i in windows[-1][0])))
    for place, seen in windows:
        y[(..., *place)] = reduce(np.stack([x[(..., *cell)] for _, cell in seen]))
    return y


def geometries(seed, count, rules, most):
    """Sizes, kernels, strides and dilations up to ``most``, for one to three axes."""
    rng = random.Random(seed)
    while count:
        ndim = rng.choice((1, 1, 2, 2, 3))
        rule = rng.choice(rules if ndim == 1 else [rule for rule in rules if rule != "causal"])
        size, kernel, stride, dilation = (
            tuple(rng.randint(1, top) for _ in range(ndim)) for top in (most + 6 - 2 * ndim, most, 4, 3)
        )
        if all(starts(rule, s, d * (k - 1) + 1, 1) for s, k, d in zip(size, kernel, dilation, strict=True)):
            yield rule, size, kernel, stride, dilation
            count -= 1


def near(actual, expected, dtype):
    bound = 1e-5 if dtype == np.float32 else 1e-12
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, expected, bound, bound * np.abs(expected).max(initial=1))


RULES = ("valid", "same", "same", "same_lower", "causal", "causal")
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@both_dtypes
@pytest.mark.parametrize("groups", [1, 3])
def test_convolution(dtype, groups):
    rng = np.random.default_rng(groups)
    for rule, size, kernel, stride, dilation in geometries(f"conv {groups}", 200, RULES, 5):
        x, weight = rng.standard_normal((2, 2 * groups, *size)), rng.standard_normal((3 * groups, 2, *kernel))
        bias = rng.standard_normal(3 * groups)
        y, backward = np_conv(x, weight, bias, windows(rule, size, kernel, stride, dilation), groups)
        dy = rng.standard_normal(y.shape)
        op, gradients = (getattr(F, f"conv{len(size)}d{end}") for end in ("", "_backward"))
        given = [a.astype(dtype) for a in (x, weight, bias, dy)]
        moves = stride, rule, dilation, groups
        near(op(*given[:3], *moves), y, dtype)
        found = gradients(given[3], *given[:2], *moves)
        for actual, expected in zip(found, backward(dy), strict=True):
            near(actual, expected, dtype)


def _norm(p):
    return lambda cells: (abs(cells) ** p).sum(axis=0) ** (1 / p)


@both_dtypes
@pytest.mark.parametrize(
    ("name", "reduce", "options"),
    [
        ("max_pool", lambda cells: cells.max(axis=0), {}),
        ("avg_pool", lambda cells: cells.mean(axis=0), {"count_include_pad": False}),
        ("sum_pool", lambda cells: cells.sum(axis=0), {}),
        *(("lp_pool", _norm(p), {"norm_type": p}) for p in (1, 1.5, 2, 3, 7.3)),
        ("lp_pool", lambda cells: abs(cells).max(axis=0), {"norm_type": math.inf}),
    ],
)
def test_pooling(name, reduce, options, dtype):
    rng = np.random.default_rng(5)
    dilated = name in ("max_pool", "lp_pool")
    for rule, size, kernel, stride, dilation in geometries(name, 200, RULES[:4], 4):
        dilation = dilation if dilated else (1,) * len(size)
        seen = list(windows(rule, size, kernel, stride, dilation))
        x = rng.standard_normal((2, 3, *size))
        more = {**options, "stride": stride, "padding": rule} | ({"dilation": dilation} if dilated else {})
        op = getattr(F, f"{name}{len(size)}d")
        if not all(cells for _, cells in seen):  # a window of border alone has no value
            with pytest.raises(ValueError, match=r"^(padding|dilation): expected"):
                op(x.astype(dtype), kernel_size=kernel, **more)
            continue
        near(op(x.astype(dtype), kernel_size=kernel, **more), np_pool(x, seen, reduce), dtype)
