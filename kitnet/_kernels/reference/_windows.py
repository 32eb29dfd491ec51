"""Windows on an image: the one way in, a view, and the one way back, its transpose."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array: TypeAlias = np.ndarray
Triple: TypeAlias = "tuple[int, int, int]"

ieee = np.errstate(all="ignore")  # NaN, infinities and overflow are results here, not accidents


def wide(a: Array) -> Array:
    """``a`` in float64, where sums are exact enough to be the yardstick."""
    return a.astype(np.float64, copy=False)


def framed(x: Array, size: tuple[int, ...], before: tuple[int, ...], fill: float = 0) -> Array:
    """A frame (N, C, *size) of ``fill``, in it ``x`` (N, C, D, H, W) moved by ``before`` and cut to fit."""
    frame = np.full((*x.shape[:2], *size), fill, x.dtype)
    here: list[slice] = [slice(None)] * 2
    there: list[slice] = [slice(None)] * 2
    for old, new, shift in zip(x.shape[2:], size, before, strict=True):
        low, high = max(shift, 0), max(min(old + shift, new), max(shift, 0))
        here.append(slice(low, high))
        there.append(slice(low - shift, high - shift))
    frame[tuple(here)] = x[tuple(there)]
    return frame


def spans(kernel: Triple, dilation: Triple) -> Triple:
    """What a window covers: d (k - 1) + 1 cells an axis."""
    d, h, w = (1 + step * (k - 1) for k, step in zip(kernel, dilation, strict=True))
    return d, h, w


def frame_size(kernel: Triple, out: Triple, stride: Triple, dilation: Triple) -> tuple[int, ...]:
    """The padded image that ``out`` windows cover exactly: s (o - 1) + span cells an axis."""
    return tuple(s * (o - 1) + span for o, s, span in zip(out, stride, spans(kernel, dilation), strict=True))


def windows_of(
    x: Array, kernel: Triple, out: Triple, stride: Triple, padding: Triple, dilation: Triple, fill: float = 0
) -> Array:
    """Every window of the padded image: a view (N, C, OD, OH, OW, KD, KH, KW).

    windows[n, c, o, k] = padded[n, c, o * stride + k * dilation]
    """
    padded = framed(x, frame_size(kernel, out, stride, dilation), padding, fill)
    steps = (slice(None, None, step) for step in (*stride, *dilation))
    return sliding_window_view(padded, spans(kernel, dilation), axis=(2, 3, 4))[:, :, *steps]


def scatter(windows: Array, x: Array, stride: Triple, padding: Triple, dilation: Triple) -> None:
    """The transpose of ``windows_of``: each cell of x = the sum of what the windows hold there.

    padded[n, c, o * stride + k * dilation] += windows[n, c, o, k], and x is ``padded`` without the border.
    """
    out, kernel = windows.shape[2:5], windows.shape[5:]
    padded = np.zeros((*x.shape[:2], *frame_size(kernel, out, stride, dilation)))
    for k in np.ndindex(*kernel):
        cells = (
            slice(at * step, at * step + s * (o - 1) + 1, s)
            for at, step, s, o in zip(k, dilation, stride, out, strict=True)
        )
        padded[:, :, *cells] += windows[..., *k]
    x[...] = framed(padded, x.shape[2:], tuple(-p for p in padding))
