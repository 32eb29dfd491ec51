"""Families that see each element alone: activations, products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import Call, Case, normal


@dataclass(frozen=True, kw_only=True)
class Relu(Case):
    size: int

    forward = "relu_forward"
    gradients: ClassVar = {"x": ("relu_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.size,), dtype), rng)
        forward = Call("relu_forward", {"x": x}, {"y": (x.shape, dtype)}, batched=("x", "y"), exact=True)
        backward = Call(
            "relu_backward",
            {"dy": normal(rng, x.shape, dtype), "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            batched=("dy", "y", "dx"),
            exact=True,
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Multiply(Case):
    size: int

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        a, b = (self.spoil(normal(rng, (self.size,), dtype), rng) for _ in range(2))
        return {
            "multiply": Call(
                "multiply", {"a": a, "b": b}, {"y": (a.shape, dtype)}, batched=("a", "b", "y"), exact=True
            )
        }
