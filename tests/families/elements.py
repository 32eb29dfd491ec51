"""Families that see each element alone: activations, products, the steps of optimizers."""

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


@dataclass(frozen=True, kw_only=True)
class Sgd(Case):
    size: int
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        param, grad, velocity = (normal(rng, (self.size,), dtype) for _ in range(3))
        scalars = {"lr": 0.1, "momentum": self.momentum, "dampening": self.dampening}
        scalars |= {"weight_decay": self.weight_decay, "nesterov": self.nesterov}
        updated = {"param": param, "velocity": velocity if self.momentum else velocity[:0]}
        batched = ("param", "grad", "velocity") if self.momentum else ("param", "grad")
        return {"sgd_step": Call("sgd_step", {"grad": grad}, {}, scalars, updated, batched)}


@dataclass(frozen=True, kw_only=True)
class Adam(Case):
    size: int
    weight_decay: float = 0.0
    decoupled: bool = False
    step: int = 1

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        param, grad, m, v = (normal(rng, (self.size,), dtype) for _ in range(4))
        scalars = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": self.weight_decay}
        scalars |= {"decoupled": self.decoupled, "step": self.step}
        updated = {"param": param, "m": m, "v": v**2}
        return {
            "adam_step": Call("adam_step", {"grad": grad}, {}, scalars, updated, ("param", "grad", "m", "v"))
        }
