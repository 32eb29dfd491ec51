"""The dense layer's product, and its gradients."""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate, gate_clip, gate_weight, maker, optional
from .._backend import kernel, kernels, n_threads
from .._geometry import product
from ._prepared import Prepared


def _checked(weight: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """The weights, for x of this shape and dtype."""
    weight = gate_weight(weight, "weight", 2, dtype)
    if shape[-1] != weight.shape[1]:
        raise ValueError(
            f"x: expected {weight.shape[1]} features on the last axis, as weight has, got shape {shape}"
        )
    return weight


def prepare_linear(
    shape: tuple[int, ...],
    dtype: np.dtype,
    weight: Array,
    bias: Array | None,
    clip: tuple[float, float] | None,
) -> Prepared:
    """``linear`` of arrays of this shape."""
    weight = _checked(weight, shape, dtype)
    k, c = weight.shape
    bias = optional(bias, "bias", dtype, (k,))
    out, rows = (*shape[:-1], k), product(shape[:-1])
    make = maker((rows, k), dtype)
    low, high = gate_clip(clip)
    forward = kernel("linear_forward", dtype)

    def run(x: Array, n_threads: int) -> Array:
        y = make()
        forward(x if x.ndim == 2 else x.reshape(rows, c), weight, bias, y, low, high, n_threads)
        return y if len(out) == 2 else y.reshape(out)

    return Prepared(run, out)


def linear(
    x: Array, weight: Array, bias: Array | None = None, *, clip: tuple[float, float] | None = None
) -> Array:
    """x weight^T + bias, over the last axis of x.

    Parameters
    ----------
    x
        (..., C), usually (N, C), float32 or float64; every axis but the last may be 0.
    weight
        (K, C): every output is a weighted sum of all inputs.
    bias
        (K,) or None.
    clip
        Bounds (low, high) of an activation fused into the result: ``(0, math.inf)`` is ReLU. NaN stays NaN.

    Returns
    -------
    y
        (..., K)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: the article, section 2, where such a layer from 7 to 5 takes 35 weights.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.linear(np.array([[1.0, 2.0]]), np.array([[1.0, 1.0], [0.0, -1.0], [3.0, 0.0]]))
    array([[ 3., -2.,  3.]])
    """
    x = gate(x, "x")
    return prepare_linear(x.shape, x.dtype, weight, bias, clip).run(x, n_threads())


def linear_backward(
    dy: Array, x: Array, weight: Array, *, input_grad: bool = True
) -> tuple[Array | None, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``linear``, given that of its output, dy (..., K).

    dx is dy weight, dweight is dy^T x, dbias the sum of dy; dx is None, and its work spared, if not
    ``input_grad``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.linear_backward(np.array([[2.0]]), np.array([[1.0, 5.0]]), np.array([[3.0, 4.0]]))
    (array([[6., 8.]]), array([[ 2., 10.]]), array([2.]))
    """
    x = gate(x, "x")
    weight = _checked(weight, x.shape, x.dtype)
    k, c = weight.shape
    dy = gate(dy, "dy", dtype=x.dtype, shape=(*x.shape[:-1], k)).reshape(-1, k)
    dx = empty(x.shape, x.dtype) if input_grad else None
    dw, db = empty(weight.shape, x.dtype), empty((k,), x.dtype)
    if dx is not None:
        kernels().linear_backward_data(dy, weight, dx.reshape(-1, c), n_threads())
    kernels().linear_backward_weight(dy, x.reshape(-1, c), dw, db, n_threads())
    return dx, dw, db
