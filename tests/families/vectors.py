"""Families that see rows as vectors: inner products, distances, and sums of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import Call, Case, normal


@dataclass(frozen=True, kw_only=True)
class RowProducts(Case):
    m: int
    p: int

    forward = "row_products"

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        a, b = (self.spoil(normal(rng, (self.m, self.p), dtype), rng, spots=3) for _ in range(2))
        outputs = {"sums": ((self.m,), np.dtype(np.float64))}
        return {self.forward: Call(self.forward, {"a": a, "b": b}, outputs, batched=("a", "b", "sums"))}


@dataclass(frozen=True, kw_only=True)
class Distance(Case):
    """Where ``special``, ``distance_backward`` adds to what is there; ``huge``: squares overflow."""

    m: int
    n: int
    p: float = 2.0
    eps: float = 0.125
    huge: bool = False

    forward = "distance_forward"
    gradients: ClassVar = {"a": ("distance_backward", "da"), "b": ("distance_backward", "db")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        scale = dtype.type(2 * np.sqrt(np.finfo(dtype).max) if self.huge else 1)
        vectors = (scale * normal(rng, (self.m, self.n), dtype) for _ in range(2))
        a, b = (self.spoil(x, rng, spots=self.m / 2) for x in vectors)
        scalars, double = {"p": self.p, "eps": self.eps}, np.dtype(np.float64)
        forward = Call(
            "distance_forward",
            {"a": a, "b": b},
            {"y": ((self.m,), dtype)},
            scalars,
            batched=("a", "b", "y"),
        )
        inputs = {"dy": normal(rng, (self.m,), double), "a": a, "b": b, "y": forward.run(reference)["y"]}
        there = {name: normal(rng, a.shape, dtype) for name in ("da", "db")}
        backward = Call(
            "distance_backward",
            inputs,
            {} if self.special else dict.fromkeys(there, (a.shape, dtype)),
            scalars | {"add": self.special},
            there if self.special else {},
            batched=("dy", "a", "b", "y", "da", "db"),
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and not self.huge


@dataclass(frozen=True, kw_only=True)
class RowSums(Case):
    m: int
    n: int

    forward = "row_sums"

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        a, b = (self.spoil(normal(rng, (self.m, self.n), dtype), rng) for _ in range(2))
        f, g = (normal(rng, (self.m,), np.dtype(np.float64)) for _ in range(2))
        call = Call(
            self.forward,
            {"f": f, "a": a, "g": g, "b": b},
            {"y": (a.shape, dtype)},
            batched=("f", "a", "g", "b", "y"),
        )
        return {call.kernel: call}
