"""Rows of containers, and of the networks that have names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from layer_case import LayerCase, Shape

from kitnet.layers import (
    Add,
    BatchNorm2d,
    Cat,
    Conv1d,
    Conv2d,
    Dropout,
    Flatten,
    Hardtanh,
    Identity,
    Layer,
    Linear,
    MaxPool2d,
    ReLU,
    Tanh,
)
from kitnet.models import Graph, Residual, Sequential, digits_net, lenet


def chain(*makers: Callable[[np.dtype, np.random.Generator], Layer], shape: Shape, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: Sequential(*(m(dtype, rng) for m in makers), **kwargs), shape)


def residual_graph(dtype: np.dtype, rng: np.random.Generator) -> Graph:
    """A block whose input goes two ways, which meet."""
    convs = [Conv2d(2, 2, 3, padding=1, dtype=dtype, rng=rng) for _ in range(2)]
    return Graph(
        *(convs[0], BatchNorm2d(2, dtype=dtype), ReLU(), convs[1], Add(), Cat(), ReLU()),
        wires=[
            ("x", "a"),
            ("a", "b"),
            ("b", "c"),
            ("c", "d"),
            (("x", "d"), "e"),
            (("e", "x"), "f"),
            ("f", "y"),
        ],
    )


CONTAINERS = [
    chain(
        lambda dtype, rng: Flatten(), lambda dtype, rng: Linear(12, 4, dtype=dtype, rng=rng), shape=(3, 3, 4)
    ),
    chain(
        lambda dtype, rng: Conv2d(2, 4, 3, padding=1, dtype=dtype, rng=rng),
        lambda dtype, rng: BatchNorm2d(4, dtype=dtype),
        lambda dtype, rng: ReLU(),
        lambda dtype, rng: MaxPool2d(2),
        lambda dtype, rng: Sequential(Conv2d(4, 2, 3, dtype=dtype, rng=rng), ReLU(), Dropout(0.2, rng=rng)),
        lambda dtype, rng: Flatten(),
        lambda dtype, rng: Linear(8, 3, dtype=dtype, rng=rng),
        shape=(3, 2, 8, 9),
    ),
    chain(
        lambda dtype, rng: Linear(3, 3, dtype=dtype, rng=rng),
        lambda dtype, rng: ReLU(),
        shape=(2, 3),
        fuse=False,
    ),
    LayerCase(lambda dtype, rng: Residual(Conv2d(2, 2, 3, padding=1, dtype=dtype, rng=rng)), (2, 2, 5, 6)),
    LayerCase(
        lambda dtype, rng: Residual(
            Sequential(
                Conv2d(2, 3, 3, 2, 1, bias=False, dtype=dtype, rng=rng),
                BatchNorm2d(3, dtype=dtype),
                ReLU(),
                Conv2d(3, 4, 3, padding=1, dtype=dtype, rng=rng),
                BatchNorm2d(4, dtype=dtype),
            ),
            Sequential(Conv2d(2, 4, 1, 2, dtype=dtype, rng=rng), BatchNorm2d(4, dtype=dtype)),
            Hardtanh(-1.5, 2),
        ),
        (3, 2, 9, 8),
    ),
    LayerCase(
        lambda dtype, rng: Residual(Linear(3, 3, dtype=dtype, rng=rng), activation=Identity(), fuse=False),
        (2, 3),
    ),
    LayerCase(
        lambda dtype, rng: Residual(Conv1d(2, 2, 1, dtype=dtype, rng=rng), activation=Tanh()), (2, 2, 5)
    ),
    LayerCase(residual_graph, (3, 2, 5, 6)),
    LayerCase(lambda dtype, rng: lenet(3, 2, 12, dtype=dtype, rng=rng), (2, 2, 12, 12)),
    LayerCase(lambda dtype, rng: digits_net(dtype=dtype, rng=rng), (3, 1, 8, 8)),
]
