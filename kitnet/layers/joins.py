"""Layers that make one array of several, where the ways of a ``kitnet.models.Graph`` meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._arrays import Array, gate
from .._geometry import one_int
from ..functional._elementwise import add
from ..functional._moves import joined, parted
from .base import MOST_AXES, Layer, Pullback, no_gradient


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of an array of ``shape`` that was stretched: its sum over what it was stretched along."""
    extra = gradient.ndim - len(shape)
    stretched = [extra + i for i, size in enumerate(shape) if size != gradient.shape[extra + i]]
    if not extra and not stretched:
        return gradient
    return gradient.sum(axis=(*range(extra), *stretched), keepdims=True).reshape(shape)


class Add(Layer):
    """The sum of two arrays: ``layer(a, b)``, whose pullback returns (da, db). Where a residual block ends.

    Shapes: two that NumPy would stretch to each other, most often the same -> that one.

    Source: He et al., "Deep residual learning for image recognition" (2015), section 3.2. ONNX's Add.

    >>> import numpy as np
    >>> from kitnet.layers import Add
    >>> Add()(np.array([[1.0, 2.0]]), np.array([[10.0], [20.0]]))
    array([[11., 12.],
           [21., 22.]])
    """

    def vjp(  # type: ignore[override]
        self, a: Array, b: Array, *, input_grad: bool = True
    ) -> tuple[Array, Pullback]:
        a = gate(a, "a")
        b = gate(b, "b", dtype=a.dtype)
        shape = self._shape(a.shape, b.shape, "b")

        def pullback(dy: Array) -> tuple[Array, Array]:
            dy = gate(dy, "dy", dtype=a.dtype, shape=shape)
            return unbroadcast(dy, a.shape), unbroadcast(dy, b.shape)

        y = add(a, b) if a.shape == b.shape else np.asarray(a + b)  # what is stretched is small: by NumPy
        return y, pullback if input_grad else no_gradient

    def __call__(self, a: Array, b: Array) -> Array:  # type: ignore[override]
        return self.vjp(a, b, input_grad=False)[0]

    @staticmethod
    def _shape(a: Sequence[int], b: Sequence[int], name: str) -> tuple[int, ...]:
        try:
            return np.broadcast_shapes(tuple(a), tuple(b))
        except ValueError:
            raise ValueError(
                f"{name}: expected a shape that {tuple(a)} can be added to, got {tuple(b)}"
            ) from None

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        a, b = in_shapes
        return self._shape(a, b, "in_shape")


class Cat(Layer):
    """Arrays side by side along an axis: ``layer(a, b, ...)``, whose pullback returns a gradient for each.

    Shapes: any that differ along ``dim`` at most, such as (N, C1, H, W) and (N, C2, H, W) -> (N, C1 + C2, H,
    W).

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Szegedy et al., "Going deeper with convolutions" (2014), section 4; the name is PyTorch's
    ``torch.cat``. ONNX's Concat.

    >>> import numpy as np
    >>> from kitnet.layers import Cat
    >>> Cat()(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    array([[1., 2., 3.]])
    """

    def __init__(self, dim: int = 1) -> None:
        self.dim = one_int(dim, "dim", least=-MOST_AXES, most=MOST_AXES)

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Array, Pullback]:
        arrays = [gate(x, "x") for x in xs]
        shape = self.out_shape(*(x.shape for x in arrays))
        arrays = [gate(x, "x", dtype=arrays[0].dtype) for x in arrays]
        axis, shapes, dtype = self.dim % len(shape), [x.shape for x in arrays], arrays[0].dtype

        def pullback(dy: Array) -> tuple[Array, ...]:
            return parted(gate(dy, "dy", dtype=dtype, shape=shape), shapes, axis)

        return joined(arrays, axis, shape), pullback if input_grad else no_gradient

    def __call__(self, *xs: Array) -> Array:
        return self.vjp(*xs, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        first = list(in_shapes[0]) if in_shapes else []
        axis = self.dim + len(first) * (self.dim < 0)
        rests = {(len(shape), *shape[:axis], *shape[axis + 1 :]) for shape in map(tuple, in_shapes)}
        if not 0 <= axis < len(first) or len(rests) != 1:
            told = ", ".join(map(str, map(tuple, in_shapes)))
            raise ValueError(
                f"in_shape: expected shapes that differ along axis {self.dim}, got {told or 'none'}"
            )
        first[axis] = sum(shape[axis] for shape in in_shapes)
        return tuple(first)
