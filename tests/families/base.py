"""What every family is made of: a ``Call`` of one kernel, and the ``Case``, a row that gives calls."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray
Arrays: TypeAlias = dict[str, Array]
Shape: TypeAlias = tuple[int, ...]

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
INF = math.inf


@dataclass(frozen=True)
class Call:
    """One call of a kernel, ready to run on any kernel set, any number of times."""

    kernel: str
    inputs: Arrays
    outputs: dict[str, tuple[Shape, np.dtype]]
    scalars: dict[str, Any] = field(default_factory=dict)
    updated: Arrays = field(default_factory=dict)
    batched: tuple[str, ...] = ()
    exact: bool = False
    """No arithmetic but copies and sums of one order: compiled must equal reference bit for bit."""

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
        """Whether the gradient kernels describe ``value`` exactly: no clip, no NaN, no shared gradient."""
        clipped = getattr(self, "low", -INF) > -INF or getattr(self, "high", INF) < INF
        shared = getattr(self, "one", False)
        return bool(self.gradients) and not self.special and not clipped and not shared

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
            values = rng.choice([math.nan, INF, -INF, 0.0, -0.0, 1.0], x.shape).astype(x.dtype)
            x = np.where(rng.random(x.shape) < min(0.2, spots / x.size), values, x)
            x[..., :5] = 0
        return x


def normal(rng: np.random.Generator, shape: Shape, dtype: np.dtype) -> Array:
    return rng.standard_normal(shape).astype(dtype)
