"""Families that see each element alone: activations, losses, products, sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import Array, Call, Case, normal

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
class Loss(Case):
    kind: str
    size: int
    a: float = 0.0
    b: float = 0.0
    one: bool = False
    """One gradient of the loss for all elements, and the loss of each is not wanted."""

    forward = "loss_forward"
    output = "loss"
    gradients: ClassVar = {"x": ("loss_backward", "dx")}

    def operands(self, rng: np.random.Generator, dtype: np.dtype) -> tuple[Array, Array]:
        """An output and a target that such a loss is made for, some of them equal."""
        x, t = (3 * normal(rng, (self.size,), dtype) for _ in range(2))
        if self.kind in ("bce", "kl_div", "poisson"):
            x, t = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-t))
        elif self.kind in ("bce_with_logits", "focal"):
            t = np.where(rng.random(t.shape) < 0.5, t > 0, 1 / (1 + np.exp(-t)))
        elif self.kind in ("soft_margin", "hinge", "hinge_embedding"):
            t = np.where(t > 0, 1, -1)
        if self.kind in ("mse", "l1", "huber", "smooth_l1") and self.special:
            x[::4] = t[::4]
        return x.astype(dtype), t.astype(dtype)

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x, target = self.operands(rng, dtype)
        x = self.spoil(x, rng)
        scalars = {"kind": self.kind, "a": self.a, "b": self.b}
        forward = Call(
            "loss_forward",
            {"x": x, "target": target},
            {"loss": ((0,) if self.one else x.shape, dtype), "total": ((1,), dtype)},
            scalars,
            batched=() if self.one else ("x", "target", "loss"),
        )
        dy = normal(rng, (1,) if self.one else x.shape, dtype)
        backward = Call(
            "loss_backward",
            {"dy": dy, "x": x, "target": target},
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("x", "target", "dx") if self.one else ("dy", "x", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and not self.one


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
