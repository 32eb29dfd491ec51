"""Normalisation of channels by their neighbours (Krizhevsky, Sutskever and Hinton 2012)."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


def _sum_of_neighbours(x: Array, before: int, after: int) -> Array:
    """For each channel the sum of those from ``before`` in front of it to ``after`` behind it."""
    total = np.empty_like(x)
    for c in range(x.shape[1]):
        total[:, c] = x[:, max(c - before, 0) : c + after + 1].sum(axis=1)
    return total


def _divisor(x: Array, before: int, after: int, share: float, base: float) -> Array:
    return base + share * _sum_of_neighbours(wide(x) ** 2, before, after)


@ieee
def response_forward(
    x: Array, y: Array, before: int, after: int, share: float, beta: float, base: float, n_threads: int
) -> None:
    """y (N, C, P) = x / d^beta with d = base + share * sum of x^2 from channel c - before to c + after

    Channels that do not exist count as 0. A root of a negative d is NaN.
    """
    y[...] = wide(x) * _divisor(x, before, after, share, base) ** -beta


@ieee
def response_backward(
    dy: Array,
    x: Array,
    dx: Array,
    before: int,
    after: int,
    share: float,
    beta: float,
    base: float,
    n_threads: int,
) -> None:
    """dx = dy / d^beta - 2 share beta x * sum of dy x / d^(beta + 1) over the windows that see x

    d as in ``response_forward``.
    """
    divisor = _divisor(x, before, after, share, base)
    scaled = wide(dy) * divisor**-beta
    around = _sum_of_neighbours(scaled * x / divisor, after, before)
    dx[...] = scaled - 2 * share * beta * wide(x) * around
