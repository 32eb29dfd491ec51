"""Arithmetic: of each element, of two arrays that are stretched to each other, and products of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ... import layers
from ..._arrays import FLOATS, Array, gate
from ...layers import Layer
from ...layers.activation import SameShape
from ...layers.joins import unbroadcast
from ..node import Node, Rule

UNARY: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Any]]] = {
    "Abs": (np.abs, lambda x, y: np.sign(x)),
    "Exp": (np.exp, lambda x, y: y),
    "Log": (np.log, lambda x, y: 1 / x),
    "Neg": (np.negative, lambda x, y: -1),
    "Reciprocal": (np.reciprocal, lambda x, y: -y * y),
    "Sqrt": (np.sqrt, lambda x, y: 0.5 / y),
}
"""Each function, and its slope at x, where it is y."""

BINARY: dict[
    str, tuple[Callable[[Array, Array], Array], Callable[[Array, Array, Array], tuple[Any, Any]]]
] = {
    "Add": (np.add, lambda a, b, y: (1, 1)),
    "Sub": (np.subtract, lambda a, b, y: (1, -1)),
    "Mul": (np.multiply, lambda a, b, y: (b, a)),
    "Div": (np.divide, lambda a, b, y: (1 / b, -y / b)),
    "Pow": (np.power, lambda a, b, y: (b * np.power(a, b - 1), y * np.log(a))),
}
"""Each function, and its slopes at a and at b, where it is y."""


class Unary(SameShape):
    """A function of each element, by its name in ONNX. In NumPy."""

    def __init__(self, op: str) -> None:
        self.op = op

    @np.errstate(all="ignore")  # NaN and infinities go their way
    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        if x.dtype not in FLOATS and self.op not in ("Abs", "Neg"):
            raise TypeError(f"x: expected float32 or float64, got {x.dtype}")
        function, slope = UNARY[self.op]
        y = np.asarray(function(x))

        def pullback(dy: Array) -> Array:
            with np.errstate(all="ignore"):
                return dy * slope(x, y)

        return y, pullback


class Binary(Layer):
    """A function of two arrays, which are stretched to each other, by its name in ONNX. In NumPy."""

    def __init__(self, op: str) -> None:
        self.op = op

    @np.errstate(all="ignore")
    def vjp(  # type: ignore[override]
        self, a: Array, b: Array, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        if a.dtype != b.dtype:
            raise TypeError(f"b: expected {a.dtype}, the dtype of the other array, got {b.dtype}")
        function, slopes = BINARY[self.op]
        if self.op == "Div" and a.dtype not in FLOATS:
            raise TypeError(f"a: expected float32 or float64 to divide, got {a.dtype}")
        y = np.asarray(function(a, b))

        def pullback(dy: Array) -> tuple[Array, Array]:
            with np.errstate(all="ignore"):
                da, db = slopes(a, b, y)
                return unbroadcast(dy * da, a.shape), unbroadcast(dy * db, b.shape)

        return y, pullback

    def __call__(self, a: Array, b: Array) -> Array:  # type: ignore[override]
        return self.vjp(a, b, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        return np.broadcast_shapes(*map(tuple, in_shapes))


def unary(node: Node) -> Layer:
    node.ignore("consumed_inputs")
    return Unary(node.op)


def binary(node: Node) -> Layer:
    if node.version < 7:  # then stretching had to be asked for, and could start at any axis
        node.ignore("consumed_inputs")
        stretched = node.flag("broadcast")
        if stretched and node.attribute("axis", int, None) is not None:
            node.refuse("arrays that are stretched as in NumPy", "axis")
    floats = not node.integers_flow and 0 not in node.ranks
    return layers.Add() if node.op == "Add" and floats else Binary(node.op)


class MatMul(Layer):
    """The product of two stacks of matrices, or of vectors. On kitnet's ``linear`` if b is one matrix."""

    def vjp(  # type: ignore[override]
        self, a: Array, b: Array, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        if a.ndim < 2 or b.ndim < 2:
            raise ValueError(f"a: expected two arrays of at least 2 axes, got {a.shape} and {b.shape}")
        a, b = gate(a, "a"), gate(b, "b", dtype=a.dtype)
        if b.ndim == 2:
            weight = np.ascontiguousarray(b.T)

            def through_linear(dy: Array) -> tuple[Any, Array]:
                da, dw, _ = F.linear_backward(dy, a, weight)
                return da, np.ascontiguousarray(dw.T)

            return F.linear(a, weight), through_linear

        def pullback(dy: Array) -> tuple[Array, Array]:
            return (
                unbroadcast(dy @ b.swapaxes(-1, -2), a.shape),
                unbroadcast(a.swapaxes(-1, -2) @ dy, b.shape),
            )

        return a @ b, pullback

    def __call__(self, a: Array, b: Array) -> Array:  # type: ignore[override]
        return self.vjp(a, b, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        a, b = map(tuple, in_shapes)
        if a[-1] != b[-2]:
            raise ValueError(f"in_shape: expected matrices that fit, got {a} and {b}")
        return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])


class Gemm(Layer):
    """alpha A B + beta C, with A and B turned if so wanted; C is stretched to that."""

    def __init__(self, alpha: float, beta: float, turn_a: bool = False, turn_b: bool = False) -> None:
        self.alpha, self.beta, self.turn_a, self.turn_b = alpha, beta, turn_a, turn_b

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Array, Any]:
        if not 2 <= len(xs) <= 3 or xs[0].ndim != 2 or xs[1].ndim != 2:
            raise ValueError(
                f"x: expected two matrices, and maybe a third array, got {[x.shape for x in xs]}"
            )
        a = xs[0].T if self.turn_a else xs[0]
        b = xs[1].T if self.turn_b else xs[1]
        product, through_product = MatMul().vjp(np.ascontiguousarray(a), b)
        y = product * a.dtype.type(self.alpha)
        if len(xs) == 3:
            y = y + xs[2] * a.dtype.type(self.beta)
        if y.shape != product.shape:
            raise ValueError(
                f"x: expected a third array that stretches to {product.shape}, got {xs[2].shape}"
            )

        def pullback(dy: Array) -> tuple[Array, ...]:
            da, db = through_product(dy * self.alpha)
            pair = (da.T if self.turn_a else da, db.T if self.turn_b else db)
            return pair if len(xs) == 2 else (*pair, unbroadcast(dy * self.beta, xs[2].shape))

        return y, pullback

    def __call__(self, *xs: Array) -> Array:
        return self.vjp(*xs, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        a, b, *_ = map(tuple, in_shapes)
        return MatMul().out_shape(a[::-1] if self.turn_a else a, b[::-1] if self.turn_b else b)


def _dense(node: Node, weight: Array, bias: Array | None, turned: bool) -> Layer:
    """A ``Linear`` with the weights (K, C), or (C, K) if ``turned``."""
    own = node.made_of(weight, "turned", lambda array: array.T.copy()) if turned else weight
    k, c = own.shape

    def make() -> Layer:
        return layers.Linear(c, k, bias=bias is not None, dtype=own.dtype)

    return node.fill(make, weight=own, bias=bias)


def _is_dense(node: Node, b: Array, c: Array | None = None) -> bool:
    """Whether a Gemm is a dense layer."""
    if b.ndim != 2 or node.flag("transA") or node.number("alpha", 1.0) != 1 or node.number("beta", 1.0) != 1:
        return False
    return c is None or c.shape == (b.shape[0 if node.flag("transB") else 1],)


def gemm(node: Node) -> Layer:
    node.ignore("broadcast")
    alpha, beta = node.number("alpha", 1.0), node.number("beta", 1.0)
    return Gemm(alpha, beta, node.flag("transA"), node.flag("transB"))


def dense_gemm(node: Node, b: Array, c: Array | None = None) -> Layer:
    node.ignore("broadcast", "alpha", "beta", "transA")
    return _dense(node, b, c, turned=not node.flag("transB"))


RULES: dict[str, Rule] = {
    **{op: Rule(unary) for op in UNARY},
    **{op: Rule(binary, None) for op in BINARY},
    "Gemm": Rule(dense_gemm, fits=_is_dense, otherwise=Rule(gemm, None)),
    "MatMul": Rule(
        lambda node, b: _dense(node, b, None, turned=True),
        fits=lambda node, b: b.ndim == 2 and b.dtype in FLOATS,
        otherwise=Rule(lambda node: MatMul(), None),
    ),
}
