"""What the steps of all optimizers share: their gate, and sums that are the same for any threads."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..._arrays import Array, gate, gate_inplace, gate_number, optional
from ..._backend import kernels, n_threads

BELOW_1 = float(np.nextafter(1, 0))


def gate_state(
    param: Array, grad: Array, extra: dict[str, Array | None] | None = None, /, **state: Array
) -> list[Array]:
    """The checked arrays of a step, 1-D, ``extra`` at the end, where None becomes an array of size 0.

    State is written in place, so no two of them may overlap.
    """
    flat = gate_inplace(param, "param")
    slope = gate(grad, "grad", dtype=flat.dtype, shape=param.shape).reshape(-1)
    wanted = state | {name: array for name, array in (extra or {}).items() if array is not None}
    given = {name: gate_inplace(array, name, flat.dtype, flat.size) for name, array in wanted.items()}
    apart({"param": flat, "grad": slope, **given})
    absent = optional(None, "state", flat.dtype, (0,))
    return [flat, slope, *(given.get(name, absent) for name in (*state, *(extra or ())))]


def apart(arrays: dict[str, Array]) -> None:
    """ValueError, which names the later one, where two of the arrays share memory."""
    for (first, a), (second, b) in combinations(arrays.items(), 2):
        if np.may_share_memory(a, b):
            raise ValueError(f"{second}: expected memory of its own, got an array that overlaps {first}")


def not_negative(**numbers: float) -> list[float]:
    """The numbers, each at least 0."""
    return [gate_number(value, name, 0.0) for name, value in numbers.items()]


def fractions(**numbers: float) -> list[float]:
    """The numbers, each from 0 to below 1."""
    return [gate_number(value, name, 0.0, BELOW_1) for name, value in numbers.items()]


def scale(maximize: bool) -> float:
    """What a step multiplies the gradient by."""
    return -1.0 if maximize else 1.0


def inner(a: Array, b: Array) -> float:
    """The sum of the products of two arrays' elements, in float64 and in a fixed order."""
    out = np.empty(1)
    kernels().inner(a.reshape(-1), b.reshape(-1), out, n_threads())
    return float(out[0])


def norm(a: Array) -> float:
    """The Euclidean norm of all elements."""
    return float(np.sqrt(inner(a, a)))


def move(flat: Array, direction: Array, rate: float) -> None:
    """flat -= rate direction"""
    along = direction.reshape(-1)
    kernels().sgd_step(flat, along, along[:0], 1.0, 0.0, 0.0, 0.0, rate, False, n_threads())
