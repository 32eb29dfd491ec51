"""Numbers moved to other places, as they are."""

from __future__ import annotations

import numpy as np

from ._windows import Array


def take_rows(x: Array, rows: Array, runs: Array, y: Array, value: float, n_threads: int) -> None:
    """y (B, Q, V) = the rows (Q,) of x (B, R, W), each made of runs (K, 2) of (first column, how many)

    -1 for a row or a first column: ``value``; no rows: all of them. Rows are contiguous, and may lie apart.
    """
    for q in range(y.shape[1]):
        r = rows[q] if rows.size else q
        at = 0
        for column, n in runs:
            inside = r >= 0 and column >= 0
            y[:, q, at : at + n] = x[:, r, column : column + n] if inside else value
            at += n


def pixel_shuffle(x: Array, y: Array, n_threads: int) -> None:
    """y (P, H, R, W, R) = x (P, R, R, H, W): the axes of each plane in the order H, first R, W, second R"""
    y[...] = x.transpose(0, 3, 1, 4, 2)


def pixel_unshuffle(y: Array, x: Array, n_threads: int) -> None:
    """x (P, R, R, H, W) = y (P, H, R, W, R): the way back"""
    x[...] = y.transpose(0, 2, 4, 1, 3)


def unpool_forward(x: Array, index: Array, y: Array, n_threads: int) -> None:
    """y (planes, places) = each x (planes, n) at its place, 0 elsewhere; the last one of equal places"""
    y[...] = 0
    np.put_along_axis(y, index, x, 1)


def unpool_backward(dy: Array, index: Array, dx: Array, n_threads: int) -> None:
    """dx (planes, n) = dy (planes, places) at the place of each"""
    dx[...] = np.take_along_axis(dy, index, 1)
