"""Optimizer steps: 1-D arrays, in place."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


@ieee
def sgd_step(
    param: Array,
    grad: Array,
    velocity: Array,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    n_threads: int,
) -> None:
    """g = grad + weight_decay param; v = momentum v + (1 - dampening) g; param -= lr v.

    ``nesterov`` steps by lr (g + momentum v) instead. Momentum 0 has no velocity (size 0) and steps by lr g.
    (Sutskever et al. 2013, in PyTorch's form.)
    """
    step = wide(grad) + weight_decay * wide(param)
    if momentum:
        speed = momentum * wide(velocity) + (1 - dampening) * step
        velocity[...] = speed
        step = step + momentum * speed if nesterov else speed
    param[...] = param - lr * step


@ieee
def adam_step(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    step: int,
    n_threads: int,
) -> None:
    """m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; param -= lr mhat / (sqrt(vhat) + eps).

    mhat = m / (1 - beta1^step) and vhat = v / (1 - beta2^step); step counts from 1. Weight decay adds
    weight_decay param to g or, if ``decoupled``, shrinks param by the factor 1 - lr weight_decay first.
    (Kingma and Ba 2015; Loshchilov and Hutter 2019.)
    """
    old, g = wide(param), wide(grad)
    if decoupled:
        old = old * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * old
    first = beta1 * wide(m) + (1 - beta1) * g
    second = beta2 * wide(v) + (1 - beta2) * g**2
    m[...], v[...] = first, second
    param[...] = old - lr * (first / (1 - beta1**step)) / (np.sqrt(second / (1 - beta2**step)) + eps)
