"""Normalisation of rows: layers (Ba et al. 2016), groups of channels (Wu and He 2018), RMS (Zhang 2019)."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


def _rows(a: Array, groups: int) -> Array:
    """``a`` (N, C, P) as (N, groups, C / groups, P): a row is what shares the first two indices."""
    n, c, p = a.shape
    return wide(a).reshape(n, groups, c // groups, p)


def _weight(weight: Array, groups: int, absent: float) -> Array:
    """``weight`` (C,) beside ``_rows``."""
    return wide(weight).reshape(groups, -1, 1) if weight.size else np.full((1, 1, 1), absent)


@ieee
def rownorm_forward(
    x: Array, gamma: Array, beta: Array, y: Array, mean: Array, invstd: Array, eps: float, n_threads: int
) -> None:
    """y (N, C, P) = (x - mean) invstd gamma[c] + beta[c], with mean and invstd (N, G) those of a row.

    A row is a group of C / G channels of one sample, and invstd = 1 / sqrt(its biased variance + eps). Where
    ``mean`` is not wanted it is 0, and invstd = 1 / sqrt(mean square + eps). gamma and beta (C,) are both
    there or both absent.
    """
    rows = _rows(x, invstd.shape[1])
    centre = rows.mean(axis=(2, 3), keepdims=True) if mean.size else np.zeros((1, 1, 1, 1))
    inverse = 1 / np.sqrt(((rows - centre) ** 2).mean(axis=(2, 3), keepdims=True) + eps)
    if mean.size:
        mean[...] = centre[..., 0, 0]
    invstd[...] = inverse[..., 0, 0]
    xhat = (rows - centre) * inverse
    y[...] = (xhat * _weight(gamma, rows.shape[1], 1) + _weight(beta, rows.shape[1], 0)).reshape(y.shape)


@ieee
def rownorm_backward(
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
    """dx = invstd (g - mean of g - xhat (mean of g xhat)) with g = dy gamma and means over a row.

    The term ``mean of g`` comes from the mean of x, and is 0 where that is absent. dbeta (C,) = sum of dy and
    dgamma = sum of dy xhat over samples and pixels, where gamma is there.
    """
    rows, delta = _rows(x, invstd.shape[1]), _rows(dy, invstd.shape[1])
    centre = wide(mean)[..., None, None] if mean.size else np.zeros((1, 1, 1, 1))
    inverse = wide(invstd)[..., None, None]
    xhat, g = (rows - centre) * inverse, delta * _weight(gamma, rows.shape[1], 1)
    inner = g - xhat * (g * xhat).mean(axis=(2, 3), keepdims=True)
    if mean.size:
        inner -= g.mean(axis=(2, 3), keepdims=True)
    dx[...] = (inverse * inner).reshape(dx.shape)
    if gamma.size:
        dgamma[...] = (delta * xhat).sum(axis=(0, 3)).ravel()
        dbeta[...] = delta.sum(axis=(0, 3)).ravel()
