"""Any axis as the last one, or the one in the middle: what the kernels over rows see."""

from __future__ import annotations

from .._arrays import Array
from .._geometry import one_int, product


def counted_axis(x: Array, name: str, axis: int) -> int:
    """``axis`` counted from the front, and of size 1 or more."""
    axis = one_int(axis, "axis", -x.ndim, x.ndim - 1) % x.ndim
    if x.shape[axis] == 0:
        raise ValueError(f"{name}: expected at least 1 element along axis {axis}, got shape {x.shape}")
    return axis


def around(x: Array, axis: int) -> Array:
    """``x``, which is contiguous, as (M, C, P), C being the size of ``axis`` (not 0)."""
    return x.reshape(product(x.shape[:axis]), x.shape[axis], product(x.shape[axis + 1 :]))
