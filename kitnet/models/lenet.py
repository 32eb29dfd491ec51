"""LeNet and a network for 8 x 8 digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._geometry import one_int
from ..layers import BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from .sequential import Sequential


def lenet(
    num_classes: int = 10,
    in_channels: int = 1,
    image_size: int = 28,
    *,
    dtype: Any = np.float32,
    rng: np.random.Generator | None = None,
) -> Sequential:
    """LeNet-5 with ReLU and max pooling: two convolutions of 5 x 5, three dense layers; scores of each class.

    Shapes: (N, in_channels, image_size, image_size) -> (N, num_classes). For 28 x 28 pixels it has 61,706
    parameters.

    Parameters
    ----------
    num_classes, in_channels
        Sizes of the output and of the input.
    image_size
        Height and width of the images, at least 12; see ``digits_net`` for smaller ones.
    dtype
        float32 or float64.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: LeCun et al., "Gradient-based learning applied to document recognition" (1998).

    >>> from kitnet.models import lenet
    >>> lenet().out_shape((32, 1, 28, 28))
    (32, 10)
    """
    image_size = one_int(image_size, "image_size", least=12)
    rng = np.random.default_rng(rng)
    more: dict[str, Any] = {"dtype": dtype, "rng": rng}
    features = Sequential(
        Conv2d(in_channels, 6, 5, padding=2, **more),
        ReLU(),
        MaxPool2d(2),
        Conv2d(6, 16, 5, **more),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
    )
    size = features.out_shape((1, in_channels, image_size, image_size))[1]
    return Sequential(
        *features,
        Linear(size, 120, **more),
        ReLU(),
        Linear(120, 84, **more),
        ReLU(),
        Linear(84, num_classes, **more),
    )


def digits_net(
    num_classes: int = 10,
    in_channels: int = 1,
    image_size: int = 8,
    *,
    dtype: Any = np.float32,
    rng: np.random.Generator | None = None,
) -> Sequential:
    """A LeNet-style network for images as small as the bundled digits; scores of each class.

    Two convolutions of 3 x 3 with batch norm, one pooling, dropout, two dense layers. Adam at a rate of 0.002
    brings it to about 99 % of the bundled digits' test part in 20 epochs.

    Shapes: (N, in_channels, image_size, image_size) -> (N, num_classes). For 8 x 8 pixels it has 38,378
    parameters.

    Parameters
    ----------
    num_classes, in_channels
        Sizes of the output and of the input.
    image_size
        Height and width of the images, at least 2.
    dtype
        float32 or float64.
    rng
        What the start values and dropout's seed are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> from kitnet.models import digits_net
    >>> sum(parameter.size for parameter in digits_net().parameters())
    38378
    """
    image_size = one_int(image_size, "image_size", least=2)
    rng = np.random.default_rng(rng)
    more: dict[str, Any] = {"dtype": dtype, "rng": rng}
    return Sequential(
        Conv2d(in_channels, 16, 3, padding=1, **more),
        BatchNorm2d(16, dtype=dtype),
        ReLU(),
        Conv2d(16, 32, 3, padding=1, **more),
        BatchNorm2d(32, dtype=dtype),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dropout(0.5, rng=rng),
        Linear(32 * (image_size // 2) ** 2, 64, **more),
        ReLU(),
        Linear(64, num_classes, **more),
    )
