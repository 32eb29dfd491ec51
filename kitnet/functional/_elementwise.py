"""What the functions of each element share: one way to the kernel that knows them by name."""

from __future__ import annotations

from typing import Any

from .._arrays import Array, empty, gate
from .._backend import kernels, n_threads


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
