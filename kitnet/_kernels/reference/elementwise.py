"""One element in, one element out."""

from __future__ import annotations

from ._windows import Array, ieee


@ieee
def multiply(a: Array, b: Array, y: Array, n_threads: int) -> None:
    """y = a b; 1-D"""
    y[...] = a * b


@ieee
def add(a: Array, b: Array, y: Array, n_threads: int) -> None:
    """y = a + b; 1-D; y may be a"""
    y[...] = a + b
