"""Families that move numbers to other places, as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import Call, Case, normal


@dataclass(frozen=True, kw_only=True)
class TakeRows(Case):
    """x (B, R, W) at these rows, or all, each made of ``runs``, or whole."""

    x: tuple[int, int, int]
    rows: tuple[int, ...] = ()
    runs: tuple[tuple[int, int], ...] = ()
    value: float = 0.0

    forward = "take_rows"

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, self.x, dtype), rng)
        runs = np.array(self.runs or ((0, self.x[2]),), np.int64)
        shape = self.x[0], len(self.rows) or self.x[1], int(runs[:, 1].sum())
        inputs = {"x": x, "rows": np.array(self.rows, np.int64), "runs": runs}
        return {
            "take_rows": Call(
                "take_rows",
                inputs,
                {"y": (shape, dtype)},
                {"value": self.value},
                batched=("x", "y"),
                exact=True,
            )
        }


@dataclass(frozen=True, kw_only=True)
class PixelShuffle(Case):
    planes: int
    factor: int
    size: tuple[int, int]

    forward = "pixel_shuffle"
    cotangent = "y"
    gradients: ClassVar = {"x": ("pixel_unshuffle", "x")}
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, (h, w) = self.rng(), self.size
        x = self.spoil(normal(rng, (self.planes, self.factor, self.factor, h, w), dtype), rng)
        y = normal(rng, (self.planes, h, self.factor, w, self.factor), dtype)
        forward = Call("pixel_shuffle", {"x": x}, {"y": (y.shape, dtype)}, batched=("x", "y"), exact=True)
        backward = Call("pixel_unshuffle", {"y": y}, {"x": (x.shape, dtype)}, batched=("x", "y"), exact=True)
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Unpool(Case):
    """n numbers to some of so many places, in each of some planes; ``twice``: to the same place, too."""

    planes: int
    n: int
    places: int
    twice: bool = False

    forward = "unpool_forward"
    gradients: ClassVar = {"x": ("unpool_backward", "dx")}
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        places = np.tile(np.arange(self.places, dtype=np.int32), (self.planes, 1))
        index = np.ascontiguousarray(rng.permuted(places, axis=1)[:, : self.n])
        if self.twice:
            index[:, 1::2] = index[:, :-1:2]
        x = self.spoil(normal(rng, (self.planes, self.n), dtype), rng)
        dy = normal(rng, (self.planes, self.places), dtype)
        forward = Call(
            "unpool_forward",
            {"x": x, "index": index},
            {"y": (dy.shape, dtype)},
            batched=("x", "index", "y"),
            exact=True,
        )
        backward = Call(
            "unpool_backward",
            {"dy": dy, "index": index},
            {"dx": (x.shape, dtype)},
            batched=("dy", "index", "dx"),
            exact=True,
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and not self.twice
