"""Families of optimizers' steps: each element for itself, in place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np

from .base import Arrays, Call, Case, normal


@dataclass(frozen=True, kw_only=True)
class Update(Case):
    """A step over ``size`` elements. Fields of a subclass, but for ``has_...``, are its kernel's scalars."""

    size: int

    kernel: ClassVar[str]
    first: ClassVar[str] = "param"
    state: ClassVar[tuple[str, ...]] = ()
    positive: ClassVar[tuple[str, ...]] = ()
    """State that is never negative."""

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        param, grad = normal(rng, (self.size,), dtype), normal(rng, (self.size,), dtype)
        state = {}
        for name in self.state:
            array = normal(rng, (self.size,), dtype)
            array = array**2 if name in self.positive else array
            state[name] = array if getattr(self, f"has_{name}", True) else array[:0]
        own = {f.name for f in fields(self)} - {"size", "tolerance", "special"}
        scalars = {name: getattr(self, name) for name in own if not name.startswith("has_")}
        return {self.kernel: self.call(param, grad, state, scalars)}

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        batched = ("param", "grad", *(name for name, array in state.items() if array.size))
        return Call(self.kernel, {"grad": grad}, {}, scalars, {"param": param, **state}, batched)


@dataclass(frozen=True, kw_only=True)
class Sgd(Update):
    scale: float = 1.0
    decay: float = 0.0
    momentum: float = 0.0
    share: float = 1.0
    rate: float = 0.1
    nesterov: bool = False
    has_velocity: bool = False

    kernel = "sgd_step"
    state = ("velocity",)


@dataclass(frozen=True, kw_only=True)
class Asgd(Update):
    scale: float = 1.0
    decay: float = 0.0
    keep: float = 0.99
    rate: float = 0.1
    weight: float = 1.0

    kernel = "asgd_step"
    state = ("average",)


@dataclass(frozen=True, kw_only=True)
class Rprop(Update):
    scale: float = 1.0
    shrink: float = 0.5
    grow: float = 1.2
    least: float = 0.1
    most: float = 1.0

    kernel = "rprop_step"
    state = ("previous", "size")
    positive = ("size",)

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        grad[::5], state["previous"][::7] = 0, 0
        return super().call(param, grad, state, scalars)


@dataclass(frozen=True, kw_only=True)
class Lion(Update):
    scale: float = 1.0
    keep: float = 0.99
    beta1: float = 0.9
    beta2: float = 0.99
    rate: float = 0.1

    kernel = "lion_step"
    state = ("m",)


@dataclass(frozen=True, kw_only=True)
class Adam(Update):
    scale: float = 1.0
    decay: float = 0.0
    keep: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    rate: float = 0.1
    boost: float = 0.0
    root: float = 31.6
    eps: float = 1e-8
    has_top: bool = False

    kernel = "adam_step"
    state = ("m", "v", "top")
    positive = ("v", "top")


@dataclass(frozen=True, kw_only=True)
class Adamax(Update):
    scale: float = 1.0
    decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    rate: float = 0.1

    kernel = "adamax_step"
    state = ("m", "u")
    positive = ("u",)


@dataclass(frozen=True, kw_only=True)
class Lamb(Update):
    scale: float = 1.0
    decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    rate: float = 10.0
    root: float = 31.6
    eps: float = 1e-6

    kernel = "lamb_direction"
    state = ("m", "v")
    positive = ("v",)

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        inputs = {"param": param, "grad": grad}
        outputs = {"direction": (param.shape, param.dtype)}
        return Call(self.kernel, inputs, outputs, scalars, state, ("param", "grad", "direction", *state))


@dataclass(frozen=True, kw_only=True)
class Rmsprop(Update):
    scale: float = 1.0
    decay: float = 0.0
    alpha: float = 0.99
    share: float = 0.01
    eps: float = 1e-3
    momentum: float = 0.9
    rate: float = 0.1
    has_mean: bool = False
    has_velocity: bool = False

    kernel = "rmsprop_step"
    state = ("square", "mean", "velocity")
    positive = ("square",)

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        """The square is well above that of the mean: what is left of almost equal numbers has few digits."""
        if state["mean"].size:
            state["square"] = state["square"] + state["mean"] ** 2 + 1
        return super().call(param, grad, state, scalars)


@dataclass(frozen=True, kw_only=True)
class Adadelta(Update):
    scale: float = 1.0
    decay: float = 0.0
    rho: float = 0.9
    eps: float = 1e-6
    rate: float = 0.1

    kernel = "adadelta_step"
    state = ("square", "change")
    positive = ("square", "change")


@dataclass(frozen=True, kw_only=True)
class Average(Update):
    weight: float = 0.1

    kernel = "average_step"

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        return Call(self.kernel, {"x": grad}, {}, scalars, {"average": param}, ("x", "average"))


@dataclass(frozen=True, kw_only=True)
class Inner(Update):
    kernel = "inner"

    def call(self, param: np.ndarray, grad: np.ndarray, state: Arrays, scalars: dict[str, Any]) -> Call:
        return Call(self.kernel, {"a": param, "b": param + grad}, {"out": ((1,), np.dtype(np.float64))})


@dataclass(frozen=True, kw_only=True)
class Factored(Case):
    """Matrices ``shape`` (B, R, C), and the least square under the root."""

    shape: tuple[int, int, int]
    least: float = 1e-6

    def calls(self, dtype: np.dtype) -> dict[str, Call]:
        rng = self.rng()
        b, r, c = self.shape
        grad, rows, columns = (normal(rng, shape, dtype) for shape in (self.shape, (b, r), (b, c)))
        squares = Call(
            "factored_squares",
            {"grad": grad},
            {"rows": ((b, r), dtype), "columns": ((b, c), dtype)},
            batched=("grad", "rows", "columns"),
        )
        inputs = {"grad": grad, "rows": abs(rows) + 0.01, "columns": abs(columns) + 0.01}
        direction = Call(
            "factored_direction",
            inputs,
            {"direction": (self.shape, dtype)},
            {"least": self.least},
            batched=("grad", "rows", "columns", "direction"),
        )
        return {call.kernel: call for call in (squares, direction)}
