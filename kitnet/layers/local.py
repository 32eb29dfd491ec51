"""Locally connected layers: local receptive fields as in convolution, but no shared weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array
from .._geometry import Padding, Size, one_int
from .base import Pullback
from .weighted import Weighted
from .windowed import Windowed


class LocallyConnected1d(Weighted, Windowed):
    """A convolution of signals (N, C, L) whose every window has weights of its own.

    Shapes: (N, in_channels, in_size) -> (N, out_channels, OL); ``weight`` (OL, out_channels, in_channels,
    kw), ``bias`` (out_channels, OL) or None. Both start uniform on +-1 / sqrt(in_channels * kw).

    Parameters
    ----------
    in_channels, out_channels
        Feature maps of the input and of the output.
    in_size
        L: how many weights there are depends on it.
    kernel_size, stride, padding, dilation
        As for ``kitnet.functional.locally_connected1d``.
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

    Source: the article, section 2: local receptive fields of 3 take 15 weights where a dense layer takes 35.

    >>> from kitnet.layers import LocallyConnected1d
    >>> layer = LocallyConnected1d(1, 1, in_size=7, kernel_size=3, bias=False)
    >>> layer.weight.size, layer.out_shape((2, 1, 7))
    (15, (2, 1, 5))
    """

    ndim = 1
    pooling = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        in_size: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_channels = one_int(in_channels, "in_channels")
        self.out_channels = one_int(out_channels, "out_channels")
        self.in_size = one_int(in_size, "in_size")
        self._set_window(kernel_size, stride, padding, dilation)
        places = self.window((self.in_size,), "in_size").out_size
        shape = *places, self.out_channels, self.in_channels, *self.kernel_size
        fan_in = self.in_channels * self.kernel_size[0]
        self._set_weights(shape, fan_in, (self.out_channels, *places) if bias else None, dtype, rng)

    def __call__(self, x: Array) -> Array:
        window = self.stride, self.padding, self.dilation
        return F.locally_connected1d(x, self.weight.data, self._bias_data(), *window)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            window = self.stride, self.padding, self.dilation
            dx, dw, db = F.locally_connected1d_backward(dy, x, self.weight.data, *window)
            self._accumulate(dw, db)
            return dx if input_grad else None

        return self(x), pullback

    def _out_channels(self, channels: int) -> int:
        self._expect_channels(channels, self.in_channels)
        return self.out_channels

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        if tuple(in_shape[2:]) != (self.in_size,):
            raise ValueError(f"in_shape: expected signals of {self.in_size}, got {tuple(in_shape)}")
        return super().out_shape(in_shape)
