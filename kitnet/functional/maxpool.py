"""Maximum pooling: the largest value of each window, and the gradient's way back to it."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np

from .._arrays import Array, empty, gate_batch, gate_int, maker
from .._backend import kernel, kernels, n_threads
from .._geometry import LARGEST, Padding, Size, Window, checked_shape, lift, product
from ._batch import takes_one_sample
from ._prepared import Prepared

_NOT_WANTED = np.empty((0,) * 5, np.int32)


def plane_size(shape: tuple[int, ...], name: str) -> int:
    """The cells of one plane (D H W), which a saved index counts in 32 bits."""
    size = product(shape[2:])
    if size > LARGEST:
        raise ValueError(f"{name}: expected at most {LARGEST} cells a channel, got shape {shape}")
    return size


def prepare_max_pool(
    ndim: int,
    shape: tuple[int, ...],
    dtype: np.dtype,
    kernel_size: Size,
    stride: Size | None,
    padding: Padding,
    dilation: Size,
    ceil_mode: bool,
) -> Prepared:
    """Pooling of arrays (N, C, ...) of this shape, no size 0 but N; ``run`` takes indices to fill, too."""
    plane_size(shape, "x")
    window = Window.of(shape[2:], kernel_size, stride, padding, dilation, ceil_mode=ceil_mode, pooling=True)
    make = maker((*shape[:2], *window.out3), dtype)
    forward = kernel("maxpool_forward", dtype)
    cells, (steps, pads, dilations) = window.kernel3, window.geometry

    def run(x: Array, n_threads: int, indices: Array = _NOT_WANTED) -> Array:
        y = make()
        forward(lift(x), y, indices, cells, steps, pads, dilations, n_threads)
        return y

    return Prepared(run, shape[:2] + window.out_size)


@takes_one_sample(1, 2)
def _max_pool(ndim: int, x: Array, return_indices: bool, *window: Any) -> Array | tuple[Array, Array]:
    x = gate_batch(x, "x", ndim + 2)
    run, shape = prepare_max_pool(ndim, x.shape, x.dtype, *window)
    if not return_indices:
        return run(x, n_threads()).reshape(shape)
    indices = empty(shape, np.int32)
    return run(x, n_threads(), lift(indices)).reshape(shape), indices


@takes_one_sample(3)
def _max_pool_backward(ndim: int, dy: Array, indices: Array, input_shape: tuple[int, ...]) -> Array:
    dy = gate_batch(dy, "dy", ndim + 2)
    shape = checked_shape(input_shape, ndim + 2, "input_shape")
    if shape[:2] != dy.shape[:2]:
        raise ValueError(
            f"input_shape: expected {dy.shape[:2]} and sizes, as dy has shape {dy.shape}, got {shape}"
        )
    plane = plane_size(shape, "input_shape")
    indices = gate_int(indices, "indices", np.int32, shape=dy.shape, below=plane)
    dx = empty(shape, dy.dtype, "input_shape")
    kernels().maxpool_backward(lift(dy), lift(indices), lift(dx), n_threads())
    return dx


@overload
def max_pool1d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Array: ...  # fmt: skip
@overload
def max_pool1d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> tuple[Array, Array]: ...  # fmt: skip
def max_pool1d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of signals (N, C, L): y is (N, C, OL).

    All arguments, errors and sources are those of ``max_pool2d``, with one spatial axis.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_pool1d(np.array([[[1.0, 5, 2, 3]]]), 2)
    array([[[5., 3.]]])
    """
    return _max_pool(1, x, return_indices, kernel_size, stride, padding, dilation, ceil_mode)


@overload
def max_pool2d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Array: ...  # fmt: skip
@overload
def max_pool2d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> tuple[Array, Array]: ...  # fmt: skip
def max_pool2d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of images (N, C, H, W): y is (N, C, OH, OW).

    The first of equals wins; NaN is larger than everything.

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W), whose results have
        no axis of the batch either.
    kernel_size, stride, dilation
        The window's cells, the cells between windows (None: ``kernel_size``) and between the cells that a
        window reads: an int, or one per axis.
    padding
        Border in cells, which never wins, of at most half the (dilated) window: an int, one per axis, a
        (before, after) pair per axis, or ``"valid"``, ``"same"`` or ``"same_lower"`` (see ``conv2d``).
    ceil_mode
        Keep a last, partial window, if it starts inside the image or the border before it.
    return_indices
        Return (y, indices).

    Returns
    -------
    y, or (y, indices)
        (N, C, OH, OW). The indices, int32, are the maxima's offsets in their plane, h W + w, which
        ``max_pool2d_backward`` takes.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[[1, 2, 0, 0], [4, 3, 0, 9]]]], np.float32)
    >>> y, indices = F.max_pool2d(x, 2, return_indices=True)
    >>> y, indices
    (array([[[[4., 9.]]]], dtype=float32), array([[[[4, 7]]]], dtype=int32))
    """
    return _max_pool(2, x, return_indices, kernel_size, stride, padding, dilation, ceil_mode)


@overload
def max_pool3d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., return_indices: Literal[False] = ...,
) -> Array: ...  # fmt: skip
@overload
def max_pool3d(
    x: Array, kernel_size: Size, stride: Size | None = ..., padding: Padding = ..., dilation: Size = ...,
    ceil_mode: bool = ..., *, return_indices: Literal[True],
) -> tuple[Array, Array]: ...  # fmt: skip
def max_pool3d(
    x: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Padding = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest value of each window of volumes (N, C, D, H, W): y is (N, C, OD, OH, OW).

    All arguments, errors and sources are those of ``max_pool2d``, with three spatial axes; an index is
    (d H + h) W + w.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2)
    array([[[[[7.]]]]])
    """
    return _max_pool(3, x, return_indices, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_backward(dy: Array, indices: Array, input_shape: tuple[int, ...]) -> Array:
    """The gradient dx (N, C, L) of ``max_pool1d``; see ``max_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_pool1d_backward(np.array([[[7.0]]]), np.array([[[2]]]), (1, 1, 4))
    array([[[0., 0., 7., 0.]]])
    """
    return _max_pool_backward(1, dy, indices, input_shape)


def max_pool2d_backward(dy: Array, indices: Array, input_shape: tuple[int, ...]) -> Array:
    """The gradient dx of ``max_pool2d``: each dy added where its window's maximum was, and 0 elsewhere.

    Parameters
    ----------
    dy
        The gradient of the output, (N, C, OH, OW).
    indices
        From ``max_pool2d(..., return_indices=True)``: integers of the shape of dy, from 0 to H W - 1.
    input_shape
        The shape (N, C, H, W) of the x that was pooled.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4: "loop to the largest element and differentiate there".

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_pool2d_backward(np.array([[[[5.0]]]]), np.array([[[[3]]]]), (1, 1, 2, 2))
    array([[[[0., 0.],
             [0., 5.]]]])
    """
    return _max_pool_backward(2, dy, indices, input_shape)


def max_pool3d_backward(dy: Array, indices: Array, input_shape: tuple[int, ...]) -> Array:
    """The gradient dx (N, C, D, H, W) of ``max_pool3d``; see ``max_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> dx = F.max_pool3d_backward(np.ones((1, 1, 1, 1, 1)), np.full((1, 1, 1, 1, 1), 6), (1, 1, 2, 2, 2))
    >>> dx.reshape(-1)
    array([0., 0., 0., 0., 0., 0., 1., 0.])
    """
    return _max_pool_backward(3, dy, indices, input_shape)
