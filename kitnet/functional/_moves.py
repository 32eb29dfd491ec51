"""Rows taken to other places: one way to the kernel for borders, shuffles, joins and look-ups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .._arrays import Array, empty
from .._backend import kernels, n_threads
from .._geometry import product

ALL = np.empty(0, np.int64)
"""All rows, as they are."""


def take_rows(x: Array, rows: Array, y: Array, runs: Array | None = None, value: float = 0.0) -> None:
    """y (B, Q, V) from the rows of x (B, R, W), each whole or made of ``runs``; -1: ``value``."""
    runs = np.array([[0, x.shape[2]]]) if runs is None else runs
    rows, runs = (a.astype(np.int64, copy=False) for a in (rows, runs))  # NumPy 1 has smaller ones on Windows
    kernels().take_rows(x, rows, runs, y, value, n_threads())


def _parts(y: Array, sizes: Sequence[int], axis: int) -> Iterator[Array]:
    """Views of y that have ``sizes`` along ``axis``, as (B, 1, V)."""
    inner = product(y.shape[axis + 1 :])
    flat, at = y.reshape(product(y.shape[:axis]), 1, y.shape[axis] * inner), 0
    for size in sizes:
        yield flat[:, :, at : at + size * inner]
        at += size * inner


def joined(xs: Sequence[Array], axis: int, shape: Sequence[int]) -> Array:
    """Arrays side by side along an axis, counted from the front: ``shape`` is that of all."""
    y = empty(shape, xs[0].dtype)
    for x, part in zip(xs, _parts(y, [x.shape[axis] for x in xs], axis), strict=True):
        take_rows(x.reshape(part.shape), ALL, part)
    return y


def parted(y: Array, shapes: Sequence[Sequence[int]], axis: int) -> tuple[Array, ...]:
    """The way back: an array of each shape."""
    xs = tuple(empty(shape, y.dtype) for shape in shapes)
    for x, part in zip(xs, _parts(y, [x.shape[axis] for x in xs], axis), strict=True):
        take_rows(part, ALL, x.reshape(part.shape))
    return xs
