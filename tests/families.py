"""What a row of ``cases.py`` is: a family of kernels at one size, and the calls that belong to it.

``case.calls(dtype)`` gives kernel calls with seeded inputs; a ``Call`` runs on any set of kernels, any number
of times. The class attributes of a family say which kernel is the gradient of which: tests need no more.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

from kitnet._geometry import Window, lift
from kitnet._kernels import reference

Array: TypeAlias = np.ndarray
Arrays: TypeAlias = dict[str, Array]
Shape: TypeAlias = tuple[int, ...]

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
_INF = math.inf


# ---- a call --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One call of a kernel, ready to run on any kernel set, any number of times."""

    kernel: str
    inputs: Arrays
    outputs: dict[str, tuple[Shape, np.dtype]]
    scalars: dict[str, Any] = field(default_factory=dict)
    updated: Arrays = field(default_factory=dict)
    batched: tuple[str, ...] = ()
    exact: bool = (
        False  # no arithmetic but copies and sums of one order: compiled must equal reference bit for bit
    )

    def run(
        self,
        kernels: Any,
        n_threads: int = 1,
        garbage: float = math.nan,
        place: Callable[[Array], Array] = np.copy,
    ) -> Arrays:
        """The outputs and the updated arrays; outputs hold ``garbage`` before, ``place`` allocates."""
        results = {name: place(array) for name, array in self.updated.items()}
        for name, (shape, dtype) in self.outputs.items():
            results[name] = place(np.full(shape, garbage if dtype.kind == "f" else -77, dtype))
        inputs = {name: place(array) for name, array in self.inputs.items()}
        for array in inputs.values():
            array.flags.writeable = False
        getattr(kernels, self.kernel)(**inputs, **results, **self.scalars, n_threads=n_threads)
        for name, array in inputs.items():
            assert array.tobytes() == self.inputs[name].tobytes(), f"{self.kernel} wrote to its input {name}"
        return results

    def given(self, **inputs: Array) -> Call:
        """The same call on other inputs."""
        return replace(self, inputs=self.inputs | inputs)

    def part(self, low: int, high: int) -> Call:
        """The same call on the samples from ``low`` to ``high`` alone."""

        def cut(arrays: Arrays) -> Arrays:
            return {k: a[low:high] if k in self.batched else a for k, a in arrays.items()}

        outputs = {
            name: ((high - low, *shape[1:]) if name in self.batched and 0 not in shape else shape, dtype)
            for name, (shape, dtype) in self.outputs.items()
        }
        return replace(self, inputs=cut(self.inputs), updated=cut(self.updated), outputs=outputs)

    @property
    def samples(self) -> int:
        """The number of samples in the batch; 0 where the call knows no batch."""
        arrays = self.inputs | self.updated
        return next((len(arrays[name]) for name in self.batched if name in arrays), 0)


# ---- the families --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row: sizes, and how the kernels of its family are called and differentiated."""

    tolerance: float = 64
    """Bound of the largest error, in epsilons of the dtype times the largest value of the exact result."""
    special: bool = False
    """NaN, infinities, signed zeros and ties among the inputs."""

    forward: ClassVar[str] = ""
    output: ClassVar[str] = "y"
    cotangent: ClassVar[str] = "dy"
    gradients: ClassVar[dict[str, tuple[str, str]]] = {}
    """Input of ``forward`` -> (kernel, output) that holds the gradient of <cotangent, output> in it."""
    linear: ClassVar[bool] = False
    """``forward`` is linear (or affine) in each of these inputs."""

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        """The calls of this row by the names of their kernels."""
        raise NotImplementedError

    def value(self, kernels: Any, calls: dict[str, Call], **inputs: Array) -> Array:
        """The output of ``forward`` as a function of some of its inputs."""
        return calls[self.forward].given(**inputs).run(kernels)[self.output]

    @property
    def differentiable(self) -> bool:
        """Whether the gradient kernels describe ``value`` exactly: no clip, no NaN."""
        return bool(self.gradients) and not self.special and getattr(self, "low", -_INF) == -_INF

    @property
    def family(self) -> str:
        return type(self).__name__.lower()

    @property
    def id(self) -> str:
        """Family and whatever differs from the defaults."""

        def text(value: Any) -> str:
            return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)

        given = ((f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default)
        return f"{self.family}({','.join(f'{name}={text(value)}' for name, value in given)})"

    def __str__(self) -> str:
        return self.id

    def rng(self) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(self.id.encode()))

    def spoil(self, x: Array, rng: np.random.Generator, spots: float = math.inf) -> Array:
        """``x``; in a ``special`` row with about ``spots`` special values (at most 1/5) and columns of 0."""
        if self.special and x.size:
            values = rng.choice([math.nan, _INF, -_INF, 0.0, -0.0, 1.0], x.shape).astype(x.dtype)
            x = np.where(rng.random(x.shape) < min(0.2, spots / x.size), values, x)
            x[..., :5] = 0
        return x


def _normal(rng: np.random.Generator, shape: Shape, dtype: np.dtype) -> Array:
    return rng.standard_normal(shape).astype(dtype)


@dataclass(frozen=True, kw_only=True)
class Windowed(Case):
    """A family that slides a window over x (N, C, *spatial)."""

    x: Shape
    kernel: Any
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    ceil_mode: bool = False

    pooling: ClassVar[bool] = False

    @property
    def window(self) -> Window:
        return Window.of(
            self.x[2:],
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            pooling=self.pooling,
        )

    @property
    def moves(self) -> dict[str, tuple[int, int, int]]:
        """The scalars of every windowed kernel."""
        window = self.window
        return {"stride": window.stride3, "padding": window.pad3, "dilation": window.dilation3}

    @property
    def x5(self) -> Shape:
        return lift(np.empty(self.x, bool)).shape

    def y5(self, channels: int) -> Shape:
        return (self.x[0], channels, *self.window.out3)


@dataclass(frozen=True, kw_only=True)
class Conv(Windowed):
    k: int
    groups: int = 1
    bias: bool = True
    low: float = -_INF
    high: float = _INF

    forward = "conv_forward"
    gradients: ClassVar = {
        "x": ("conv_backward_data", "dx"),
        "weight": ("conv_backward_weight", "dweight"),
        "bias": ("conv_backward_weight", "dbias"),
    }
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        weight = _normal(rng, (self.k, self.x[1] // self.groups, *self.window.kernel3), dtype)
        bias = _normal(rng, (self.k if self.bias else 0,), dtype)
        x = self.spoil(_normal(rng, self.x5, dtype), rng, spots=10)
        y = self.y5(self.k)
        dy = self.spoil(_normal(rng, y, dtype), rng, spots=3)
        moves = self.moves | {"groups": self.groups}
        return {
            c.kernel: c
            for c in (
                Call(
                    "conv_forward",
                    {"x": x, "weight": weight, "bias": bias},
                    {"y": (y, dtype)},
                    {"low": self.low, "high": self.high, **moves},
                    batched=("x", "y"),
                ),
                Call(
                    "conv_backward_data",
                    {"dy": dy, "weight": weight},
                    {"dx": (x.shape, dtype)},
                    moves,
                    batched=("dy", "dx"),
                ),
                Call(
                    "conv_backward_weight",
                    {"dy": dy, "x": x},
                    {"dweight": (weight.shape, dtype), "dbias": (bias.shape, dtype)},
                    moves,
                ),
            )
        }


@dataclass(frozen=True, kw_only=True)
class Linear(Case):
    n: int
    c: int
    k: int
    bias: bool = True
    low: float = -_INF
    high: float = _INF

    forward = "linear_forward"
    gradients: ClassVar = {
        "x": ("linear_backward_data", "dx"),
        "weight": ("linear_backward_weight", "dweight"),
        "bias": ("linear_backward_weight", "dbias"),
    }
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        weight = _normal(rng, (self.k, self.c), dtype)
        bias = _normal(rng, (self.k if self.bias else 0,), dtype)
        x = self.spoil(_normal(rng, (self.n, self.c), dtype), rng, spots=10)
        dy = _normal(rng, (self.n, self.k), dtype)
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
class Local(Windowed):
    k: int
    bias: bool = True

    forward = "local_forward"
    gradients: ClassVar = {name: ("local_backward", f"d{name}") for name in ("x", "weight", "bias")}
    linear = True

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, window = self.rng(), self.window
        places = math.prod(window.out_size)
        weight = _normal(rng, (places, self.k, self.x[1] * math.prod(window.kernel)), dtype)
        bias = _normal(rng, (self.k, places) if self.bias else (0, 0), dtype)
        x = self.spoil(_normal(rng, self.x5, dtype), rng, spots=10)
        dy = _normal(rng, (self.x[0], self.k, places), dtype)
        moves = {"kernel": window.kernel3, "out": window.out3, **self.moves}
        return {
            "local_forward": Call(
                "local_forward",
                {"x": x, "weight": weight, "bias": bias},
                {"y": (dy.shape, dtype)},
                moves,
                batched=("x", "y"),
            ),
            "local_backward": Call(
                "local_backward",
                {"dy": dy, "x": x, "weight": weight},
                {"dx": (x.shape, dtype), "dweight": (weight.shape, dtype), "dbias": (bias.shape, dtype)},
                moves,
                batched=("dy", "x", "dx"),
            ),
        }


@dataclass(frozen=True, kw_only=True)
class Im2col(Windowed):
    forward = "im2col"
    backward: ClassVar[str] = "col2im"
    output = "cols"
    cotangent = "cols"
    gradients: ClassVar = {"x": ("col2im", "x")}
    linear = True

    def shape(self) -> Shape:
        """(N, windows, elements of one)"""
        window = self.window
        return self.x[0], math.prod(window.out_size), self.x[1] * math.prod(window.kernel)

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng, window = self.rng(), self.window
        x = self.spoil(_normal(rng, self.x5, dtype), rng)
        cols = _normal(rng, self.shape(), dtype)
        moves = {"kernel": window.kernel3, "out": window.out3, **self.moves}
        apart = all(
            s >= d * (k - 1) + 1
            for s, d, k in zip(window.stride, window.dilation, window.kernel, strict=True)
        )
        return {
            self.forward: Call(
                self.forward,
                {"x": x},
                {"cols": (cols.shape, dtype)},
                moves,
                batched=("x", "cols"),
                exact=True,
            ),
            self.backward: Call(
                self.backward,
                {"cols": cols},
                {"x": (x.shape, dtype)},
                moves,
                batched=("x", "cols"),
                exact=apart,
            ),
        }


@dataclass(frozen=True, kw_only=True)
class Unfold(Im2col):
    forward = "unfold"
    backward: ClassVar[str] = "fold"
    gradients: ClassVar = {"x": ("fold", "x")}

    def shape(self) -> Shape:
        n, windows, elements = super().shape()
        return n, elements, windows


@dataclass(frozen=True, kw_only=True)
class MaxPool(Windowed):
    indices: bool = True

    pooling = True
    forward = "maxpool_forward"
    gradients: ClassVar = {"x": ("maxpool_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(_normal(rng, self.x5, dtype), rng)
        if self.special:
            x = np.round(x)  # ties
            x[:1] = -_INF
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
            {"dy": _normal(rng, y, dtype), "index": forward.run(reference)["index"]},
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
        x = self.spoil(_normal(rng, self.x5, dtype), rng)
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
                {"dy": _normal(rng, y, dtype), **counts},
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
        x = self.spoil(_normal(rng, self.x5, dtype) * dtype.type(self.magnitude), rng)
        y = self.y5(self.x[1])
        scalars = {"p": self.p, "kernel": self.window.kernel3, **self.moves}
        forward = Call("lppool_forward", {"x": x}, {"y": (y, dtype)}, scalars, batched=("x", "y"))
        backward = Call(
            "lppool_backward",
            {"dy": _normal(rng, y, dtype), "x": x, "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            scalars,
            batched=("dy", "x", "y", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}

    @property
    def differentiable(self) -> bool:
        return super().differentiable and self.magnitude == 1


@dataclass(frozen=True, kw_only=True)
class Relu(Case):
    size: int

    forward = "relu_forward"
    gradients: ClassVar = {"x": ("relu_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(_normal(rng, (self.size,), dtype), rng)
        forward = Call("relu_forward", {"x": x}, {"y": (x.shape, dtype)}, batched=("x", "y"), exact=True)
        backward = Call(
            "relu_backward",
            {"dy": _normal(rng, x.shape, dtype), "y": forward.run(reference)["y"]},
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
        a, b = (self.spoil(_normal(rng, (self.size,), dtype), rng) for _ in range(2))
        return {
            "multiply": Call(
                "multiply", {"a": a, "b": b}, {"y": (a.shape, dtype)}, batched=("a", "b", "y"), exact=True
            )
        }


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Case):
    n: int
    c: int
    p: int
    offset: float = 0.5
    low: float = -_INF
    high: float = _INF

    eps: ClassVar[float] = 1e-5
    forward = "batchnorm_forward"
    gradients: ClassVar = {
        "x": ("batchnorm_backward", "dx"),
        "gamma": ("batchnorm_backward", "dgamma"),
        "beta": ("batchnorm_backward", "dbeta"),
    }

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = self.spoil(_normal(rng, (self.n, self.c, self.p), dtype) + dtype.type(self.offset), rng)
        scale, shift, gamma = (_normal(rng, (self.c,), dtype) for _ in range(3))
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
                "dy": _normal(rng, x.shape, dtype),
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
class Softmax(Case):
    m: int
    c: int

    forward = "softmax_forward"
    gradients: ClassVar = {"x": ("softmax_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x = _logits(self, rng, dtype)
        forward = Call("softmax_forward", {"x": x}, {"y": (x.shape, dtype)}, batched=("x", "y"))
        backward = Call(
            "softmax_backward",
            {"dy": _normal(rng, x.shape, dtype), "y": forward.run(reference)["y"]},
            {"dx": (x.shape, dtype)},
            batched=("dy", "y", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


@dataclass(frozen=True, kw_only=True)
class CrossEntropy(Case):
    m: int
    c: int

    forward = "cross_entropy_forward"
    output = "loss"
    cotangent = "dloss"
    gradients: ClassVar = {"x": ("cross_entropy_backward", "dx")}

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        x, target = _logits(self, rng, dtype), rng.integers(0, self.c, self.m)
        forward = Call(
            "cross_entropy_forward",
            {"x": x, "target": target},
            {"prob": (x.shape, dtype), "loss": (target.shape, dtype)},
            batched=("x", "target", "prob", "loss"),
        )
        backward = Call(
            "cross_entropy_backward",
            {
                "dloss": _normal(rng, target.shape, dtype),
                "prob": forward.run(reference)["prob"],
                "target": target,
            },
            {"dx": (x.shape, dtype)},
            batched=("dloss", "prob", "target", "dx"),
        )
        return {c.kernel: c for c in (forward, backward)}


def _logits(row: Softmax | CrossEntropy, rng: np.random.Generator, dtype: np.dtype) -> Array:
    """Logits from small to far apart; in a special row some are infinite or NaN, one sample all -inf."""
    scale = rng.choice([1, 10, 100], (row.m, 1))
    scale[:1] = 1  # one sample whose gradient is no rounded zero, so that errors have a measure
    x = (_normal(rng, (row.m, row.c), dtype) * scale).astype(dtype)
    if row.special:
        x[rng.random(x.shape) < 0.3] = -_INF
        for sample, value in enumerate((-_INF, _INF, math.nan)):
            x[sample, rng.integers(row.c) if sample else slice(None)] = value
    return x


@dataclass(frozen=True, kw_only=True)
class Sgd(Case):
    size: int
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        param, grad, velocity = (_normal(rng, (self.size,), dtype) for _ in range(3))
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
        param, grad, m, v = (_normal(rng, (self.size,), dtype) for _ in range(4))
        scalars = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": self.weight_decay}
        scalars |= {"decoupled": self.decoupled, "step": self.step}
        updated = {"param": param, "m": m, "v": v**2}
        return {
            "adam_step": Call("adam_step", {"grad": grad}, {}, scalars, updated, ("param", "grad", "m", "v"))
        }
