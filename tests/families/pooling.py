"""Families that pool: the largest, the mean and the norm of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import INF, Call, normal
from .windows import Windowed


@dataclass(frozen=True, kw_only=True)
class MaxPool(Windowed):
    indices: bool = True

    pooling = True
    forward = "maxpool_forward"
    gradients: ClassVar = {"x": ("maxpool_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, self.x5, dtype), rng)
        if self.special:
            x = np.round(x)  # ties
            x[:1] = -INF
        y = self.y5(self.x[1])
        index = (y if self.indices else (0,) * 5, np.dtype(np.int32))
        forward = Call(
            "maxpool_forward",
            {"x": x},
            {"y": (y, dtype), "index": index},
            {"kernel": self.window.kernel3, **self.moves},
            batched=("x", "y", "index"),
            exact=True,
        )
        if not self.indices:
            return {forward.kernel: forward}
        backward = Call(
            "maxpool_backward",
            {"dy": normal(rng, y, dtype), "index": forward.run(reference)["index"]},
            {"dx": (x.shape, dtype)},
            batched=("dy", "index", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and self.indices


@dataclass(frozen=True, kw_only=True)
class AvgPool(Windowed):
    ones: bool = False

    pooling = True
    forward = "avgpool_forward"
    gradients: ClassVar = {"x": ("avgpool_backward", "dx")}
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, self.x5, dtype), rng)
        y = self.y5(self.x[1])
        counts = {
            f"count_{axis}": np.ones(size, dtype) if self.ones else rng.integers(1, 9, size).astype(dtype)
            for axis, size in zip("dhw", y[2:], strict=True)
        }
        scalars = {"kernel": self.window.kernel3, **self.moves}
        return {
            "avgpool_forward": Call(
                "avgpool_forward", {"x": x, **counts}, {"y": (y, dtype)}, scalars, batched=("x", "y")
            ),
            "avgpool_backward": Call(
                "avgpool_backward",
                {"dy": normal(rng, y, dtype), **counts},
                {"dx": (x.shape, dtype)},
                scalars,
                batched=("dy", "dx"),
            ),
        }


@dataclass(frozen=True, kw_only=True)
class LpPool(Windowed):
    p: float = 2.0
    magnitude: float = 1.0

    pooling = True
    forward = "lppool_forward"
    gradients: ClassVar = {"x": ("lppool_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, self.x5, dtype) * dtype.type(self.magnitude), rng)
        y = self.y5(self.x[1])
        scalars = {"p": self.p, "kernel": self.window.kernel3, **self.moves}
        forward = Call("lppool_forward", {"x": x}, {"y": (y, dtype)}, scalars, batched=("x", "y"))
        backward = Call(
            "lppool_backward",
            {"dy": normal(rng, y, dtype), "x": x, "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("dy", "x", "y", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and self.magnitude == 1
