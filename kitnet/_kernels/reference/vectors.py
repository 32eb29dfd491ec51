"""Rows as vectors: inner products, how far they are apart, and what moves them."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


@ieee
def row_products(a: Array, b: Array, sums: Array, n_threads: int) -> None:
    """sums (M,), float64 = the inner products of the rows of a and b (M, P)"""
    sums[...] = np.einsum("mp,mp->m", a, b, dtype=np.float64)


@ieee
def distance_forward(a: Array, b: Array, p: float, eps: float, y: Array, n_threads: int) -> None:
    """y (M,) = (sum of |a - b + eps|^p)^(1/p) over the rows of a and b (M, P); for p = inf the largest"""
    d = abs(wide(a) - wide(b) + eps)
    largest = d.max(axis=1, initial=0)
    if p == np.inf:
        y[...] = largest
        return
    scale = np.where((largest > 0) & (largest < np.inf), largest, 1)  # no power overflows
    y[...] = scale * ((d / scale[:, None]) ** p).sum(axis=1) ** (1 / p)


@ieee
def distance_backward(
    dy: Array,
    a: Array,
    b: Array,
    y: Array,
    p: float,
    eps: float,
    add: bool,
    da: Array,
    db: Array,
    n_threads: int,
) -> None:
    """da (M, P) = the gradient of that y by a, times dy (M,), float64, and db = -da; or both are added.
    It is 0 where y is 0; for p = inf, all that are the largest share it."""
    d, norm = wide(a) - wide(b) + eps, np.where(y == 0, 1, wide(y))[:, None]
    if p == np.inf:
        largest = abs(d).astype(y.dtype) == y[:, None]
        share = largest / np.maximum(largest.sum(axis=1, keepdims=True), 1)
    else:
        share = np.where(d == 0, 1, abs(d) / norm) ** (p - 1)
    slope = dy[:, None] * share * np.sign(d)
    da[...] = slope + (wide(da) if add else 0)
    db[...] = (wide(db) if add else 0) - slope


@ieee
def row_sums(f: Array, a: Array, g: Array, b: Array, y: Array, n_threads: int) -> None:
    """y (M, P) = f a + g b, each row of a and b (M, P) with its own f and g (M,), float64"""
    y[...] = f[:, None] * wide(a) + g[:, None] * wide(b)
