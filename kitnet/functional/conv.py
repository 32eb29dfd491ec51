"""Convolution in one, two and three dimensions, and its gradients.

As everywhere in deep learning this is cross-correlation: the kernel is not flipped. Forward, gradient of the
input and gradient of the weights are the "three convolutions" of the article's section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import Array, empty, gate, gate_batch, gate_clip, gate_weight, maker, optional
from .._backend import kernel, kernels, n_threads
from .._geometry import Padding, Size, Window, lift, one_int
from ._batch import takes_one_sample
from ._prepared import Prepared


def conv_window(
    x: Sequence[int],
    weight: Sequence[int],
    stride: Size,
    padding: Padding,
    dilation: Size,
    groups: int,
    names: tuple[str, str] = ("x", "weight"),
) -> tuple[Window, int]:
    """The window and the number of groups of a convolution of two shapes, which errors call ``names``."""
    groups = one_int(groups, "groups")
    c, k = x[1], weight[0]
    if c % groups or k % groups:
        raise ValueError(f"groups: expected a divisor of {c} input and {k} output channels, got {groups}")
    if weight[1] * groups != c:
        raise ValueError(
            f"{names[1]}: expected {c // groups} channels on axis 1 ({c} of {names[0]} in {groups} groups), "
            f"got shape {tuple(weight)}"
        )
    return Window.of(x[2:], weight[2:], stride, padding, dilation, kernel_name=names[1]), groups


def prepare_conv(
    ndim: int,
    shape: tuple[int, ...],
    dtype: np.dtype,
    weight: Array,
    bias: Array | None,
    clip: tuple[float, float] | None,
    stride: Size,
    padding: Padding,
    dilation: Size,
    groups: int,
) -> Prepared:
    """Convolution of arrays (N, C, ...) of this shape, no size 0 but N; ``run`` takes a residual, too."""
    weight = gate_weight(weight, "weight", ndim + 2, dtype)
    window, groups = conv_window(shape, weight.shape, stride, padding, dilation, groups)
    bias = optional(bias, "bias", dtype, weight.shape[:1])
    out = shape[0], weight.shape[0], *window.out_size
    filters, nothing = lift(weight), optional(None, "residual", dtype, (0,) * 5)
    make = maker((*out[:2], *window.out3), dtype, "padding")
    low, high = gate_clip(clip)
    steps, pads, dilations = window.geometry
    forward = kernel("conv_forward", dtype)

    def run(x: Array, n_threads: int, residual: Array | None = None) -> Array:
        added = nothing if residual is None else lift(gate(residual, "residual", dtype=dtype, shape=out))
        y = make()
        forward(lift(x), filters, bias, added, y, low, high, steps, pads, dilations, groups, n_threads)
        return y

    return Prepared(run, out)


@takes_one_sample(2)
def _conv(ndim: int, residual: Array | None, x: Array, *rest: Any) -> Array:
    x = gate_batch(x, "x", ndim + 2)
    run, shape = prepare_conv(ndim, x.shape, x.dtype, *rest)
    return run(x, n_threads(), residual).reshape(shape)


@takes_one_sample(2)
def _conv_backward(
    ndim: int,
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size,
    padding: Padding,
    dilation: Size,
    groups: int,
    input_grad: bool,
) -> tuple[Array | None, Array, Array]:
    x = gate_batch(x, "x", ndim + 2)
    weight = gate_weight(weight, "weight", ndim + 2, x.dtype)
    window, groups = conv_window(x.shape, weight.shape, stride, padding, dilation, groups)
    dy = gate(dy, "dy", dtype=x.dtype, shape=(x.shape[0], weight.shape[0], *window.out_size))
    dx = empty(x.shape, x.dtype) if input_grad else None
    dw, db = empty(weight.shape, x.dtype), empty(weight.shape[:1], x.dtype)
    rest = *window.geometry, groups, n_threads()
    if dx is not None:
        bias = optional(None, "bias", x.dtype, (x.shape[1],))
        kernels().conv_backward_data(lift(dy), lift(weight), bias, lift(dx), *gate_clip(None), *rest)
    kernels().conv_backward_weight(lift(dy), lift(x), lift(dw), db, *rest)
    return dx, dw, db


def conv1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    clip: tuple[float, float] | None = None,
    residual: Array | None = None,
) -> Array:
    """Convolve signals (N, C, L) with kernels (K, C / groups, kw): y is (N, K, OL).

    All arguments, errors and sources are those of ``conv2d``, with one spatial axis. For signals in time
    there is one more padding: ``"causal"``, dilation (kw - 1) cells before and none after, so that OL =
    ceil(L / stride) and no output sees inputs that come later (van den Oord et al., "WaveNet: a generative
    model for raw audio", 2016). The example is the article's section 2: seven inputs, five outputs, three
    shared weights.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[0, 1, 3, 6, 4, 4, 2]]], np.float32)
    >>> F.conv1d(x, np.array([[[1, 0, -1]]], np.float32))
    array([[[-3., -5., -1.,  2.,  2.]]], dtype=float32)
    """
    return _conv(1, residual, x, weight, bias, clip, stride, padding, dilation, groups)


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    clip: tuple[float, float] | None = None,
    residual: Array | None = None,
) -> Array:
    """Convolve images (N, C, H, W) with kernels (K, C / groups, kh, kw): y is (N, K, OH, OW).

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W), whose result has no
        axis of the batch either.
    weight
        Kernels (K, C / groups, kh, kw): K feature maps, each over all channels of its group. What the article
        calls "3-D" convolution (4-D input, 4-D weights) is this.
    bias
        One number a feature map (K,), or None.
    stride, dilation
        Cells between windows, and between the cells that a window reads: an int, or one per axis.
    padding
        Border of zeros in cells: an int, one per axis, a (before, after) pair per axis, or ``"valid"``
        (none), ``"same"`` (OH = ceil(H / stride), as TensorFlow; an odd cell goes after) or ``"same_lower"``
        (before).
    groups
        Divides the channels into this many independent convolutions; it must divide C and K.
    clip
        Bounds (low, high) of an activation fused into the result: ``(0, math.inf)`` is ReLU. NaN stays NaN.
    residual
        An array of y's shape that is added to the result before it is clipped, or None: the end of a residual
        block. Its gradient is dy.

    Returns
    -------
    y
        (N, K, OH, OW), OH = floor((H + before + after - dilation (kh - 1) - 1) / stride) + 1, OW likewise.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 2; LeCun et al., "Gradient-based learning applied to document recognition"
    (1998).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    >>> F.conv2d(x, np.ones((1, 1, 2, 2), np.float32))
    array([[[[ 8., 12.],
             [20., 24.]]]], dtype=float32)
    """
    return _conv(2, residual, x, weight, bias, clip, stride, padding, dilation, groups)


def conv3d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    clip: tuple[float, float] | None = None,
    residual: Array | None = None,
) -> Array:
    """Convolve volumes (N, C, D, H, W) with kernels (K, C / groups, kd, kh, kw): y is (N, K, OD, OH, OW).

    All arguments, errors and sources are those of ``conv2d``, with three spatial axes.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.conv3d(np.ones((1, 1, 2, 4, 4)), np.ones((3, 1, 2, 3, 3))).shape
    (1, 3, 1, 2, 2)
    """
    return _conv(3, residual, x, weight, bias, clip, stride, padding, dilation, groups)


def conv1d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv1d``, given that of its output; see ``conv2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w = np.array([[[1.0, 2, 3, 4]]]), np.array([[[1.0, 0, -1]]])
    >>> dx, dw, db = F.conv1d_backward(np.array([[[1.0, 10]]]), x, w)
    >>> dx, dw, db
    (array([[[  1.,  10.,  -1., -10.]]]), array([[[21., 32., 43.]]]), array([11.]))
    """
    return _conv_backward(1, dy, x, weight, stride, padding, dilation, groups, input_grad)


def conv2d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv2d``, given that of its output.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape (N, K, OH, OW) and dtype.
    x, weight, stride, padding, dilation, groups
        As they were passed to ``conv2d``.
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

    Source: the article, section 3. With stride 1, dx is the full convolution of the bordered dy with the
    flipped kernel, and dweight the convolution of x with dy.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w = np.ones((1, 1, 3, 3)), np.array([[[[1.0, 2], [3, 4]]]])
    >>> dx, dw, db = F.conv2d_backward(np.ones((1, 1, 2, 2)), x, w)
    >>> dx
    array([[[[ 1.,  3.,  2.],
             [ 4., 10.,  6.],
             [ 3.,  7.,  4.]]]])
    """
    return _conv_backward(2, dy, x, weight, stride, padding, dilation, groups, input_grad)


def conv3d_backward(
    dy: Array,
    x: Array,
    weight: Array,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    *,
    input_grad: bool = True,
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``conv3d``, given that of its output; see ``conv2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, w = np.ones((1, 1, 2, 2, 2)), np.full((1, 1, 2, 2, 2), 3.0)
    >>> dx, dw, db = F.conv3d_backward(np.ones((1, 1, 1, 1, 1)), x, w)
    >>> float(dx.sum()), float(dw.sum())
    (24.0, 8.0)
    """
    return _conv_backward(3, dy, x, weight, stride, padding, dilation, groups, input_grad)
