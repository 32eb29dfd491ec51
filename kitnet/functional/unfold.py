"""Images as matrices of windows and back, in one, two and three dimensions.

``unfold`` and ``fold`` have PyTorch's layout, one column a window; ``im2col`` and ``col2im`` the article's,
one row a window. Taking windows and adding them up again are adjoint, so each is the other's gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._arrays import Array, empty, gate, gate_batch
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, checked_shape, lift, product


def _window(
    x: Array, kernel_size: Size, stride: Size, padding: Padding, dilation: Size
) -> tuple[Array, Window, int, int]:
    """The checked images, and the window with its cells over all channels and its places."""
    x = gate_batch(x, "x", (3, 4, 5))
    window = Window.of(x.shape[2:], kernel_size, stride, padding, dilation)
    return x, window, x.shape[1] * product(window.kernel), product(window.out_size)


def unfold(x: Array, kernel_size: Size, dilation: Size = 1, padding: Padding = 0, stride: Size = 1) -> Array:
    """The windows of images as columns: (N, C, *spatial) to (N, C cells, L), for L windows of so many cells.

    Parameters
    ----------
    x
        (N, C, L), (N, C, H, W) or (N, C, D, H, W), float32 or float64; only N may be 0.
    kernel_size, dilation, padding, stride
        An int, or one per axis; padding also as for ``conv2d``. The border holds zeros.

    Returns
    -------
    cols
        (N, C kh kw, OH OW): channel, then place in the window, by place of the window.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: PyTorch's ``torch.nn.functional.unfold``; the article's section 5, transposed.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.unfold(np.arange(4.0).reshape(1, 1, 4), 2)
    array([[[0., 1., 2.],
            [1., 2., 3.]]])
    """
    x, window, cells, places = _window(x, kernel_size, stride, padding, dilation)
    cols = empty((x.shape[0], cells, places), x.dtype, "kernel_size")
    kernels().unfold(lift(x), cols, window.kernel3, window.out3, *window.geometry, n_threads())
    return cols


def fold(
    cols: Array,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Padding = 0,
    stride: Size = 1,
) -> Array:
    """Add windows up where they were: (N, C cells, L) to (N, C, *output_size). ``unfold``'s gradient.

    Parameters
    ----------
    cols
        (N, C kh kw, OH OW), as ``unfold`` returns it.
    output_size
        The spatial sizes of the result, one to three ints; a single int is height and width.
    kernel_size, dilation, padding, stride
        As they were passed to ``unfold``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: PyTorch's ``torch.nn.functional.fold``; the article's section 5, transposed.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.fold(np.ones((1, 2, 3)), (4,), 2)
    array([[[1., 2., 2., 1.]]])
    """
    cols = gate_batch(cols, "cols", 3)
    size: Any = (output_size,) * 2 if isinstance(output_size, int) else output_size
    size = checked_shape(size, (1, 2, 3), "output_size")
    window = Window.of(size, kernel_size, stride, padding, dilation, input_name="output_size")
    cells, places = product(window.kernel), product(window.out_size)
    if cols.shape[1] % cells or cols.shape[2] != places:
        raise ValueError(f"cols: expected shape (N, a multiple of {cells}, {places}), got {cols.shape}")
    x = empty((cols.shape[0], cols.shape[1] // cells, *size), cols.dtype, "output_size")
    kernels().fold(cols, lift(x), window.kernel3, window.out3, *window.geometry, n_threads())
    return x


def im2col(x: Array, kernel_size: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1) -> Array:
    """The windows of images as the rows of a matrix: convolution is then one product with the weights.

    Parameters
    ----------
    x
        (N, C, L), (N, C, H, W) or (N, C, D, H, W), float32 or float64; only N may be 0.
    kernel_size, stride, padding, dilation
        An int, or one per axis; padding also as for ``conv2d``. The border holds zeros.

    Returns
    -------
    cols
        (N OH OW, C kh kw): a row for every sample and place, in this order; channel, then place in the
        window.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 5 (whose listing orders rows by place, then sample, and mixes samples so).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.im2col(np.arange(6.0).reshape(1, 1, 2, 3), 2)
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    x, window, cells, places = _window(x, kernel_size, stride, padding, dilation)
    cols = empty((x.shape[0], places, cells), x.dtype, "kernel_size")
    kernels().im2col(lift(x), cols, window.kernel3, window.out3, *window.geometry, n_threads())
    return cols.reshape(-1, cells)


def col2im(
    cols: Array,
    input_shape: Sequence[int],
    kernel_size: Size,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """Add the rows of a matrix of windows up where they were in the images. ``im2col``'s gradient.

    Parameters
    ----------
    cols
        (N OH OW, C kh kw), as ``im2col`` returns it.
    input_shape
        The shape (N, C, *spatial) of the images.
    kernel_size, stride, padding, dilation
        As they were passed to ``im2col``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 5: "converting back accumulates".

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.col2im(np.ones((2, 4)), (1, 1, 2, 3), 2)
    array([[[[1., 2., 1.],
             [1., 2., 1.]]]])
    """
    shape = checked_shape(input_shape, (3, 4, 5), "input_shape")
    window = Window.of(shape[2:], kernel_size, stride, padding, dilation, input_name="input_shape")
    cells, places = shape[1] * product(window.kernel), product(window.out_size)
    cols = gate(cols, "cols", shape=(shape[0] * places, cells)).reshape(shape[0], places, cells)
    x = empty(shape, cols.dtype, "input_shape")
    kernels().col2im(cols, lift(x), window.kernel3, window.out3, *window.geometry, n_threads())
    return x


unfold_backward, fold_backward = fold, unfold
im2col_backward, col2im_backward = col2im, im2col
