"""Convolution: weights shared by all windows, in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array, gate_batch
from .._backend import is_sealed, seal
from .._geometry import MODES, Padding, Size, Window, bordered, one_int, product
from ..functional._prepared import Prepared
from ..functional.conv import prepare_conv
from .base import Layer, Pullback
from .fused import AbsorbsClip, Bounds, added
from .norm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from .weighted import Weighted
from .windowed import Windowed

PADDING_MODES = ("zeros", *MODES[1:])


class Convolution(AbsorbsClip, Weighted, Windowed):
    """What all convolutions share, transposed ones too."""

    pooling = False
    norm: ClassVar[type[BatchNorm]]
    in_channels: int
    out_channels: int
    groups: int
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def _set_channels(self, in_channels: int, out_channels: int, groups: int) -> None:
        self.in_channels = one_int(in_channels, "in_channels")
        self.out_channels = one_int(out_channels, "out_channels")
        self.groups = one_int(groups, "groups")
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"groups: expected a divisor of {in_channels} input and {out_channels} output channels, "
                f"got {groups}"
            )

    def _moves(self) -> tuple[Any, ...]:
        """What follows the weights among the arguments of the function."""
        raise NotImplementedError

    def __call__(self, x: Array, **end: Any) -> Array:
        return self.convolve(x, self.weight.data, self._bias_data(), **end)

    def convolve(self, x: Array, weight: Array, bias: Array | None, **end: Any) -> Array:
        """The layer's work with other weights; ``end``: ``clip``, and ``residual`` if it ``adds``."""
        y: Array = self._op(self._framed(x)[0], weight, bias, *self._moves(), **end)
        return y

    def vjp(self, x: Array, *, input_grad: bool = True, **end: Any) -> tuple[Array, Pullback]:
        framed, back = self._framed(x)

        def pullback(dy: Array) -> Array | None:
            moves = self._moves()
            dx, dw, db = self._op_backward(dy, framed, self.weight.data, *moves, input_grad=input_grad)
            self._accumulate(dw, db)
            return back(dx) if input_grad else None

        return self._op(framed, self.weight.data, self._bias_data(), *self._moves(), **end), pullback

    def _framed(self, x: Array) -> tuple[Array, Pullback]:
        """x as the function takes it, and the way back of its gradient."""
        return x, lambda dx: dx

    def folded(self, norm: BatchNorm) -> tuple[Array, Array]:
        """The weights with which this layer does what it does now and then ``norm``."""
        return norm.fold(self.weight.data, self._bias_data())

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


class Conv(Convolution):
    """What ``Conv1d``, ``Conv2d`` and ``Conv3d`` share."""

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
        padding_mode: str = "zeros",
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self._set_channels(in_channels, out_channels, groups)
        self._set_window(kernel_size, stride, padding, dilation)
        if padding_mode not in PADDING_MODES:
            known = ", ".join(map(repr, PADDING_MODES))
            raise ValueError(f"padding_mode: expected one of {known}, got {padding_mode!r}")
        self.padding_mode = padding_mode
        shape = self.out_channels, self.in_channels // self.groups, *self.kernel_size
        self._set_weights(shape, product(shape[1:]), shape[:1] if bias else None, dtype, rng)

    @property
    def adds(self) -> bool:
        return True

    def prepare(
        self, shape: tuple[int, ...], dtype: np.dtype, *, clip: Bounds | None = None
    ) -> Prepared | None:
        return self.prepare_with(shape, dtype, self.weight.data, self._bias_data(), clip)

    def prepare_with(
        self, shape: tuple[int, ...], dtype: np.dtype, weight: Array, bias: Array | None, clip: Bounds | None
    ) -> Prepared | None:
        """The same with other weights."""
        if self.padding_mode != "zeros" or len(shape) != self.ndim + 2:
            return None
        return prepare_conv(self.ndim, shape, dtype, weight, bias, clip, *self._moves())

    def _moves(self) -> tuple[Any, ...]:
        padding = self.padding if self.padding_mode == "zeros" else 0
        return self.stride, padding, self.dilation, self.groups

    def window(self, in_size: Sequence[int], name: str = "in_shape") -> Window:
        window = super().window(in_size, name)
        if self.padding_mode != "zeros":
            bordered(in_size, window.pads, self.padding_mode, "padding")
        return window

    def _framed(self, x: Array) -> tuple[Array, Pullback]:
        if self.padding_mode == "zeros":
            return super()._framed(x)
        shape, mode = gate_batch(x, "x", (self.ndim + 2, self.ndim + 1)).shape, self.padding_mode
        pad = [cells for pair in reversed(self.window(shape[-self.ndim :], "x").pads) for cells in pair]
        return F.pad(x, pad, mode), lambda dx: F.pad_backward(dx, shape, pad, mode)


class ConvBatchNorm(AbsorbsClip):
    """A convolution and the batch norm after it; inference folds the norm into the convolution's weights.

    Folding costs one pass over the weights, and saves one over the output. It is done where a sample's output
    is at least as large as the weights: never a loss, and (unlike a rule that looks at the batch) the same
    bits for a sample in any batch. What is sealed is folded once, and always.
    """

    _folded: tuple[tuple[Any, ...], tuple[Array, Array]] | None = None
    """What was folded, and the result."""

    def __init__(self, conv: Convolution, norm: BatchNorm) -> None:
        self.conv = conv
        self.norm = norm

    def _sealed(self) -> tuple[Array, Array] | None:
        """The folded weights, if all that they are made of is sealed."""
        conv, norm = self.conv, self.norm
        parts: tuple[Any, ...] = conv.weight.data, conv._bias_data(), *norm._running(), *norm._affine()
        if not all(part is None or is_sealed(part) for part in parts):
            return None
        kept, parts = self._folded, (*parts, norm.eps)
        if kept is None or any(a is not b for a, b in zip(kept[0], parts, strict=True)):
            weight, bias = conv.folded(norm)
            kept = self._folded = parts, (seal(weight), seal(bias))
        return kept[1]

    @property
    def adds(self) -> bool:
        return self.conv.adds

    def __call__(self, x: Array, *, clip: Bounds | None = None, residual: Array | None = None) -> Array:
        conv, norm = self.conv, self.norm
        x = gate_batch(x, "x", conv.ndim + 2)
        weights = self._sealed()
        if weights is None:
            if conv.out_channels * product(conv.out_size(x.shape[2:], "x")) < conv.weight.size:
                return added(norm(conv(x), clip=clip if residual is None else None), residual, clip)
            weights = conv.folded(norm)
        return conv.convolve(x, *weights, clip=clip, **({} if residual is None else {"residual": residual}))

    def prepare(
        self, shape: tuple[int, ...], dtype: np.dtype, *, clip: Bounds | None = None
    ) -> Prepared | None:
        """Where all that is folded is sealed; other weights are folded in each call."""
        if not isinstance(self.conv, Conv) or (weights := self._sealed()) is None:
            return None
        return self.conv.prepare_with(shape, dtype, *weights, clip)

    def vjp(
        self, x: Array, *, input_grad: bool = True, clip: Bounds | None = None, residual: Array | None = None
    ) -> tuple[Array, Pullback]:
        h, conv_pullback = self.conv.vjp(x, input_grad=input_grad)
        y, norm_pullback = self.norm.vjp(h, clip=clip if residual is None else None)
        y = added(y, residual, clip)
        return y, lambda dy: conv_pullback(norm_pullback(dy))

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.norm.out_shape(self.conv.out_shape(in_shape))

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("_folded", None)
        return state


class Conv1d(Conv):
    """Convolution of signals (N, C, L) with kernels (K, C / groups, kw); see ``Conv2d``.

    ``padding="causal"``, which only signals have, lets no output see inputs that come later. The example is
    the article's: seven inputs, five outputs, three shared weights.

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
    padding_mode
        What the padding holds: "zeros", or as ``kitnet.functional.pad`` says, "reflect", "replicate" or
        "circular". Only zeros cost nothing; with the others x is copied.
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
