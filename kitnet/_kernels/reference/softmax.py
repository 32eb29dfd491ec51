"""Softmax, its logarithm, and cross-entropy on top of it."""

from __future__ import annotations

import math

import numpy as np

from ._windows import Array, ieee, wide


def _shifted(x: Array) -> Array:
    """x (M, C, ...) less the largest of C numbers: exp cannot overflow, and softmax does not change."""
    rows = wide(x)
    shifted: Array = rows - rows.max(axis=1, keepdims=True, initial=-math.inf)
    return shifted


@ieee
def softmax_forward(x: Array, y: Array, n_threads: int) -> None:
    """y (M, C, P) = exp(x) / its sum over C; C numbers of only -inf, or with +inf, give NaN."""
    e = np.exp(_shifted(x))
    y[...] = e / e.sum(axis=1, keepdims=True)


@ieee
def softmax_backward(dy: Array, y: Array, dx: Array, n_threads: int) -> None:
    """dx (M, C, P) = y (dy - the sum over C of dy y)"""
    delta, soft = wide(dy), wide(y)
    dx[...] = soft * (delta - (delta * soft).sum(axis=1, keepdims=True))


@ieee
def log_softmax_forward(x: Array, y: Array, n_threads: int) -> None:
    """y = log softmax(x), computed without cancellation."""
    shifted = _shifted(x)
    y[...] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


@ieee
def log_softmax_backward(dy: Array, y: Array, dx: Array, n_threads: int) -> None:
    """dx (M, C, P) = dy - exp(y) times the sum over C of dy"""
    delta = wide(dy)
    dx[...] = delta - np.exp(wide(y)) * delta.sum(axis=1, keepdims=True)


def _mixed(target: Array, weight: Array, smoothing: float) -> Array:
    """What cross-entropy compares with: target (M, C, P) mixed with an even distribution, weighed."""
    mixed: Array = (1 - smoothing) * wide(target) + smoothing / target.shape[1]
    return mixed * wide(weight)[:, None] if weight.size else mixed


def _one_hot(target: Array, classes: int) -> Array:
    """The class of each place as a distribution."""
    return np.moveaxis(np.eye(classes)[target], -1, 1)


@ieee
def soft_cross_entropy_forward(
    x: Array, target: Array, weight: Array, smoothing: float, prob: Array, loss: Array, n_threads: int
) -> None:
    """prob (M, C, P) = softmax(x); loss (M, P) = -sum over c of q log prob, q being target (M, C, P) as it is
    mixed with an even distribution by the share ``smoothing``, times weight (C,) where that is not absent."""
    shifted = _shifted(x)
    log_total = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    prob[...] = np.exp(shifted - log_total)
    loss[...] = (_mixed(target, weight, smoothing) * (log_total - shifted)).sum(axis=1)


@ieee
def soft_cross_entropy_backward(
    dloss: Array, prob: Array, target: Array, weight: Array, smoothing: float, dx: Array, n_threads: int
) -> None:
    """dx[m, c, p] = (prob[m, c, p] sum of q[m, :, p] - q[m, c, p]) dloss[m, p]"""
    q = _mixed(target, weight, smoothing)
    dx[...] = (wide(prob) * q.sum(axis=1, keepdims=True) - q) * dloss[:, None]


@ieee
def cross_entropy_forward(
    x: Array, target: Array, weight: Array, smoothing: float, prob: Array, loss: Array, n_threads: int
) -> None:
    """The same for one class a place, target (M, P), or for none (negative), where the loss is 0."""
    classes, counts = np.maximum(target, 0), target >= 0
    shifted = _shifted(x)
    log_total = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    prob[...] = np.exp(shifted - log_total)
    share = (1 - smoothing) * (wide(weight)[classes] if weight.size else 1)
    picked = np.take_along_axis(log_total - shifted, classes[:, None], axis=1)[:, 0]
    loss[...] = np.where(counts, share * picked, 0)
    if smoothing:
        even = _mixed(np.zeros_like(x), weight, smoothing)
        loss += np.where(counts, (even * (log_total - shifted)).sum(axis=1), 0).astype(loss.dtype)


@ieee
def cross_entropy_backward(
    dloss: Array, prob: Array, target: Array, weight: Array, smoothing: float, dx: Array, n_threads: int
) -> None:
    """The gradient of that; 0 for places without a class."""
    q = _mixed(_one_hot(np.maximum(target, 0), prob.shape[1]), weight, smoothing)
    delta = (wide(prob) * q.sum(axis=1, keepdims=True) - q) * dloss[:, None]
    dx[...] = np.where(target[:, None] >= 0, delta, 0)
