"""One element in, one element out; all arrays 1-D."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee


def relu_forward(x: Array, y: Array, n_threads: int) -> None:
    """y = max(x, 0), NaN stays NaN; 1-D"""
    y[...] = np.where(x < 0, 0, x)


def relu_backward(dy: Array, y: Array, dx: Array, n_threads: int) -> None:
    """dx = dy where y > 0 or y is NaN, else 0; 1-D"""
    dx[...] = np.where(y <= 0, 0, dy)


@ieee
def multiply(a: Array, b: Array, y: Array, n_threads: int) -> None:
    """y = a b; 1-D"""
    y[...] = a * b
