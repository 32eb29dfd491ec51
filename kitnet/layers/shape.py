"""Layers that only change the shape."""

from __future__ import annotations

from collections.abc import Sequence

from .._arrays import Array, gate
from .._geometry import one_int, product
from .base import MOST_AXES, Layer, Pullback, no_gradient


class Flatten(Layer):
    """Joins the axes from ``start_dim`` to ``end_dim`` to one: images to the rows of a dense layer.

    No number moves: the result is a view of x.

    Shapes: (N, C, H, W) -> (N, C * H * W) by default.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Flatten
    >>> Flatten()(np.zeros((2, 3, 4, 4))).shape
    (2, 48)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = one_int(start_dim, "start_dim", least=-MOST_AXES, most=MOST_AXES)
        self.end_dim = one_int(end_dim, "end_dim", least=-MOST_AXES, most=MOST_AXES)

    def __call__(self, x: Array) -> Array:
        x = gate(x, "x")
        return x.reshape(self.out_shape(x.shape))

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y = self(x)
        in_shape, out_shape = x.shape, y.shape
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: gate(dy, "dy", dtype=y.dtype, shape=out_shape).reshape(in_shape)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape, n = tuple(in_shape), len(in_shape)
        start, end = self.start_dim + n * (self.start_dim < 0), self.end_dim + n * (self.end_dim < 0)
        if not 0 <= start <= end < n:
            raise ValueError(
                f"in_shape: expected axes {self.start_dim} to {self.end_dim} in this order, got {shape}"
            )
        return (*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :])
