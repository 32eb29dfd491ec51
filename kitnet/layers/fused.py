"""What ``absorb`` makes: one layer that does the work of a layer and of the clipping after it, in one pass.

It refers to the layers it is made of and holds nothing of its own, so it stays true when they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from .._arrays import Array, gate
from .base import Layer, Pullback
from .rectifiers import Clipping

Bounds: TypeAlias = "tuple[float, float]"
"""The ``clip`` argument of ``functional``."""


def added(y: Array, residual: Array | None, clip: Bounds | None) -> Array:
    """y, which nobody else sees, and the residual, if there is one, within bounds: a pass each, by NumPy."""
    if residual is not None:
        np.add(y, gate(residual, "residual", dtype=y.dtype, shape=y.shape), out=y)
        if clip is not None:
            np.clip(y, *clip, out=y)
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

    def absorb(self, successor: Layer) -> Layer | None:
        return WithClip(self, successor) if isinstance(successor, Clipping) else None


class WithClip(Layer):
    """A layer with the clipping after it."""

    def __init__(self, layer: AbsorbsClip, clipping: Clipping) -> None:
        self.layer = layer
        self.clipping = clipping

    def __call__(self, x: Array) -> Array:
        return self.layer(x, clip=self.clipping.bounds)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y, pullback = self.layer.vjp(x, input_grad=input_grad, clip=self.clipping.bounds)
        return y, lambda dy: pullback(self.clipping.gradient(dy, y))

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.layer.out_shape(in_shape)
