"""Locally connected layers: a convolution whose every window has weights of its own."""

from __future__ import annotations

from .._arrays import Array, empty, gate, gate_batch, gate_weight, optional
from .._backend import kernels, n_threads
from .._geometry import Padding, Size, Window, lift


def _geometry(
    x: Array, weight: Array, stride: Size, padding: Padding, dilation: Size
) -> tuple[Array, Array, Window]:
    """What forward and backward share: the checked arrays, and the window."""
    x = gate_batch(x, "x", 3)
    weight = gate_weight(weight, "weight", 4, x.dtype)
    window = Window.of(x.shape[2:], weight.shape[3:], stride, padding, dilation, kernel_name="weight")
    expected = (*window.out_size, weight.shape[1], x.shape[1], weight.shape[3])
    return x, gate(weight, "weight", shape=expected), window


def locally_connected1d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> Array:
    """``conv1d`` without weight sharing: output place l has the kernels weight[l] to itself.

    Parameters
    ----------
    x
        (N, C, L), float32 or float64; only N may be 0.
    weight
        (OL, K, C, kw): for every output place, K kernels.
    bias
        (K, OL), one number an output, or None.
    stride, padding, dilation
        As for ``conv1d``.

    Returns
    -------
    y
        (N, K, OL)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 2: between 7 inputs and 5 outputs, local receptive fields of 3 leave 15 of 35
    weights, and sharing them 3.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.ones((1, 1, 7)), np.arange(15.0).reshape(5, 1, 1, 3)
    >>> F.locally_connected1d(x, weight)
    array([[[ 3., 12., 21., 30., 39.]]])
    """
    x, weight, window = _geometry(x, weight, stride, padding, dilation)
    places, k = weight.shape[:2]
    bias = optional(bias, "bias", x.dtype, (k, places))
    y = empty((x.shape[0], k, places), x.dtype)
    rows = weight.reshape(places, k, -1)
    kernels().local_forward(
        lift(x), rows, bias, y, window.kernel3, window.out3, *window.geometry, n_threads()
    )
    return y


def locally_connected1d_backward(
    dy: Array, x: Array, weight: Array, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``locally_connected1d``, given that of its output, dy (N, K, OL).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.array([[[1.0, 2.0, 3.0]]]), np.array([[[[4.0, 5.0]]], [[[6.0, 7.0]]]])
    >>> F.locally_connected1d_backward(np.ones((1, 1, 2)), x, weight)[0]
    array([[[ 4., 11.,  7.]]])
    """
    x, weight, window = _geometry(x, weight, stride, padding, dilation)
    places, k = weight.shape[:2]
    dy = gate(dy, "dy", dtype=x.dtype, shape=(x.shape[0], k, places))
    dx, dw, db = empty(x.shape, x.dtype), empty(weight.shape, x.dtype), empty((k, places), x.dtype)
    rows, drows = (w.reshape(places, k, -1) for w in (weight, dw))
    kernels().local_backward(
        dy, lift(x), rows, lift(dx), drows, db, window.kernel3, window.out3, *window.geometry, n_threads()
    )
    return dx, dw, db
