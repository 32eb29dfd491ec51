"""Locally connected layers in one, two and three dimensions: convolutions whose windows share no weights."""

from __future__ import annotations

from .._arrays import Array, empty, gate, gate_batch, gate_weight, optional
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, lift, product
from ._batch import takes_one_sample


def _geometry(
    ndim: int, x: Array, weight: Array, stride: Size, padding: Padding, dilation: Size
) -> tuple[Array, Array, Window]:
    """What forward and backward share: the checked arrays, and the window."""
    x = gate_batch(x, "x", ndim + 2)
    weight = gate_weight(weight, "weight", 2 * ndim + 2, x.dtype)
    kernel = weight.shape[ndim + 2 :]
    window = Window.of(x.shape[2:], kernel, stride, padding, dilation, kernel_name="weight")
    expected = (*window.out_size, weight.shape[ndim], x.shape[1], *kernel)
    return x, gate(weight, "weight", shape=expected), window


def _shapes(window: Window, weight: Array) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, int, int]]:
    """Of an output (K, *places); and as the kernels see it, and the weights, whatever the number of axes."""
    k, places = weight.shape[window.ndim], product(window.out_size)
    return (k, *window.out_size), (k, places), (places, k, weight.size // (places * k))


@takes_one_sample(1)
def _local(
    ndim: int,
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Size,
    padding: Padding,
    dilation: Size,
) -> Array:
    x, weight, window = _geometry(ndim, x, weight, stride, padding, dilation)
    maps, flat, rows = _shapes(window, weight)
    if bias is not None:
        bias = gate(bias, "bias", dtype=x.dtype, shape=maps).reshape(flat)
    y = empty((x.shape[0], *flat), x.dtype)
    kernels().local_forward(
        lift(x),
        weight.reshape(rows),
        optional(bias, "bias", x.dtype, flat),
        y,
        window.kernel3,
        window.out3,
        *window.geometry,
        n_threads(),
    )
    return y.reshape(x.shape[0], *maps)


@takes_one_sample(2)
def _local_backward(
    ndim: int, dy: Array, x: Array, weight: Array, stride: Size, padding: Padding, dilation: Size
) -> tuple[Array, Array, Array]:
    x, weight, window = _geometry(ndim, x, weight, stride, padding, dilation)
    maps, flat, rows = _shapes(window, weight)
    dy = gate(dy, "dy", dtype=x.dtype, shape=(x.shape[0], *maps))
    dx, dw, db = empty(x.shape, x.dtype), empty(rows, x.dtype), empty(flat, x.dtype)
    kernels().local_backward(
        dy.reshape(x.shape[0], *flat),
        lift(x),
        weight.reshape(rows),
        lift(dx),
        dw,
        db,
        window.kernel3,
        window.out3,
        *window.geometry,
        n_threads(),
    )
    return dx, dw.reshape(weight.shape), db.reshape(maps)


def locally_connected1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """``conv1d`` without weight sharing: output place l has the kernels weight[l] to itself.

    All arguments and errors are those of ``locally_connected2d``, with one spatial axis: x (N, C, L) and
    weight (OL, K, C, kw) give y (N, K, OL).

    Source: the article, section 2: between 7 inputs and 5 outputs, local receptive fields of 3 leave 15 of 35
    weights, and sharing them 3.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 7)), np.arange(15.0).reshape(5, 1, 1, 3)
    >>> F.locally_connected1d(x, weight)
    array([[[ 3., 12., 21., 30., 39.]]])
    """
    return _local(1, x, weight, bias, stride, padding, dilation)


def locally_connected2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """``conv2d`` without weight sharing: output place (i, j) has the kernels weight[i, j] to itself.

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W), whose result has no
        axis of the batch either.
    weight
        (OH, OW, K, C, kh, kw): for every output place, K kernels.
    bias
        (K, OH, OW), one number an output, or None.
    stride, padding, dilation
        As for ``conv2d``.

    Returns
    -------
    y
        (N, K, OH, OW)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 2; Taigman et al., "DeepFace: closing the gap to human-level performance in
    face verification" (2014), which has such layers where no two places of an image look alike.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 3, 3)), np.arange(16.0).reshape(2, 2, 1, 1, 2, 2)
    >>> F.locally_connected2d(x, weight)
    array([[[[ 6., 22.],
             [38., 54.]]]])
    """
    return _local(2, x, weight, bias, stride, padding, dilation)


def locally_connected3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """``conv3d`` without weight sharing: output place (h, i, j) has the kernels weight[h, i, j] to itself.

    All arguments, errors and sources are those of ``locally_connected2d``, with three spatial axes: x (N, C,
    D, H, W) and weight (OD, OH, OW, K, C, kd, kh, kw) give y (N, K, OD, OH, OW).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 2, 4, 4)), np.ones((1, 2, 3, 5, 1, 2, 3, 2))
    >>> F.locally_connected3d(x, weight).shape
    (1, 5, 1, 2, 3)
    """
    return _local(3, x, weight, bias, stride, padding, dilation)


def locally_connected1d_backward(
    dy: Array, x: Array, weight: Array, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``locally_connected1d``; see ``locally_connected2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[[4.0, 5.0]]], [[[6.0, 7.0]]]])
    >>> F.locally_connected1d_backward(np.ones((1, 1, 2)), x, weight)[0]
    array([[[ 4., 11.,  7.]]])
    """
    return _local_backward(1, dy, x, weight, stride, padding, dilation)


def locally_connected2d_backward(
    dy: Array, x: Array, weight: Array, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``locally_connected2d``, given that of its output.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape (N, K, OH, OW) and dtype.
    x, weight, stride, padding, dilation
        As they were passed to ``locally_connected2d``.

    Returns
    -------
    dx, dweight, dbias
        Of the shapes of x, of weight, and (K, OH, OW).

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 3, without the sums over the places that share weights.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 2, 3)), np.arange(8.0).reshape(1, 2, 1, 1, 2, 2)
    >>> F.locally_connected2d_backward(np.ones((1, 1, 1, 2)), x, weight)[0]
    array([[[[0., 5., 5.],
             [2., 9., 7.]]]])
    """
    return _local_backward(2, dy, x, weight, stride, padding, dilation)


def locally_connected3d_backward(
    dy: Array, x: Array, weight: Array, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``locally_connected3d``; see ``locally_connected2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 2, 2, 3)), np.ones((1, 1, 2, 4, 1, 2, 2, 2))
    >>> [array.shape for array in F.locally_connected3d_backward(np.ones((1, 4, 1, 1, 2)), x, weight)]
    [(1, 1, 2, 2, 3), (1, 1, 2, 4, 1, 2, 2, 2), (4, 1, 1, 2)]
    """
    return _local_backward(3, dy, x, weight, stride, padding, dilation)
