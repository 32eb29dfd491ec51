"""Activations: functions of each element, and of all elements along an axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import functional as F
from ... import layers
from ..._arrays import FLOATS, Array, gate
from ...layers import Layer, Parameter
from ...layers.activation import SameShape
from ...layers.joins import unbroadcast
from ...models import Sequential
from ..node import Node, Rule


class Affine(SameShape):
    """scale x + shift of each element."""

    def __init__(self, scale: float = 1.0, shift: float = 0.0) -> None:
        self.scale, self.shift = scale, shift

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        return self.scale * x + self.shift, lambda dy: self.scale * dy


class Shrink(SameShape):
    """x + bias below -lambd, x - bias above lambd, 0 between."""

    def __init__(self, lambd: float = 0.5, bias: float = 0.0) -> None:
        self.lambd, self.bias = lambd, bias

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        sign = (x > self.lambd).astype(x.dtype) - (x < -self.lambd).astype(x.dtype)
        return np.where(sign != 0, x - sign * self.bias, sign), lambda dy: np.where(sign != 0, dy, sign)


class Erf(SameShape):
    """The error function, 2 P(X < sqrt(2) x) - 1 for a normal X; P is in ``gelu``, whose float64 is exact."""

    @np.errstate(invalid="ignore")
    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        wide = x.astype(np.float64) * math.sqrt(2)
        y = np.where(np.abs(wide) < 40, 2 * F.gelu(wide) / np.where(wide == 0, 1, wide) - 1, np.sign(wide))
        y = np.where(wide == 0, wide, y).astype(x.dtype)
        return y, lambda dy: dy * (2 / math.sqrt(math.pi) * np.exp(-x * x)).astype(x.dtype)


class Hardmax(SameShape):
    """1 at the first of the largest along an axis, 0 elsewhere; no gradient comes back."""

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        y = np.zeros_like(x)
        np.put_along_axis(y, x.argmax(axis=self.axis, keepdims=True), 1, axis=self.axis)
        return y, np.zeros_like


class BroadcastPReLU(SameShape):
    """x where it is positive, x times ``weight`` where it is not, of any shape that NumPy would stretch."""

    def __init__(self, shape: tuple[int, ...], *, dtype: Any = np.float32) -> None:
        self.shape = shape
        self.weight = Parameter(np.zeros(shape, dtype))

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        weight = self.weight.data
        x = gate(x, "x", dtype=weight.dtype)
        if np.broadcast_shapes(x.shape, weight.shape) != x.shape:
            raise ValueError(f"x: expected a shape that {weight.shape} broadcasts to, got {x.shape}")

        def pullback(dy: Array) -> Array:
            self.weight.accumulate(unbroadcast(np.where(x > 0, 0, dy * x), weight.shape))
            return np.where(x > 0, dy, dy * weight)

        return np.where(x > 0, x, x * weight), pullback


class AsRows(SameShape):
    """Another layer on x as a matrix: the axes from ``axis`` on are its rows' elements."""

    def __init__(self, layer: Layer, axis: int) -> None:
        self.layer, self.axis = layer, axis

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        x = gate(x, "x")
        shape = x.shape
        rows = x.reshape(math.prod(shape[: self.axis]), -1)
        y, pullback = self.layer.vjp(rows, input_grad=input_grad)
        return y.reshape(shape), lambda dy: pullback(dy.reshape(rows.shape)).reshape(shape)


def prelu(node: Node, slope: Array) -> Layer:
    by_channel = node.version < 7 and slope.ndim == 1
    by_channel |= slope.ndim == node.rank() - 1 and slope.size == slope.shape[0]  # (C, 1, 1)
    if by_channel or slope.size == 1:
        weight = node.made_of(slope, "row", lambda array: array.reshape(-1))
        return node.fill(lambda: layers.PReLU(weight.size, dtype=weight.dtype), weight=weight)
    return node.fill(lambda: BroadcastPReLU(slope.shape, dtype=slope.dtype), weight=slope)


def clip(node: Node, low: Array | None = None, high: Array | None = None) -> Layer:
    if node.version < 11:
        return _between(node.number("min", -math.inf), node.number("max", math.inf))
    for bound in (low, high):
        if bound is not None and (bound.size != 1 or bound.dtype not in FLOATS):
            node.refuse("bounds that are one float each", f"{bound.dtype} {bound.shape}")
    return _between(-math.inf if low is None else low.item(), math.inf if high is None else high.item())


def _between(low: float, high: float) -> Layer:
    return layers.Hardtanh(min(low, high), high)  # where they cross, ONNX has the upper one everywhere


def selu(node: Node) -> Layer:
    alpha, gamma = (
        node.number("alpha", 1.67326319217681884765625),
        node.number("gamma", 1.05070102214813232421875),
    )
    return Sequential(layers.ELU(alpha), Affine(gamma))


def hard_sigmoid(node: Node) -> Layer:
    scale, shift = node.number("alpha", 0.2), node.number("beta", 0.5)
    return Sequential(Affine(scale, shift), layers.Hardtanh(0.0, 1.0))


def swish(node: Node) -> Layer:
    alpha = node.number("alpha", 1.0)
    if alpha == 1 or alpha == 0:
        return layers.SiLU() if alpha else Affine(0.5)
    return Sequential(Affine(alpha), layers.SiLU(), Affine(1 / alpha))


def gelu(node: Node) -> Layer:
    return layers.GELU(node.text("approximate", "none", "tanh"))


def along(kind: Any) -> Any:
    """The rule of a layer along an axis; before version 13 it was along all axes from that one on."""

    def build(node: Node) -> Layer:
        if node.version >= 13:
            return kind(node.integer("axis", -1))
        axis = node.integer("axis", 1)
        rank = node.rank()
        axis += rank * (axis < 0)
        return kind(-1) if axis == rank - 1 else AsRows(kind(-1), axis)

    return build


def plain(kind: Any, **numbers: tuple[str, float]) -> Rule:
    """The rule of a layer whose arguments are attributes, maybe under other names."""

    def build(node: Node) -> Layer:
        node.ignore("consumed_inputs")
        return kind(**{name: node.number(theirs, default) for name, (theirs, default) in numbers.items()})

    return Rule(build)


RULES: dict[str, Rule] = {
    "Celu": plain(layers.CELU, alpha=("alpha", 1.0)),
    "Clip": Rule(clip),
    "Elu": plain(layers.ELU, alpha=("alpha", 1.0)),
    "Erf": plain(Erf),
    "Gelu": Rule(gelu),
    "HardSigmoid": Rule(hard_sigmoid),
    "HardSwish": plain(layers.Hardswish),
    "Hardmax": Rule(along(Hardmax)),
    "LeakyRelu": plain(layers.LeakyReLU, negative_slope=("alpha", 0.01)),
    "LogSoftmax": Rule(along(layers.LogSoftmax)),
    "Mish": plain(layers.Mish),
    "PRelu": Rule(prelu),
    "Relu": plain(layers.ReLU),
    "Selu": Rule(selu),
    "Shrink": plain(Shrink, lambd=("lambd", 0.5), bias=("bias", 0.0)),
    "Sigmoid": plain(layers.Sigmoid),
    "Softmax": Rule(along(layers.Softmax)),
    "Softplus": plain(layers.Softplus),
    "Softsign": plain(layers.Softsign),
    "Swish": Rule(swish),
    "Tanh": plain(layers.Tanh),
    "ThresholdedRelu": Rule(lambda node: layers.Threshold(node.number("alpha", 1.0), 0.0)),
}
