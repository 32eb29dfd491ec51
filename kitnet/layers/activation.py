"""What the layers without parameters that act on each element share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from .._arrays import Array, gate
from .base import Layer, Pullback, no_gradient


class SameShape(Layer):
    """A layer whose output has the shape of its input, whatever that is."""

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(in_shape)


class Activation(SameShape):
    """A function of each element, and its gradient; a subclass names both, and the attributes they take."""

    _op: ClassVar[Callable[..., Any]]
    _op_backward: ClassVar[Callable[..., Any]]
    _from_output: ClassVar[bool] = False
    """Whether the gradient is computed from the output: then the input is not kept."""
    _names: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> tuple[Any, ...]:
        """What the functions take after the arrays."""
        return tuple(getattr(self, name) for name in self._names)

    def __call__(self, x: Array) -> Array:
        y: Array = self._op(x, *self.arguments())
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y = self(x)
        at = y if self._from_output else x
        return y, (lambda dy: self.gradient(dy, at)) if input_grad else no_gradient

    def gradient(self, dy: Array, at: Array) -> Array:
        """That of the input, given that of the output and the input, or the output if ``_from_output``."""
        dx: Array = self._op_backward(dy, at, *self.arguments())
        return dx


class Identity(SameShape):
    """x as it is: for places where there could be a layer.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Identity
    >>> Identity()(np.array([-1.0, 2.0]))
    array([-1.,  2.])
    """

    def __call__(self, x: Array) -> Array:
        return gate(x, "x")

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y = gate(x, "x")
        return y, (lambda dy: gate(dy, "dy", dtype=y.dtype, shape=y.shape)) if input_grad else no_gradient
