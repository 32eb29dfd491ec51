"""From the loss of each element to what is asked for, and the gradient on its way back to each element."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np

from ..._arrays import Array, empty, gate, gate_number
from ..._backend import kernels, n_threads

quiet = np.errstate(all="ignore")  # NaN and infinities go through losses without a word

Reduction: TypeAlias = Literal["mean", "sum", "none"]


def check_reduction(reduction: str, *more: str) -> None:
    """ValueError unless ``reduction`` is one of the three, or of ``more``."""
    if reduction not in ("mean", "sum", "none", *more):
        names = ", ".join(map(repr, ("mean", "sum", *more)))
        raise ValueError(f"reduction: expected {names} or 'none', got {reduction!r}")


def share(total: float, reduction: str, divisor: float) -> float:
    """The sum or the mean; NaN where the mean is one of nothing."""
    if reduction == "sum":
        return total
    return total / divisor if divisor else math.nan


@quiet
def reduce(losses: Array, reduction: str, dtype: np.dtype, divisor: float | None = None) -> Any:
    """The losses, or one number for them, of ``dtype``; the mean divides by ``divisor``, or their number."""
    if reduction == "none":
        return losses.astype(dtype, copy=False)
    divisor = losses.size if divisor is None else divisor
    return dtype.type(share(float(losses.sum(dtype=np.float64)), reduction, divisor))


def spread(
    dy: Any, reduction: str, shape: tuple[int, ...], dtype: np.dtype, divisor: float | None = None
) -> Array:
    """The gradient of the losses of ``shape``: dy itself for ``"none"``, else one number (1,) for all."""
    if reduction == "none":
        return gate(dy, "dy", dtype=dtype, shape=shape)
    scale = gate_number(dy[()] if isinstance(dy, np.ndarray) and dy.ndim == 0 else dy, "dy")
    divisor = math.prod(shape) if divisor is None else divisor
    return np.array([scale if reduction == "sum" else scale / divisor if divisor else 0.0], dtype)


def gate_pair(x: Any, target: Any, name: str = "x") -> tuple[Array, Array]:
    """An output and its targets, of one shape and dtype."""
    x = gate(x, name)
    return x, gate(target, "target", dtype=x.dtype, shape=x.shape)


def value(
    kind: str,
    x: Array,
    target: Array,
    reduction: str,
    a: float = 0.0,
    b: float = 0.0,
    divisor: int | None = None,
) -> Any:
    """The loss ``kind`` of each element of what ``gate_pair`` returned, reduced; nothing but sums is kept."""
    losses = empty(x.shape if reduction == "none" else (0,), x.dtype)
    total = empty((1,), x.dtype)
    kernels().loss_forward(
        kind, x.reshape(-1), target.reshape(-1), losses.reshape(-1), total, a, b, n_threads()
    )
    if reduction == "none":
        return losses
    return x.dtype.type(share(float(total[0]), reduction, x.size if divisor is None else divisor))


def slope(kind: str, dy: Array, x: Array, target: Array, a: float = 0.0, b: float = 0.0) -> Array:
    """The gradient of ``value`` by x, for what ``spread`` returned."""
    dx = empty(x.shape, x.dtype)
    kernels().loss_backward(
        kind, dy.reshape(-1), x.reshape(-1), target.reshape(-1), dx.reshape(-1), a, b, n_threads()
    )
    return dx


def weighed(losses: Array, weight: Array, reduction: str) -> Any:
    """The losses times the weights that ``broadcast`` returned, reduced."""
    if reduction == "none":
        return losses * weight
    total = empty((1,), np.float64)
    kernels().inner(losses.reshape(-1), np.ascontiguousarray(weight).reshape(-1), total, n_threads())
    return losses.dtype.type(share(float(total[0]), reduction, losses.size))


def broadcast(weight: Any, name: str, x: Array) -> Array:
    """An array of the dtype of x that NumPy would stretch to its shape, as a view of that shape."""
    weight = gate(weight, name, dtype=x.dtype)
    try:
        return np.broadcast_to(weight, x.shape)
    except ValueError:
        raise ValueError(
            f"{name}: expected a shape that broadcasts to {x.shape}, got {weight.shape}"
        ) from None
