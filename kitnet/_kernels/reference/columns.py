"""The article's matrices: im2col, col2im, and the same in PyTorch's layout."""

from __future__ import annotations

from ._windows import Array, Triple, ieee, scatter, windows_of


def im2col(
    x: Array,
    cols: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """cols (N, L, C KD KH KW): one window a row."""
    windows = windows_of(x, kernel, out, stride, padding, dilation)
    cols[...] = windows.transpose(0, 2, 3, 4, 1, 5, 6, 7).reshape(cols.shape)


@ieee
def col2im(
    cols: Array,
    x: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """x (N, C, D, H, W) = the rows added up where their windows were: the transpose of ``im2col``."""
    n, c = x.shape[:2]
    windows = cols.reshape(n, *out, c, *kernel).transpose(0, 4, 1, 2, 3, 5, 6, 7)
    scatter(windows, x, stride, padding, dilation)


def unfold(
    x: Array,
    cols: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """cols (N, C KD KH KW, L): one window a column, PyTorch's layout."""
    windows = windows_of(x, kernel, out, stride, padding, dilation)
    cols[...] = windows.transpose(0, 1, 5, 6, 7, 2, 3, 4).reshape(cols.shape)


@ieee
def fold(
    cols: Array,
    x: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """x (N, C, D, H, W) = the columns added up where their windows were: the transpose of ``unfold``."""
    n, c = x.shape[:2]
    windows = cols.reshape(n, c, *kernel, *out).transpose(0, 1, 5, 6, 7, 2, 3, 4)
    scatter(windows, x, stride, padding, dilation)
