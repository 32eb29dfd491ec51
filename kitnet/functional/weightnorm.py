"""Weights as a direction and its length, in NumPy: weights are small beside images.

Source: Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate training of deep
neural networks" (2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array, gate
from .._geometry import one_int


def _gate_direction(v: Any, dim: int | None) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    """``v``, the axes that a norm is taken over, and the shape of the norms."""
    v = gate(v, "v")
    if 0 in v.shape:
        raise ValueError(f"v: expected sizes of at least 1, got shape {v.shape}")
    kept = None if dim is None else one_int(dim, "dim", 0, v.ndim - 1)
    axes = tuple(axis for axis in range(v.ndim) if axis != kept)
    return v, axes, tuple(1 if axis in axes else size for axis, size in enumerate(v.shape))


def _length(v: Array, axes: tuple[int, ...]) -> Array:
    length: Array = np.sqrt((v * v).sum(axis=axes, keepdims=True))
    return length


@np.errstate(all="ignore")  # NaN and infinities go their way
def weight_norm(v: Array, g: Array | None = None, dim: int | None = 0) -> Array:
    """g v / |v|, with a length for each index of one axis.

    Parameters
    ----------
    v
        The direction: weights (K, ...), float32 or float64.
    g
        The lengths: of the shape of v with 1 for all axes but ``dim``, and of its dtype. None: the result is
        |v|, the lengths that v has.
    dim
        The axis that keeps its own lengths; None: one length for all.

    Returns
    -------
    weight
        Of the shape of v, or the lengths. Where v is 0 it is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Salimans and Kingma (2016), equation 2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.weight_norm(np.array([[3.0, 4.0]]), np.array([[10.0]]))
    array([[6., 8.]])
    """
    v, axes, shape = _gate_direction(v, dim)
    length = _length(v, axes)
    if g is None:
        return length
    weight: Array = v * (gate(g, "g", dtype=v.dtype, shape=shape) / length)
    return weight


@np.errstate(all="ignore")
def weight_norm_backward(dw: Array, v: Array, g: Array, dim: int | None = 0) -> tuple[Array, Array]:
    """The gradients (dv, dg) of ``weight_norm`` with lengths; ``dw``, that of the weight, is like v.

    Source: Salimans and Kingma (2016), equation 3.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.weight_norm_backward(np.array([[5.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[5.0]]))
    (array([[ 3.2, -2.4]]), array([[3.]]))
    """
    v, axes, shape = _gate_direction(v, dim)
    dw = gate(dw, "dw", dtype=v.dtype, shape=v.shape)
    g = gate(g, "g", dtype=v.dtype, shape=shape)
    length = _length(v, axes)
    unit = v / length
    dg = (dw * unit).sum(axis=axes, keepdims=True)
    return (g / length) * (dw - dg * unit), dg
