"""Average and sum pooling: a window's sum, divided by a count that is a product of one per axis."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from .._arrays import Array, empty, gate, gate_batch
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, checked_shape, lift, one_int
from ._batch import takes_one_sample


def _axis_count(window: Window, axis: int, count_include_pad: bool) -> Array:
    """Each window's cells along an axis, without those behind the border, which only ceil_mode has."""
    border = (window.pad_before[axis], window.pad_after[axis]) if count_include_pad else (0, 0)
    start = np.arange(window.out_size[axis]) * window.stride[axis] - window.pad_before[axis]
    stop = np.minimum(start + window.kernel[axis], window.in_size[axis] + border[1])
    count: Array = stop - np.maximum(start, -border[0])
    return count


@lru_cache(maxsize=256)
def _counts(
    window: Window, dtype: np.dtype, count_include_pad: bool, divisor: int | None
) -> tuple[Array, ...]:
    """The counts along D, H and W whose product divides a window's sum."""
    counts = [np.ones(out) for out in window.out3]
    if divisor is not None:
        counts[0] *= divisor
    else:
        axes = range(window.ndim)
        counts[3 - window.ndim :] = [_axis_count(window, axis, count_include_pad) for axis in axes]
    return tuple(count.astype(dtype) for count in counts)


def _geometry(
    in_size: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None,
    padding: Padding,
    ceil_mode: bool,
    divisor_override: int | None,
    input_name: str,
) -> tuple[Window, int | None]:
    divisor = None if divisor_override is None else one_int(divisor_override, "divisor_override")
    window = Window.of(
        in_size, kernel_size, stride, padding, ceil_mode=ceil_mode, pooling=True, input_name=input_name
    )
    return window, divisor


@takes_one_sample(1)
def _avg_pool(
    ndim: int,
    x: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Padding,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    x = gate_batch(x, "x", ndim + 2)
    window, divisor = _geometry(x.shape[2:], kernel_size, stride, padding, ceil_mode, divisor_override, "x")
    y = empty(x.shape[:2] + window.out_size, x.dtype)
    if y.size:
        counts = _counts(window, x.dtype, bool(count_include_pad), divisor)
        kernels().avgpool_forward(lift(x), lift(y), *counts, window.kernel3, *window.geometry, n_threads())
    return y


@takes_one_sample(2)
def _avg_pool_backward(
    ndim: int,
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None,
    padding: Padding,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Array:
    shape = checked_shape(input_shape, ndim + 2, "input_shape")
    window, divisor = _geometry(
        shape[2:], kernel_size, stride, padding, ceil_mode, divisor_override, "input_shape"
    )
    dy = gate(dy, "dy", shape=shape[:2] + window.out_size)
    dx = empty(shape, dy.dtype, "input_shape")
    if dy.size:
        counts = _counts(window, dy.dtype, bool(count_include_pad), divisor)
        kernels().avgpool_backward(lift(dy), *counts, lift(dx), window.kernel3, *window.geometry, n_threads())
    return dx


def avg_pool1d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of each window of signals (N, C, L): y is (N, C, OL).

    All arguments, errors and sources are those of ``avg_pool2d``, with one spatial axis.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.avg_pool1d(np.array([[[1.0, 5, 2, 4]]]), 2)
    array([[[3., 3.]]])
    """
    return _avg_pool(1, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool2d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of each window of images (N, C, H, W): y is (N, C, OH, OW).

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W), whose result has no
        axis of the batch either.
    kernel_size, stride
        The window's cells, and the cells between windows (None: ``kernel_size``): an int, or one per axis.
    padding
        Border of zeros in cells, at most half the window: an int, one per axis, a (before, after) pair per
        axis, or ``"valid"``, ``"same"`` or ``"same_lower"`` (see ``conv2d``).
    ceil_mode
        Keep a last, partial window, if it starts inside the image or the border before it. What it holds
        behind the border is not counted.
    count_include_pad
        Whether the border's cells count in the divisor.
    divisor_override
        Divide by this instead, a positive int.

    Returns
    -------
    y
        (N, C, OH, OW)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4, "mean pooling": a convolution with constant weights 1 / (kh kw).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    >>> F.avg_pool2d(x, 2, ceil_mode=True)
    array([[[[2. , 3.5],
             [6.5, 8. ]]]], dtype=float32)
    """
    return _avg_pool(2, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of each window of volumes (N, C, D, H, W): y is (N, C, OD, OH, OW).

    All arguments, errors and sources are those of ``avg_pool2d``, with three spatial axes.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.avg_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2)
    array([[[[[3.5]]]]])
    """
    return _avg_pool(3, x, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool1d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The gradient dx (N, C, L) of ``avg_pool1d``; see ``avg_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.avg_pool1d_backward(np.array([[[4.0, 2.0]]]), (1, 1, 4), 2)
    array([[[2., 2., 1., 1.]]])
    """
    return _avg_pool_backward(
        1, dy, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool2d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The gradient dx of ``avg_pool2d``: each window's share of dy added to all its cells.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape (N, C, OH, OW).
    input_shape
        The shape (N, C, H, W) of the x that was pooled.
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As they were passed to ``avg_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4: backward is that of a convolution with constant weights.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.avg_pool2d_backward(np.array([[[[4.0]]]]), (1, 1, 2, 2), 2)
    array([[[[1., 1.],
             [1., 1.]]]])
    """
    return _avg_pool_backward(
        2, dy, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The gradient dx (N, C, D, H, W) of ``avg_pool3d``; see ``avg_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.avg_pool3d_backward(np.ones((1, 1, 1, 1, 1)), (1, 1, 1, 1, 4), (1, 1, 4))
    array([[[[[0.25, 0.25, 0.25, 0.25]]]]])
    """
    return _avg_pool_backward(
        3, dy, input_shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def sum_pool1d(
    x: Array, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False
) -> Array:
    """The sum of each window of signals (N, C, L): ``avg_pool1d`` undivided; see ``sum_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool1d(np.array([[[1.0, 5, 2, 4]]]), 2)
    array([[[6., 6.]]])
    """
    return _avg_pool(1, x, kernel_size, stride, padding, ceil_mode, True, 1)


def sum_pool2d(
    x: Array, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False
) -> Array:
    """The sum of each window of images (N, C, H, W): ``avg_pool2d`` without the division.

    Source: the article, section 4, as a step of L2 pooling.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool2d(np.ones((1, 1, 4, 4)), 3, stride=1)
    array([[[[9., 9.],
             [9., 9.]]]])
    """
    return _avg_pool(2, x, kernel_size, stride, padding, ceil_mode, True, 1)


def sum_pool3d(
    x: Array, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False
) -> Array:
    """The sum of each window of volumes (N, C, D, H, W): ``avg_pool3d`` undivided; see ``sum_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2)
    array([[[[[28.]]]]])
    """
    return _avg_pool(3, x, kernel_size, stride, padding, ceil_mode, True, 1)


def sum_pool1d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Array:
    """The gradient dx (N, C, L) of ``sum_pool1d``; see ``sum_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool1d_backward(np.array([[[4.0, 2.0]]]), (1, 1, 3), 2, stride=1)
    array([[[4., 6., 2.]]])
    """
    return _avg_pool_backward(1, dy, input_shape, kernel_size, stride, padding, ceil_mode, True, 1)


def sum_pool2d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Array:
    """The gradient dx (N, C, H, W) of ``sum_pool2d``: each dy added to all cells of its window.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool2d_backward(np.array([[[[4.0]]]]), (1, 1, 2, 2), 2)
    array([[[[4., 4.],
             [4., 4.]]]])
    """
    return _avg_pool_backward(2, dy, input_shape, kernel_size, stride, padding, ceil_mode, True, 1)


def sum_pool3d_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
) -> Array:
    """The gradient dx (N, C, D, H, W) of ``sum_pool3d``; see ``sum_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sum_pool3d_backward(np.ones((1, 1, 1, 1, 1)), (1, 1, 1, 1, 2), (1, 1, 2))
    array([[[[[1., 1.]]]]])
    """
    return _avg_pool_backward(3, dy, input_shape, kernel_size, stride, padding, ceil_mode, True, 1)
