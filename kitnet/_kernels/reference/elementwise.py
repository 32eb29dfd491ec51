"""One element in, one element out; and products summed up."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee


@ieee
def multiply(a: Array, b: Array, y: Array, n_threads: int) -> None:
    """y = a b; 1-D"""
    y[...] = a * b


@ieee
def add(a: Array, b: Array, y: Array, n_threads: int) -> None:
    """y = a + b; 1-D; y may be a"""
    y[...] = a + b


@ieee
def row_products(a: Array, b: Array, sums: Array, n_threads: int) -> None:
    """sums (M,), float64 = the inner products of the rows of a and b (M, P)"""
    sums[...] = np.einsum("mp,mp->m", a, b, dtype=np.float64)
