"""Layers that share no weights: dense, and locally connected."""

from __future__ import annotations

import numpy as np

from ._windows import Array, Triple, ieee, wide
from .columns import col2im, im2col


@ieee
def linear_forward(
    x: Array, weight: Array, bias: Array, y: Array, low: float, high: float, n_threads: int
) -> None:
    """y (N, K) = clip(x (N, C) weight (K, C)^T + bias (K,), low, high)"""
    total = wide(x) @ wide(weight).T
    y[...] = np.clip(total + bias if bias.size else total, low, high)


@ieee
def linear_backward_data(dy: Array, weight: Array, dx: Array, n_threads: int) -> None:
    """dx (N, C) = dy (N, K) weight (K, C)"""
    dx[...] = wide(dy) @ wide(weight)


@ieee
def linear_backward_weight(dy: Array, x: Array, dweight: Array, dbias: Array, n_threads: int) -> None:
    """dweight (K, C) = dy (N, K)^T x (N, C); dbias (K,) = sum over n of dy (size 0: not wanted)"""
    dweight[...] = wide(dy).T @ wide(x)
    if dbias.size:
        dbias[...] = dy.sum(axis=0, dtype=np.float64)


@ieee
def local_forward(
    x: Array,
    weight: Array,
    bias: Array,
    y: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """y[n, k, l] = bias[k, l] + sum over j of weight[l, k, j] cols[n, l, j]: convolution, weights unshared.

    weight (L, K, C KD KH KW), bias (K, L) or size 0, y (N, K, L); cols is im2col(x).
    """
    cols = np.empty((x.shape[0], weight.shape[0], weight.shape[2]))
    im2col(x, cols, kernel, out, stride, padding, dilation, n_threads)
    total = np.einsum("nlj,lkj->nkl", cols, wide(weight))
    y[...] = total + bias if bias.size else total


@ieee
def local_backward(
    dy: Array,
    x: Array,
    weight: Array,
    dx: Array,
    dweight: Array,
    dbias: Array,
    kernel: Triple,
    out: Triple,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    n_threads: int,
) -> None:
    """dx = col2im(dcols), where dcols[n, l, j] = sum over k of dy[n, k, l] weight[l, k, j].

    dweight[l, k, j] = sum over n of dy[n, k, l] cols[n, l, j]
    dbias (K, L) = sum over n of dy (size 0: not wanted)
    """
    cols = np.empty((x.shape[0], weight.shape[0], weight.shape[2]))
    im2col(x, cols, kernel, out, stride, padding, dilation, n_threads)
    dweight[...] = np.einsum("nkl,nlj->lkj", wide(dy), cols)
    dcols = np.einsum("nkl,lkj->nlj", wide(dy), wide(weight))
    col2im(dcols, dx, kernel, out, stride, padding, dilation, n_threads)
    if dbias.size:
        dbias[...] = dy.sum(axis=0, dtype=np.float64)
