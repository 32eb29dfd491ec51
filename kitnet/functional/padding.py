"""Borders around arrays: of a constant, or of what is inside, mirrored, repeated or gone on with.

Plain NumPy: the inside is copied once, and borders are thin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np

from .._arrays import Array, empty, gate, gate_number
from .._geometry import LARGEST, MODES, bordered, per_axis

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


def _cut(shape: Sequence[int], pairs: Pairs) -> tuple[tuple[slice, ...], Pairs]:
    """What negative borders leave of an array of ``shape``, and the borders that are to be added."""
    left = tuple(slice(max(-low, 0), n + min(high, 0)) for n, (low, high) in zip(shape, pairs, strict=True))
    return left, [(max(low, 0), max(high, 0)) for low, high in pairs]


def _inside(y: Array, pairs: Pairs) -> Array:
    """``y`` without its borders."""
    return y[tuple(slice(low, n - high) for n, (low, high) in zip(y.shape, pairs, strict=True))]


def _borders(y: Array, pairs: Pairs, mode: str) -> Iterator[tuple[int, Array, Array]]:
    """(axis, border, source) of each border of ``y``, both views: the border holds what its source does.

    The source of "replicate" is one cell, that of "constant" says nothing. Borders reach over the whole of
    the other axes, their borders included: so the corners come out right.
    """
    for axis, (low, high) in enumerate(pairs):
        end = y.shape[axis] - high

        def cells(start: int, stop: int, axis: int = axis) -> Array:
            return y[(slice(None),) * axis + (slice(start, stop),)]

        if mode == "replicate":
            before, after = cells(low, low + 1), cells(end - 1, end)
        elif mode == "circular":
            before, after = cells(end - low, end), cells(low, low + high)
        else:
            before = np.flip(cells(low + 1, 2 * low + 1), axis)
            after = np.flip(cells(end - 1 - high, end - 1), axis)
        if low:
            yield axis, cells(0, low), before
        if high:
            yield axis, cells(end, end + high), after


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
    y = empty(bordered(x.shape, pairs, mode, "pad"), x.dtype, "pad")
    left, pairs = _cut(x.shape, pairs)
    _inside(y, pairs)[...] = x[left]
    with np.errstate(over="ignore"):  # float32 makes an infinity of 1e300
        for _, border, source in _borders(y, pairs, mode):
            border[...] = value if mode == "constant" else source
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
    dx = empty(shape, dy.dtype, "input_shape")
    left, pairs = _cut(shape, pairs)
    if mode == "constant":
        if dx.shape != dx[left].shape:
            dx.fill(0)
    else:
        dy = dy.copy()
        with np.errstate(all="ignore"):  # infinities may meet
            for axis, border, source in _borders(dy, pairs, mode):
                source += border.sum(axis, keepdims=True) if mode == "replicate" else border
    dx[left] = _inside(dy, pairs)
    return dx
