"""Softmax, and cross-entropy on top of it."""

from __future__ import annotations

import math

import numpy as np

from ._windows import Array, ieee, wide


def _shifted(x: Array) -> Array:
    """x (M, C) less the largest of its row: exp cannot overflow, and softmax does not change."""
    rows = wide(x)
    shifted: Array = rows - rows.max(axis=1, keepdims=True, initial=-math.inf)
    return shifted


@ieee
def softmax_forward(x: Array, y: Array, n_threads: int) -> None:
    """y[m, c] = exp(x[m, c]) / sum over j of exp(x[m, j]); a row of only -inf, or with +inf, gives NaN."""
    e = np.exp(_shifted(x))
    y[...] = e / e.sum(axis=1, keepdims=True)


@ieee
def softmax_backward(dy: Array, y: Array, dx: Array, n_threads: int) -> None:
    """dx[m, c] = y[m, c] (dy[m, c] - sum over j of dy[m, j] y[m, j])"""
    delta, soft = wide(dy), wide(y)
    dx[...] = soft * (delta - (delta * soft).sum(axis=1, keepdims=True))


@ieee
def cross_entropy_forward(x: Array, target: Array, prob: Array, loss: Array, n_threads: int) -> None:
    """prob (M, C) = softmax(x); loss (M,) = -log prob[m, target[m]], computed from x without cancellation."""
    shifted = _shifted(x)
    total = np.exp(shifted).sum(axis=1)
    prob[...] = np.exp(shifted) / total[:, None]
    loss[...] = np.log(total) - shifted[np.arange(len(x)), target]


@ieee
def cross_entropy_backward(dloss: Array, prob: Array, target: Array, dx: Array, n_threads: int) -> None:
    """dx[m, c] = (prob[m, c] - [c == target[m]]) dloss[m]"""
    delta = wide(prob).copy()
    delta[np.arange(len(prob)), target] -= 1
    dx[...] = delta * dloss[:, None]
