"""Locally connected layers: local receptive fields as in convolution, but no shared weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array
from .._geometry import Padding, Size, Window, one_int, per_axis, product
from .base import Pullback
from .weighted import Weighted
from .windowed import Windowed


class LocallyConnected(Weighted, Windowed):
    """What ``LocallyConnected1d``, ``2d`` and ``3d`` share."""

    pooling = False
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        in_size: Size,
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
        self.in_size = per_axis(in_size, self.ndim, "in_size")
        self._set_window(kernel_size, stride, padding, dilation)
        places = self.window(self.in_size, "in_size").out_size
        shape = *places, self.out_channels, self.in_channels, *self.kernel_size
        fan_in = self.in_channels * product(self.kernel_size)
        self._set_weights(shape, fan_in, (self.out_channels, *places) if bias else None, dtype, rng)

    def __call__(self, x: Array) -> Array:
        y: Array = self._op(x, self.weight.data, self._bias_data(), *self._moves())
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            dx, dw, db = self._op_backward(dy, x, self.weight.data, *self._moves())
            self._accumulate(dw, db)
            return dx if input_grad else None

        return self(x), pullback

    def _moves(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation

    def window(self, in_size: Sequence[int], name: str = "in_shape") -> Window:
        if tuple(in_size) != self.in_size:
            raise ValueError(f"{name}: expected spatial sizes {self.in_size}, got {tuple(in_size)}")
        return super().window(in_size, name)

    def _out_channels(self, channels: int) -> int:
        self._expect_channels(channels, self.in_channels)
        return self.out_channels


class LocallyConnected1d(LocallyConnected):
    """A convolution of signals (N, C, L) whose windows share no weights; see ``LocallyConnected2d``.

    Shapes: (N, in_channels, in_size) -> (N, out_channels, OL); ``weight`` (OL, out_channels, in_channels,
    kw), ``bias`` (out_channels, OL) or None.

    Source: the article, section 2: local receptive fields of 3 take 15 weights where a dense layer takes 35.

    >>> from kitnet.layers import LocallyConnected1d
    >>> layer = LocallyConnected1d(1, 1, in_size=7, kernel_size=3, bias=False)
    >>> layer.weight.size, layer.out_shape((2, 1, 7))
    (15, (2, 1, 5))
    """

    ndim = 1
    _op = staticmethod(F.locally_connected1d)
    _op_backward = staticmethod(F.locally_connected1d_backward)


class LocallyConnected2d(LocallyConnected):
    """A convolution of images (N, C, H, W) whose windows share no weights.

    Shapes: (N, in_channels, *in_size) -> (N, out_channels, OH, OW); ``weight`` (OH, OW, out_channels,
    in_channels, kh, kw), ``bias`` (out_channels, OH, OW) or None. Both start uniform on +-1 /
    sqrt(in_channels * kh * kw).

    Parameters
    ----------
    in_channels, out_channels
        Feature maps of the input and of the output.
    in_size
        H and W, or one int for both: how many weights there are depends on it.
    kernel_size, stride, padding, dilation
        As for ``kitnet.functional.locally_connected2d``.
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

    Source: the article, section 2; Taigman et al., "DeepFace: closing the gap to human-level performance in
    face verification" (2014).

    >>> from kitnet.layers import LocallyConnected2d
    >>> layer = LocallyConnected2d(3, 8, in_size=(9, 8), kernel_size=3)
    >>> layer.weight.shape, layer.out_shape((2, 3, 9, 8))
    ((7, 6, 8, 3, 3, 3), (2, 8, 7, 6))
    """

    ndim = 2
    _op = staticmethod(F.locally_connected2d)
    _op_backward = staticmethod(F.locally_connected2d_backward)


class LocallyConnected3d(LocallyConnected):
    """A convolution of volumes (N, C, D, H, W) whose windows share no weights; see ``LocallyConnected2d``.

    Shapes: (N, in_channels, *in_size) -> (N, out_channels, OD, OH, OW); ``weight`` (OD, OH, OW, out_channels,
    in_channels, kd, kh, kw), ``bias`` (out_channels, OD, OH, OW) or None.

    >>> from kitnet.layers import LocallyConnected3d
    >>> LocallyConnected3d(1, 4, 5, kernel_size=(1, 3, 3)).out_shape((2, 1, 5, 5, 5))
    (2, 4, 5, 3, 3)
    """

    ndim = 3
    _op = staticmethod(F.locally_connected3d)
    _op_backward = staticmethod(F.locally_connected3d_backward)
