"""Borders around arrays: of a constant, or of what is inside, mirrored, repeated or gone on with.

An axis with its border is runs of cells, copied, and of the constant. The gradient of a constant border is
the border of opposite sign; that of the others is the transpose of their cells, as for ``interpolate``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from .._arrays import Array, empty, gate, gate_number
from .._geometry import LARGEST, MODES, bordered, per_axis, product
from ._lists import ABSENT, Lists, lists_of, resample
from ._moves import ALL, take_rows

Pairs: TypeAlias = "list[tuple[int, int]]"


def _pairs(pad: Sequence[int], ndim: int, mode: str) -> Pairs:
    """(before, after) for every axis, from PyTorch's list, which begins with the last axis."""
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad: expected a tuple of ints, got {pad!r}")
    if len(pad) % 2 or not 2 <= len(pad) <= 2 * ndim:
        raise ValueError(f"pad: expected (before, after) for 1 to {ndim} axes, the last first, got {pad!r}")
    ints = per_axis(pad, len(pad), "pad", least=-LARGEST if mode == "constant" else 0)
    pairs = list(zip(ints[::2], ints[1::2], strict=True))
    return [(0, 0)] * (ndim - len(pairs)) + pairs[::-1]


@lru_cache(maxsize=64)
def _runs(size: int, low: int, high: int, mode: str) -> Array:
    """An axis with its border, as (first cell, how many) of each run; -1: a border of a constant."""
    if mode == "constant":
        runs = np.array([(-1, low), (max(-low, 0), size + min(low, 0) + min(high, 0)), (-1, high)])
    elif mode == "circular":
        runs = np.array([(size - low, low), (0, size), (0, high)])
    else:  # each cell of the border by itself
        runs = np.ones((low + 1 + high, 2), np.int64)
        reflect = mode == "reflect"
        runs[:low, 0] = np.arange(low, 0, -1) if reflect else 0
        runs[low] = 0, size
        runs[low + 1 :, 0] = np.arange(size - 2, size - 2 - high, -1) if reflect else size - 1
    return runs[runs[:, 1] > 0].astype(np.int64)


def _cells(size: int, pair: tuple[int, int], mode: str) -> Array:
    """The cell of each place of an axis with its border; -1: a border of a constant."""
    first, count = _runs(size, *pair, mode).T
    along = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(first, count)
    return np.where(first < 0, -1, first + along)


def _fill(x: Array, pairs: Pairs, mode: str, y: Array, value: float = 0.0) -> None:
    """y: x with its border. Axes before those that change are samples, axes after them are cells."""
    changed = [axis for axis, pair in enumerate(pairs) if pair != (0, 0)] or [x.ndim - 1]
    front, last = changed[0], changed[-1]
    within = last == x.ndim - 1  # rows have a border themselves
    end = last if within else last + 1
    rows = ALL
    for axis in range(front, end):
        outer, cells = rows[:, None], _cells(x.shape[axis], pairs[axis], mode)
        if axis > front:
            cells = np.where((outer < 0) | (cells < 0), -1, outer * x.shape[axis] + cells).reshape(-1)
        rows = cells

    def flat(a: Array) -> Array:
        return a.reshape(product(a.shape[:front]), product(a.shape[front:end]), product(a.shape[end:]))

    take_rows(flat(x), rows, flat(y), _runs(x.shape[last], *pairs[last], mode) if within else None, value)


@lru_cache(maxsize=256)
def _lists(size: int, pair: tuple[int, int], mode: str, dtype: np.dtype) -> Lists:
    """For each cell of an axis the places that hold it."""
    cells = _cells(size, pair, mode)
    sizes = size, len(cells)
    return lists_of(np.arange(len(cells)), cells, np.ones(len(cells)), sizes, dtype, backward=True)


def _gathered(dy: Array, shape: Sequence[int], pairs: Pairs, mode: str) -> Array:
    """Each cell of ``shape`` as the sum of the places that hold it: the last three axes, then others."""
    now, ndim = list(dy.shape), dy.ndim
    for axes in (range(max(ndim - 3, 0), ndim), *([axis] for axis in range(ndim - 3))):
        if all(pairs[axis] == (0, 0) for axis in axes):
            continue
        lists = [_lists(shape[axis], pairs[axis], mode, dy.dtype) for axis in axes]
        behind = [product(now[axes[-1] + 1 :])] if axes[-1] + 1 < ndim else []
        planes = [1, product(now[: axes[0]])]
        dy = dy.reshape(*planes, *(now[axis] for axis in axes), *behind)
        for axis in axes:
            now[axis] = shape[axis]
        out = (*planes, *(shape[axis] for axis in axes), *behind)
        dy = resample(dy, lists + [ABSENT[dy.dtype]] * len(behind), out, "input_shape")
    return dy.reshape(shape)


def pad(x: Array, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Array:
    """Put a border around an array.

    Parameters
    ----------
    x
        Of any number of axes, float32 or float64.
    pad
        (before, after) for the last axis, then for the one before it, and so on: (left, right, top, bottom)
        for images. Negative numbers cut off; "constant" alone takes them.
    mode
        "constant": ``value`` everywhere. "reflect": mirrored at the first and at the last cell, which are not
        repeated; the border is smaller than the axis. "replicate": the first or the last cell. "circular":
        what is at the other end; the border is at most as large as the axis.
    value
        What "constant" puts there.

    Returns
    -------
    y
        As large as x and its border.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: PyTorch's ``torch.nn.functional.pad``; here every mode takes any number of axes.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([1.0, 2, 3])
    >>> F.pad(x, (2, 1)), F.pad(x, (2, 1), "reflect")
    (array([0., 0., 1., 2., 3., 0.]), array([3., 2., 1., 2., 3., 2.]))
    >>> F.pad(x, (2, 1), "replicate"), F.pad(x, (2, 1), "circular")
    (array([1., 1., 1., 2., 3., 3.]), array([2., 3., 1., 2., 3., 1.]))
    """
    x = gate(x, "x")
    pairs = _pairs(pad, x.ndim, mode)
    value = gate_number(value, "value")
    if value and mode != "constant":
        raise ValueError(f"value: expected 0 with mode {mode!r}, got {value!r}")
    with np.errstate(over="ignore"):  # float32 makes an infinity of 1e300
        value = float(x.dtype.type(value))
    y = empty(bordered(x.shape, pairs, mode, "pad"), x.dtype, "pad")
    _fill(x, pairs, mode, y, value)
    return y


def pad_backward(
    dy: Array, input_shape: tuple[int, ...], pad: Sequence[int], mode: str = "constant"
) -> Array:
    """The gradient of the input of ``pad``, given that of its output: what a border holds is added where it
    came from.

    Parameters
    ----------
    dy
        The gradient of the output, of its shape.
    input_shape
        The shape of x.
    pad, mode
        As they were passed to ``pad``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.pad_backward(np.array([1.0, 2, 3, 4, 5, 6]), (3,), (2, 1), "reflect")
    array([ 3., 12.,  6.])
    """
    if not isinstance(input_shape, (tuple, list)):
        raise TypeError(f"input_shape: expected a tuple of ints, got {input_shape!r}")
    shape = per_axis(input_shape, len(input_shape), "input_shape", least=0)
    pairs = _pairs(pad, len(shape), mode)
    dy = gate(dy, "dy", shape=bordered(shape, pairs, mode, "pad"))
    if mode != "constant" and dy.size and any(pair != (0, 0) for pair in pairs):
        return _gathered(dy, shape, pairs, mode)
    dx = empty(shape, dy.dtype, "input_shape")
    _fill(dy, [(-low, -high) for low, high in pairs], "constant", dx)
    return dx
