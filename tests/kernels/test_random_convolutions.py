"""Convolutions that nobody thought of, compiled against reference: hypothesis draws them, always the same."""

import numpy as np
import pytest
from agreement import assert_close
from cases.sizes import EDGES
from families import DTYPES, Conv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kitnet import _backend
from kitnet._kernels import reference
from kitnet.explain import explain_conv

compiled = _backend.compiled

pytestmark = pytest.mark.skipif(compiled is None, reason="the compiled kernels were not built")

COUNT = 500
LONGEST = {1: 140, 2: 20, 3: 6}  # axes -> size of one: past the widest tile in columns, and quick in NumPy

few = st.integers(1, 9)
near_a_tile = st.sampled_from([n for n in EDGES if n <= 33])
channels = few | near_a_tile


def sizes(draw: st.DrawFn, kernel, padding, dilation, longest: int) -> tuple[int, ...]:
    """A size for each axis, at least what the window needs."""
    return tuple(
        draw(st.integers(max(1, d * (k - 1) + 1 - sum(p)), max(longest, d * (k - 1) + 1)))
        for k, p, d in zip(kernel, padding, dilation, strict=True)
    )


def per_axis(draw: st.DrawFn, ndim: int, values) -> tuple:
    return tuple(draw(values) for _ in range(ndim))


def pads(draw: st.DrawFn, ndim: int) -> tuple[tuple[int, int], ...]:
    """A (before, after) pair for each axis."""
    return per_axis(draw, ndim, st.tuples(st.integers(0, 3), st.integers(0, 3)))


@st.composite
def general(draw: st.DrawFn) -> Conv:
    """Any geometry, with channels and filters around the tiles."""
    ndim = draw(st.sampled_from((1, 2, 2, 3)))
    kernel = per_axis(draw, ndim, st.integers(1, 5 if ndim < 3 else 3))
    stride = per_axis(draw, ndim, st.sampled_from((1, 1, 2, 3, 4)))
    dilation = per_axis(draw, ndim, st.sampled_from((1, 1, 2, 3)))
    padding, groups = pads(draw, ndim), draw(st.sampled_from((1, 1, 1, 2, 3)))
    size = sizes(draw, kernel, padding, dilation, LONGEST[ndim])
    x = (draw(st.integers(1, 3)), groups * draw(channels), *size)
    return Conv(
        x=x,
        k=groups * draw(channels),
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        residual=draw(st.booleans()),
        low=draw(st.sampled_from((0.0, Conv.low))),
        tolerance=512,  # some are 3x3 with channels enough for Winograd's algorithm
    )


@st.composite
def one_column(draw: st.DrawFn) -> Conv:
    """1x1 kernels, and kernels as large as the image: no lattice, or one that would be mostly waste."""
    ndim = draw(st.sampled_from((1, 2, 3)))
    size = per_axis(draw, ndim, st.integers(1, 12 if ndim < 3 else 6))
    kernel = draw(st.sampled_from(((1,) * ndim, size)))
    x = (draw(st.integers(1, 5)), draw(channels | st.integers(250, 260)), *size)
    return Conv(x=x, k=draw(channels), kernel=kernel, residual=draw(st.booleans()))


@st.composite
def depthwise(draw: st.DrawFn) -> Conv:
    """One channel a group, and filters around the number up to which that has kernels of its own."""
    ndim = draw(st.sampled_from((1, 2, 2, 3)))
    kernel = per_axis(draw, ndim, st.integers(1, 5 if ndim < 3 else 3))
    stride = per_axis(draw, ndim, st.sampled_from((1, 1, 2, 3)))
    dilation = per_axis(draw, ndim, st.sampled_from((1, 1, 2)))
    padding, groups = pads(draw, ndim), draw(channels)
    size = sizes(draw, kernel, padding, dilation, 2 * LONGEST[ndim])
    return Conv(
        x=(draw(st.integers(1, 3)), groups, *size),
        k=groups * draw(st.integers(1, 3)),
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        residual=draw(st.booleans()),
    )


@st.composite
def winograd(draw: st.DrawFn) -> Conv:
    """3x3 with stride 1, some dilated; channels, filters and images around the least that Winograd takes."""
    least = st.sampled_from(((15, 70), (16, 63), (16, 64), (17, 64), (31, 33), (32, 32), (33, 40)))
    many = st.sampled_from(((120, 121), (121, 121), (122, 120)))  # past the ones that are transformed at once
    c, k = draw(least | least | many)
    c, k = draw(st.sampled_from(((c, k), (k, c))))
    groups, longest = (1, 13) if c * k > 10_000 else (draw(st.sampled_from((1, 1, 2))), 19)
    padding, dilation = pads(draw, 2), draw(st.sampled_from(((1, 1), (1, 1), (2, 2), (3, 2), (4, 4), (2, 3))))
    return Conv(
        x=(draw(st.integers(1, 3)), groups * c, *sizes(draw, (3, 3), padding, dilation, longest)),
        k=groups * k,
        kernel=(3, 3),
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        residual=draw(st.booleans()),
        tolerance=512,
    )


ALGORITHMS = {
    "direct",
    "direct, packed",
    "direct, filters in lanes",
    "direct, 1x1",
    "depthwise",
    "winograd, by tiles",
    "winograd, by filters",
    "winograd",
}


def algorithms(case: Conv, dtype: np.dtype) -> set[str]:
    """What the three passes of a row run by."""
    weight = (case.k, case.x[1] // case.groups, *case.kernel)
    with _backend.use_backend("cython"):
        report = explain_conv(case.x, weight, case.stride, case.padding, case.dilation, case.groups, dtype)
    return {one.algorithm for one in (report.forward, report.backward_data, report.backward_weight)}


def test_500_random_convolutions_have_the_values_of_the_reference():
    visited: set[str] = set()

    @settings(
        max_examples=COUNT, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(general() | general() | one_column() | depthwise() | winograd())
    def agree(case: Conv) -> None:
        for dtype in DTYPES:
            visited.update(algorithms(case, dtype))
            for call in case.calls(dtype).values():
                expected, actual = call.run(reference), call.run(compiled, n_threads=2)
                # Of the sum of the magnitudes: a lone sum of many terms may happen to be almost zero.
                sizes = call.given(**{name: np.abs(array) for name, array in call.inputs.items()}).run(
                    reference
                )
                for name, array in expected.items():
                    what, scale = f"{call.kernel} {name}, {dtype}", sizes[name].max(initial=0)
                    assert_close(actual[name], array, case.tolerance, what, scale)

    agree()
    assert visited == ALGORITHMS
