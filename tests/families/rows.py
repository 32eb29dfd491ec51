"""Families that see rows, samples or channels: linear maps, normalisation, softmax and its loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from kitnet._kernels import reference

from .base import INF, Array, Call, Case, normal


@dataclass(frozen=True, kw_only=True)
class Linear(Case):
    n: int
    c: int
    k: int
    bias: bool = True
    low: float = -INF
    high: float = INF

    forward = "linear_forward"
    gradients: ClassVar = {
        "x": ("linear_backward_data", "dx"),
        "weight": ("linear_backward_weight", "dweight"),
        "bias": ("linear_backward_weight", "dbias"),
    }
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        weight = normal(rng, (self.k, self.c), dtype)
        bias = normal(rng, (self.k if self.bias else 0,), dtype)
        x = self.spoil(normal(rng, (self.n, self.c), dtype), rng, spots=10)
        dy = normal(rng, (self.n, self.k), dtype)
        return {
            c.kernel: c
            for c in (
                Call(
                    "linear_forward",
                    {"x": x, "weight": weight, "bias": bias},
                    {"y": (dy.shape, dtype)},
                    {"low": self.low, "high": self.high},
                    batched=("x", "y"),
                ),
                Call(
                    "linear_backward_data",
                    {"dy": dy, "weight": weight},
                    {"dx": (x.shape, dtype)},
                    batched=("dy", "dx"),
                ),
                Call(
                    "linear_backward_weight",
                    {"dy": dy, "x": x},
                    {"dweight": (weight.shape, dtype), "dbias": (bias.shape, dtype)},
                ),
            )
        }


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Case):
    n: int
    c: int
    p: int
    offset: float = 0.5
    low: float = -INF
    high: float = INF

    eps: ClassVar[float] = 1e-5
    forward = "batchnorm_forward"
    gradients: ClassVar = {
        "x": ("batchnorm_backward", "dx"),
        "gamma": ("batchnorm_backward", "dgamma"),
        "beta": ("batchnorm_backward", "dbeta"),
    }

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.n, self.c, self.p), dtype) + dtype.type(self.offset), rng)
        scale, shift, gamma = (normal(rng, (self.c,), dtype) for _ in range(3))
        channel = ((self.c,), dtype)
        statistics = Call("batchnorm_statistics", {"x": x}, {"mean": channel, "var": channel})
        forward = Call(
            "batchnorm_forward",
            {"x": x, "scale": scale, "shift": shift},
            {"y": (x.shape, dtype)},
            {"low": self.low, "high": self.high},
            batched=("x", "y"),
        )
        found = statistics.run(reference)
        backward = Call(
            "batchnorm_backward",
            {
                "dy": normal(rng, x.shape, dtype),
                "x": x,
                "mean": found["mean"],
                "invstd": (1 / np.sqrt(found["var"] + self.eps)).astype(dtype),
                "gamma": gamma,
            },
            {"dx": (x.shape, dtype), "dgamma": channel, "dbeta": channel},
        )
        return {c.kernel: c for c in (statistics, forward, backward)}

    def value(self, kernels: Any, calls: dict[str, Call], **inputs: Array) -> Array:
        """The training form: statistics of the batch, then scale and shift."""
        x, gamma, beta = (inputs[name] for name in ("x", "gamma", "beta"))
        found = calls["batchnorm_statistics"].given(x=x).run(kernels)
        scale = gamma / np.sqrt(found["var"] + self.eps)
        shift = beta - found["mean"] * scale
        return calls["batchnorm_forward"].given(x=x, scale=scale, shift=shift).run(kernels)["y"]


@dataclass(frozen=True, kw_only=True)
class RowNorm(Case):
    n: int
    c: int
    p: int = 1
    groups: int = 1
    weight: bool = True
    centred: bool = True
    offset: float = 0.5

    eps: ClassVar[float] = 1e-5
    forward = "rownorm_forward"
    gradients: ClassVar = {
        "x": ("rownorm_backward", "dx"),
        "gamma": ("rownorm_backward", "dgamma"),
        "beta": ("rownorm_backward", "dbeta"),
    }

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.n, self.c, self.p), dtype) + dtype.type(self.offset), rng, spots=3)
        gamma, beta = (normal(rng, (self.c if self.weight else 0,), dtype) for _ in range(2))
        rows = (self.n, self.groups)
        forward = Call(
            "rownorm_forward",
            {"x": x, "gamma": gamma, "beta": beta},
            {
                "y": (x.shape, dtype),
                "mean": (rows if self.centred else (0, 0), dtype),
                "invstd": (rows, dtype),
            },
            {"eps": self.eps},
            batched=("x", "y", "mean", "invstd"),
        )
        found = forward.run(reference)
        backward = Call(
            "rownorm_backward",
            {
                "dy": normal(rng, x.shape, dtype),
                "x": x,
                "mean": found["mean"],
                "invstd": found["invstd"],
                "gamma": gamma,
            },
            {"dx": (x.shape, dtype), "dgamma": (gamma.shape, dtype), "dbeta": (gamma.shape, dtype)},
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Embedding(Case):
    """m rows of a table of k, of d numbers each."""

    m: int
    k: int
    d: int

    forward = "embedding_backward"
    output = "dw"

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        dy = self.spoil(normal(rng, (self.m, self.d), dtype), rng, spots=5)
        x = rng.integers(0, self.k, self.m)
        return {self.forward: Call(self.forward, {"dy": dy, "x": x}, {"dw": ((self.k, self.d), dtype)})}


@dataclass(frozen=True, kw_only=True)
class Response(Case):
    n: int
    c: int
    p: int = 1
    size: int = 5
    alpha: float = 0.5
    beta: float = 0.75
    base: float = 1.0

    forward = "response_forward"
    gradients: ClassVar = {"x": ("response_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(normal(rng, (self.n, self.c, self.p), dtype), rng, spots=5)
        settings = {
            "before": self.size // 2,
            "after": (self.size - 1) // 2,
            "share": self.alpha / self.size,
            "beta": self.beta,
            "base": self.base,
        }
        forward = Call("response_forward", {"x": x}, {"y": (x.shape, dtype)}, settings, batched=("x", "y"))
        backward = Call(
            "response_backward",
            {"dy": normal(rng, x.shape, dtype), "x": x},
            {"dx": (x.shape, dtype)},
            settings,
            batched=("dy", "x", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class Softmax(Case):
    m: int
    c: int
    p: int = 1

    forward = "softmax_forward"
    gradients: ClassVar = {"x": ("softmax_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = np.stack([logits(self, rng, dtype) for _ in range(self.p)], axis=-1)
        forward = Call("softmax_forward", {"x": x}, {"y": (x.shape, dtype)}, batched=("x", "y"))
        backward = Call(
            "softmax_backward",
            {"dy": normal(rng, x.shape, dtype), "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            batched=("dy", "y", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class LogSoftmax(Case):
    m: int
    c: int
    p: int = 1

    forward = "log_softmax_forward"
    gradients: ClassVar = {"x": ("log_softmax_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = np.stack([logits(self, rng, dtype) for _ in range(self.p)], axis=-1)
        forward = Call("log_softmax_forward", {"x": x}, {"y": (x.shape, dtype)}, batched=("x", "y"))
        backward = Call(
            "log_softmax_backward",
            {"dy": normal(rng, x.shape, dtype), "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            batched=("dy", "y", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


def logits(row: Any, rng: np.random.Generator, dtype: np.dtype) -> Array:
    """Logits from small to far apart; in a special row some are infinite or NaN, one sample all -inf."""
    scale = rng.choice([1, 10, 100], (row.m, 1))
    scale[:1] = 1  # one sample whose gradient is no rounded zero, so that errors have a measure
    x = (normal(rng, (row.m, row.c), dtype) * scale).astype(dtype)
    if row.special:
        x[rng.random(x.shape) < 0.3] = -INF
        for sample, value in enumerate((-INF, INF, math.nan)):
            x[sample, rng.integers(row.c) if sample else slice(None)] = value
    return x
