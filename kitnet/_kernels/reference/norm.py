"""Batch normalisation (Ioffe and Szegedy 2015)."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


def _per_channel(a: Array) -> Array:
    return wide(a)[:, None]


@ieee
def batchnorm_statistics(x: Array, mean: Array, var: Array, n_threads: int) -> None:
    """mean (C,) and biased variance (C,) of x (N, C, P) over N and P; both 0 where there is no sample."""
    count = max(x.shape[0] * x.shape[2], 1)
    centre = x.sum(axis=(0, 2), dtype=np.float64) / count
    mean[...] = centre
    var[...] = ((wide(x) - centre[:, None]) ** 2).sum(axis=(0, 2)) / count


@ieee
def batchnorm_forward(
    x: Array, scale: Array, shift: Array, y: Array, low: float, high: float, n_threads: int
) -> None:
    """y (N, C, P) = clip(x scale[c] + shift[c], low, high)

    In training, scale = gamma / sqrt(var + eps) and shift = beta - mean scale with the batch's statistics.
    """
    y[...] = np.clip(wide(x) * _per_channel(scale) + _per_channel(shift), low, high)


@ieee
def batchnorm_backward(
    dy: Array,
    x: Array,
    mean: Array,
    invstd: Array,
    gamma: Array,
    dx: Array,
    dgamma: Array,
    dbeta: Array,
    n_threads: int,
) -> None:
    """dx = gamma invstd (dy - dbeta / M - xhat dgamma / M), dbeta = sum of dy, dgamma = sum of dy xhat.

    The gradient of the training form, through the batch's statistics; M = N P and xhat = (x - mean) invstd.
    """
    count = max(x.shape[0] * x.shape[2], 1)
    delta, xhat = wide(dy), (wide(x) - _per_channel(mean)) * _per_channel(invstd)
    total, slope = delta.sum(axis=(0, 2)), (delta * xhat).sum(axis=(0, 2))
    dbeta[...], dgamma[...] = total, slope
    inner = delta - total[:, None] / count - xhat * slope[:, None] / count
    dx[...] = _per_channel(gamma) * _per_channel(invstd) * inner
