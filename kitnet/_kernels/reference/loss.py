"""Losses: two numbers in, an output x and its target, one loss out; by the name of the loss.

``VALUE`` and ``SLOPE`` say what each name stands for: the loss of (x, target, a, b), and its derivative by x.
Then losses of rows: the likelihood of classes, Dice's coefficient, and margins between classes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._windows import Array, ieee, wide
from .activation import logistic, softplus

Pointwise = Callable[[Array, Array, float, float], Array]


def _bce(x: Array, t: Array, a: float, b: float) -> Array:
    """x is a probability; logarithms end at -100."""
    return -(t * np.maximum(np.log(x), -100) + (1 - t) * np.maximum(np.log1p(-x), -100))


def _bce_with_logits(x: Array, t: Array, a: float, b: float) -> Array:
    """a and b: the weights of the positive and the negative."""
    return a * t * softplus(-x) + b * (1 - t) * softplus(x)


def _bce_with_logits_slope(x: Array, t: Array, a: float, b: float) -> Array:
    return b * (1 - t) * logistic(x) - a * t * logistic(-x)


def _missed(x: Array, t: Array) -> Array:
    """How far the probability is from the target."""
    return logistic(x) * (1 - t) + logistic(-x) * t


def _class_weight(t: Array, a: float) -> Array:
    return a * t + (1 - a) * (1 - t) if a >= 0 else np.ones_like(t)


def _focal(x: Array, t: Array, a: float, b: float) -> Array:
    return _class_weight(t, a) * _bce_with_logits(x, t, 1, 1) * _missed(x, t) ** b


def _focal_slope(x: Array, t: Array, a: float, b: float) -> Array:
    missed = _missed(x, t)
    turn = (1 - 2 * t) * logistic(x) * logistic(-x)  # of missed by x
    growth = b * np.where(missed > 0, missed, 1) ** (b - 1) * turn
    slope = _bce_with_logits_slope(x, t, 1, 1) * missed**b + _bce_with_logits(x, t, 1, 1) * growth
    return _class_weight(t, a) * slope


def _huber(x: Array, t: Array, a: float, b: float) -> Array:
    d = abs(x - t)
    return np.where(d <= a, d * d / 2, a * (d - a / 2))


def _smooth_l1(x: Array, t: Array, a: float, b: float) -> Array:
    d = abs(x - t)
    return np.where(d < a, d * d * (0.5 / max(a, 1e-300)), d - a / 2)


def _hinge(x: Array, t: Array, a: float, b: float) -> Array:
    return np.maximum(a - t * x, 0) ** b


def _hinge_slope(x: Array, t: Array, a: float, b: float) -> Array:
    m = a - t * x
    return np.where(m < 0, 0, -t * (2 * m if b == 2 else 1))


def _hinge_embedding(x: Array, t: Array, a: float, b: float) -> Array:
    return np.where(t == -1, 0, x) + np.where(t == 1, 0, np.maximum(a - x, 0))


def _hinge_embedding_slope(x: Array, t: Array, a: float, b: float) -> Array:
    return np.where(t == -1, 0.0, 1.0) - np.where((t == 1) | (a - x < 0), 0.0, 1.0)


def _stirling(t: Array, b: float) -> Array:
    """b times an approximation of log(t!) for t above 1, and 0 for others."""
    large = np.where(t > 1, t, 1)
    return np.where(t > 1, b * (large * np.log(large) - large + 0.5 * np.log(2 * np.pi * large)), 0)


VALUE: dict[str, Pointwise] = {
    "mse": lambda x, t, a, b: (x - t) ** 2,
    "l1": lambda x, t, a, b: abs(x - t),
    "smooth_l1": _smooth_l1,
    "huber": _huber,
    "bce": _bce,
    "bce_with_logits": _bce_with_logits,
    "focal": _focal,
    "kl_div": lambda x, t, a, b: np.where(t == 0, 0, t * np.log(t)) - t * x,
    "kl_div_log": lambda x, t, a, b: np.exp(t) * (t - x),
    "poisson": lambda x, t, a, b: x - t * np.log(x + a) + _stirling(t, b),
    "poisson_log": lambda x, t, a, b: np.exp(x) - t * x + _stirling(t, b),
    "soft_margin": lambda x, t, a, b: softplus(-t * x),
    "hinge": _hinge,
    "hinge_embedding": _hinge_embedding,
}

SLOPE: dict[str, Pointwise] = {
    "mse": lambda x, t, a, b: 2 * (x - t),
    "l1": lambda x, t, a, b: np.sign(x - t),
    "smooth_l1": lambda x, t, a, b: np.where(abs(x - t) < a, (x - t) / max(a, 1e-300), np.sign(x - t)),
    "huber": lambda x, t, a, b: np.clip(x - t, -a, a),
    "bce": lambda x, t, a, b: (x - t) / np.maximum((1 - x) * x, 1e-12),
    "bce_with_logits": _bce_with_logits_slope,
    "focal": _focal_slope,
    "kl_div": lambda x, t, a, b: -t,
    "kl_div_log": lambda x, t, a, b: -np.exp(t),
    "poisson": lambda x, t, a, b: 1 - t / (x + a),
    "poisson_log": lambda x, t, a, b: np.exp(x) - t,
    "soft_margin": lambda x, t, a, b: -t * logistic(-t * x),
    "hinge": _hinge_slope,
    "hinge_embedding": _hinge_embedding_slope,
}


@ieee
def loss_forward(
    kind: str, x: Array, target: Array, loss: Array, total: Array, a: float, b: float, n_threads: int
) -> None:
    """total (1,) = the sum of the losses ``kind`` of x and target, 1-D; each in ``loss``, if wanted."""
    each = VALUE[kind](wide(x), wide(target), a, b)
    total[0] = each.sum()
    if loss.size:
        loss[...] = each


@ieee
def loss_backward(
    kind: str, dy: Array, x: Array, target: Array, dx: Array, a: float, b: float, n_threads: int
) -> None:
    """dx = dy times the derivative by x; dy of the size of x, or one number for all"""
    dx[...] = SLOPE[kind](wide(x), wide(target), a, b) * wide(dy)


def class_targets(
    target: Array, weight: Array, count: int, ignore: int, classes: Array, totals: Array, n_threads: int
) -> None:
    """classes (M,) = target where that is one of ``count``, and -1 where it is ``ignore`` or none of them;
    totals (2,) = the weights (C,) of all classes (1 where absent), and how many targets are neither."""
    ignored = target == ignore
    counts = (target >= 0) & (target < count) & ~ignored
    classes[...] = np.where(counts, target, -1)
    totals[...] = _class_weights(classes, weight).sum(), np.count_nonzero(~counts & ~ignored)


def _class_weights(target: Array, weight: Array) -> Array:
    """The weight of each class, 0 for none (negative)."""
    return np.where(target < 0, 0, wide(weight)[np.maximum(target, 0)] if weight.size else 1.0)


@ieee
def nll_forward(x: Array, target: Array, weight: Array, loss: Array, total: Array, n_threads: int) -> None:
    """loss (M, P) = -x (M, C, P) at the class target (M, P), times its weight (C,) where that is not absent,
    and 0 for no class (negative), if wanted; total (1,) = their sum."""
    picked = np.take_along_axis(wide(x), np.maximum(target, 0)[:, None], axis=1)[:, 0]
    each = np.where(target < 0, 0, -_class_weights(target, weight) * picked)
    total[0] = each.sum()
    if loss.size:
        loss[...] = each


@ieee
def nll_backward(dy: Array, target: Array, weight: Array, dx: Array, n_threads: int) -> None:
    """dx (M, C, P) = -dy (M, P), or (1, 1) for all, times the weight at the class of each place, else 0"""
    slope = np.where(target < 0, 0, -wide(dy) * _class_weights(target, weight))
    dx[...] = 0
    np.put_along_axis(dx, np.maximum(target, 0)[:, None], slope[:, None].astype(dx.dtype), axis=1)


def _overlap(x: Array, target: Array, smooth: float) -> tuple[Array, Array]:
    """Twice the sum of x target, and the sum of both, of each row."""
    x, target = wide(x), wide(target)
    return 2 * (x * target).sum(axis=1) + smooth, x.sum(axis=1) + target.sum(axis=1) + smooth


@ieee
def dice_forward(x: Array, target: Array, smooth: float, loss: Array, n_threads: int) -> None:
    """loss (M,) = 1 - (2 sum of x target + smooth) / (sum of x + sum of target + smooth), over rows (M, P)"""
    common, whole = _overlap(x, target, smooth)
    loss[...] = 1 - common / whole


@ieee
def dice_backward(dy: Array, x: Array, target: Array, smooth: float, dx: Array, n_threads: int) -> None:
    """dx (M, P) = the gradient of that by x, times dy (M,), or (1,) for all"""
    common, whole = _overlap(x, target, smooth)
    dx[...] = (wide(dy) / whole * (common / whole - 2 * wide(target).T)).T


def _reach(x: Array, target: Array, margin: float) -> Array:
    """How far each score comes within the margin of that of the own class, whose own reach is 0."""
    rows, x = np.arange(len(x)), wide(x)
    reach = np.maximum(margin - x[rows, target][:, None] + x, 0)
    reach[rows, target] = 0
    return reach


@ieee
def margin_forward(
    x: Array, target: Array, weight: Array, p: int, margin: float, loss: Array, n_threads: int
) -> None:
    """loss (M,) = the mean over all classes of max(margin - x (M, C) at the target (M,) + x, 0)^p, 0 for the
    target itself; times the weight (C,) of the target, where that is not absent"""
    loss[...] = _class_weights(target, weight) * (_reach(x, target, margin) ** p).sum(axis=1) / x.shape[1]


@ieee
def margin_backward(
    dy: Array, x: Array, target: Array, weight: Array, p: int, margin: float, dx: Array, n_threads: int
) -> None:
    """dx (M, C) = the gradient of that by x, times dy (M,), or (1,) for all"""
    reach = _reach(x, target, margin)
    slope = np.where(np.isnan(reach), reach, reach > 0) if p == 1 else 2 * reach
    slope *= (wide(dy) * _class_weights(target, weight) / x.shape[1])[:, None]
    slope[np.arange(len(x)), target] = -slope.sum(axis=1)
    dx[...] = slope
