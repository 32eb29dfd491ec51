"""Transposed convolution: small images become large ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array
from .._geometry import Padding, Size, Window, per_axis, product
from .conv import Convolution
from .norm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from .windowed import ANY_SIZE


class ConvTranspose(Convolution):
    """What ``ConvTranspose1d``, ``ConvTranspose2d`` and ``ConvTranspose3d`` share."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups)
        self._set_window(kernel_size, stride, padding, dilation)
        self.output_padding = per_axis(output_padding, self.ndim, "output_padding", least=0)
        self.window([max(1, ANY_SIZE // s) for s in self.stride])  # may the arguments be together?
        shape = self.in_channels, self.out_channels // self.groups, *self.kernel_size
        self._set_weights(shape, product(shape[1:]), (self.out_channels,) if bias else None, dtype, rng)

    def _moves(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.output_padding, self.groups, self.dilation

    def window(self, in_size: Sequence[int], name: str = "in_shape") -> Window:
        """The window that an input of these sizes goes back through: its ``in_size`` is the output's."""
        return Window.transposed(
            in_size,
            self.kernel_size,
            self.stride,
            self.padding,
            self.output_padding,
            self.dilation,
            input_name=name,
        )

    def out_size(self, in_size: Sequence[int], name: str = "in_shape") -> tuple[int, ...]:
        return self.window(in_size, name).in_size

    def folded(self, norm: BatchNorm) -> tuple[Array, Array]:
        """The norm scales the output's channels: axis 1 of the weights of each group."""
        c, k, *kernel = self.weight.shape
        by_input = self.weight.data.reshape(self.groups, c // self.groups, k, *kernel)
        by_output = by_input.swapaxes(1, 2)
        weight, bias = norm.fold(by_output.reshape(self.out_channels, -1, *kernel), self._bias_data())
        return weight.reshape(by_output.shape).swapaxes(1, 2).reshape(self.weight.shape), bias


class ConvTranspose1d(ConvTranspose):
    """Transposed convolution of signals (N, C, L) with kernels (C, K / groups, kw); see ``ConvTranspose2d``.

    >>> import numpy as np
    >>> from kitnet.layers import ConvTranspose1d
    >>> layer = ConvTranspose1d(1, 1, 2, stride=2, bias=False)
    >>> layer.weight.data = np.array([[[1, 10]]], np.float32)
    >>> layer(np.array([[[1, 2, 3]]], np.float32))
    array([[[ 1., 10.,  2., 20.,  3., 30.]]], dtype=float32)
    """

    ndim = 1
    norm = BatchNorm1d
    _op = staticmethod(F.conv_transpose1d)
    _op_backward = staticmethod(F.conv_transpose1d_backward)


class ConvTranspose2d(ConvTranspose):
    """Transposed convolution of images (N, C, H, W) with kernels (C, K / groups, kh, kw).

    It goes from the size of a ``Conv2d``'s output back to that of its input, as decoders and generators do.

    Shapes: (N, in_channels, H, W) -> (N, out_channels, OH, OW); ``weight`` (in_channels, out_channels /
    groups, kh, kw), ``bias`` (out_channels,) or None. Both start uniform on +-1 / sqrt(out_channels /
    groups * kh * kw), as in PyTorch.

    Parameters
    ----------
    in_channels, out_channels
        Feature maps of the input and of the output.
    kernel_size, stride, padding, output_padding, groups, dilation
        As for ``kitnet.functional.conv_transpose2d``.
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

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning" (2016), section 4.

    >>> from kitnet.layers import Conv2d, ConvTranspose2d
    >>> down, up = Conv2d(3, 8, 4, stride=2, padding=1), ConvTranspose2d(8, 3, 4, stride=2, padding=1)
    >>> down.out_shape((1, 3, 32, 32)), up.out_shape((1, 8, 16, 16))
    ((1, 8, 16, 16), (1, 3, 32, 32))
    """

    ndim = 2
    norm = BatchNorm2d
    _op = staticmethod(F.conv_transpose2d)
    _op_backward = staticmethod(F.conv_transpose2d_backward)


class ConvTranspose3d(ConvTranspose):
    """Transposed convolution of volumes (N, C, D, H, W) with kernels (C, K / groups, kd, kh, kw).

    See ``ConvTranspose2d``.

    >>> from kitnet.layers import ConvTranspose3d
    >>> ConvTranspose3d(4, 1, 2, stride=2).out_shape((2, 4, 5, 8, 8))
    (2, 1, 10, 16, 16)
    """

    ndim = 3
    norm = BatchNorm3d
    _op = staticmethod(F.conv_transpose3d)
    _op_backward = staticmethod(F.conv_transpose3d_backward)
