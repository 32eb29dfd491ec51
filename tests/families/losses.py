"""Families of losses: of single elements, of classes, of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import Array, Call, Case, normal
from .rows import logits


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
        if self.kind == "poisson":
            t = 9 * t
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


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Case):
    """With a class a place; ``ignored``: about a third of the places has none."""

    m: int
    c: int
    p: int = 1
    weighted: bool = False
    smoothing: float = 0.0
    ignored: bool = False

    name: ClassVar[str] = "cross_entropy"
    forward = "cross_entropy_forward"
    output = "loss"
    cotangent = "dloss"
    gradients: ClassVar = {"x": ("cross_entropy_backward", "dx")}

    def target(self, rng: np.random.Generator, dtype: np.dtype) -> Array:
        target = rng.integers(0, self.c, (self.m, self.p))
        if self.ignored:
            target[rng.random(target.shape) < 0.3] = -1
        return target

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = np.stack([logits(self, rng, dtype) for _ in range(self.p)], axis=-1)
        target = self.target(rng, dtype)
        weight = abs(normal(rng, (self.c if self.weighted else 0,), dtype))
        scalars, loss = {"smoothing": self.smoothing}, ((self.m, self.p), dtype)
        forward = Call(
            f"{self.name}_forward",
            {"x": x, "target": target, "weight": weight},
            {"prob": (x.shape, dtype), "loss": loss},
            scalars,
            batched=("x", "target", "prob", "loss"),
        )
        backward = Call(
            f"{self.name}_backward",
            {
                "dloss": normal(rng, loss[0], dtype),
                "prob": forward.run(reference)["prob"],
                "target": target,
                "weight": weight,
            },
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("dloss", "prob", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class SoftCrossEntropy(CrossEntropy):
    """With a distribution a place."""

    name = "soft_cross_entropy"
    forward = "soft_cross_entropy_forward"
    gradients: ClassVar = {"x": ("soft_cross_entropy_backward", "dx")}

    def target(self, rng: np.random.Generator, dtype: np.dtype) -> Array:
        shares = rng.dirichlet(np.ones(self.c), (self.m, self.p)).astype(dtype)
        return np.ascontiguousarray(np.moveaxis(shares, -1, 1))


@dataclass(frozen=True, kw_only=True)
class ClassTargets(Case):
    """Targets of which some are to be ignored, and some are none of the ``c`` classes."""

    m: int
    c: int
    weighted: bool = False

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        target = rng.choice([-(2**40), -100, -1, 2**40, *range(self.c + 2)], self.m)
        weight = abs(normal(rng, (self.c if self.weighted else 0,), dtype))
        call = Call(
            "class_targets",
            {"target": target, "weight": weight},
            {"classes": (target.shape, target.dtype), "totals": ((2,), np.dtype(np.float64))},
            {"count": self.c, "ignore": -100},
            batched=("target", "classes"),
        )
        return {call.kernel: call}


@dataclass(frozen=True, kw_only=True)
class Nll(Case):
    """``one``: one gradient of the loss for all places, and the loss of each is not wanted."""

    m: int
    c: int
    p: int = 1
    weighted: bool = False
    one: bool = False

    forward = "nll_forward"
    output = "loss"
    gradients: ClassVar = {"x": ("nll_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x, places = self.spoil(normal(rng, (self.m, self.c, self.p), dtype), rng), (self.m, self.p)
        target = rng.integers(-1, self.c, places)
        weight = abs(normal(rng, (self.c if self.weighted else 0,), dtype))
        forward = Call(
            "nll_forward",
            {"x": x, "target": target, "weight": weight},
            {"loss": ((0, 0) if self.one else places, dtype), "total": ((1,), np.dtype(np.float64))},
            batched=() if self.one else ("x", "target", "loss"),
        )
        backward = Call(
            "nll_backward",
            {"dy": normal(rng, (1, 1) if self.one else places, dtype), "target": target, "weight": weight},
            {"dx": (x.shape, dtype)},
            batched=("target", "dx") if self.one else ("dy", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Dice(Case):
    """``one``: one gradient for all rows."""

    m: int
    p: int
    smooth: float = 1.0
    one: bool = False

    forward = "dice_forward"
    output = "loss"
    gradients: ClassVar = {"x": ("dice_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(rng.random((self.m, self.p)).astype(dtype), rng)
        target, scalars = (rng.random(x.shape) < 0.5).astype(dtype), {"smooth": self.smooth}
        forward = Call(
            "dice_forward",
            {"x": x, "target": target},
            {"loss": (x.shape[:1], dtype)},
            scalars,
            batched=("x", "target", "loss"),
        )
        backward = Call(
            "dice_backward",
            {"dy": normal(rng, (1 if self.one else self.m,), dtype), "x": x, "target": target},
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("x", "target", "dx") if self.one else ("dy", "x", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Margin(Case):
    """``one``: one gradient for all samples."""

    m: int
    c: int
    p: int = 1
    margin: float = 1.0
    weighted: bool = False
    one: bool = False

    forward = "margin_forward"
    output = "loss"
    gradients: ClassVar = {"x": ("margin_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.m, self.c), dtype), rng, spots=self.m / 2)
        target = rng.integers(0, self.c, self.m)
        weight = abs(normal(rng, (self.c if self.weighted else 0,), dtype))
        scalars = {"p": self.p, "margin": self.margin}
        forward = Call(
            "margin_forward",
            {"x": x, "target": target, "weight": weight},
            {"loss": ((self.m,), dtype)},
            scalars,
            batched=("x", "target", "loss"),
        )
        backward = Call(
            "margin_backward",
            {
                "dy": normal(rng, (1 if self.one else self.m,), dtype),
                "x": x,
                "target": target,
                "weight": weight,
            },
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("x", "target", "dx") if self.one else ("dy", "x", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}
