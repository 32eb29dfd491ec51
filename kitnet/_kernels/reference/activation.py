"""Activations: one element in, one element out, by the name of the function; and those that need more.

``FORWARD`` and ``BACKWARD`` say what each name stands for: y of (x, a, b), and dx of (dy, x, a, b). There,
``relu``, ``clip``, ``sigmoid`` and ``tanh`` take y in the place of x: it tells their gradient as well, and
whoever keeps outputs need not keep inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ._windows import Array, ieee, wide

SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717

_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)); ``logistic(-x)`` is the rest to 1, and exp never overflows."""
    e = np.exp(-abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def softplus(x: Array) -> Array:
    """log(1 + exp(x))"""
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def normal(x: Array) -> Array:
    """The probability of a normal number below x."""
    return 0.5 * _erfc(-x / math.sqrt(2))


def _gelu_slope(x: Array) -> Array:
    return normal(x) + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def _tanh_gelu(x: Array) -> Array:
    """2 u, where GELU is about x (1 + tanh(u)) / 2 = x logistic(2 u)"""
    return 2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)


def _tanh_gelu_slope(x: Array) -> Array:
    x = np.clip(x, -30, 30)  # beyond, the logistic function does not move any more
    u = _tanh_gelu(x)
    slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return logistic(u) + x * logistic(u) * logistic(-u) * slope


def _silu_slope(x: Array) -> Array:
    return logistic(x) * (1 + x * logistic(-x))


def _tanh_softplus(x: Array) -> Array:
    return np.tanh(softplus(x))


def _mish_slope(x: Array) -> Array:
    return _tanh_softplus(x) + x * logistic(x) / np.cosh(softplus(x)) ** 2


Forward = Callable[[Array, float, float], Array]
Backward = Callable[[Array, Array, float, float], Array]

FORWARD: dict[str, Forward] = {
    "relu": lambda x, a, b: np.where(x < 0, 0, x),
    "clip": lambda x, a, b: np.where(x < a, a, np.where(x > b, b, x)),
    "threshold": lambda x, a, b: np.where(x <= a, b, x),
    "leaky_relu": lambda x, a, b: np.where(x > 0, x, a * x),
    "elu": lambda x, a, b: np.where(x > 0, x, a * np.expm1(b * x)),
    "selu": lambda x, a, b: SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(x)),
    "gelu": lambda x, a, b: x * normal(x),
    "gelu_tanh": lambda x, a, b: x * logistic(_tanh_gelu(x)),
    "silu": lambda x, a, b: x * logistic(x),
    "mish": lambda x, a, b: x * _tanh_softplus(x),
    "softplus": lambda x, a, b: np.where(a * x > b, x, softplus(a * x) / a),
    "softsign": lambda x, a, b: x / (1 + abs(x)),
    "sigmoid": lambda x, a, b: logistic(x),
    "logsigmoid": lambda x, a, b: -softplus(-x),
    "tanh": lambda x, a, b: np.tanh(x),
    "hardsigmoid": lambda x, a, b: np.clip(x + 3, 0, 6) / 6,
    "hardswish": lambda x, a, b: x * np.clip(x + 3, 0, 6) / 6,
    "hardshrink": lambda x, a, b: np.where(abs(x) <= a, 0, x),
    "softshrink": lambda x, a, b: np.where(abs(x) <= a, 0, x - np.copysign(a, x)),
    "tanhshrink": lambda x, a, b: x - np.tanh(x),
}

BACKWARD: dict[str, Backward] = {
    "relu": lambda dy, y, a, b: np.where(y <= 0, 0, dy),
    "clip": lambda dy, y, a, b: np.where((y <= a) | (y >= b), 0, dy),
    "threshold": lambda dy, x, a, b: np.where(x <= a, 0, dy),
    "leaky_relu": lambda dy, x, a, b: np.where(x > 0, dy, a * dy),
    "elu": lambda dy, x, a, b: np.where(x > 0, dy, dy * (a * b) * np.exp(b * x)),
    "selu": lambda dy, x, a, b: SELU_SCALE * np.where(x > 0, dy, dy * SELU_ALPHA * np.exp(x)),
    "gelu": lambda dy, x, a, b: dy * _gelu_slope(x),
    "gelu_tanh": lambda dy, x, a, b: dy * _tanh_gelu_slope(x),
    "silu": lambda dy, x, a, b: dy * _silu_slope(x),
    "mish": lambda dy, x, a, b: dy * _mish_slope(x),
    "softplus": lambda dy, x, a, b: np.where(a * x > b, dy, dy * logistic(a * x)),
    "softsign": lambda dy, x, a, b: dy / (1 + abs(x)) ** 2,
    "sigmoid": lambda dy, y, a, b: dy * (1 - y) * y,
    "logsigmoid": lambda dy, x, a, b: dy * logistic(-x),
    "tanh": lambda dy, y, a, b: dy * (1 - y * y),
    "hardsigmoid": lambda dy, x, a, b: np.where((x <= -3) | (x >= 3), 0, dy / 6),
    "hardswish": lambda dy, x, a, b: np.where(x <= -3, 0, np.where(x >= 3, dy, dy * (x / 3 + 0.5))),
    "hardshrink": lambda dy, x, a, b: np.where(abs(x) <= a, 0, dy),
    "softshrink": lambda dy, x, a, b: np.where(abs(x) <= a, 0, dy),
    "tanhshrink": lambda dy, x, a, b: dy * np.tanh(x) ** 2,
}


@ieee
def activation_forward(kind: str, x: Array, y: Array, a: float, b: float, n_threads: int) -> None:
    """y = the activation ``kind`` of x, with parameters a and b; 1-D"""
    y[...] = FORWARD[kind](wide(x), a, b)


@ieee
def activation_backward(
    kind: str, dy: Array, x: Array, dx: Array, a: float, b: float, n_threads: int
) -> None:
    """dx = its gradient at x, or for some at y (see ``BACKWARD``), times dy; 1-D"""
    dx[...] = BACKWARD[kind](wide(dy), wide(x), a, b)


@ieee
def prelu_forward(x: Array, weight: Array, y: Array, n_threads: int) -> None:
    """y[n, c] = x[n, c], times weight[c] where that is not positive; x (N, C, P), weight (C,)"""
    y[...] = np.where(x > 0, x, wide(x) * weight[:, None])


@ieee
def prelu_backward(dy: Array, x: Array, weight: Array, dx: Array, dweight: Array, n_threads: int) -> None:
    """dx = dy, times weight[c] where x is not positive; dweight[c] = the sum of dy x there"""
    dx[...] = np.where(x > 0, dy, wide(dy) * weight[:, None])
    dweight[...] = np.where(x > 0, 0, wide(dy) * wide(x)).sum(axis=(0, 2))


@ieee
def glu_forward(x: Array, y: Array, n_threads: int) -> None:
    """y[m] = x[m, 0] logistic(x[m, 1]); x (M, 2, P), y (M, P)"""
    y[...] = wide(x)[:, 0] * logistic(wide(x)[:, 1])


@ieee
def glu_backward(dy: Array, x: Array, dx: Array, n_threads: int) -> None:
    """The gradient of ``glu_forward``, of the shape of x."""
    value, gate = wide(x)[:, 0], wide(x)[:, 1]
    dx[:, 0] = dy * logistic(gate)
    dx[:, 1] = dy * value * logistic(gate) * logistic(-gate)
