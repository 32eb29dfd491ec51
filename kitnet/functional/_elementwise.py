"""What the functions of each element share: one way to the kernel that knows them by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array, empty, gate
from .._backend import kernels, n_threads

LARGE = 1 << 16
"""Elements from which on a sum is worth a call of its kernel, which costs more than NumPy's."""


def forward(kind: str, x: Array, a: float = 0.0, b: float = 0.0) -> Array:
    """The activation ``kind`` of each element of x, with its parameters."""
    x = gate(x, "x")
    y = empty(x.shape, x.dtype)
    kernels().activation_forward(kind, x.reshape(-1), y.reshape(-1), a, b, n_threads())
    return y


def backward(kind: str, dy: Array, a: float = 0.0, b: float = 0.0, **at: Any) -> Array:
    """dx from dy and the array that the activation is differentiated at, x or y, which comes by its name."""
    ((name, x),) = at.items()
    x = gate(x, name)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    dx = empty(x.shape, x.dtype)
    kernels().activation_backward(kind, dy.reshape(-1), x.reshape(-1), dx.reshape(-1), a, b, n_threads())
    return dx


@np.errstate(all="ignore")
def add(a: Array, b: Array) -> Array:
    """a + b, of one shape and dtype, in an array of its own: either may be one that others see, too."""
    y = empty(a.shape, a.dtype)
    _sum(a, b, y)
    return y


def add_to(total: Array, more: Array) -> None:
    """Add an array of the same shape to ``total``."""
    _sum(total, more, total)


def _sum(a: Array, b: Array, y: Array) -> None:
    """y = a + b, the same bits by NumPy and by the kernel."""
    alike = y.size >= LARGE and b.shape == y.shape and b.dtype == y.dtype
    if alike and a.flags.c_contiguous and b.flags.c_contiguous:
        kernels().add(a.reshape(-1), b.reshape(-1), y.reshape(-1), n_threads())
    else:
        np.add(a, b, out=y)
