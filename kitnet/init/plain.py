"""Constants, uniform and normal numbers; and stand-ins, which have no memory, for all arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from .._arrays import checked_size, gate_number

_placeholders: ContextVar[bool] = ContextVar("kitnet_init_placeholders", default=False)


@contextmanager
def placeholders() -> Iterator[None]:
    """Inside this block initialisers return read-only stand-ins: shape and dtype, but no memory, no numbers.

    A model that is built to be filled from a file so costs nothing, whatever sizes the file claims.
    """
    token = _placeholders.set(True)
    try:
        yield
    finally:
        _placeholders.reset(token)


def placing() -> bool:
    """Whether this is inside a ``placeholders`` block."""
    return _placeholders.get()


def make(shape: Sequence[int], dtype: Any, values: Callable[[tuple[int, ...]], Any]) -> np.ndarray:
    shape, dtype = tuple(shape), np.dtype(dtype)
    checked_size(shape, dtype.itemsize, "shape")
    if placing():
        return np.broadcast_to(np.zeros((), dtype), shape)
    array: np.ndarray = np.empty(shape, dtype)
    array[...] = values(shape)
    return array


def constant(shape: Sequence[int], value: float, dtype: Any = np.float32) -> np.ndarray:
    """``value`` everywhere.

    >>> from kitnet import init
    >>> init.constant((2,), 0.5)
    array([0.5, 0.5], dtype=float32)
    """
    return make(shape, dtype, lambda _: value)


def zeros(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """0 everywhere.

    >>> from kitnet import init
    >>> init.zeros((2,))
    array([0., 0.], dtype=float32)
    """
    return constant(shape, 0.0, dtype)


def ones(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """1 everywhere.

    >>> from kitnet import init
    >>> init.ones((2,))
    array([1., 1.], dtype=float32)
    """
    return constant(shape, 1.0, dtype)


def uniform(
    shape: Sequence[int], rng: np.random.Generator, a: float = 0.0, b: float = 1.0, dtype: Any = np.float32
) -> np.ndarray:
    """Uniform on [a, b).

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.uniform((2, 3), np.random.default_rng(0)).shape
    (2, 3)
    """
    return make(shape, dtype, lambda s: rng.uniform(a, b, s))


def normal(
    shape: Sequence[int],
    rng: np.random.Generator,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: Any = np.float32,
) -> np.ndarray:
    """Normal with this mean and standard deviation.

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.normal((2, 3), np.random.default_rng(0), std=0.02).dtype
    dtype('float32')
    """
    return make(shape, dtype, lambda s: rng.normal(mean, std, s))


def trunc_normal(
    shape: Sequence[int],
    rng: np.random.Generator,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    dtype: Any = np.float32,
) -> np.ndarray:
    """Normal with this mean and standard deviation, with values outside of [a, b] drawn anew.

    Raises
    ------
    ValueError, TypeError
        If ``std`` is not above 0, or ``a`` not below ``b``.

    >>> import numpy as np
    >>> from kitnet import init
    >>> bool(abs(init.trunc_normal((1000,), np.random.default_rng(0))).max() <= 2)
    True
    """
    mean, std = gate_number(mean, "mean"), gate_number(std, "std", math.nextafter(0, 1))
    a = gate_number(a, "a")
    b = gate_number(b, "b", math.nextafter(a, math.inf))

    def below(x: float) -> float:
        return math.erf((x - mean) / std / math.sqrt(2)) / 2

    def values(shape: tuple[int, ...]) -> np.ndarray:
        draw = _inside if below(b) - below(a) > 0.3 else _accepted
        return draw(shape, rng, mean, std, a, b)

    return make(shape, dtype, values)


def _inside(
    shape: tuple[int, ...], rng: np.random.Generator, mean: float, std: float, a: float, b: float
) -> np.ndarray:
    """Normal numbers, drawn until they are inside."""
    x = rng.normal(mean, std, shape)
    while (outside := (x < a) | (x > b)).any():
        x[outside] = rng.normal(mean, std, int(outside.sum()))
    return x


def _accepted(
    shape: tuple[int, ...], rng: np.random.Generator, mean: float, std: float, a: float, b: float
) -> np.ndarray:
    """Uniform numbers, each accepted with the height of the bell there over that of its highest place inside.

    For bounds that hold little of the bell.
    """
    top = (min(max(mean, a), b) - mean) / std
    x = np.empty(shape)
    waiting = np.ones(shape, bool)
    while n := int(waiting.sum()):
        drawn = rng.uniform(a, b, n)
        height = np.exp((top**2 - ((drawn - mean) / std) ** 2) / 2)
        x[waiting] = drawn
        waiting[waiting] = rng.random(n) >= height
    return x
