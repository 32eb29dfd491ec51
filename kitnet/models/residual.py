"""Two ways side by side, whose results are added."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from .._arrays import Array, gate
from ..functional._elementwise import add
from ..layers import Identity, ReLU
from ..layers.base import Layer, Pullback, no_gradient
from ..layers.rectifiers import Clipping


class Residual(Layer):
    """activation(body(x) + shortcut(x)): a residual block.

    Where the body ends with a convolution, or in inference with one and a batch norm, that adds what the
    shortcut makes and clips (ReLU, ReLU6, Hardtanh) on the way to memory. That changes speed, nothing else.

    Shapes: what body and shortcut make of x must be of the same shape.

    Parameters
    ----------
    body
        A layer or container.
    shortcut
        Another one: a projection, where the body changes the shape; None: ``Identity()``.
    activation
        What comes after the sum; None: ``ReLU()``. ``Identity()`` for nothing, as in blocks that begin with
        their activation.
    fuse
        False: compute layer by layer. It may be changed at any time.

    Raises
    ------
    TypeError
        If an argument is no layer.

    Source: He et al., "Deep residual learning for image recognition" (2015).

    >>> from kitnet.layers import BatchNorm2d, Conv2d, ReLU
    >>> from kitnet.models import Residual, Sequential
    >>> block = Residual(Sequential(Conv2d(8, 8, 3, padding=1, bias=False), BatchNorm2d(8)))
    >>> block.out_shape((2, 8, 5, 5))
    (2, 8, 5, 5)
    """

    def __init__(
        self,
        body: Layer,
        shortcut: Layer | None = None,
        activation: Layer | None = None,
        *,
        fuse: bool = True,
    ) -> None:
        self.body = body
        self.shortcut = Identity() if shortcut is None else shortcut
        self.activation = ReLU() if activation is None else activation
        for name, layer in vars(self).items():
            if not isinstance(layer, Layer):
                raise TypeError(f"{name}: expected a layer, got {type(layer).__name__}")
        self.fuse = bool(fuse)

    def __call__(self, x: Array) -> Array:
        body: Any = self.body
        residual = self.shortcut(x)
        if not (self.fuse and body.adds):
            return self.activation(_sum(body(x), residual))
        if isinstance(self.activation, Clipping):
            y: Array = body(x, residual=residual, clip=self.activation.bounds)
            return y
        return self.activation(body(x, residual=residual))

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        body: Any = self.body
        activation = self.activation
        activation_pullback: Pullback | None = None
        residual, shortcut_pullback = self.shortcut.vjp(x, input_grad=input_grad)
        if not (self.fuse and body.adds):
            y, body_pullback = body.vjp(x, input_grad=input_grad)
            y = _sum(y, residual)
        elif not isinstance(activation, Clipping):
            y, body_pullback = body.vjp(x, input_grad=input_grad, residual=residual)
        else:
            y, body_pullback = body.vjp(x, input_grad=input_grad, residual=residual, clip=activation.bounds)
            activation_pullback = partial(activation.gradient, at=y)
        if activation_pullback is None:
            y, activation_pullback = activation.vjp(y)
        back = activation_pullback

        def pullback(dy: Array) -> Array | None:
            dz = back(dy)
            dx, ds = body_pullback(dz), shortcut_pullback(dz)
            return _sum(dx, ds) if input_grad else None

        return y, pullback if input_grad or next(self.parameters(), None) is not None else no_gradient

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape, other = self.body.out_shape(in_shape), self.shortcut.out_shape(in_shape)
        if shape != other:
            raise ValueError(
                f"in_shape: expected a body and a shortcut that make the same shape of {tuple(in_shape)}, "
                f"got {shape} and {other}"
            )
        return self.activation.out_shape(shape)

    def __repr__(self) -> str:
        lines = [f"({name}): {layer!r}".replace("\n", "\n  ") for name, layer in self.named_children()]
        lines += [] if self.fuse else ["fuse=False"]
        return "\n  ".join(["Residual(", *lines]) + "\n)"


def _sum(a: Array, b: Array) -> Array:
    """a + b, in an array of its own."""
    return add(a, gate(b, "residual", dtype=a.dtype, shape=a.shape))
