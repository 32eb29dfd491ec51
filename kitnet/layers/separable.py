"""Convolutions taken apart: each channel filtered by itself, and then the channels mixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array, float_type
from .._geometry import Padding, Size, one_int, product
from .base import Pullback
from .conv import Conv2d
from .fused import AbsorbsClip, Bounds
from .parameter import Parameter
from .weighted import start
from .windowed import Windowed


class DepthwiseConv2d(Conv2d):
    """Convolution of each channel of images by filters of its own: a group of ``Conv2d`` for each channel.

    Shapes: (N, in_channels, H, W) -> (N, in_channels * depth_multiplier, OH, OW), channel c becoming the
    ``depth_multiplier`` channels from c * depth_multiplier on; ``weight`` (in_channels * depth_multiplier, 1,
    kh, kw), ``bias`` (in_channels * depth_multiplier,) or None.

    Parameters
    ----------
    in_channels
        Feature maps of the input.
    kernel_size, stride, padding, dilation, bias, padding_mode, dtype, rng
        As for ``Conv2d``.
    depth_multiplier
        Filters a channel.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Sifre, "Rigid-motion scattering for image classification" (2014); the names are Keras's.

    >>> from kitnet.layers import DepthwiseConv2d
    >>> layer = DepthwiseConv2d(8, 3, padding=1, depth_multiplier=2)
    >>> layer.weight.shape, layer.out_shape((1, 8, 6, 6))
    ((16, 1, 3, 3), (1, 16, 6, 6))
    """

    def __init__(
        self,
        in_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        channels = one_int(in_channels, "in_channels")
        self.depth_multiplier = one_int(depth_multiplier, "depth_multiplier")
        filters = channels * self.depth_multiplier
        window = kernel_size, stride, padding, dilation
        super().__init__(channels, filters, *window, channels, bias, padding_mode, dtype=dtype, rng=rng)


class SeparableConv2d(AbsorbsClip, Windowed):
    """A depthwise convolution and a 1x1 convolution behind it: a full one's reach, for far fewer weights.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, OH, OW); ``depthwise_weight`` (in_channels *
    depth_multiplier, 1, kh, kw), ``pointwise_weight`` (out_channels, in_channels * depth_multiplier, 1, 1),
    ``bias`` (out_channels,) or None. They start as those of ``Conv2d``.

    Parameters
    ----------
    in_channels, out_channels
        Feature maps of the input and of the output.
    kernel_size, stride, padding, dilation
        Of the depthwise convolution, as for ``Conv2d``.
    depth_multiplier
        Filters a channel of the depthwise convolution.
    bias
        False for none. It is added at the end only.
    dtype
        float32 or float64: that of the parameters and so of x.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Chollet, "Xception: deep learning with depthwise separable convolutions" (2017); the names are
    Keras's.

    >>> from kitnet.layers import Conv2d, SeparableConv2d
    >>> layer = SeparableConv2d(32, 64, 3, padding=1)
    >>> layer.out_shape((1, 32, 6, 6)), sum(p.size for p in layer.parameters()), Conv2d(32, 64, 3).weight.size
    ((1, 64, 6, 6), 2400, 18432)
    """

    ndim = 2
    pooling = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        depth_multiplier: int = 1,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels = one_int(in_channels, "in_channels")
        self.out_channels = one_int(out_channels, "out_channels")
        self.depth_multiplier = one_int(depth_multiplier, "depth_multiplier")
        self.dtype = float_type(dtype)
        self._set_window(kernel_size, stride, padding, dilation)
        rng = np.random.default_rng() if rng is None else rng
        filters = self.in_channels * self.depth_multiplier
        cells = product(self.kernel_size)
        self.depthwise_weight = start((filters, 1, *self.kernel_size), cells, self.dtype, rng)
        self.pointwise_weight = start((self.out_channels, filters, 1, 1), filters, self.dtype, rng)
        self.bias: Parameter | None = None
        if bias:
            self.bias = start((self.out_channels,), filters, self.dtype, rng)

    def _moves(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.in_channels

    def _parts(self, x: Array, clip: Bounds | None) -> tuple[Array, Array]:
        """What the depthwise convolution makes of x, and the output."""
        h = F.conv2d(x, self.depthwise_weight.data, None, *self._moves())
        bias = None if self.bias is None else self.bias.data
        return h, F.conv2d(h, self.pointwise_weight.data, bias, clip=clip)

    def __call__(self, x: Array, *, clip: Bounds | None = None) -> Array:
        return self._parts(x, clip)[1]

    def vjp(self, x: Array, *, input_grad: bool = True, clip: Bounds | None = None) -> tuple[Array, Pullback]:
        h, y = self._parts(x, clip)

        def pullback(dy: Array) -> Array | None:
            dh, dpointwise, db = F.conv2d_backward(dy, h, self.pointwise_weight.data)
            assert dh is not None
            dx, ddepthwise, _ = F.conv2d_backward(
                dh, x, self.depthwise_weight.data, *self._moves(), input_grad=input_grad
            )
            self.depthwise_weight.accumulate(ddepthwise)
            self.pointwise_weight.accumulate(dpointwise)
            if self.bias is not None:
                self.bias.accumulate(db)
            return dx

        return y, pullback

    def config(self) -> dict[str, Any]:
        return super().config() | {"bias": self.bias is not None}

    def _out_channels(self, channels: int) -> int:
        self._expect_channels(channels, self.in_channels)
        return self.out_channels
