"""Sub-sampling: maximum, mean (and sum), and p-norm of each window."""

from __future__ import annotations

import math

import numpy as np

from ._windows import Array, Triple, ieee, scatter, wide, windows_of


def _pick(values: Array, at: Array) -> Array:
    """values[..., at[...]]"""
    return np.take_along_axis(values, at[..., None], axis=-1)[..., 0]


def maxpool_forward(
    x: Array,
    y: Array,
    index: Array,
    kernel: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """y = the largest value of each window, index (int32, shape of y) = where it is in the plane D H W.

    The first of equals wins, and NaN is larger than all. A window of nothing but -inf gives its first cell
    inside the image (callers see to it that there is one). ``index`` of size 0 is not wanted.
    """
    geometry = (kernel, y.shape[2:], stride, padding, dilation)
    cells = math.prod(kernel)
    values = windows_of(x, *geometry, fill=-math.inf).reshape(*y.shape, cells)
    largest = values.argmax(axis=-1)
    y[...] = _pick(values, largest)
    if index.size:
        plane = np.arange(math.prod(x.shape[2:]), dtype=np.int32).reshape(1, 1, *x.shape[2:])
        places = windows_of(plane, *geometry, fill=-1).reshape(1, 1, *y.shape[2:], cells)  # -1: in the border
        found = _pick(np.broadcast_to(places, values.shape), largest)
        index[...] = np.where(found >= 0, found, _pick(places, (places >= 0).argmax(axis=-1)))


@ieee
def maxpool_backward(dy: Array, index: Array, dx: Array, n_threads: int) -> None:
    """dx (N, C, D, H, W) = each dy (N, C, OD, OH, OW) added where its maximum was: a loop over windows."""
    n, c = dx.shape[:2]
    planes = np.arange(n * c).reshape(n, c, 1, 1, 1) * math.prod(dx.shape[2:])
    dx[...] = 0
    np.add.at(dx.reshape(-1), planes + index, dy)


def _counts(count_d: Array, count_h: Array, count_w: Array) -> Array:
    """count[od, oh, ow] = count_d[od] count_h[oh] count_w[ow]"""
    count: Array = wide(count_d)[:, None, None] * wide(count_h)[:, None] * wide(count_w)
    return count


@ieee
def avgpool_forward(
    x: Array,
    y: Array,
    count_d: Array,
    count_h: Array,
    count_w: Array,
    kernel: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """y[o] = (sum of the window o) / count[o], count = count_d (OD,) x count_h (OH,) x count_w (OW,).

    The counts say what a mean is: window or image cells, or 1 for sum pooling.
    """
    windows = windows_of(wide(x), kernel, y.shape[2:], stride, padding, dilation)
    y[...] = windows.sum(axis=(5, 6, 7)) / _counts(count_d, count_h, count_w)


@ieee
def avgpool_backward(
    dy: Array,
    count_d: Array,
    count_h: Array,
    count_w: Array,
    dx: Array,
    kernel: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """dx = each dy[o] / count[o] added to every cell of the window o: a convolution with constant weights."""
    share = wide(dy) / _counts(count_d, count_h, count_w)
    windows = np.broadcast_to(share[..., None, None, None], (*dy.shape, *kernel))
    scatter(windows, dx, stride, padding, dilation)


@ieee
def lppool_forward(
    x: Array,
    y: Array,
    p: float,
    kernel: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """y = (sum over the window |x|^p)^(1/p), the largest |x| for p = inf.

    The window is divided by its largest |x| before and multiplied after: the powers cannot overflow.
    """
    windows = np.abs(windows_of(wide(x), kernel, y.shape[2:], stride, padding, dilation))
    largest = windows.max(axis=(5, 6, 7))
    if p == math.inf:
        y[...] = largest
        return
    scale = np.where((largest > 0) & (largest < math.inf), largest, 1)
    powers = (windows / scale[..., None, None, None]) ** p
    y[...] = scale * powers.sum(axis=(5, 6, 7)) ** (1 / p)


@ieee
def lppool_backward(
    dy: Array,
    x: Array,
    y: Array,
    p: float,
    dx: Array,
    kernel: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """dx = sum over the windows of dy sign(x) (|x| / y)^(p - 1), or of 0 where y is 0.

    For p = inf that is dy sign(x) at the first largest |x| of the window, and 0 elsewhere.
    """
    windows = windows_of(wide(x), kernel, y.shape[2:], stride, padding, dilation)
    norm = wide(y)[..., None, None, None]
    if p == math.inf:
        cells = np.abs(windows).reshape(*y.shape, math.prod(kernel))
        first = np.arange(cells.shape[-1]) == cells.argmax(axis=-1)[..., None]
        slope = np.where(first.reshape(windows.shape), np.sign(windows), 0)
    else:
        slope = np.sign(windows) * (np.abs(windows) / norm) ** (p - 1)
    parts = np.where(norm == 0, 0, wide(dy)[..., None, None, None] * slope)
    scatter(parts, dx, stride, padding, dilation)
