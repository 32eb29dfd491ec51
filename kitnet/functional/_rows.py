"""Any axis as the last one, or the one in the middle: what the kernels over rows see."""

from __future__ import annotations

import numpy as np

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


def to_rows(x: Array, axis: int) -> Array:
    """``x`` as (M, C), C being the size of ``axis`` (not 0); a copy only where that is not the last axis."""
    if axis != x.ndim - 1:
        x = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    return x.reshape(-1, x.shape[-1])


def from_rows(rows: Array, shape: tuple[int, ...], axis: int) -> Array:
    """The inverse of ``to_rows``, in a C-contiguous array of ``shape``."""
    if axis == len(shape) - 1:
        return rows.reshape(shape)
    moved = rows.reshape(*shape[:axis], *shape[axis + 1 :], shape[axis])
    return np.ascontiguousarray(np.moveaxis(moved, -1, axis))
