"""Random arrays whose scale follows from the fans of a weight, so that signals keep their size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._geometry import product
from .plain import normal, uniform


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
        If ``nonlinearity`` is not one of linear, sigmoid, softmax, conv1d/2d/3d, conv_transpose1d/2d/3d,
        tanh, relu, leaky_relu, selu.

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
    ("linear", "sigmoid", "softmax", *(f"conv{way}{n}d" for way in ("", "_transpose") for n in (1, 2, 3))),
    1.0,
)


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


def lecun_uniform(
    shape: Sequence[int], rng: np.random.Generator, mode: str = "fan_in", dtype: Any = np.float32
) -> np.ndarray:
    """Uniform with standard deviation 1 / sqrt(fan).

    >>> import numpy as np
    >>> from kitnet import init
    >>> bool(abs(init.lecun_uniform((10, 12), np.random.default_rng(0))).max() <= (3 / 12) ** 0.5)
    True
    """
    return kaiming_uniform(shape, rng, 0.0, mode, "linear", dtype)


def lecun_normal(
    shape: Sequence[int], rng: np.random.Generator, mode: str = "fan_in", dtype: Any = np.float32
) -> np.ndarray:
    """Normal with standard deviation 1 / sqrt(fan).

    >>> import numpy as np
    >>> from kitnet import init
    >>> init.lecun_normal((10, 12), np.random.default_rng(0)).shape
    (10, 12)
    """
    return kaiming_normal(shape, rng, 0.0, mode, "linear", dtype)


def _kaiming_std(shape: Sequence[int], a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode: expected 'fan_in' or 'fan_out', got {mode!r}")
    fan = fans(shape)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(_positive(fan))


def _positive(fan: int) -> int:
    """A fan to divide by: a weight without elements needs no scale."""
    return max(fan, 1)
