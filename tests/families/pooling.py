"""Families that pool: the largest, the mean and the norm of a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import INF, Arrays, Call, Case, Shape, normal
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
                {"dy": np.flip(self.spoil(normal(rng, y, dtype), rng)).copy(), **counts},
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


@dataclass(frozen=True, kw_only=True)
class Resample(Case):
    """Means over windows that cover each axis evenly, or the transpose: lists of any length, also none.

    ``ones``: sums over them, the transpose of which copies cells.
    """

    x: Shape
    out: Shape
    transposed: bool = False
    ones: bool = False

    def lists(self, size: int, out: int, dtype: np.dtype) -> Arrays:
        """One axis: the cells from floor(j size / out) to ceil((j + 1) size / out), of the mean of each j."""
        if size == out:
            return {
                "start": np.empty(0, np.int32),
                "index": np.empty(0, np.int32),
                "weight": np.empty(0, dtype),
            }
        matrix = np.zeros((out, size))
        for j in range(out):
            window = slice(j * size // out, -(-(j + 1) * size // out))
            matrix[j, window] = 1 if self.ones else 1 / (window.stop - window.start)
        if self.transposed:
            matrix = matrix.T
        index = [np.flatnonzero(row).tolist() for row in matrix]
        start = np.cumsum([0] + [len(row) for row in index])
        weight = [matrix[j, i] for j, row in enumerate(index) for i in row]
        return {
            "start": start.astype(np.int32),
            "index": np.array([i for row in index for i in row], np.int32),
            "weight": np.array(weight, dtype),
        }

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        pads = (1,) * (5 - len(self.x))
        wide, narrow = (*self.x[:2], *pads, *self.x[2:]), (*self.x[:2], *pads, *self.out)
        source, result = (narrow, wide) if self.transposed else (wide, narrow)
        inputs = {"x": self.spoil(normal(rng, source, dtype), rng)}
        for axis, size, out in zip("dhw", wide[2:], narrow[2:], strict=True):
            inputs |= {f"{name}_{axis}": array for name, array in self.lists(size, out, dtype).items()}
        return {"resample": Call("resample", inputs, {"y": (result, dtype)}, batched=("x", "y"))}
