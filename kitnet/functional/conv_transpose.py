"""Transposed convolution in one, two and three dimensions, and its gradients.

It is the convolution of the same weights the other way round: what is the gradient of the input there is the
way forward here, and the other way about. So it needs no kernels of its own.
"""

from __future__ import annotations

from .._arrays import Array, empty, gate, gate_batch, gate_clip, gate_weight, optional
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, lift, one_int, product
from ._batch import takes_one_sample


def _geometry(
    ndim: int,
    x: Array,
    weight: Array,
    stride: Size,
    padding: Padding,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> tuple[Array, Array, Window, int, tuple[int, ...]]:
    """What forward and backward share: the arrays, the window, the groups, and the shape of the result."""
    x = gate_batch(x, "x", ndim + 2)
    weight = gate_weight(weight, "weight", ndim + 2, x.dtype)
    groups = one_int(groups, "groups")
    c = x.shape[1]
    if c % groups:
        raise ValueError(f"groups: expected a divisor of {c} input channels, got {groups}")
    if weight.shape[0] != c:
        raise ValueError(f"weight: expected {c} channels on axis 0, as x has, got shape {weight.shape}")
    window = Window.transposed(
        x.shape[2:], weight.shape[2:], stride, padding, output_padding, dilation, kernel_name="weight"
    )
    return x, weight, window, groups, (x.shape[0], weight.shape[1] * groups, *window.in_size)


@takes_one_sample(1)
def _conv_transpose(
    ndim: int,
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Size,
    padding: Padding,
    output_padding: Size,
    groups: int,
    dilation: Size,
    clip: tuple[float, float] | None,
) -> Array:
    x, weight, window, groups, shape = _geometry(
        ndim, x, weight, stride, padding, output_padding, groups, dilation
    )
    bias = optional(bias, "bias", x.dtype, shape[1:2])
    y = empty(shape, x.dtype, "stride")
    kernels().conv_backward_data(
        lift(x), lift(weight), bias, lift(y), *gate_clip(clip), *window.geometry, groups, n_threads()
    )
    return y


@takes_one_sample(2)
def _conv_transpose_backward(
    ndim: int,
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size,
    padding: Padding,
    output_padding: Size,
    groups: int,
    dilation: Size,
    input_grad: bool,
) -> tuple[Array | None, Array, Array]:
    x, weight, window, groups, shape = _geometry(
        ndim, x, weight, stride, padding, output_padding, groups, dilation
    )
    dy = gate(dy, "dy", dtype=x.dtype, shape=shape)
    dx = empty(x.shape, x.dtype) if input_grad else None
    dw, db = empty(weight.shape, x.dtype), empty(shape[1:2], x.dtype)
    absent = optional(None, "bias", x.dtype, x.shape[1:2])
    rest = *window.geometry, groups, n_threads()
    if dx is not None:
        residual = lift(optional(None, "residual", x.dtype, x.shape))
        kernels().conv_forward(lift(dy), lift(weight), absent, residual, lift(dx), *gate_clip(None), *rest)
    kernels().conv_backward_weight(lift(x), lift(dy), lift(dw), absent, *rest)
    kernels().channel_sums(dy.reshape(*shape[:2], product(shape[2:])), db, n_threads())
    return dx, dw, db


def conv_transpose1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    clip: tuple[float, float] | None = None,
) -> Array:
    """The transposed convolution of signals (N, C, L) with kernels (C, K / groups, kw): y is (N, K, OL).

    All arguments, errors and sources are those of ``conv_transpose2d``, with one spatial axis.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.conv_transpose1d(np.array([[[1.0, 2]]]), np.array([[[1.0, 10, 100]]]), stride=2)
    array([[[  1.,  10., 102.,  20., 200.]]])
    """
    return _conv_transpose(1, x, weight, bias, stride, padding, output_padding, groups, dilation, clip)


def conv_transpose2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    clip: tuple[float, float] | None = None,
) -> Array:
    """The transposed convolution of images (N, C, H, W) with kernels (C, K / groups, kh, kw).

    Every input lays the kernel, times itself, on the result, ``stride`` cells on from its neighbour; where
    kernels overlap, they add up. With the same weight and window it is the gradient of ``conv2d`` for its
    input, and so makes small images large (also known, wrongly, as deconvolution).

    Parameters
    ----------
    x
        (N, C, H, W), float32 or float64; only N may be 0. Or (C, H, W), whose result has no axis of the batch
        either.
    weight
        (C, K / groups, kh, kw), of x's dtype: ``conv2d``'s, for the convolution from K channels to C.
    bias
        (K,) or None.
    stride, dilation
        An int, or one per axis.
    padding
        What is cut off the border of the result: an int, one per axis, or a (before, after) pair per axis;
        "valid" is 0. "same" and "same_lower" make the result ``stride`` times as large as x: it is the input
        of that size whose ``conv2d`` with this padding has the size of x.
    output_padding
        Cells more at the end of the result, an int or one per axis, less than the stride or the dilation: of
        the sizes that ``conv2d`` takes to that of x, the smallest is made otherwise. They hold no zeros but
        what the kernels lay there, and the bias.
    groups
        Divides the channels into this many independent transposed convolutions; it must divide C.
    clip
        Bounds (low, high) of an activation fused into the result: ``(0, math.inf)`` is ReLU. NaN stays NaN.

    Returns
    -------
    y
        (N, K, OH, OW), OH = (H - 1) stride - before - after + dilation (kh - 1) + 1 + output_padding, OW
        likewise.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Zeiler et al., "Deconvolutional networks" (2010); Dumoulin and Visin, "A guide to convolution
    arithmetic for deep learning" (2016), section 4.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[[1.0, 2], [3, 4]]]])
    >>> F.conv_transpose2d(x, np.ones((1, 1, 2, 2)), stride=2)
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.],
             [3., 3., 4., 4.],
             [3., 3., 4., 4.]]]])
    """
    return _conv_transpose(2, x, weight, bias, stride, padding, output_padding, groups, dilation, clip)


def conv_transpose3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    clip: tuple[float, float] | None = None,
) -> Array:
    """The transposed convolution of volumes (N, C, D, H, W) with kernels (C, K / groups, kd, kh, kw).

    All arguments, errors and sources are those of ``conv_transpose2d``, with three spatial axes; y is
    (N, K, OD, OH, OW).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.conv_transpose3d(np.ones((1, 4, 2, 3, 3)), np.ones((4, 2, 1, 2, 2)), stride=(1, 2, 2)).shape
    (1, 2, 2, 6, 6)
    """
    return _conv_transpose(3, x, weight, bias, stride, padding, output_padding, groups, dilation, clip)


def conv_transpose1d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv_transpose1d``; see ``conv_transpose2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w = np.array([[[1.0, 2]]]), np.array([[[1.0, 10]]])
    >>> F.conv_transpose1d_backward(np.array([[[1.0, 2, 3]]]), x, w)
    (array([[[21., 32.]]]), array([[[5., 8.]]]), array([6.]))
    """
    return _conv_transpose_backward(
        1, dy, x, weight, stride, padding, output_padding, groups, dilation, input_grad
    )


def conv_transpose2d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv_transpose2d``, given that of its output.

    dx is the convolution of dy with the same weight; dweight is ``conv2d``'s with x and dy in each other's
    place.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape (N, K, OH, OW) and dtype.
    x, weight, stride, padding, output_padding, groups, dilation
        As they were passed to ``conv_transpose2d``.
    input_grad
        False spares the work for dx, which is then None: nobody needs it in front of the first layer.

    Returns
    -------
    dx, dweight, dbias
        Of the shapes of x, of weight, and (K,).

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w, dy = np.ones((1, 1, 2, 2)), np.array([[[[1.0, 2], [3, 4]]]]), np.ones((1, 1, 4, 4))
    >>> dx, dw, db = F.conv_transpose2d_backward(dy, x, w, stride=2)
    >>> dx, db
    (array([[[[10., 10.],
             [10., 10.]]]]), array([16.]))
    """
    return _conv_transpose_backward(
        2, dy, x, weight, stride, padding, output_padding, groups, dilation, input_grad
    )


def conv_transpose3d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv_transpose3d``; see ``conv_transpose2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w, dy = np.ones((1, 1, 1, 1, 1)), np.ones((1, 2, 1, 2, 2)), np.ones((1, 2, 1, 2, 2))
    >>> dx, dw, db = F.conv_transpose3d_backward(dy, x, w)
    >>> float(dx[0, 0, 0, 0, 0]), db
    (8.0, array([4., 4.]))
    """
    return _conv_transpose_backward(
        3, dy, x, weight, stride, padding, output_padding, groups, dilation, input_grad
    )
