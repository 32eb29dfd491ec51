"""What a function that is compared with PyTorch is, as data: one of kitnet, its arguments, and PyTorch's.

Inputs are named as kitnet names them and go to PyTorch in that order; a shape stands for normal numbers,
anything else is made by a function of a generator and a dtype. The ``_backward`` function is given what it
asks for by name: inputs, options, ``dy``, ``y``, ``input_shape``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Maker = Callable[[np.random.Generator, np.dtype], np.ndarray]
INF, NAN = float("inf"), float("nan")


@dataclass(frozen=True)
class Row:
    """``name`` of kitnet against ``torch``: a name, a function of torch.nn.functional, or None: the same."""

    name: str
    inputs: dict[str, tuple[int, ...] | Maker]
    options: dict[str, Any] = field(default_factory=dict)
    torch: str | Callable[[Any], Callable[..., Any]] | None = None
    torch_options: dict[str, Any] | None = None
    """PyTorch's options, where they are not the same."""
    gradients: tuple[str, ...] = ()
    """The inputs that the backward function returns gradients of, in that order; empty: the first one."""
    returns: tuple[str, ...] = ("y",)
    """What kitnet's function returns, by the names that its backward function may ask for."""
    delta: str = "dy"
    """What the backward function calls the gradient of the result."""
    known: dict[str, Any] = field(default_factory=dict)
    """What else it asks for."""
    special: bool = False
    """Infinities, NaN, corners: compared one by one, where PyTorch has a number."""

    @property
    def id(self) -> str:
        shapes = "-".join("x".join(map(str, v)) for v in self.inputs.values() if isinstance(v, tuple))
        options = ",".join(f"{k}={v}" for k, v in self.options.items() if not callable(v))
        return f"{self.name}({shapes or ('special' if self.special else '')}{',' * bool(options)}{options})"


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Maker:
    return lambda rng, dtype: rng.uniform(low, high, shape).astype(dtype)


def classes(count: int, *shape: int) -> Maker:
    return lambda rng, dtype: rng.integers(0, count, shape)


def signs(*shape: int) -> Maker:
    return lambda rng, dtype: rng.choice([-1, 1], shape).astype(dtype)


def bits(*shape: int) -> Maker:
    return lambda rng, dtype: rng.integers(0, 2, shape).astype(dtype)


def shares(*shape: int) -> Maker:
    """Distributions along axis 1."""
    return lambda rng, dtype: np.moveaxis(
        rng.dirichlet(np.ones(shape[1]), (shape[0], *shape[2:])), -1, 1
    ).astype(dtype)


def given(*values: float) -> Maker:
    return lambda rng, dtype: np.array(values, dtype)


def log(maker: Maker) -> Maker:
    return lambda rng, dtype: np.log(maker(rng, dtype))
