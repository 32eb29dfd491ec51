"""Convolution: weights shared by all windows, in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array, gate_batch
from .._geometry import Padding, Size, one_int, product
from .base import Layer, Pullback
from .fused import RELU, AbsorbsReLU
from .norm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from .weighted import Weighted
from .windowed import Windowed


class Conv(AbsorbsReLU, Weighted, Windowed):
    """What ``Conv1d``, ``Conv2d`` and ``Conv3d`` share."""

    pooling = False
    norm: ClassVar[type[BatchNorm]]
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels = one_int(in_channels, "in_channels")
        self.out_channels = one_int(out_channels, "out_channels")
        self.groups = one_int(groups, "groups")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups: expected a divisor of {in_channels} input and {out_channels} output channels, "
                f"got {groups}"
            )
        self._set_window(kernel_size, stride, padding, dilation)
        shape = self.out_channels, self.in_channels // self.groups, *self.kernel_size
        self._set_weights(shape, product(shape[1:]), shape[:1] if bias else None, dtype, rng)

    def __call__(self, x: Array, *, relu: bool = False) -> Array:
        return self.convolve(x, self.weight.data, self._bias_data(), relu=relu)

    def convolve(self, x: Array, weight: Array, bias: Array | None, *, relu: bool = False) -> Array:
        """The layer's work with other weights."""
        y: Array = self._op(
            x,
            weight,
            bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            clip=RELU if relu else None,
        )
        return y

    def vjp(self, x: Array, *, input_grad: bool = True, relu: bool = False) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            dx: Array | None
            dx, dw, db = self._op_backward(
                dy,
                x,
                self.weight.data,
                self.stride,
                self.padding,
                self.dilation,
                self.groups,
                input_grad=input_grad,
            )
            self._accumulate(dw, db)
            return dx

        return self(x, relu=relu), pullback

    def absorb(self, successor: Layer) -> Layer | None:
        if (
            isinstance(successor, self.norm)
            and successor.num_features == self.out_channels
            and successor.track_running_stats
        ):
            return ConvBatchNorm(self, successor)
        return super().absorb(successor)

    def _out_channels(self, channels: int) -> int:
        self._expect_channels(channels, self.in_channels)
        return self.out_channels


class ConvBatchNorm(AbsorbsReLU):
    """A convolution and the batch norm after it; inference folds the norm into the convolution's weights.

    Folding costs one pass over the weights, and saves one over the output. It is done where a sample's output
    is at least as large as the weights: never a loss, and (unlike a rule that looks at the batch) the same
    bits for a sample in any batch.
    """

    def __init__(self, conv: Conv, norm: BatchNorm) -> None:
        self.conv = conv
        self.norm = norm

    def __call__(self, x: Array, *, relu: bool = False) -> Array:
        conv, norm = self.conv, self.norm
        x = gate_batch(x, "x", conv.ndim + 2)
        if conv.out_channels * product(conv.window(x.shape[2:], "x").out_size) < conv.weight.size:
            return norm(conv(x), relu=relu)
        return conv.convolve(x, *norm.fold(conv.weight, conv.bias), relu=relu)

    def vjp(self, x: Array, *, input_grad: bool = True, relu: bool = False) -> tuple[Array, Pullback]:
        h, conv_pullback = self.conv.vjp(x, input_grad=input_grad)
        y, norm_pullback = self.norm.vjp(h, relu=relu)
        return y, lambda dy: conv_pullback(norm_pullback(dy))

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.norm.out_shape(self.conv.out_shape(in_shape))


class Conv1d(Conv):
    """Convolution of signals (N, C, L) with kernels (K, C / groups, kw); see ``Conv2d``.

    The example is the article's: seven inputs, five outputs, three shared weights.

    >>> import numpy as np
    >>> from kitnet.layers import Conv1d
    >>> layer = Conv1d(1, 1, 3, bias=False)
    >>> layer.weight.data = np.array([[[1, 0, -1]]], np.float32)
    >>> layer(np.array([[[0, 1, 3, 6, 4, 4, 2]]], np.float32))
    array([[[-3., -5., -1.,  2.,  2.]]], dtype=float32)
    """

    ndim = 1
    norm = BatchNorm1d
    _op = staticmethod(F.conv1d)
    _op_backward = staticmethod(F.conv1d_backward)


class Conv2d(Conv):
    """Convolution of images (N, C, H, W) with kernels (K, C / groups, kh, kw).

    Shapes: (N, in_channels, H, W) -> (N, out_channels, OH, OW); ``weight`` (out_channels, in_channels /
    groups, kh, kw), ``bias`` (out_channels,) or None. Both start uniform on +-1 / sqrt(in_channels / groups *
    kh * kw), as in PyTorch.

    Parameters
    ----------
    in_channels, out_channels
        Feature maps of the input and of the output.
    kernel_size, stride, padding, dilation, groups
        As for ``kitnet.functional.conv2d``.
    bias
        False for none.
    dtype
        float32 or float64: that of the parameters and so of x.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, sections 2 and 3.

    >>> import numpy as np
    >>> from kitnet.layers import Conv2d
    >>> layer = Conv2d(3, 8, kernel_size=5, padding=2)
    >>> layer.weight.shape, layer.out_shape((32, 3, 28, 28))
    ((8, 3, 5, 5), (32, 8, 28, 28))
    """

    ndim = 2
    norm = BatchNorm2d
    _op = staticmethod(F.conv2d)
    _op_backward = staticmethod(F.conv2d_backward)


class Conv3d(Conv):
    """Convolution of volumes (N, C, D, H, W) with kernels (K, C / groups, kd, kh, kw); see ``Conv2d``.

    >>> from kitnet.layers import Conv3d
    >>> Conv3d(1, 4, (1, 3, 3)).out_shape((2, 1, 5, 8, 8))
    (2, 4, 5, 6, 6)
    """

    ndim = 3
    norm = BatchNorm3d
    _op = staticmethod(F.conv3d)
    _op_backward = staticmethod(F.conv3d_backward)
