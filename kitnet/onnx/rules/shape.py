"""Operators that move numbers, or give them another shape: they take integers as well as floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import layers
from ..._arrays import Array
from ...layers import Layer
from ...layers.activation import SameShape
from ..node import Node, Rule, whole
from ..reader import dtype_of


def axis_of(axis: int, ndim: int) -> int:
    """An axis, counted from the start."""
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis: expected one of {ndim} axes, got {axis}")
    return axis % ndim


class Identity(SameShape):
    """x as it is."""

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        return x, lambda dy: dy


class Moved(Layer):
    """A layer that gives its input another shape; the way back is the old one."""

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        y = np.asarray(x, order="C").reshape(self.out_shape(x.shape))
        return y, lambda dy: dy.reshape(x.shape)


class Reshape(Moved):
    """Another shape; 0 keeps an axis as it is, and one -1 follows from the rest."""

    def __init__(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        sizes = [in_shape[i] if n == 0 and i < len(in_shape) else n for i, n in enumerate(self.shape)]
        total, known = math.prod(in_shape), math.prod(n for n in sizes if n != -1)
        if -1 in sizes and known and total % known == 0:
            sizes[sizes.index(-1)] = total // known
        if math.prod(sizes) != total or min(sizes, default=0) < 0:
            raise ValueError(f"in_shape: expected one that can become {self.shape}, got {tuple(in_shape)}")
        return tuple(sizes)


class Flatten(Moved):
    """A matrix: all axes before ``axis``, and all others."""

    def __init__(self, axis: int = 1) -> None:
        self.axis = axis

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n = len(in_shape)
        axis = n if self.axis == n else axis_of(self.axis, n)
        return math.prod(in_shape[:axis]), math.prod(in_shape[axis:])


class Squeeze(Moved):
    """Without some axes of size 1; None: without all."""

    def __init__(self, axes: Sequence[int] | None = None) -> None:
        self.axes = axes

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n = len(in_shape)
        chosen = range(n) if self.axes is None else {axis_of(axis, n) for axis in self.axes}
        gone = {axis for axis in chosen if in_shape[axis] == 1}
        if self.axes is not None and len(gone) < len(self.axes):
            raise ValueError(f"in_shape: expected size 1 along the axes {self.axes}, got {tuple(in_shape)}")
        return tuple(size for axis, size in enumerate(in_shape) if axis not in gone)


class Unsqueeze(Moved):
    """With more axes of size 1, at these places of the result."""

    def __init__(self, axes: Sequence[int]) -> None:
        self.axes = tuple(axes)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n = len(in_shape) + len(self.axes)
        added = {axis_of(axis, n) for axis in self.axes}
        if len(added) < len(self.axes):
            raise ValueError(f"axes: expected each once, got {self.axes}")
        rest = iter(in_shape)
        return tuple(1 if axis in added else next(rest) for axis in range(n))


class Transpose(Layer):
    """The axes in another order; None: the last one first."""

    def __init__(self, perm: Sequence[int] | None = None) -> None:
        self.perm = perm

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        back = None if self.perm is None else np.argsort(self.perm)
        y = np.asarray(x.transpose(self.perm), order="C")
        return y, lambda dy: np.asarray(dy.transpose(back), order="C")

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        order = range(len(in_shape))[::-1] if self.perm is None else self.perm
        if sorted(order) != list(range(len(in_shape))):
            raise ValueError(f"in_shape: expected {len(order)} axes, got {tuple(in_shape)}")
        return tuple(in_shape[axis] for axis in order)


class JoinedIntegers(Layer):
    """What ``Cat`` does, with arrays of integers: shapes that are put together."""

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def __call__(self, *xs: Array) -> Array:
        return np.concatenate(xs, axis=self.axis)

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Array, Any]:
        return self(*xs), lambda dy: (None,) * len(xs)

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        return layers.Cat(self.axis).out_shape(*in_shapes)


class Split(Layer):
    """Pieces along an axis: of these sizes, or ``count`` of the same, of which the last may be smaller."""

    def __init__(self, axis: int, count: int, sizes: Sequence[int] | None = None) -> None:
        self.axis, self.count, self.sizes = axis, count, sizes

    def _sizes(self, total: int) -> list[int]:
        each = -(-total // self.count)
        sizes = self.sizes or [min(each, total - i * each) for i in range(self.count)]
        if sum(sizes) != total or min(sizes) < 0:
            raise ValueError(f"x: expected {sum(sizes)} along axis {self.axis}, as {sizes} says, got {total}")
        return list(sizes)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Any, Any]:
        axis = axis_of(self.axis, x.ndim)
        ends = np.cumsum(self._sizes(x.shape[axis]))[:-1]
        parts = [np.asarray(part, order="C") for part in np.split(x, ends, axis=axis)]

        def pullback(*dys: Array | None) -> Array:
            pairs = zip(dys, parts, strict=True)
            filled = [np.zeros_like(part) if dy is None else dy for dy, part in pairs]
            return np.concatenate(filled, axis=self.axis)

        return tuple(parts) if self.count > 1 else parts[0], pullback

    def __call__(self, x: Array) -> Any:
        return self.vjp(x, input_grad=False)[0]

    def out_shape(self, in_shape: Sequence[int]) -> Any:
        shapes = []
        for size in self._sizes(in_shape[self.axis]):
            shape = list(in_shape)
            shape[self.axis] = size
            shapes.append(tuple(shape))
        return tuple(shapes) if self.count > 1 else shapes[0]


class Gather(Layer):
    """The slices of x at the indices along an axis; negative ones count from the end."""

    def __init__(self, axis: int = 0) -> None:
        self.axis = axis

    def vjp(  # type: ignore[override]
        self, x: Array, indices: Array, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        axis = axis_of(self.axis, x.ndim)
        size = x.shape[axis]
        if indices.dtype.kind != "i" or (indices.size and not -size <= indices.min() <= indices.max() < size):
            raise ValueError(f"indices: expected integers from {-size} to {size - 1}, got others")

        def pullback(dy: Array) -> tuple[Array, None]:
            dx = np.zeros_like(x)
            where: Any = (slice(None),) * axis + (indices,)
            np.add.at(dx, where, dy)
            return dx, None

        return np.take(x, indices, axis=axis), pullback

    def __call__(self, x: Array, indices: Array) -> Array:  # type: ignore[override]
        return self.vjp(x, indices, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        shape, indices = map(tuple, in_shapes)
        axis = axis_of(self.axis, len(shape))
        return (*shape[:axis], *indices, *shape[axis + 1 :])


class Slice(Layer):
    """Every ``step``-th of the elements from ``start`` to before ``end`` along some axes."""

    def __init__(self, slices: Sequence[tuple[int, int, int, int]]) -> None:
        self.slices = tuple(slices)
        """(axis, start, end, step) each."""

    def _where(self, shape: Sequence[int]) -> tuple[slice, ...]:
        where = [slice(None)] * len(shape)
        for axis, start, end, step in self.slices:
            axis = axis_of(axis, len(shape))
            size = shape[axis]
            start, end = (n + size * (n < 0) for n in (start, end))
            low, high = (0, size) if step > 0 else (-1, size - 1)
            start, end = min(max(start, low + (step < 0)), high), min(max(end, low), high)
            where[axis] = slice(start, None if end < 0 else end, step)
        return tuple(where)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        where = self._where(x.shape)

        def pullback(dy: Array) -> Array:
            dx = np.zeros_like(x)
            dx[where] = dy
            return dx

        return np.asarray(x[where], order="C"), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        pairs = zip(self._where(in_shape), in_shape, strict=True)
        return tuple(len(range(*where.indices(size))) for where, size in pairs)


class Cast(SameShape):
    """x in another dtype: float32, float64, int32, int64 or bool."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        floats = x.dtype.kind == self.dtype.kind == "f"
        return x.astype(self.dtype), lambda dy: dy.astype(x.dtype) if floats else None


class Shape(Layer):
    """The sizes of the axes from ``start`` to before ``end``, as int64."""

    def __init__(self, start: int = 0, end: int | None = None) -> None:
        self.start, self.end = start, end

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        return np.array(x.shape[self.start : self.end], np.int64), lambda dy: None

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return (len(in_shape[self.start : self.end]),)


def _axes(node: Node, axes: Array | None, since: int) -> tuple[int, ...] | None:
    """Axes, which older versions have as an attribute, and newer ones as an input."""
    if node.version < since:
        return node.integers("axes")
    return None if axes is None else whole(axes, "axes")


def squeeze(node: Node, axes: Array | None = None) -> Layer:
    return Squeeze(_axes(node, axes, 13))


def unsqueeze(node: Node, axes: Array | None = None) -> Layer:
    found = _axes(node, axes, 13)
    if found is None:
        raise ValueError("axes: expected some, got none")
    return Unsqueeze(found)


def reshape(node: Node, shape: Array | None = None) -> Layer:
    node.ignore("consumed_inputs")
    if node.flag("allowzero"):
        node.refuse("allowzero=0", 1)
    sizes = node.integers("shape") if shape is None else whole(shape, "shape")
    if sizes is None:
        raise ValueError("shape: expected one, got none")
    return Reshape(sizes)


def flatten(node: Node) -> Layer:
    axis = node.integer("axis", 1)
    return layers.Flatten() if axis == 1 else Flatten(axis)


def split(node: Node, sizes: Array | None = None) -> Layer:
    given = node.integers("split") if sizes is None else whole(sizes, "split")
    if node.version >= 18 and given is None and node.integer("num_outputs", 0) != node.outputs:
        raise ValueError(f"num_outputs: expected {node.outputs}, the number of outputs")
    if given is not None and len(given) != node.outputs:
        raise ValueError(f"split: expected {node.outputs} sizes, got {given}")
    return Split(node.integer("axis", 0), node.outputs, given)


def pad(
    node: Node, pads: Array | None = None, value: Array | None = None, axes: Array | None = None
) -> Layer:
    """A border around the spatial axes; those of the batch and of the channels are refused one."""
    kind = node.text("mode", "constant", "reflect", "edge", "wrap")
    rank = node.rank()
    found = (node.integers("pads") or node.integers("paddings")) if pads is None else whole(pads, "pads")
    if axes is not None or found is None or len(found) != 2 * rank:
        node.refuse("pads for all axes", f"{found} for {rank}")
    pairs = list(zip(found[:rank], found[rank:], strict=True))
    if not 3 <= rank <= 5 or any(pairs[0] + pairs[1]):
        node.refuse("a border of the spatial axes of an input of 3 to 5 axes", pairs)
    flat = [cells for pair in reversed(pairs[2:]) for cells in pair]
    name = {"constant": "Constant", "reflect": "Reflection", "edge": "Replication", "wrap": "Circular"}[kind]
    layer = getattr(layers, f"{name}Pad{rank - 2}d")
    fill = node.number("value", 0.0) if value is None else float(value.item())
    return layer(flat, fill) if kind == "constant" else layer(flat)


def slice_of(
    node: Node,
    starts: Array | None = None,
    ends: Array | None = None,
    axes: Array | None = None,
    steps: Array | None = None,
) -> Layer:
    given = [
        node.integers(name) if node.version < 10 else None if array is None else whole(array, name)
        for name, array in (("starts", starts), ("ends", ends), ("axes", axes))
    ]
    if given[0] is None or given[1] is None:
        raise ValueError("starts: expected starts and ends, got none")
    count = len(given[0])
    found = (
        given[0],
        given[1],
        given[2] or range(count),
        (1,) * count if steps is None else whole(steps, "steps"),
    )
    if any(len(numbers) != count for numbers in found) or 0 in found[3]:
        raise ValueError(f"starts: expected as many ends, axes and steps (not 0), got {found}")
    return Slice([(axis, start, end, step) for start, end, axis, step in zip(*found, strict=True)])


def cast(node: Node) -> Layer:
    node.ignore("saturate", "round_mode")
    return Cast(dtype_of(node.integer("to", 0), str(node)))


def concat(node: Node) -> Layer:
    axis = node.integer("axis", 1)
    return JoinedIntegers(axis) if node.integers_flow else layers.Cat(axis)


def dropout(node: Node, ratio: Array | None = None, training: Array | None = None) -> Layer:
    node.ignore("seed", "is_test", "consumed_inputs")
    if node.outputs > 1:
        node.refuse("one output", node.outputs)
    p = node.number("ratio", 0.5) if ratio is None else float(ratio.item())
    return layers.Dropout(p) if training is None or not training.item() else _training(node)


def _training(node: Node) -> Layer:
    node.refuse("training_mode to be false (graph.vjp drops out, calls do not)", True)


RULES: dict[str, Rule] = {
    "Cast": Rule(cast),
    "Concat": Rule(concat, None),
    "Dropout": Rule(dropout, outputs=2),
    "Flatten": Rule(flatten),
    "Gather": Rule(lambda node: Gather(node.integer("axis", 0)), None),
    "Identity": Rule(lambda node: Identity()),
    "Pad": Rule(pad),
    "Reshape": Rule(reshape),
    "Shape": Rule(lambda node: Shape(node.integer("start", 0), node.attribute("end", int, None))),
    "Slice": Rule(slice_of),
    "Split": Rule(split, outputs=None),
    "Squeeze": Rule(squeeze),
    "Transpose": Rule(lambda node: Transpose(node.integers("perm"))),
    "Unsqueeze": Rule(unsqueeze),
}
