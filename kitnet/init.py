"""Initialisers: the arrays that weights start from. Names, formulas and defaults are PyTorch's.

Each takes a shape and a ``numpy.random.Generator`` and returns a new array. Values are drawn in float64, so
that one seed gives the same weights (rounded) in either dtype.

The fans of a weight of shape (K, C, \\*kernel) are ``fan_in = C * prod(kernel)`` and ``fan_out = K *
prod(kernel)``.

Sources: Glorot and Bengio 2010 (xavier), He et al. 2015 (kaiming).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from ._arrays import checked_size
from ._geometry import product

__all__ = [
    "calculate_gain",
    "constant",
    "fans",
    "kaiming_normal",
    "kaiming_uniform",
    "normal",
    "ones",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]

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


def _make(shape: Sequence[int], dtype: Any, values: Callable[[tuple[int, ...]], Any]) -> np.ndarray:
    shape, dtype = tuple(shape), np.dtype(dtype)
    checked_size(shape, dtype.itemsize, "shape")
    if placing():
        return np.broadcast_to(np.zeros((), dtype), shape)
    array: np.ndarray = np.empty(shape, dtype)
    array[...] = values(shape)
    return array


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (K, C, \\*kernel): the inputs of an output, the outputs of an input.

    Raises
    ------
    ValueError
        If ``shape`` has fewer than two axes.

    >>> from kitnet import init
    >>> init.fans((6, 1, 5, 5))
    (25, 150)
    """
    if len(shape) < 2:
        raise ValueError(f"shape: expected at least 2 dimensions, got {tuple(shape)}")
    window = product(shape[2:])
    return shape[1] * window, shape[0] * window


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor that keeps a signal's variance through ``nonlinearity``.

    ``param`` is the slope of leaky_relu, 0.01 by default.

    Raises
    ------
    ValueError
        If ``nonlinearity`` is not one of linear, sigmoid, softmax, conv1d/2d/3d, tanh, relu, leaky_relu,
        selu.

    >>> from kitnet import init
    >>> round(init.calculate_gain("relu"), 4)
    1.4142
    """
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        expected = ", ".join(sorted([*_GAINS, "leaky_relu"]))
        raise ValueError(f"nonlinearity: expected one of {expected}, got {nonlinearity!r}")
    return _GAINS[nonlinearity]


_GAINS = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 0.75} | dict.fromkeys(
    ("linear", "sigmoid", "softmax", "conv1d", "conv2d", "conv3d"), 1.0
)


def constant(shape: Sequence[int], value: float, dtype: Any = np.float32) -> np.ndarray:
    """``value`` everywhere.

    >>> from kitnet import init
    >>> init.constant((2,), 0.5)
    array([0.5, 0.5], dtype=float32)
    """
    return _make(shape, dtype, lambda _: value)


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
    return _make(shape, dtype, lambda s: rng.uniform(a, b, s))


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
    return _make(shape, dtype, lambda s: rng.normal(mean, std, s))


def xavier_uniform(
    shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32
) -> np.ndarray:
    """Uniform with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    >>> import numpy as np
    >>> from kitnet import init
    >>> bool(abs(init.xavier_uniform((10, 20), np.random.default_rng(0))).max() <= (6 / 30) ** 0.5)
    True
    """
    bound = gain * math.sqrt(6.0 / _positive(sum(fans(shape))))
    return uniform(shape, rng, -bound, bound, dtype)


def xavier_normal(
    shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32
) -> np.ndarray:
    """Normal with standard deviation gain * sqrt(2 / (fan_in + fan_out)).

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.xavier_normal((10, 20), np.random.default_rng(0)).shape
    (10, 20)
    """
    return normal(shape, rng, 0.0, gain * math.sqrt(2.0 / _positive(sum(fans(shape)))), dtype)


def kaiming_uniform(
    shape: Sequence[int],
    rng: np.random.Generator,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: Any = np.float32,
) -> np.ndarray:
    """Uniform with standard deviation gain / sqrt(fan); ``a`` is leaky_relu's slope.

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.kaiming_uniform((16, 3, 3, 3), np.random.default_rng(0), nonlinearity="relu").shape
    (16, 3, 3, 3)
    """
    bound = math.sqrt(3.0) * _kaiming_std(shape, a, mode, nonlinearity)
    return uniform(shape, rng, -bound, bound, dtype)


def kaiming_normal(
    shape: Sequence[int],
    rng: np.random.Generator,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    dtype: Any = np.float32,
) -> np.ndarray:
    """Normal with standard deviation gain / sqrt(fan); ``a`` is leaky_relu's slope.

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.kaiming_normal((16, 3, 3, 3), np.random.default_rng(0), mode="fan_out").shape
    (16, 3, 3, 3)
    """
    return normal(shape, rng, 0.0, _kaiming_std(shape, a, mode, nonlinearity), dtype)


def _kaiming_std(shape: Sequence[int], a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode: expected 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(shape)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(_positive(fan))


def _positive(fan: int) -> int:
    """A fan to divide by: a weight without elements needs no scale."""
    return max(fan, 1)
