"""Families that see each element alone: activations, products, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import Call, Case, normal

FROM_OUTPUT = {"relu", "clip", "sigmoid", "tanh"}
"""The activations whose gradient is computed from their output."""

COPIES = {"relu", "clip", "threshold", "hardshrink"}
"""Those that only choose between numbers."""


@dataclass(frozen=True, kw_only=True)
class Activation(Case):
    kind: str
    size: int
    a: float = 0.0
    b: float = 0.0

    forward = "activation_forward"
    gradients: ClassVar = {"x": ("activation_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil((normal(rng, (self.size,), dtype) * 3).astype(dtype), rng)
        scalars = {"kind": self.kind, "a": self.a, "b": self.b}
        exact = self.kind in COPIES
        forward = Call(
            "activation_forward", {"x": x}, {"y": (x.shape, dtype)}, scalars, batched=("x", "y"), exact=exact
        )
        at = forward.run(reference)["y"] if self.kind in FROM_OUTPUT else x
        backward = Call(
            "activation_backward",
            {"dy": normal(rng, x.shape, dtype), "x": at},
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("dy", "x", "dx"),
            exact=exact,
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class PRelu(Case):
    n: int
    c: int
    p: int

    forward = "prelu_forward"
    gradients: ClassVar = {"x": ("prelu_backward", "dx"), "weight": ("prelu_backward", "dweight")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.n, self.c, self.p), dtype), rng, spots=10)
        dy, weight = normal(rng, x.shape, dtype), normal(rng, (self.c,), dtype)
        forward = Call(
            "prelu_forward", {"x": x, "weight": weight}, {"y": (x.shape, dtype)}, batched=("x", "y")
        )
        backward = Call(
            "prelu_backward",
            {"dy": dy, "x": x, "weight": weight},
            {"dx": (x.shape, dtype), "dweight": (weight.shape, dtype)},
            batched=("dy", "x", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Glu(Case):
    m: int
    p: int

    forward = "glu_forward"
    gradients: ClassVar = {"x": ("glu_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil((3 * normal(rng, (self.m, 2, self.p), dtype)).astype(dtype), rng)
        y = ((self.m, self.p), dtype)
        forward = Call("glu_forward", {"x": x}, {"y": y}, batched=("x", "y"))
        backward = Call(
            "glu_backward",
            {"dy": normal(rng, y[0], dtype), "x": x},
            {"dx": (x.shape, dtype)},
            batched=("dy", "x", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Multiply(Case):
    size: int

    forward = "multiply"

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        a, b = (self.spoil(normal(rng, (self.size,), dtype), rng) for _ in range(2))
        outputs = {"y": (a.shape, dtype)}
        return {
            self.forward: Call(self.forward, {"a": a, "b": b}, outputs, batched=("a", "b", "y"), exact=True)
        }


@dataclass(frozen=True, kw_only=True)
class Add(Multiply):
    forward = "add"
