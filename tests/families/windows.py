"""Families that slide a window over an image: convolutions, and columns and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kitnet._geometry import Window, lift

from .base import INF, Call, Case, Shape, normal

NO_RESIDUAL = (0, 0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Windowed(Case):
    """A family that slides a window over x (N, C, *spatial)."""

    x: Shape
    kernel: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False

    pooling: ClassVar[bool] = False

    @property
    def window(self) -> Window:
        return Window.of(
            self.x[2:],
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            pooling=self.pooling,
        )

    @property
    def moves(self) -> dict[str, tuple[int, int, int]]:
        """The scalars of every windowed kernel."""
        window = self.window
        return {"stride": window.stride3, "padding": window.pad3, "dilation": window.dilation3}

    @property
    def x5(self) -> Shape:
        return lift(np.empty(self.x, bool)).shape

    def y5(self, channels: int) -> Shape:
        return (self.x[0], channels, *self.window.out3)


@dataclass(frozen=True, kw_only=True)
class Conv(Windowed):
    k: int
    groups: int = 1
    bias: bool = True
    residual: bool = False
    low: float = -INF
    high: float = INF

    forward = "conv_forward"
    gradients: ClassVar = {
        "x": ("conv_backward_data", "dx"),
        "weight": ("conv_backward_weight", "dweight"),
        "bias": ("conv_backward_weight", "dbias"),
    }
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        weight = normal(rng, (self.k, self.x[1] // self.groups, *self.window.kernel3), dtype)
        bias = normal(rng, (self.k if self.bias else 0,), dtype)
        x = self.spoil(normal(rng, self.x5, dtype), rng, spots=10)
        y = self.y5(self.k)
        dy = self.spoil(normal(rng, y, dtype), rng, spots=3)
        residual = self.spoil(normal(rng, y if self.residual else NO_RESIDUAL, dtype), rng, spots=3)
        moves = self.moves | {"groups": self.groups}
        return {
            c.kernel: c
            for c in (
                Call(
                    "conv_forward",
                    {"x": x, "weight": weight, "bias": bias, "residual": residual},
                    {"y": (y, dtype)},
                    {"low": self.low, "high": self.high, **moves},
                    batched=("x", "y", "residual") if self.residual else ("x", "y"),
                ),
                Call(
                    "conv_backward_data",
                    {"dy": dy, "weight": weight, "bias": bias[:0]},
                    {"dx": (x.shape, dtype)},
                    {"low": -INF, "high": INF, **moves},
                    batched=("dy", "dx"),
                ),
                Call(
                    "conv_backward_weight",
                    {"dy": dy, "x": x},
                    {"dweight": (weight.shape, dtype), "dbias": (bias.shape, dtype)},
                    moves,
                ),
            )
        }


@dataclass(frozen=True, kw_only=True)
class ConvTranspose(Windowed):
    """The kernels of ``Conv``, the other way round: what is dx and dy there is y and x here."""

    k: int
    groups: int = 1
    bias: bool = True
    output_padding: Any = 0
    low: float = -INF
    high: float = INF

    forward = "conv_backward_data"
    output = "dx"
    cotangent = "x"
    linear = True

    @property
    def gradients(self) -> dict[str, tuple[str, str]]:
        found = {"dy": ("conv_forward", "y"), "weight": ("conv_backward_weight", "dweight")}
        return found | ({"bias": ("channel_sums", "sums")} if self.bias else {})

    @property
    def window(self) -> Window:
        return Window.transposed(
            self.x[2:], self.kernel, self.stride, self.padding, self.output_padding, self.dilation
        )

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, window = self.rng(), self.window
        weight = normal(rng, (self.x[1], self.k // self.groups, *window.kernel3), dtype)
        bias = normal(rng, (self.k if self.bias else 0,), dtype)
        x = self.spoil(normal(rng, self.x5, dtype), rng, spots=10)
        y = lift(np.empty((self.x[0], self.k, *window.in_size), bool)).shape
        dy = self.spoil(normal(rng, y, dtype), rng, spots=3)
        planes = dy.reshape(*y[:2], math.prod(y[2:]))
        moves = self.moves | {"groups": self.groups}
        return {
            c.kernel: c
            for c in (
                Call(
                    "conv_backward_data",
                    {"dy": x, "weight": weight, "bias": bias},
                    {"dx": (y, dtype)},
                    {"low": self.low, "high": self.high, **moves},
                    batched=("dy", "dx"),
                ),
                Call(
                    "conv_forward",
                    {"x": dy, "weight": weight, "bias": bias[:0], "residual": np.empty(NO_RESIDUAL, dtype)},
                    {"y": (x.shape, dtype)},
                    {"low": -INF, "high": INF, **moves},
                    batched=("x", "y"),
                ),
                Call(
                    "conv_backward_weight",
                    {"dy": x, "x": dy},
                    {"dweight": (weight.shape, dtype), "dbias": ((0,), dtype)},
                    moves,
                ),
                Call("channel_sums", {"x": planes}, {"sums": ((self.k,), dtype)}),
            )
        }


@dataclass(frozen=True, kw_only=True)
class Local(Windowed):
    k: int
    bias: bool = True

    forward = "local_forward"
    gradients: ClassVar = {name: ("local_backward", f"d{name}") for name in ("x", "weight", "bias")}
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, window = self.rng(), self.window
        places = math.prod(window.out_size)
        weight = normal(rng, (places, self.k, self.x[1] * math.prod(window.kernel)), dtype)
        bias = normal(rng, (self.k, places) if self.bias else (0, 0), dtype)
        x = self.spoil(normal(rng, self.x5, dtype), rng, spots=10)
        dy = normal(rng, (self.x[0], self.k, places), dtype)
        moves = {"kernel": window.kernel3, "out": window.out3, **self.moves}
        return {
            "local_forward": Call(
                "local_forward",
                {"x": x, "weight": weight, "bias": bias},
                {"y": (dy.shape, dtype)},
                moves,
                batched=("x", "y"),
            ),
            "local_backward": Call(
                "local_backward",
                {"dy": dy, "x": x, "weight": weight},
                {"dx": (x.shape, dtype), "dweight": (weight.shape, dtype), "dbias": (bias.shape, dtype)},
                moves,
                batched=("dy", "x", "dx"),
            ),
        }


@dataclass(frozen=True, kw_only=True)
class Im2col(Windowed):
    forward = "im2col"
    backward: ClassVar[str] = "col2im"
    output = "cols"
    cotangent = "cols"
    gradients: ClassVar = {"x": ("col2im", "x")}
    linear = True

    def shape(self) -> Shape:
        """(N, windows, elements of one)"""
        window = self.window
        return self.x[0], math.prod(window.out_size), self.x[1] * math.prod(window.kernel)

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, window = self.rng(), self.window
        x = self.spoil(normal(rng, self.x5, dtype), rng)
        cols = normal(rng, self.shape(), dtype)
        moves = {"kernel": window.kernel3, "out": window.out3, **self.moves}
        apart = all(
            s >= d * (k - 1) + 1
            for s, d, k in zip(window.stride, window.dilation, window.kernel, strict=True)
        )
        return {
            self.forward: Call(
                self.forward,
                {"x": x},
                {"cols": (cols.shape, dtype)},
                moves,
                batched=("x", "cols"),
                exact=True,
            ),
            self.backward: Call(
                self.backward,
                {"cols": cols},
                {"x": (x.shape, dtype)},
                moves,
                batched=("x", "cols"),
                exact=apart,
            ),
        }


@dataclass(frozen=True, kw_only=True)
class Unfold(Im2col):
    forward = "unfold"
    backward: ClassVar[str] = "fold"
    gradients: ClassVar = {"x": ("fold", "x")}

    def shape(self) -> Shape:
        n, windows, elements = super().shape()
        return n, elements, windows
