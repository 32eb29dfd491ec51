"""Sums, means and largest values over axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..._arrays import FLOATS, Array
from ...layers import Layer
from ..node import Node, Rule, whole


def _mean(x: Array, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    """NumPy's, without a warning for the mean of nothing, which is NaN."""
    total = np.sum(x, axis=axis, keepdims=keepdims)
    with np.errstate(all="ignore"):
        return np.divide(total, x.size / total.size if total.size else 1)


FUNCTIONS: dict[str, Callable[..., Array]] = {
    "ReduceMax": np.max,
    "ReduceMean": _mean,
    "ReduceMin": np.min,
    "ReduceSum": np.sum,
}


class Reduce(Layer):
    """One of ``FUNCTIONS`` over some axes, by its name in ONNX; None: over all. In NumPy.

    Of largest and smallest values all that are equal share the gradient.
    """

    def __init__(self, op: str, axes: Sequence[int] | None = None, keepdims: bool = True) -> None:
        self.op, self.keepdims = op, keepdims
        self.axes = None if axes is None else tuple(axes)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        if self.op == "ReduceMean" and x.dtype not in FLOATS:
            raise TypeError(f"x: expected float32 or float64, got {x.dtype}")
        kept = np.asarray(FUNCTIONS[self.op](x, axis=self.axes, keepdims=True)).astype(x.dtype)
        shape = self.out_shape(x.shape)

        def pullback(dy: Array) -> Array:
            dy = dy.reshape(kept.shape)
            if self.op in ("ReduceMax", "ReduceMin"):
                chosen = (x == kept).astype(x.dtype)
                return dy * chosen / chosen.sum(axis=self.axes, keepdims=True)
            share = kept.size / x.size if self.op == "ReduceMean" else 1.0
            return np.array(np.broadcast_to(dy * x.dtype.type(share), x.shape))

        return kept.reshape(shape), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n = len(in_shape)
        gone = set(range(n)) if self.axes is None else {axis % n for axis in self.axes if -n <= axis < n}
        if self.axes is not None and len(gone) < len(self.axes):
            raise ValueError(f"in_shape: expected axes {self.axes}, got {tuple(in_shape)}")
        if self.keepdims:
            return tuple(1 if axis in gone else size for axis, size in enumerate(in_shape))
        return tuple(size for axis, size in enumerate(in_shape) if axis not in gone)


def reduce(node: Node, axes: Array | None = None) -> Layer:
    keepdims, nothing = bool(node.integer("keepdims", 1)), node.flag("noop_with_empty_axes")
    found = node.integers("axes") if axes is None else whole(axes, "axes")
    if nothing and not found:
        node.refuse("axes, or noop_with_empty_axes=0", 1)
    return Reduce(node.op, found or None, keepdims)


RULES = {op: Rule(reduce) for op in FUNCTIONS}
