"""Layers: parameters and configuration around the functions of ``kitnet.functional``.

Every layer has one primitive, ``y, pullback = layer.vjp(x)``; see ``Layer``.
"""

from .activation import ReLU, Softmax
from .base import Layer
from .conv import Conv1d, Conv2d, Conv3d
from .dropout import Dropout
from .instance import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .linear import Linear
from .local import LocallyConnected1d
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
from .response import LocalResponseNorm
from .rownorm import GroupNorm, LayerNorm, RMSNorm
from .shape import Flatten
from .weightnorm import WeightNorm

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "Layer",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "Softmax",
    "SumPool1d",
    "SumPool2d",
    "SumPool3d",
    "WeightNorm",
]
