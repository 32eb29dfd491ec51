"""Layers: parameters and configuration around the functions of ``kitnet.functional``.

Every layer has one primitive, ``y, pullback = layer.vjp(x)``; see ``Layer``.
"""

from .activation import ReLU, Softmax
from .adaptive import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
)
from .base import Layer
from .conv import Conv1d, Conv2d, Conv3d
from .dropout import AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, StochasticDepth
from .linear import Linear
from .local import LocallyConnected1d
from .lookup import Bilinear, Embedding
from .norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .parameter import Parameter
from .pooling import (
    AvgPool1d,
    AvgPool2d,
    AvgPool3d,
    LpPool1d,
    LpPool2d,
    LpPool3d,
    MaxPool1d,
    MaxPool2d,
    MaxPool3d,
    SumPool1d,
    SumPool2d,
    SumPool3d,
)
from .resize import Fold, Unfold, Upsample
from .shape import ChannelShuffle, Flatten, Identity, PixelShuffle, PixelUnshuffle, Unflatten

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "ChannelShuffle",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "Embedding",
    "Flatten",
    "Fold",
    "GlobalAvgPool",
    "GlobalLpPool",
    "GlobalMaxPool",
    "Identity",
    "Layer",
    "Linear",
    "LocallyConnected1d",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
    "Parameter",
    "PixelShuffle",
    "PixelUnshuffle",
    "ReLU",
    "Softmax",
    "StochasticDepth",
    "SumPool1d",
    "SumPool2d",
    "SumPool3d",
    "Unflatten",
    "Unfold",
    "Upsample",
]
