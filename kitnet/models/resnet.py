"""Residual networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import init
from ..layers import BatchNorm2d, Conv2d, Flatten, GlobalAvgPool, Linear, MaxPool2d, ReLU
from .residual import Residual
from .sequential import Sequential


def resnet18(
    num_classes: int = 1000,
    in_channels: int = 3,
    *,
    small_images: bool = False,
    zero_init_residual: bool = False,
    dtype: Any = np.float32,
    rng: np.random.Generator | None = None,
) -> Sequential:
    """ResNet-18: eight residual blocks of two 3 x 3 convolutions with batch norm; scores of each class.

    Shapes: (N, in_channels, H, W) -> (N, num_classes), for images of any size. For 3 channels and 1000
    classes it has 11,689,512 parameters, as PyTorch's. Weights of convolutions start normal with a variance
    of 2 / fan_out (He et al. 2015).

    Parameters
    ----------
    num_classes, in_channels
        Sizes of the output and of the input.
    small_images
        True: for images of about 32 x 32 pixels (CIFAR). The network then begins with a convolution of 3 x 3
        at full resolution, not with one of 7 x 7, a stride of two, and pooling.
    zero_init_residual
        True: every block begins as its shortcut alone, since the last norm of its body has weights of 0
        (Goyal et al., "Accurate, large minibatch SGD", 2017).
    dtype
        float32 or float64.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: He et al., "Deep residual learning for image recognition" (2015).

    >>> from kitnet.models import resnet18
    >>> resnet18(10, small_images=True).out_shape((8, 3, 32, 32))
    (8, 10)
    """
    rng = np.random.default_rng(rng)
    layers = [
        *_conv_norm(in_channels, 64, 3 if small_images else 7, 1 if small_images else 2, dtype, rng),
        ReLU(),
    ]
    layers += [] if small_images else [MaxPool2d(3, 2, 1)]
    channels = 64
    for width, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        body = [*_conv_norm(channels, width, 3, stride, dtype, rng), ReLU()]
        body += _conv_norm(width, width, 3, 1, dtype, rng)
        if zero_init_residual:
            body[-1].weight.data[...] = 0
        shortcut = Sequential(*_conv_norm(channels, width, 1, stride, dtype, rng)) if stride > 1 else None
        layers.append(Residual(Sequential(*body), shortcut))
        channels = width
    return Sequential(*layers, GlobalAvgPool(), Flatten(), Linear(512, num_classes, dtype=dtype, rng=rng))


def _conv_norm(
    channels: int, width: int, kernel: int, stride: int, dtype: Any, rng: np.random.Generator
) -> list[Any]:
    """A convolution that leaves the size to its stride, and its norm."""
    conv = Conv2d(channels, width, kernel, stride, kernel // 2, bias=False, dtype=dtype, rng=rng)
    conv.weight.data = init.kaiming_normal(
        conv.weight.shape, rng, mode="fan_out", nonlinearity="relu", dtype=dtype
    )
    return [conv, BatchNorm2d(width, dtype=dtype)]
