"""Lp pooling: the p-norm of each window; L2 pooling is p = 2, maximum of magnitudes p = inf."""

from __future__ import annotations

from .._arrays import Array, empty, gate, gate_batch, gate_number
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, lift
from ._batch import takes_one_sample


def _geometry(
    ndim: int,
    x: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None,
    ceil_mode: bool,
    padding: Padding,
    dilation: Size,
) -> tuple[Array, float, Window]:
    """What forward and backward share: the checked input, the p and the window."""
    x = gate_batch(x, "x", ndim + 2)
    p = gate_number(norm_type, "norm_type", 1.0)
    window = Window.of(x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode=ceil_mode, pooling=True)
    return x, p, window


@takes_one_sample(1)
def _lp_pool(
    ndim: int,
    x: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None,
    ceil_mode: bool,
    padding: Padding,
    dilation: Size,
) -> Array:
    x, p, window = _geometry(ndim, x, norm_type, kernel_size, stride, ceil_mode, padding, dilation)
    y = empty(x.shape[:2] + window.out_size, x.dtype)
    kernels().lppool_forward(lift(x), lift(y), p, window.kernel3, *window.geometry, n_threads())
    return y


@takes_one_sample(3)
def _lp_pool_backward(
    ndim: int,
    dy: Array,
    x: Array,
    y: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None,
    ceil_mode: bool,
    padding: Padding,
    dilation: Size,
) -> Array:
    x, p, window = _geometry(ndim, x, norm_type, kernel_size, stride, ceil_mode, padding, dilation)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape[:2] + window.out_size)
    y = gate(y, "y", dtype=x.dtype, shape=dy.shape)
    dx = empty(x.shape, x.dtype)
    kernels().lppool_backward(
        lift(dy), lift(x), lift(y), p, lift(dx), window.kernel3, *window.geometry, n_threads()
    )
    return dx


def lp_pool1d(
    x: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The p-norm of each window of signals (N, C, L): y is (N, C, OL).

    All arguments, errors and sources are those of ``lp_pool2d``, with one spatial axis.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.lp_pool1d(np.array([[[3.0, -4.0, 0.0, 0.0]]]), 2, 2)
    array([[[5., 0.]]])
    """
    return _lp_pool(1, x, norm_type, kernel_size, stride, ceil_mode, padding, dilation)


def lp_pool2d(
    x: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The p-norm (sum |x|^p)^(1/p) of each window of images (N, C, H, W): y is (N, C, OH, OW).

    Of |x|, so that it is real for every x and p, where PyTorch takes powers of x itself; and a partial window
    of ``ceil_mode`` sums what it holds, where PyTorch scales the sum up to a whole window.

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W), whose result has no
        axis of the batch either.
    norm_type
        p, at least 1; ``math.inf`` gives the largest |x|.
    kernel_size, stride, ceil_mode, padding, dilation
        As for ``max_pool2d``; the border holds zeros.

    Returns
    -------
    y
        (N, C, OH, OW)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4: "L2 pooling splits into square, sum pooling and root".

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.lp_pool2d(np.array([[[[1.0, -1.0], [1.0, 1.0]]]]), 2, 2)
    array([[[[2.]]]])
    """
    return _lp_pool(2, x, norm_type, kernel_size, stride, ceil_mode, padding, dilation)


def lp_pool3d(
    x: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The p-norm of each window of volumes (N, C, D, H, W): y is (N, C, OD, OH, OW).

    All arguments, errors and sources are those of ``lp_pool2d``, with three spatial axes.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.lp_pool3d(-np.ones((1, 1, 2, 2, 2)), 1, 2)
    array([[[[[8.]]]]])
    """
    return _lp_pool(3, x, norm_type, kernel_size, stride, ceil_mode, padding, dilation)


def lp_pool1d_backward(
    dy: Array,
    x: Array,
    y: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The gradient dx (N, C, L) of ``lp_pool1d``; see ``lp_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[6.0, -8.0]]])
    >>> F.lp_pool1d_backward(np.array([[[1.0]]]), x, F.lp_pool1d(x, 2, 2), 2, 2)
    array([[[ 0.6, -0.8]]])
    """
    return _lp_pool_backward(1, dy, x, y, norm_type, kernel_size, stride, ceil_mode, padding, dilation)


def lp_pool2d_backward(
    dy: Array,
    x: Array,
    y: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The gradient dx of ``lp_pool2d``: the sum over windows of dy sign(x) (|x| / y)^(p - 1).

    Where a window's norm is 0 it passes 0 on; for p = inf all goes to the first largest |x|.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape (N, C, OH, OW).
    x, y
        The input and the output of ``lp_pool2d``.
    norm_type, kernel_size, stride, ceil_mode, padding, dilation
        As they were passed to ``lp_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 4: the gradients of root, sum pooling and square in turn.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[[3.0, 0.0], [0.0, -4.0]]]])
    >>> F.lp_pool2d_backward(np.array([[[[10.0]]]]), x, F.lp_pool2d(x, 2, 2), 2, 2)
    array([[[[ 6.,  0.],
             [ 0., -8.]]]])
    """
    return _lp_pool_backward(2, dy, x, y, norm_type, kernel_size, stride, ceil_mode, padding, dilation)


def lp_pool3d_backward(
    dy: Array,
    x: Array,
    y: Array,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """The gradient dx (N, C, D, H, W) of ``lp_pool3d``; see ``lp_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[[[2.0, -5.0]]]]])
    >>> F.lp_pool3d_backward(np.array([[[[[1.0]]]]]), x, F.lp_pool3d(x, 1, (1, 1, 2)), 1, (1, 1, 2))
    array([[[[[ 1., -1.]]]]])
    """
    return _lp_pool_backward(3, dy, x, y, norm_type, kernel_size, stride, ceil_mode, padding, dilation)
