"""What containers make of neighbours: one layer that does, in one pass, what a layer and its successor do.

It refers to the layers it is made of and holds nothing of its own, so it stays true when they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import numpy as np

from .._arrays import Array, gate
from ..functional._elementwise import add_to
from ..functional._prepared import Prepared
from .base import Layer, Pullback
from .joins import Add
from .rectifiers import Clipping

Bounds: TypeAlias = "tuple[float, float]"
"""The ``clip`` argument of ``functional``."""


def added(y: Array, residual: Array | None, clip: Bounds | None) -> Array:
    """y, which nobody else sees, and the residual, if there is one, within bounds: a pass each."""
    if residual is not None:
        add_to(y, gate(residual, "residual", dtype=y.dtype, shape=y.shape))
        _clipped(y, clip)
    return y


class AbsorbsClip(Layer):
    """A layer whose kernel can clip its output on the way to memory, as ReLU, ReLU6 and Hardtanh do.

    It has the keyword ``clip`` in ``__call__`` and ``vjp``; a gradient that comes back is that of what went
    into the clipping.
    """

    def __call__(self, x: Array, *, clip: Bounds | None = None) -> Array:
        raise NotImplementedError

    def vjp(self, x: Array, *, input_grad: bool = True, clip: Bounds | None = None) -> tuple[Array, Pullback]:
        raise NotImplementedError

    def prepare(
        self, shape: tuple[int, ...], dtype: np.dtype, *, clip: Bounds | None = None
    ) -> Prepared | None:
        return None

    def absorb(self, successor: Layer) -> Layer | None:
        return WithClip(self, successor) if isinstance(successor, Clipping) else None


class WithClip(Layer):
    """A layer with the clipping after it."""

    def __init__(self, layer: AbsorbsClip, clipping: Clipping) -> None:
        self.layer = layer
        self.clipping = clipping

    def __call__(self, *xs: Array) -> Array:
        return self.layer(*xs, clip=self.clipping.bounds)

    def prepare(self, shape: tuple[int, ...], dtype: np.dtype) -> Prepared | None:
        return self.layer.prepare(shape, dtype, clip=self.clipping.bounds)

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Array, Pullback]:
        y, pullback = self.layer.vjp(*xs, input_grad=input_grad, clip=self.clipping.bounds)
        return y, lambda dy: pullback(self.clipping.gradient(dy, y))

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        return self.layer.out_shape(*in_shapes)


class WithSum(AbsorbsClip):
    """A layer that ``adds`` with the sum after it, of what it makes of x and another array.

    That is added on the way to memory, unless it has to be stretched or is no such array at all.
    """

    def __init__(self, layer: Layer, add: Add) -> None:
        self.layer = layer
        self.add = add

    def _fits(self, x: Array, other: Array) -> bool:
        with suppress(ValueError, AttributeError):  # the layers will say what is wrong
            return other.dtype == x.dtype and self.layer.out_shape(x.shape) == other.shape
        return False

    def __call__(self, x: Array, other: Array, *, clip: Bounds | None = None) -> Array:  # type: ignore[override]
        layer: Any = self.layer
        if self._fits(x, other):
            y: Array = layer(x, residual=other, clip=clip)
            return y
        return _clipped(self.add(layer(x), other), clip)

    def vjp(  # type: ignore[override]
        self, x: Array, other: Array, *, input_grad: bool = True, clip: Bounds | None = None
    ) -> tuple[Array, Pullback]:
        layer: Any = self.layer
        if self._fits(x, other):
            y, pullback = layer.vjp(x, input_grad=input_grad, residual=other, clip=clip)
            return y, lambda dz: (pullback(dz), dz)
        h, pullback = layer.vjp(x, input_grad=input_grad)
        y, sum_pullback = self.add.vjp(h, other)

        def apart(dz: Array) -> tuple[Array | None, Array]:
            dh, do = sum_pullback(dz)
            return pullback(dh), do

        return _clipped(y, clip), apart

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        x, other = in_shapes
        return self.add.out_shape(self.layer.out_shape(x), other)


def _clipped(y: Array, clip: Bounds | None) -> Array:
    """y, which nobody else sees, within bounds."""
    return y if clip is None else np.clip(y, *clip, out=y)
