"""What a layer of kitnet is in PyTorch: the class of that name, or a few lines; None where it has nothing."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from kitnet.layers import Layer

BY_NUMPY = {"Add", "Cat"}
"""Layers that are one call of NumPy's; their gradients: tests/layers/test_other_inputs.py."""

AS_FUNCTIONS = {
    "LPPool1d": "lp_pool1d",  # PyTorch's have the sign wrong for odd p
    "LPPool2d": "lp_pool2d",
    "LPPool3d": "lp_pool3d",
    "SumPool1d": "sum_pool1d",
    "SumPool2d": "sum_pool2d",
    "SumPool3d": "sum_pool3d",
    "LocallyConnected1d": "locally_connected1d",
    "LocallyConnected2d": "locally_connected2d",
    "LocallyConnected3d": "locally_connected3d",
    "MaxUnpool1d": "max_unpool1d",  # these take two arrays, or integers
    "MaxUnpool2d": "max_unpool2d",
    "MaxUnpool3d": "max_unpool3d",
    "Embedding": "embedding",
    "Bilinear": "bilinear",
    "StochasticDepth": "stochastic_depth",  # torchvision has it
    "HingeLoss": "hinge_loss",  # for pairs only
    "DiceLoss": "dice_loss",  # nobody's; by its formula
    "SigmoidFocalLoss": "sigmoid_focal_loss",  # torchvision has it
}
"""Layers and losses that PyTorch has not, or not so: the row of a function compares them."""

DRAWN = {"Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"}
"""Compared where there is no chance: in inference, and for p = 0 and 1. Their masks have rows."""


class SqueezeExcitation(nn.Module):
    """torchvision's, which is not installed with PyTorch."""

    def __init__(self, outer: int, inner: int, activation: nn.Module, scale_activation: nn.Module) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(outer, inner, 1), nn.Conv2d(inner, outer, 1)
        self.activation, self.scale_activation = activation, scale_activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * self.scale_activation(self.fc2(self.activation(self.fc1(scale))))


class GlobalLpPool(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.vector_norm(x, self.p, dim=tuple(range(2, x.ndim)), keepdim=True)


class WeightNorm(nn.Module):
    """PyTorch's, with the parameters in kitnet's order."""

    def __init__(self, layer: nn.Module, dim: int | None) -> None:
        super().__init__()
        normed = weight_norm(layer, dim=dim)
        self.g = normed.parametrizations.weight.original0
        self.v = normed.parametrizations.weight.original1
        self.normed = [normed]  # no module of this one: its parameters would come again
        if normed.bias is not None:
            self.bias = normed.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.normed[0](x)


class Frozen(nn.BatchNorm2d):
    """Batch norm that stays in inference."""

    def train(self, mode: bool = True) -> Frozen:
        return super().train(False)


def _window(config: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments with PyTorch's padding, which is the same before and after; None: there is none."""
    padding = config.get("padding")
    if padding in ("same_lower", "causal"):
        return None
    config = {name: tuple(value) if isinstance(value, list) else value for name, value in config.items()}
    if isinstance(padding, list):
        pairs = [p if isinstance(p, list) else [p, p] for p in padding]
        if any(before != after for before, after in pairs):
            return None
        config["padding"] = tuple(before for before, _ in pairs)
    return config


def _composed(layer: Any, ndim: int) -> nn.Module | None:
    """What PyTorch has under another name, or in parts."""
    name = type(layer).__name__
    if name == "DepthwiseConv2d":
        window = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        channels = layer.in_channels, layer.out_channels
        return nn.Conv2d(*channels, *window, groups=layer.in_channels, bias=layer.bias is not None)
    if name == "SeparableConv2d":
        window = layer.kernel_size, layer.stride, layer.padding, layer.dilation
        if layer.padding == "same" and max(layer.stride) > 1:
            return None
        between = layer.in_channels * layer.depth_multiplier
        depthwise = nn.Conv2d(layer.in_channels, between, *window, groups=layer.in_channels, bias=False)
        pointwise = nn.Conv2d(between, layer.out_channels, 1, bias=layer.bias is not None)
        return nn.Sequential(depthwise, pointwise)
    if name == "SqueezeExcitation":
        activations = (own(inner) for inner in (layer.activation, layer.scale_activation))
        return SqueezeExcitation(layer.input_channels, layer.squeeze_channels, *activations)
    if name == "WeightNorm":
        return WeightNorm(own(layer.layer), layer.dim)
    if name == "GlobalLpPool":
        return GlobalLpPool(layer.norm_type)
    if name in ("GlobalAvgPool", "GlobalMaxPool"):
        return getattr(nn, f"Adaptive{name.removeprefix('Global')}{ndim}d")(1)
    if name == "BatchNorm2d" and layer.frozen:
        return Frozen(layer.num_features)
    return None


def own(layer: Layer) -> nn.Module | None:
    """The class of that name, with the same arguments."""
    theirs = getattr(nn, type(layer).__name__, None)
    config = {name: value for name, value in layer.config().items() if name != "dtype"}
    config = None if theirs is None else _window(config)
    if config is None or (config.get("padding") == "same" and "Transpose" in type(layer).__name__):
        return None
    names = inspect.signature(theirs).parameters
    if any(value and name not in names for name, value in config.items()):
        return None
    return theirs(**{name: value for name, value in config.items() if name in names})


def twin(layer: Layer, ndim: int) -> nn.Module | None:
    """PyTorch's layer, for an input of ``ndim`` spatial axes."""
    name = type(layer).__name__
    if name in AS_FUNCTIONS:
        return None
    return _composed(layer, ndim) or own(layer)
