"""Transposed convolution and convolution are each other's adjoint: over the case list, both ways."""

import numpy as np
import pytest
from cases import CASES
from families import DTYPES, Conv, ConvTranspose, Windowed

from kitnet import functional as F
from kitnet._geometry import Window


def conv(case: Windowed, x, weight, window: Window):
    op = getattr(F, f"conv{window.ndim}d")
    return op(x, weight, None, window.stride, window.pads, window.dilation, case.groups)


def conv_transpose(case: Windowed, y, weight, window: Window):
    """To the size that the window says: what the stride leaves open is the output's padding."""
    w = window
    axes = zip(w.in_size, w.out_size, w.kernel, w.stride, w.pads, w.dilation, strict=True)
    extra = tuple(size + sum(pads) - (out - 1) * s - d * (k - 1) - 1 for size, out, k, s, pads, d in axes)
    op = getattr(F, f"conv_transpose{window.ndim}d")
    return op(y, weight, None, window.stride, window.pads, extra, case.groups, window.dilation)


def arrays(case: Windowed, window: Window, channels: int, filters: int):
    rng, n = np.random.default_rng(0), case.x[0]
    x = rng.standard_normal((n, channels, *window.in_size))
    y = rng.standard_normal((n, filters, *window.out_size))
    return x, y, rng.standard_normal((filters, channels // case.groups, *window.kernel))


def assert_adjoint(case: Windowed, x, y, weight, window: Window):
    """<conv(x), y> = <x, conv_transpose(y)>"""
    forth, back = conv(case, x, weight, window), conv_transpose(case, y, weight, window)
    assert forth.shape == y.shape
    assert back.shape == x.shape
    bound = 1e-12 * (1 + np.linalg.norm(forth) * np.linalg.norm(y))
    assert abs(np.vdot(forth, y) - np.vdot(x, back)) <= bound


@pytest.mark.parametrize("case", [case for case in CASES if type(case) is Conv], ids=str)
def test_it_is_the_adjoint_of_convolution(case: Conv):
    window = case.window
    assert_adjoint(case, *arrays(case, window, case.x[1], case.k), window)


@pytest.mark.parametrize("case", [case for case in CASES if type(case) is ConvTranspose], ids=str)
def test_convolution_is_its_adjoint(case: ConvTranspose):
    """Where the convolution of the result has no more places than the input had."""
    window = case.window
    rest = window.kernel, window.stride, window.pads, window.dilation
    if Window.of(window.in_size, *rest).out_size == window.out_size:
        assert_adjoint(case, *arrays(case, window, case.k, case.x[1]), window)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_forward_and_the_gradient_of_the_input_change_places(dtype):
    """The same kernels do both: the same bits."""
    rng = np.random.default_rng(1)

    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    x, weight, y = normal(2, 4, 9, 8), normal(6, 2, 3, 3), normal(2, 6, 5, 4)
    dx, dw, _ = F.conv2d_backward(y, x, weight, stride=2, padding=1, groups=2)
    back = {"stride": 2, "padding": 1, "output_padding": (0, 1), "groups": 2}
    assert F.conv_transpose2d(y, weight, **back).tobytes() == dx.tobytes()
    dy, dw_back, db = F.conv_transpose2d_backward(x, y, weight, **back)
    assert dy.tobytes() == F.conv2d(x, weight, stride=2, padding=1, groups=2).tobytes()
    assert dw_back.tobytes() == dw.tobytes()
    np.testing.assert_allclose(db, x.sum(axis=(0, 2, 3), dtype=np.float64), rtol=1e-5)
