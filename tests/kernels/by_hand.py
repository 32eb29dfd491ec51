"""What the tests of the specification share: small images, and calls of the reference with defaults."""

import math

import numpy as np

from kitnet._kernels import reference as ref

INF, NAN = math.inf, math.nan
ONES, ZEROS = (1, 1, 1), (0, 0, 0)


def images(*rows, shape=None) -> np.ndarray:
    """Numbers as one image (1, 1, 1, H, W), or as any 5-D ``shape``."""
    x = np.array(rows, float)
    return x.reshape(shape or (1, 1, 1, *np.atleast_2d(x).shape))


def conv(
    x,
    weight,
    y_size,
    stride=ONES,
    padding=ZEROS,
    dilation=ONES,
    groups=1,
    bias=(),
    low=-INF,
    high=INF,
    residual=None,
):
    y = np.empty((x.shape[0], weight.shape[0], *y_size))
    residual = np.empty((0, 0, 0, 0, 0)) if residual is None else residual
    ref.conv_forward(
        x, weight, np.array(bias, float), residual, y, low, high, stride, padding, dilation, groups, 1
    )
    return y


def conv_back(
    dy, weight, x_size, stride=ONES, padding=ZEROS, dilation=ONES, groups=1, bias=(), low=-INF, high=INF
):
    """The gradient of the input of ``conv``; with a bias or bounds, the transposed convolution."""
    dx = np.empty((dy.shape[0], weight.shape[1] * groups, *x_size))
    bias = np.array(bias, float)
    ref.conv_backward_data(dy, weight, bias, dx, low, high, stride, padding, dilation, groups, 1)
    return dx


def columns(kernel_fn, x, shape, kernel, out, stride=ONES, padding=ZEROS, dilation=ONES):
    result = np.empty(shape)
    kernel_fn(x, result, kernel, out, stride, padding, dilation, 1)
    return result
