"""Each axis of a plane by a sparse matrix of its own: interpolation, adaptive means, and their transposes."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee


def _along(x: Array, axis: int, start: Array, index: Array, weight: Array) -> Array:
    """Result j along ``axis`` is the sum of weight[t] x[index[t]] for t from start[j] up to start[j + 1]."""
    moved = np.moveaxis(x, axis, -1)
    y = np.zeros((*moved.shape[:-1], len(start) - 1))
    for j in range(len(start) - 1):
        terms = slice(start[j], start[j + 1])
        y[..., j] = (moved[..., index[terms]] * weight[terms]).sum(-1)
    return np.moveaxis(y, -1, axis)


@ieee
def resample(
    x: Array,
    start_d: Array,
    index_d: Array,
    weight_d: Array,
    start_h: Array,
    index_h: Array,
    weight_h: Array,
    start_w: Array,
    index_w: Array,
    weight_w: Array,
    y: Array,
    n_threads: int,
) -> None:
    """y (N, C, OD, OH, OW): x (N, C, D, H, W), summed by the lists of each axis; without lists it stays."""
    result = x.astype(np.float64)
    lists = ((start_d, index_d, weight_d), (start_h, index_h, weight_h), (start_w, index_w, weight_w))
    for axis, (start, index, weight) in enumerate(lists, 2):
        if start.size:
            result = _along(result, axis, start, index, weight.astype(np.float64))
    y[...] = result
