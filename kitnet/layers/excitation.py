"""Attention to feature maps: each is scaled by what the means of all of them say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array, gate_batch
from .._geometry import checked_shape, one_int, product
from .base import Layer, Pullback
from .conv import Conv2d
from .rectifiers import ReLU
from .sigmoids import Sigmoid


class SqueezeExcitation(Layer):
    """Squeeze and excitation: the means of the feature maps, through two small layers, scale them.

    Shapes: (N, input_channels, H, W) -> the same, and a sample by itself. y = x s, with s =
    scale_activation(fc2(activation(fc1(mean of x over H and W)))); ``fc1`` and ``fc2`` are 1x1 convolutions.

    Parameters
    ----------
    input_channels
        Feature maps of the input, and of the output.
    squeeze_channels
        Numbers between ``fc1`` and ``fc2``.
    activation, scale_activation
        Layers that change no shape, or their classes.
    dtype
        float32 or float64: that of the parameters and so of x.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    The first two may also be ``fc1`` and ``fc2`` themselves.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Hu, Shen and Sun, "Squeeze-and-excitation networks" (2018); the names are torchvision's.

    >>> import numpy as np
    >>> from kitnet.layers import Hardsigmoid, SqueezeExcitation
    >>> layer = SqueezeExcitation(16, 4, scale_activation=Hardsigmoid)
    >>> layer, sum(p.size for p in layer.parameters())
    (SqueezeExcitation(16, 4, scale_activation=Hardsigmoid()), 148)
    >>> layer(np.ones((2, 16, 5, 5), np.float32)).shape
    (2, 16, 5, 5)
    """

    def __init__(
        self,
        input_channels: int | Conv2d,
        squeeze_channels: int | Conv2d,
        activation: type[Layer] | Layer = ReLU,
        scale_activation: type[Layer] | Layer = Sigmoid,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        if isinstance(input_channels, Conv2d) and isinstance(squeeze_channels, Conv2d):
            self.fc1, self.fc2 = input_channels, squeeze_channels
        else:
            outer = one_int(input_channels, "input_channels")
            inner = one_int(squeeze_channels, "squeeze_channels")
            rng = np.random.default_rng() if rng is None else rng
            self.fc1 = Conv2d(outer, inner, 1, dtype=dtype, rng=rng)
            self.fc2 = Conv2d(inner, outer, 1, dtype=dtype, rng=rng)
        self.activation = _made(activation, "activation")
        self.scale_activation = _made(scale_activation, "scale_activation")
        self.input_channels, self.squeeze_channels = self.fc1.in_channels, self.fc1.out_channels
        if self._scale_shape() != (1, self.input_channels, 1, 1):
            raise ValueError(
                f"squeeze_channels: expected layers that give {self.input_channels} numbers for as many, "
                f"got {self._scale_shape()} for {(1, self.input_channels, 1, 1)}"
            )

    def _chain(self) -> tuple[Layer, ...]:
        """From the means of the feature maps to their scales."""
        return self.fc1, self.activation, self.fc2, self.scale_activation

    def _scale_shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = (1, self.input_channels, 1, 1)
        for layer in self._chain():
            shape = layer.out_shape(shape)
        return shape

    def __call__(self, x: Array) -> Array:
        batch = _as_batch(x)
        scale = F.avg_pool2d(batch, batch.shape[2:])
        for layer in self._chain():
            scale = layer(scale)
        return F.scale_channels(batch, scale[:, :, 0, 0]).reshape(x.shape)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        batch = _as_batch(x)
        size = batch.shape[2:]
        scale, pullbacks = F.avg_pool2d(batch, size), []
        for layer in self._chain():
            scale, layer_pullback = layer.vjp(scale)
            pullbacks.append(layer_pullback)
        factors = scale[:, :, 0, 0]

        def pullback(dy: Array) -> Array | None:
            dy = dy if x.ndim == 4 else dy[None]
            gradient = F.scale_channels_backward(dy, batch, factors, input_grad=False, shift_grad=False)[1]
            gradient = gradient.reshape(scale.shape)
            for layer_pullback in reversed(pullbacks):
                gradient = layer_pullback(gradient)
            if not input_grad:
                return None
            # To x itself, and to every pixel of its mean: both in one pass.
            return F.scale_channels(dy, factors, gradient[:, :, 0, 0] / product(size)).reshape(x.shape)

        return F.scale_channels(batch, factors).reshape(x.shape), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, (3, 4), "in_shape")
        if shape[-3] != self.input_channels:
            raise ValueError(f"in_shape: expected {self.input_channels} channels, got {shape[-3]}")
        return shape

    def config(self) -> dict[str, Any]:
        """Nothing: the layers inside say it all, and are what the constructor takes."""
        return {}

    def __repr__(self) -> str:
        arguments = [str(self.input_channels), str(self.squeeze_channels)]
        for name, default in (("activation", ReLU), ("scale_activation", Sigmoid)):
            if type(layer := getattr(self, name)) is not default:
                arguments.append(f"{name}={layer!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def _made(layer: type[Layer] | Layer, name: str) -> Layer:
    """A layer, or a new one of this class."""
    if isinstance(layer, type) and issubclass(layer, Layer):
        return layer()
    if not isinstance(layer, Layer):
        raise TypeError(f"{name}: expected a layer or its class, got {layer!r}")
    return layer


def _as_batch(x: Array) -> Array:
    """Images (N, C, H, W), of one image, too."""
    x = gate_batch(x, "x", (3, 4))
    return x[None] if x.ndim == 3 else x
