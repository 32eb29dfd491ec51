"""Convolution, and the two other convolutions of backpropagation."""

from __future__ import annotations

import math
from itertools import product

import numpy as np

from ._windows import Array, Triple, ieee, spans, wide, windows_of

_NO_BIAS = np.empty(0)
_NO_RESIDUAL = np.empty((0, 0, 0, 0, 0))
_OFF = (-math.inf, math.inf)  # the clip that changes nothing


@ieee
def conv_forward(
    x: Array,
    weight: Array,
    bias: Array,
    residual: Array,
    y: Array,
    low: float,
    high: float,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
    n_threads: int,
) -> None:
    """y[n, k, o] = clip(bias[k] + sum over c, i of weight[k, c, i] x[n, c, o stride + i dilation - padding]).

    x (N, C, D, H, W), weight (K, C/groups, KD, KH, KW), bias (K,) or size 0, y (N, K, OD, OH, OW). Group g of
    the K outputs sees group g of the C inputs. A residual, of y's shape or size 0, is added before the
    clip to low, high, which keeps NaN; ReLU is low = 0, high = inf.
    """
    windows = windows_of(wide(x), weight.shape[2:], y.shape[2:], stride, padding, dilation)
    weight, bias = wide(weight), wide(bias).reshape(-1, 1, 1, 1)
    c, k = x.shape[1] // groups, y.shape[1] // groups
    for n, g in product(range(x.shape[0]), range(groups)):
        ins, outs = slice(g * c, (g + 1) * c), slice(g * k, (g + 1) * k)
        total = np.tensordot(weight[outs], windows[n, ins], axes=((1, 2, 3, 4), (0, 4, 5, 6)))
        total = total + bias[outs] if bias.size else total
        y[n, outs] = np.clip(total + residual[n, outs] if residual.size else total, low, high)


@ieee
def conv_backward_data(
    dy: Array,
    weight: Array,
    bias: Array,
    dx: Array,
    low: float,
    high: float,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
    n_threads: int,
) -> None:
    """dx = the full convolution of dy with the flipped kernel, input and output channels exchanged.

    dx[n, c, i] = sum over k, j of weight[k, c, j] spread[n, k, i + padding - j dilation], where ``spread`` is
    dy (N, K, OD, OH, OW) with stride - 1 zeros between its cells, in a border of span - 1 - padding.

    A gradient has no bias and no bounds; with them, bias (C,) and clip as in ``conv_forward``, dx is the
    transposed convolution of dy.
    """
    k, c = weight.shape[:2]
    gaps = tuple(s * (o - 1) + 1 for o, s in zip(dy.shape[2:], stride, strict=True))
    spread = np.zeros((*dy.shape[:2], *gaps))
    spread[:, :, *(slice(None, None, s) for s in stride)] = dy
    flipped = weight.reshape(groups, k // groups, c, *weight.shape[2:])[..., ::-1, ::-1, ::-1]
    swapped = flipped.swapaxes(1, 2).reshape(groups * c, k // groups, *weight.shape[2:])
    d, h, w = (s - 1 - p for s, p in zip(spans(weight.shape[2:], dilation), padding, strict=True))
    conv_forward(
        spread, swapped, bias, _NO_RESIDUAL, dx, low, high, (1, 1, 1), (d, h, w), dilation, groups, n_threads
    )


@ieee
def conv_backward_weight(
    dy: Array,
    x: Array,
    dweight: Array,
    dbias: Array,
    stride: Triple,
    padding: Triple,
    dilation: Triple,
    groups: int,
    n_threads: int,
) -> None:
    """dweight = the convolution of x with dy as its kernel; samples act as channels, stride as dilation.

    dweight[k, c, i] = sum over n, o of dy[n, k, o] x[n, c, o stride + i dilation - padding]
    dbias[k] = sum over n, o of dy[n, k, o] (size 0: not wanted)
    """
    images, kernels = x.swapaxes(0, 1), dy.swapaxes(0, 1)  # (C, N, D, H, W), (K, N, OD, OH, OW)
    k, c = dweight.shape[0] // groups, dweight.shape[1]
    result = np.empty((c, k, *dweight.shape[2:]))
    for g in range(groups):
        ins, outs = slice(g * c, (g + 1) * c), slice(g * k, (g + 1) * k)
        conv_forward(
            images[ins],
            kernels[outs],
            _NO_BIAS,
            _NO_RESIDUAL,
            result,
            *_OFF,
            dilation,
            padding,
            stride,
            1,
            n_threads,
        )
        dweight[outs] = result.swapaxes(0, 1)
    if dbias.size:
        dbias[...] = dy.sum(axis=(0, 2, 3, 4), dtype=np.float64)


@ieee
def channel_sums(x: Array, sums: Array, n_threads: int) -> None:
    """sums (C,) of x (N, C, P) over N and P: the gradient of a bias, given that of what it was added to."""
    sums[...] = x.sum(axis=(0, 2), dtype=np.float64)
