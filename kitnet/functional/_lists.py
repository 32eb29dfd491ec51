"""The lists of the ``resample`` kernel: the cells that each result along an axis reads, weighted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .._arrays import Array, empty
from .._backend import kernels, n_threads
from .._geometry import lift


class Lists(NamedTuple):
    """List j is ``cell`` and ``weight`` from start[j] to start[j + 1]; empty for an axis that stays."""

    start: Array
    cell: Array
    weight: Array


ABSENT = {
    np.dtype(t): Lists(*(np.empty(0, k) for k in (np.int32, np.int32, t))) for t in (np.float32, np.float64)
}


def lists_of(
    result: Array, cell: Array, weight: Array, sizes: tuple[int, int], dtype: np.dtype, backward: bool
) -> Lists:
    """The lists of the sums of weight[t] x[cell[t]] over each result's t; of the transpose for ``backward``.

    ``result`` ascends; ``sizes`` are those of the axis before and after.
    """
    used = weight != 0  # what has no weight takes no part: its NaN or infinity stays out
    result, cell, weight = result[used], cell[used], weight[used]
    if sizes[0] == sizes[1] == len(cell) and (result == cell).all() and (weight == 1).all():
        return ABSENT[dtype]
    if backward:
        order = np.argsort(cell, kind="stable")
        result, cell, weight = cell[order], result[order], weight[order]
    start = np.searchsorted(result, np.arange(sizes[0 if backward else 1] + 1))
    return Lists(start.astype(np.int32), cell.astype(np.int32), weight.astype(dtype))


def resample(x: Array, axes: Sequence[Lists], shape: Sequence[int], name: str) -> Array:
    """x (N, C, *spatial) with the lists of each spatial axis; ``name`` is to blame for a large ``shape``."""
    y = empty(shape, x.dtype, name)
    lifted = (ABSENT[x.dtype],) * (3 - len(axes)) + tuple(axes)
    kernels().resample(lift(x), *(array for lists in lifted for array in lists), lift(y), n_threads())
    return y
