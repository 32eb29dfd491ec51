"""One list of layers and containers; the contract tests iterate over it. A new layer is a new row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kitnet.layers import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    AlphaDropout,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    Bilinear,
    ChannelShuffle,
    Conv1d,
    Conv2d,
    Conv3d,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    Embedding,
    Flatten,
    Fold,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    Identity,
    Layer,
    Linear,
    LocallyConnected1d,
    LpPool1d,
    LpPool2d,
    LpPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
    PixelShuffle,
    PixelUnshuffle,
    ReLU,
    Softmax,
    StochasticDepth,
    SumPool1d,
    SumPool2d,
    SumPool3d,
    Unflatten,
    Unfold,
    Upsample,
)
from kitnet.models import Sequential, digits_net, lenet

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerCase:
    """A layer as ``make(dtype, rng)``, and an input shape it takes."""

    make: Callable[[np.dtype, np.random.Generator], Layer]
    shape: Shape

    def layer(self, dtype=np.float64, seed: int = 0) -> Layer:
        """The layer, with no parameter and no running statistic at a start value that hides mistakes."""
        rng = np.random.default_rng(seed)
        layer = self.make(np.dtype(dtype), rng)
        for name, array in layer.buffers().items():
            array[...] = 7 if array.dtype.kind == "i" else rng.uniform(0.5, 2.0, array.shape)
            assert name
        for parameter in layer.parameters():
            parameter.data = (parameter.data + rng.normal(0.05, 0.1, parameter.shape)).astype(dtype)
        return layer

    def x(self, dtype=np.float64, n: int | None = None, seed: int = 1) -> np.ndarray:
        shape = self.shape if n is None else (n, *self.shape[1:])
        return np.random.default_rng(seed).normal(size=shape).astype(dtype)

    @property
    def id(self) -> str:
        layer = self.layer()
        return "-".join(type(child).__name__ for child in layer.children()) or repr(layer)

    @property
    def statistics(self) -> bool:
        """Whether training takes statistics of the batch, which then cannot be empty."""
        return bool(self.layer().buffers())


def row(cls: Callable[..., Layer], *args, shape: Shape, **kwargs) -> LayerCase:
    """A row for a class without parameters (and ``dtype``, ``rng``)."""
    return LayerCase(lambda dtype, rng: cls(*args, **kwargs), shape)


def weighted(cls: Callable[..., Layer], *args, shape: Shape, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, dtype=dtype, rng=rng, **kwargs), shape)


def norm(cls: Callable[..., Layer], *args, shape: Shape, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, dtype=dtype, **kwargs), shape)


def noise(cls: Callable[..., Layer], *args, shape: Shape) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, rng=rng), shape)


def chain(*makers: Callable[[np.dtype, np.random.Generator], Layer], shape: Shape, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: Sequential(*(m(dtype, rng) for m in makers), **kwargs), shape)


LAYERS = [
    weighted(Conv1d, 2, 3, 3, shape=(2, 2, 9)),
    weighted(Conv1d, 4, 4, 3, 2, 1, 2, 2, False, shape=(3, 4, 12)),
    weighted(Conv2d, 3, 4, 3, shape=(2, 3, 6, 7)),
    weighted(Conv2d, 2, 3, (3, 2), (2, 1), ((1, 2), (0, 1)), shape=(2, 2, 6, 5)),
    weighted(Conv2d, 4, 6, 3, padding="same", groups=2, shape=(1, 4, 5, 6)),
    weighted(Conv2d, 5, 5, 3, stride=2, padding="same_lower", groups=5, bias=False, shape=(2, 5, 7, 7)),
    weighted(Conv3d, 2, 3, (1, 3, 2), padding=1, shape=(2, 2, 3, 4, 5)),
    weighted(Linear, 7, 5, shape=(3, 7)),
    weighted(Linear, 4, 3, bias=False, shape=(2, 3, 4)),
    weighted(LocallyConnected1d, 1, 1, 7, 3, bias=False, shape=(2, 1, 7)),
    weighted(LocallyConnected1d, 2, 3, 9, 3, 2, 1, shape=(2, 2, 9)),
    row(ReLU, shape=(3, 2, 5)),
    row(Softmax, shape=(3, 6)),
    row(Softmax, dim=1, shape=(2, 3, 4)),
    row(MaxPool1d, 3, 2, shape=(2, 2, 9)),
    row(MaxPool2d, 2, shape=(2, 3, 6, 7)),
    row(MaxPool2d, 3, 2, 1, shape=(2, 2, 7, 8)),
    row(MaxPool2d, (2, 3), (3, 2), 0, (2, 1), ceil_mode=True, shape=(2, 2, 9, 8)),
    row(MaxPool3d, 2, shape=(2, 2, 4, 5, 6)),
    row(AvgPool1d, 3, shape=(2, 2, 9)),
    row(AvgPool2d, 3, 2, 1, count_include_pad=False, shape=(2, 2, 7, 6)),
    row(AvgPool2d, 2, 3, ceil_mode=True, divisor_override=3, shape=(2, 2, 7, 6)),
    row(AvgPool3d, 2, shape=(1, 2, 4, 5, 6)),
    row(SumPool1d, 2, shape=(2, 2, 9)),
    row(SumPool2d, (2, 3), 1, (1, 0), shape=(2, 2, 5, 6)),
    row(SumPool3d, 2, shape=(1, 2, 4, 5, 6)),
    row(LpPool1d, 2, 3, shape=(2, 2, 9)),
    row(LpPool2d, 2, 2, shape=(2, 2, 6, 5)),
    row(LpPool2d, 3, 3, 2, True, padding=1, dilation=2, shape=(2, 2, 8, 9)),
    row(LpPool2d, float("inf"), 2, shape=(2, 2, 6, 5)),
    row(LpPool3d, 1.5, 2, shape=(1, 2, 4, 5, 6)),
    norm(BatchNorm1d, 4, shape=(6, 4)),
    norm(BatchNorm1d, 3, momentum=None, shape=(4, 3, 5)),
    norm(BatchNorm2d, 3, 1e-3, 0.3, shape=(3, 3, 4, 5)),
    norm(BatchNorm2d, 2, affine=False, shape=(3, 2, 4, 5)),
    norm(BatchNorm3d, 2, shape=(2, 2, 2, 3, 4)),
    noise(Dropout, 0.4, shape=(5, 6)),
    noise(Dropout, 0.0, shape=(4, 2, 3)),
    row(Flatten, shape=(2, 3, 4, 5)),
    row(Flatten, 2, 3, shape=(2, 3, 4, 5)),
    noise(Dropout1d, 0.4, shape=(4, 3, 5)),
    noise(Dropout2d, 0.4, shape=(4, 3, 2, 5)),
    noise(Dropout3d, 0.4, shape=(4, 3, 2, 2, 3)),
    noise(AlphaDropout, 0.3, shape=(4, 6)),
    noise(AlphaDropout, 1, shape=(4, 6)),
    noise(StochasticDepth, 0.4, "row", shape=(6, 2, 3)),
    noise(StochasticDepth, 0.5, "batch", shape=(3, 4)),
    row(Identity, shape=(2, 3)),
    row(Unflatten, 1, (2, -1), shape=(2, 6, 3)),
    row(Unflatten, -1, (3, 1, 2), shape=(2, 3, 6)),
    row(PixelShuffle, 2, shape=(2, 8, 2, 3)),
    row(PixelUnshuffle, 3, shape=(2, 2, 6, 3)),
    row(ChannelShuffle, 2, shape=(2, 6, 3, 2)),
    row(Unfold, 2, shape=(2, 3, 4, 5)),
    row(Unfold, (2, 3), 1, (1, 0), 2, shape=(2, 2, 5, 6)),
    row(Fold, 4, 2, shape=(2, 8, 9)),
    row(Fold, (4, 5), (2, 3), 1, ((0, 1), (1, 1)), (1, 2), shape=(2, 6, 12)),
    row(Upsample, scale_factor=2, shape=(2, 3, 3, 4)),
    row(Upsample, 7, mode="nearest-exact", shape=(2, 3, 5)),
    row(Upsample, scale_factor=1.5, mode="linear", shape=(2, 2, 5)),
    row(Upsample, (7, 3), mode="bilinear", align_corners=True, shape=(2, 2, 4, 5)),
    row(Upsample, scale_factor=(2.3, 0.7), mode="bicubic", recompute_scale_factor=True, shape=(2, 2, 4, 5)),
    row(Upsample, scale_factor=2, mode="trilinear", shape=(1, 2, 2, 3, 3)),
    row(Upsample, (3, 2), mode="area", shape=(2, 2, 5, 4)),
    row(AdaptiveAvgPool1d, 3, shape=(2, 2, 7)),
    row(AdaptiveAvgPool2d, (2, None), shape=(2, 2, 6, 5)),
    row(AdaptiveAvgPool2d, (4, 3), shape=(2, 2, 6, 7)),
    row(AdaptiveAvgPool3d, (2, 1, 4), shape=(1, 2, 3, 4, 5)),
    row(AdaptiveMaxPool1d, 3, shape=(2, 2, 7)),
    row(AdaptiveMaxPool2d, (3, None), shape=(2, 2, 6, 5)),
    row(AdaptiveMaxPool2d, (4, 3), shape=(2, 2, 6, 7)),
    row(AdaptiveMaxPool3d, (2, 1, 4), shape=(1, 2, 3, 4, 5)),
    row(GlobalAvgPool, shape=(2, 3, 4, 5)),
    row(GlobalMaxPool, shape=(2, 3, 7)),
    row(GlobalMaxPool, shape=(2, 2, 3, 4, 2)),
    row(GlobalLpPool, shape=(2, 3, 4, 5)),
    row(GlobalLpPool, 3, shape=(2, 3, 7)),
]

# What takes indices, or two arrays, and so has tests of its own: tests/layers/test_other_inputs.py.
OTHER_INPUTS = {Bilinear, Embedding, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d}

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
    LayerCase(lambda dtype, rng: lenet(3, 2, 12, dtype=dtype, rng=rng), (2, 2, 12, 12)),
    LayerCase(lambda dtype, rng: digits_net(dtype=dtype, rng=rng), (3, 1, 8, 8)),
]

CASES = LAYERS + CONTAINERS
