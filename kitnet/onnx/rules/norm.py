"""Normalisation: over a batch, a sample, a group of channels, neighbours, or any axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ... import layers
from ..._arrays import Array, gate
from ...layers import Layer
from ...layers.activation import SameShape
from ..node import Node, Rule


def _by_rank(node: Node, family: str) -> Any:
    """The layer of a family for the input's number of axes."""
    axes = max(node.rank() - 2, 1)
    if axes > 3:
        node.refuse("an input of 2 to 5 axes", axes + 2)
    return getattr(layers, f"{family}{axes}d")


def batch_norm(node: Node, scale: Array, bias: Array, mean: Array, var: Array) -> Layer:
    node.ignore("is_test", "consumed_inputs")
    if node.version < 9 and not node.integer("spatial", 1):
        node.refuse("statistics of channels (spatial=1)", "spatial=0")
    training = node.flag("training_mode") or (
        node.version < 7 and not node.flag("is_test") and node.outputs > 1
    )
    kind, momentum = _by_rank(node, "BatchNorm"), 1 - node.number("momentum", 0.9)
    eps = node.number("epsilon", 1e-5)

    def make() -> Layer:
        return kind(scale.size, eps, momentum, dtype=scale.dtype)

    layer = node.fill(make, weight=scale, bias=bias, running_mean=mean, running_var=var)
    layer.num_batches_tracked = np.zeros((), np.int64)
    if training:
        return TrainingBatchNorm(layer, node.outputs)
    if node.outputs > 1:
        node.refuse("one output, or training_mode=1", node.outputs)
    return layer


class TrainingBatchNorm(Layer):
    """Batch norm with the batch's own statistics, and how they move the running ones: y, mean, var.

    The layer's running statistics stay as they are; the variances are those of the batch, unlike PyTorch's
    without the correction of a sample's.
    """

    def __init__(self, norm: Any, outputs: int = 3) -> None:
        self.norm, self.outputs = norm, outputs

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Any, Any]:
        norm = self.norm
        y, mean, var = F.batch_norm_train(x, norm.weight.data, norm.bias.data, eps=norm.eps)
        pairs = (norm.running_mean, mean), (norm.running_var, var)
        moved = [(1 - norm.momentum) * old + norm.momentum * new for old, new in pairs]

        def pullback(dy: Array | None, *_: Any) -> Array | None:  # running statistics have no gradient
            if dy is None:
                return None
            dx, dw, db = F.batch_norm_train_backward(dy, x, mean, var, norm.weight.data, eps=norm.eps)
            norm.weight.accumulate(dw)
            norm.bias.accumulate(db)
            return dx

        results = (y, *(array.astype(x.dtype) for array in moved))
        return (results[: self.outputs] if self.outputs > 1 else y), pullback

    def __call__(self, x: Array) -> Any:
        return self.vjp(x, input_grad=False)[0]

    def out_shape(self, in_shape: Sequence[int]) -> Any:
        channels = (self.norm.num_features,)
        shapes = self.norm.out_shape(in_shape), channels, channels
        return shapes[: self.outputs] if self.outputs > 1 else shapes[0]


def instance_norm(node: Node, scale: Array, bias: Array) -> Layer:
    node.ignore("consumed_inputs")
    kind, eps = _by_rank(node, "InstanceNorm"), node.number("epsilon", 1e-5)
    return node.fill(lambda: kind(scale.size, eps, affine=True, dtype=scale.dtype), weight=scale, bias=bias)


def group_norm(node: Node, scale: Array, bias: Array) -> Layer:
    groups, eps = node.integer("num_groups", 1), node.number("epsilon", 1e-5)
    if node.version < 21:
        node.refuse("scale and bias of channels (version 21 or later)", f"version {node.version}")
    _stash(node)
    return node.fill(
        lambda: layers.GroupNorm(groups, scale.size, eps, dtype=scale.dtype), weight=scale, bias=bias
    )


def _stash(node: Node) -> None:
    if node.integer("stash_type", 1) != 1:
        node.refuse("stash_type=1", node.integer("stash_type", 1))


def _check_axis(node: Node, scale: Array) -> None:
    """The axes that are normalised together are those of the scale."""
    axis = node.integer("axis", -1)
    count = -axis if axis < 0 else node.rank() - axis
    if count != scale.ndim:
        node.refuse(f"a scale of all {count} axes from axis {axis} on", scale.shape)


def layer_norm(node: Node, scale: Array, bias: Array | None = None) -> Layer:
    _check_axis(node, scale)
    _stash(node)
    eps = node.number("epsilon", 1e-5)

    def make() -> Layer:
        return layers.LayerNorm(scale.shape, eps, bias=bias is not None, dtype=scale.dtype)

    layer = node.fill(make, weight=scale, bias=bias)
    return layer if node.outputs == 1 else StatedLayerNorm(layer, node.outputs)


class StatedLayerNorm(Layer):
    """Layer norm that also gives the mean, and 1 / sqrt(var + eps), of what it normalised together."""

    def __init__(self, norm: layers.LayerNorm, outputs: int = 3) -> None:
        self.norm, self.outputs = norm, outputs

    def __call__(self, x: Array) -> Any:
        return self.vjp(x, input_grad=False)[0]

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Any, Any]:
        y, pullback = self.norm.vjp(x, input_grad=input_grad)
        shape = self.norm.normalized_shape
        _, mean, rstd = F.layer_norm(x, shape, eps=self.norm.eps, return_statistics=True)
        told = x.shape[: x.ndim - len(shape)] + (1,) * len(shape)
        mean, rstd = mean.reshape(told), rstd.reshape(told)
        n = math.prod(shape)

        def pullback_all(
            dy: Array | None, dmean: Array | None = None, drstd: Array | None = None
        ) -> Array | None:
            dx = np.zeros_like(x) if dy is None else pullback(dy)
            if not input_grad:
                return None
            if dmean is not None:
                dx = dx + dmean / n
            return dx if drstd is None else dx - drstd * rstd**3 * (x - mean) / n

        return (y, mean, rstd)[: self.outputs], pullback_all

    def out_shape(self, in_shape: Sequence[int]) -> Any:
        count = len(self.norm.normalized_shape)
        told = tuple(in_shape[: len(in_shape) - count]) + (1,) * count
        return (self.norm.out_shape(in_shape), told, told)[: self.outputs]


def rms_norm(node: Node, scale: Array) -> Layer:
    _check_axis(node, scale)
    _stash(node)
    eps = node.number("epsilon", 1e-5)
    return node.fill(lambda: layers.RMSNorm(scale.shape, eps, dtype=scale.dtype), weight=scale)


def lrn(node: Node) -> Layer:
    size = node.integer("size", 0)
    if size % 2 == 0:
        node.refuse("an odd number of channels", size)
    alpha, beta, bias = node.number("alpha", 1e-4), node.number("beta", 0.75), node.number("bias", 1.0)
    return layers.LocalResponseNorm(size, alpha, beta, bias)


def lp_normalization(node: Node) -> Layer:
    p = node.integer("p", 2)
    if p not in (1, 2):
        node.refuse("p to be 1 or 2", p)
    return LpNormalization(node.integer("axis", -1), p)


class LpNormalization(SameShape):
    """x divided by its p-norm along an axis; zeros stay zeros. In NumPy: a few passes over x."""

    def __init__(self, axis: int = -1, p: int = 2) -> None:
        self.axis, self.p = axis, p

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        norm = np.linalg.norm(x, self.p, axis=self.axis, keepdims=True)
        divisor = np.where(norm == 0, 1, norm).astype(x.dtype)
        y = x / divisor
        slope = np.sign(x) if self.p == 1 else y

        def pullback(dy: Array) -> Array:
            return (dy - slope * (dy * y).sum(axis=self.axis, keepdims=True)) / divisor

        return y, pullback


def mean_variance(node: Node) -> Layer:
    return MeanVariance(node.integers("axes") or (0, 2, 3))


class MeanVariance(SameShape):
    """(x - mean) / deviation over some axes. In NumPy: few networks have it."""

    def __init__(self, axes: Sequence[int] = (0, 2, 3)) -> None:
        self.axes = tuple(axes)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")

        def mean(values: Array) -> Array:
            return values.mean(axis=self.axes, keepdims=True)

        centred = x - mean(x)
        deviation = np.sqrt(mean(centred * centred))
        divisor = deviation + x.dtype.type(1e-9)
        y = centred / divisor

        def pullback(dy: Array) -> Array:
            unit = centred / np.where(deviation == 0, 1, deviation)
            return (dy - mean(dy) - unit * mean(dy * y)) / divisor

        return y, pullback


RULES = {
    "BatchNormalization": Rule(batch_norm, outputs=5),
    "GroupNormalization": Rule(group_norm),
    "InstanceNormalization": Rule(instance_norm),
    "LRN": Rule(lrn),
    "LayerNormalization": Rule(layer_norm, outputs=3),
    "LpNormalization": Rule(lp_normalization),
    "MeanVarianceNormalization": Rule(mean_variance),
    "RMSNormalization": Rule(rms_norm),
}
