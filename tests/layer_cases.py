"""One list of layers and containers; the contract tests iterate over it. A new layer is a new row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kitnet.layers import (
    CELU,
    ELU,
    GELU,
    GLU,
    SELU,
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    Add,
    AlphaDropout,
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    Bilinear,
    Cat,
    ChannelShuffle,
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    DepthwiseConv2d,
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
    GroupNorm,
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    Identity,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
    Layer,
    LayerNorm,
    LeakyReLU,
    Linear,
    LocallyConnected1d,
    LocalResponseNorm,
    LogSigmoid,
    LogSoftmax,
    LpPool1d,
    LpPool2d,
    LpPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
    Mish,
    PixelShuffle,
    PixelUnshuffle,
    PReLU,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReLU,
    ReLU6,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    RMSNorm,
    SeparableConv2d,
    Sigmoid,
    SiLU,
    Softmax,
    Softmin,
    Softplus,
    Softshrink,
    Softsign,
    StochasticDepth,
    SumPool1d,
    SumPool2d,
    SumPool3d,
    Tanh,
    Tanhshrink,
    Threshold,
    Unflatten,
    Unfold,
    Upsample,
    WeightNorm,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
from kitnet.models import Graph, Sequential, digits_net, lenet

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerCase:
    """A layer as ``make(dtype, rng)``, and an input shape it takes."""

    make: Callable[[np.dtype, np.random.Generator], Layer]
    shape: Shape
    whole_batch: bool = False
    """Inference takes statistics of its batch, too."""

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
        return bool(self.layer().buffers()) or self.whole_batch


def row(cls: Callable[..., Layer], *args, shape: Shape, **kwargs) -> LayerCase:
    """A row for a class without parameters (and ``dtype``, ``rng``)."""
    return LayerCase(lambda dtype, rng: cls(*args, **kwargs), shape)


def weighted(cls: Callable[..., Layer], *args, shape: Shape, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, dtype=dtype, rng=rng, **kwargs), shape)


def norm(cls: Callable[..., Layer], *args, shape: Shape, whole_batch: bool = False, **kwargs) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, dtype=dtype, **kwargs), shape, whole_batch)


def noise(cls: Callable[..., Layer], *args, shape: Shape) -> LayerCase:
    return LayerCase(lambda dtype, rng: cls(*args, rng=rng), shape)


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


WITHOUT_ARGUMENTS = (
    *(Identity, ReLU, ReLU6, Hardtanh, LeakyReLU, ELU, SELU, CELU, GELU, SiLU, Mish, Hardswish, GLU),
    *(Sigmoid, LogSigmoid, Tanh, Softsign, Hardsigmoid, Softplus, Hardshrink, Softshrink, Tanhshrink),
    *(Softmax, LogSoftmax, Softmin),
)
"""The activations that can be made without arguments."""

LAYERS = [
    weighted(Conv1d, 2, 3, 3, shape=(2, 2, 9)),
    weighted(Conv1d, 4, 4, 3, 2, 1, 2, 2, False, shape=(3, 4, 12)),
    weighted(Conv2d, 3, 4, 3, shape=(2, 3, 6, 7)),
    weighted(Conv2d, 2, 3, (3, 2), (2, 1), ((1, 2), (0, 1)), shape=(2, 2, 6, 5)),
    weighted(Conv2d, 4, 6, 3, padding="same", groups=2, shape=(1, 4, 5, 6)),
    weighted(Conv2d, 5, 5, 3, stride=2, padding="same_lower", groups=5, bias=False, shape=(2, 5, 7, 7)),
    weighted(Conv3d, 2, 3, (1, 3, 2), padding=1, shape=(2, 2, 3, 4, 5)),
    weighted(Conv1d, 2, 3, 3, padding=2, padding_mode="circular", shape=(2, 2, 4)),
    weighted(Conv2d, 2, 3, 3, 2, ((1, 0), (2, 1)), padding_mode="reflect", shape=(2, 2, 5, 6)),
    weighted(Conv2d, 2, 4, (4, 3), padding="same", groups=2, padding_mode="replicate", shape=(2, 2, 5, 6)),
    weighted(Conv3d, 1, 2, 3, 1, 1, padding_mode="reflect", shape=(1, 1, 3, 4, 5)),
    weighted(DepthwiseConv2d, 3, 3, 2, 1, shape=(2, 3, 6, 7)),
    weighted(DepthwiseConv2d, 2, (2, 3), depth_multiplier=3, bias=False, shape=(2, 2, 5, 6)),
    weighted(SeparableConv2d, 3, 4, 3, 1, "same", shape=(2, 3, 6, 7)),
    weighted(SeparableConv2d, 2, 5, (2, 3), 2, 1, 2, 3, False, shape=(2, 2, 7, 6)),
    weighted(ConvTranspose1d, 2, 3, 4, 2, 1, shape=(2, 2, 5)),
    weighted(ConvTranspose1d, 4, 6, 2, 3, 0, 2, 2, False, 2, shape=(3, 4, 3)),
    weighted(ConvTranspose2d, 3, 2, 3, 2, 1, (1, 0), shape=(2, 3, 4, 3)),
    weighted(ConvTranspose2d, 2, 3, (2, 3), 2, ((0, 1), (2, 0)), bias=False, shape=(1, 2, 3, 4)),
    weighted(ConvTranspose2d, 4, 4, 5, stride=2, padding="same", groups=4, shape=(2, 4, 3, 4)),
    weighted(ConvTranspose3d, 2, 1, 2, (1, 2, 2), shape=(2, 2, 2, 3, 3)),
    weighted(Linear, 7, 5, shape=(3, 7)),
    weighted(Linear, 4, 3, bias=False, shape=(2, 3, 4)),
    weighted(LocallyConnected1d, 1, 1, 7, 3, bias=False, shape=(2, 1, 7)),
    weighted(LocallyConnected1d, 2, 3, 9, 3, 2, 1, shape=(2, 2, 9)),
    *(row(cls, shape=(3, 2, 6)) for cls in WITHOUT_ARGUMENTS),
    row(Hardtanh, -0.5, 2.0, shape=(3, 2, 5)),
    row(Threshold, 0.25, 7.0, shape=(3, 2, 5)),
    row(LeakyReLU, 0.2, shape=(3, 2, 5)),
    norm(PReLU, shape=(7,)),
    norm(PReLU, 4, 0.1, shape=(3, 4, 5)),
    row(ELU, 1.5, shape=(3, 2, 5)),
    row(CELU, 0.5, shape=(3, 2, 5)),
    row(GELU, "tanh", shape=(3, 2, 5)),
    row(Softplus, 2.0, 1.0, shape=(3, 2, 5)),
    row(Hardshrink, 0.25, shape=(3, 2, 5)),
    row(Softshrink, 0.25, shape=(3, 2, 5)),
    row(GLU, 1, shape=(3, 4, 5)),
    row(Softmax, dim=1, shape=(2, 3, 4)),
    row(LogSoftmax, dim=1, shape=(2, 3, 4)),
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
    norm(BatchNorm2d, 2, frozen=True, shape=(3, 2, 4, 5)),
    norm(BatchNorm2d, 3, track_running_stats=False, shape=(3, 3, 4, 5), whole_batch=True),
    norm(LayerNorm, 5, shape=(3, 5)),
    norm(LayerNorm, (4, 4), 1e-3, shape=(3, 2, 4, 4)),
    norm(LayerNorm, (2, 3), bias=False, shape=(3, 2, 3)),
    norm(LayerNorm, 6, elementwise_affine=False, shape=(3, 6)),
    norm(RMSNorm, 5, shape=(3, 5)),
    norm(RMSNorm, (2, 3), 1e-3, False, shape=(3, 2, 3)),
    norm(GroupNorm, 2, 6, shape=(3, 6, 4, 5)),
    norm(GroupNorm, 1, 4, shape=(3, 4, 1)),
    norm(GroupNorm, 4, 4, affine=False, shape=(3, 4, 7)),
    norm(InstanceNorm1d, 3, shape=(2, 3, 7)),
    norm(InstanceNorm2d, 3, affine=True, shape=(2, 3, 4, 5)),
    norm(InstanceNorm2d, 3, momentum=0.3, track_running_stats=True, shape=(2, 3, 4, 5)),
    norm(InstanceNorm3d, 2, affine=True, shape=(2, 2, 2, 3, 4)),
    row(LocalResponseNorm, 3, 0.5, shape=(2, 5, 4)),
    row(LocalResponseNorm, 4, 0.3, 0.5, 2.0, shape=(2, 3, 4, 5)),
    LayerCase(lambda dtype, rng: WeightNorm(Conv2d(2, 3, 3, dtype=dtype, rng=rng)), (2, 2, 5, 6)),
    LayerCase(
        lambda dtype, rng: WeightNorm(Linear(4, 3, bias=False, dtype=dtype, rng=rng), dim=None), (5, 4)
    ),
    row(ZeroPad1d, 2, shape=(2, 3, 4)),
    row(ZeroPad2d, (1, 2, -1, 3), shape=(2, 3, 4, 5)),
    row(ZeroPad3d, (1, 0, 2, 1, -1, -1), shape=(1, 2, 3, 4, 5)),
    row(ConstantPad1d, (2, 0), -1.5, shape=(2, 3, 4)),
    row(ConstantPad2d, 1, 1e3, shape=(2, 3, 4, 5)),
    row(ConstantPad3d, 1, 2, shape=(1, 2, 3, 4, 5)),
    row(ReflectionPad1d, (3, 1), shape=(2, 3, 4)),
    row(ReflectionPad2d, (1, 4, 3, 0), shape=(2, 3, 4, 5)),
    row(ReflectionPad3d, 2, shape=(1, 2, 3, 4, 5)),
    row(ReplicationPad1d, (7, 1), shape=(2, 3, 4)),
    row(ReplicationPad2d, (1, 4, 3, 0), shape=(2, 3, 4, 5)),
    row(ReplicationPad3d, 2, shape=(1, 2, 3, 4, 5)),
    row(CircularPad1d, (4, 1), shape=(2, 3, 4)),
    row(CircularPad2d, (1, 5, 3, 0), shape=(2, 3, 4, 5)),
    row(CircularPad3d, 2, shape=(1, 2, 3, 4, 5)),
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

# What takes indices, or several arrays, and so has tests of its own: tests/layers/test_other_inputs.py.
OTHER_INPUTS = {Add, Bilinear, Cat, Embedding, MaxUnpool1d, MaxUnpool2d, MaxUnpool3d}

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
    LayerCase(residual_graph, (3, 2, 5, 6)),
    LayerCase(lambda dtype, rng: lenet(3, 2, 12, dtype=dtype, rng=rng), (2, 2, 12, 12)),
    LayerCase(lambda dtype, rng: digits_net(dtype=dtype, rng=rng), (3, 1, 8, 8)),
]

CASES = LAYERS + CONTAINERS
