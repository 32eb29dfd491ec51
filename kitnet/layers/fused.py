"""What ``absorb`` makes: one layer that does the work of a layer and of the ReLU after it, in one pass.

It refers to the layers it is made of and holds nothing of its own, so it stays true when they change.
"""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .._arrays import Array
from .activation import ReLU
from .base import Layer, Pullback

RELU = (0.0, float("inf"))
"""The ``clip`` argument of ``functional`` that makes a ReLU."""


class AbsorbsReLU(Layer):
    """A layer whose kernel can apply a ReLU to its output on the way to memory.

    It has the keyword ``relu`` in ``__call__`` and ``vjp``.
    """

    def __call__(self, x: Array, *, relu: bool = False) -> Array:
        raise NotImplementedError

    def vjp(self, x: Array, *, input_grad: bool = True, relu: bool = False) -> tuple[Array, Pullback]:
        raise NotImplementedError

    def absorb(self, successor: Layer) -> Layer | None:
        return WithReLU(self) if isinstance(successor, ReLU) else None


class WithReLU(Layer):
    """A layer with the ReLU after it."""

    def __init__(self, layer: AbsorbsReLU) -> None:
        self.layer = layer

    def __call__(self, x: Array) -> Array:
        return self.layer(x, relu=True)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y, pullback = self.layer.vjp(x, input_grad=input_grad, relu=True)
        return y, lambda dy: pullback(F.relu_backward(dy, y))

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.layer.out_shape(in_shape)
