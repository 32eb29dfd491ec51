"""Optimizer steps: 1-D arrays, in place.

Wherever it appears, g = scale grad + decay param is the gradient that a rule sees: ``scale`` is 1, or -1 to
step uphill. State of size 0 is absent. What depends on the number of the step alone is in the scalars.
"""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


@ieee
def sgd_step(
    param: Array,
    grad: Array,
    velocity: Array,
    scale: float,
    decay: float,
    momentum: float,
    share: float,
    rate: float,
    nesterov: bool,
    n_threads: int,
) -> None:
    """velocity = momentum velocity + share g; param -= rate velocity.

    ``nesterov`` steps by rate (g + momentum velocity) instead; without velocity by rate g. (Sutskever et al.
    2013.)
    """
    step = scale * wide(grad) + decay * wide(param)
    if velocity.size:
        speed = momentum * wide(velocity) + share * step
        velocity[...] = speed
        step = step + momentum * speed if nesterov else speed
    param[...] = param - rate * step


@ieee
def asgd_step(
    param: Array,
    grad: Array,
    average: Array,
    scale: float,
    decay: float,
    keep: float,
    rate: float,
    weight: float,
    n_threads: int,
) -> None:
    """param = keep param - rate g; average += weight (param - average). (Polyak and Juditsky 1992.)

    Weight 1 forgets what ``average`` was.
    """
    old, before = wide(param), wide(average)
    new = keep * old - rate * (scale * wide(grad) + decay * old)
    average[...] = new if weight == 1 else before + weight * (new - before)
    param[...] = new


@ieee
def rprop_step(
    param: Array,
    grad: Array,
    previous: Array,
    size: Array,
    scale: float,
    shrink: float,
    grow: float,
    least: float,
    most: float,
    n_threads: int,
) -> None:
    """param -= size sign(g), where g = scale grad. (Riedmiller and Braun 1993.)

    Before that, size is multiplied by ``grow`` where g has the sign of ``previous``; by ``shrink`` where it
    has the other sign, and g is then 0; and clipped to [least, most]. previous = g.
    """
    g = scale * wide(grad)
    agreement = np.sign(g) * np.sign(wide(previous))
    factor = np.where(agreement > 0, grow, np.where(agreement < 0, shrink, 1.0))
    steps = np.clip(size * factor, least, most)
    g = np.where(agreement < 0, 0.0, g)
    size[...], previous[...] = steps, g
    param[...] = param - steps * np.sign(g)


@ieee
def lion_step(
    param: Array,
    grad: Array,
    m: Array,
    scale: float,
    keep: float,
    beta1: float,
    beta2: float,
    rate: float,
    n_threads: int,
) -> None:
    """param = keep param - rate sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g; g = scale grad.

    (Chen et al. 2023.)
    """
    g, before = scale * wide(grad), wide(m)
    param[...] = keep * wide(param) - rate * np.sign(beta1 * before + (1 - beta1) * g)
    m[...] = beta2 * before + (1 - beta2) * g


@ieee
def adam_step(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    top: Array,
    scale: float,
    decay: float,
    keep: float,
    beta1: float,
    beta2: float,
    rate: float,
    boost: float,
    root: float,
    eps: float,
    n_threads: int,
) -> None:
    """m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; the way is rate m + boost g.

    param = keep param - way / (root sqrt(v) + eps); with ``top``, the largest v so far, in place of v. Where
    root is 0, v has no say, not even if it is infinite. (Kingma and Ba 2015; Reddi et al. 2018; with boost,
    Dozat 2016.)
    """
    old = wide(param)
    g = scale * wide(grad) + decay * old
    first = beta1 * wide(m) + (1 - beta1) * g
    second = beta2 * wide(v) + (1 - beta2) * g**2
    m[...], v[...] = first, second
    if top.size:
        second = np.maximum(wide(top), second)
        top[...] = second
    divisor = root * np.sqrt(second) + eps if root else eps
    param[...] = keep * old - (rate * first + boost * g) / divisor


@ieee
def adamax_step(
    param: Array,
    grad: Array,
    m: Array,
    u: Array,
    scale: float,
    decay: float,
    beta1: float,
    beta2: float,
    eps: float,
    rate: float,
    n_threads: int,
) -> None:
    """m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); param -= rate m / u. (Kingma and Ba 2015.)"""
    g = scale * wide(grad) + decay * wide(param)
    first = beta1 * wide(m) + (1 - beta1) * g
    largest = np.maximum(beta2 * wide(u), np.abs(g) + eps)
    m[...], u[...] = first, largest
    param[...] = param - rate * first / largest


@ieee
def lamb_direction(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    direction: Array,
    scale: float,
    decay: float,
    beta1: float,
    beta2: float,
    rate: float,
    root: float,
    eps: float,
    n_threads: int,
) -> None:
    """m, v as in ``adam_step`` with g = scale grad; direction = rate m / (root sqrt(v) + eps) + decay param.

    (You et al. 2020.)
    """
    g = scale * wide(grad)
    first = beta1 * wide(m) + (1 - beta1) * g
    second = beta2 * wide(v) + (1 - beta2) * g**2
    m[...], v[...] = first, second
    direction[...] = rate * first / (root * np.sqrt(second) + eps) + decay * wide(param)


@ieee
def rmsprop_step(
    param: Array,
    grad: Array,
    square: Array,
    mean: Array,
    velocity: Array,
    scale: float,
    decay: float,
    alpha: float,
    share: float,
    eps: float,
    momentum: float,
    rate: float,
    n_threads: int,
) -> None:
    """square = alpha square + share g^2; step = g / (sqrt(square) + eps); param -= rate step.

    With ``mean`` = alpha mean + share g, square - mean^2 (at least 0) takes the place of square in the step;
    with ``velocity`` = momentum velocity + step, that the place of the step. (Tieleman and Hinton 2012;
    Graves 2013; alpha and share of 1 make it Adagrad, Duchi et al. 2011.)
    """
    g = scale * wide(grad) + decay * wide(param)
    spread = alpha * wide(square) + share * g**2
    square[...] = spread
    if mean.size:
        centre = alpha * wide(mean) + share * g
        mean[...] = centre
        spread = np.where(spread - centre**2 < 0, 0.0, spread - centre**2)
    step = g / (np.sqrt(spread) + eps)
    if velocity.size:
        step = momentum * wide(velocity) + step
        velocity[...] = step
    param[...] = param - rate * step


@ieee
def adadelta_step(
    param: Array,
    grad: Array,
    square: Array,
    change: Array,
    scale: float,
    decay: float,
    rho: float,
    eps: float,
    rate: float,
    n_threads: int,
) -> None:
    """square = rho square + (1 - rho) g^2; step = sqrt((change + eps) / (square + eps)) g.

    param -= rate step; change = rho change + (1 - rho) step^2. (Zeiler 2012.)
    """
    g = scale * wide(grad) + decay * wide(param)
    before = wide(change)
    size = rho * wide(square) + (1 - rho) * g**2
    step = np.sqrt((before + eps) / (size + eps)) * g
    square[...], change[...] = size, rho * before + (1 - rho) * step**2
    param[...] = param - rate * step


@ieee
def average_step(average: Array, x: Array, weight: float, n_threads: int) -> None:
    """average += weight (x - average)"""
    before = wide(average)
    average[...] = before + weight * (wide(x) - before)


@ieee
def inner(a: Array, b: Array, out: Array, n_threads: int) -> None:
    """out[0] = the sum of the products of the elements, in float64"""
    out[0] = (wide(a) * wide(b)).sum()


@ieee
def factored_squares(grad: Array, rows: Array, columns: Array, n_threads: int) -> None:
    """The mean squares of matrices (B, R, C): rows (B, R) over the columns, columns (B, C) over the rows."""
    squares = wide(grad) ** 2
    rows[...], columns[...] = squares.mean(2), squares.mean(1)


@ieee
def factored_direction(
    grad: Array, rows: Array, columns: Array, direction: Array, least: float, n_threads: int
) -> None:
    """direction (B, R, C) = grad / sqrt(max(rows (B, R) columns (B, C), least)). (Shazeer and Stern 2018.)"""
    squares = wide(rows)[:, :, None] * wide(columns)[:, None, :]
    direction[...] = grad / np.sqrt(np.where(squares < least, least, squares))
