"""Layers: parameters and configuration around the functions of ``kitnet.functional``.

Every layer has one primitive, ``y, pullback = layer.vjp(x)``; see ``Layer``.
"""

from .activation import Identity
from .base import Layer
from .conv import Conv1d, Conv2d, Conv3d
from .conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .dropout import Dropout
from .gates import GELU, GLU, Hardswish, Mish, SiLU
from .instance import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from .linear import Linear
from .local import LocallyConnected1d
from .norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from .padding import (
    CircularPad1d,
    CircularPad2d,
    CircularPad3d,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    ZeroPad1d,
    ZeroPad2d,
    ZeroPad3d,
)
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
from .rectifiers import CELU, ELU, SELU, Hardtanh, LeakyReLU, PReLU, ReLU, ReLU6, Threshold
from .response import LocalResponseNorm
from .rownorm import GroupNorm, LayerNorm, RMSNorm
from .separable import DepthwiseConv2d, SeparableConv2d
from .shape import Flatten
from .sigmoids import (
    Hardshrink,
    Hardsigmoid,
    LogSigmoid,
    Sigmoid,
    Softplus,
    Softshrink,
    Softsign,
    Tanh,
    Tanhshrink,
)
from .softmax import LogSoftmax, Softmax, Softmin
from .weightnorm import WeightNorm

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "DepthwiseConv2d",
    "Dropout",
    "Flatten",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LocalResponseNorm",
    "LocallyConnected1d",
    "LogSigmoid",
    "LogSoftmax",
    "LpPool1d",
    "LpPool2d",
    "LpPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "Mish",
    "PReLU",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "SeparableConv2d",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "SumPool1d",
    "SumPool2d",
    "SumPool3d",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "WeightNorm",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]
