"""Normalisation of a channel by its neighbours, in NumPy: few networks have it, and few times.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks"
(2012), section 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array, gate, gate_batch, gate_number
from .._geometry import one_int


def _sum_of_neighbours(x: Array, before: int, after: int) -> Array:
    """For each channel the sum of those from ``before`` in front of it to ``after`` behind it."""
    total: Array = x.copy()
    for shift in range(1, min(before, x.shape[1] - 1) + 1):
        total[:, shift:] += x[:, :-shift]
    for shift in range(1, min(after, x.shape[1] - 1) + 1):
        total[:, :-shift] += x[:, shift:]
    return total


def _gate(x: Any, size: int, alpha: float, beta: float, k: float) -> tuple[Array, int, float, float, float]:
    x, size = gate_batch(x, "x", (3, 4, 5)), one_int(size, "size")
    finite = float(np.finfo(x.dtype).max)
    numbers = ((alpha, "alpha"), (beta, "beta"), (k, "k"))
    alpha, beta, k = (gate_number(value, name, -finite, finite) for value, name in numbers)
    return x, size, alpha / size, beta, k


def _divisor(x: Array, size: int, share: float, k: float) -> Array:
    divisor = _sum_of_neighbours(x * x, size // 2, (size - 1) // 2)
    divisor *= share
    divisor += k
    return divisor


@np.errstate(all="ignore")  # NaN and infinities go their way
def local_response_norm(
    x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """x / (k + alpha / size * sum of x^2 over ``size`` neighbouring channels) ^ beta

    Parameters
    ----------
    x
        (N, C, *spatial), up to three axes, float32 or float64; only N may be 0.
    size
        How many channels: size // 2 before each one, itself, and (size - 1) // 2 after it. Those that do not
        exist count as 0.
    alpha, beta, k
        Finite numbers.

    Returns
    -------
    y
        Of the shape of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Krizhevsky, Sutskever and Hinton (2012), section 3.3, with PyTorch's division of alpha by size.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.local_response_norm(np.array([[[1.0], [2.0], [0.0]]]), 2, alpha=2.0, beta=1.0, k=1.0).round(4)
    array([[[0.5   ],
            [0.3333],
            [0.    ]]])
    """
    x, size, share, beta, k = _gate(x, size, alpha, beta, k)
    y: Array = x * _divisor(x, size, share, k) ** -beta
    return y


@np.errstate(all="ignore")
def local_response_norm_backward(
    dy: Array, x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """The gradient dx of ``local_response_norm``; ``dy`` has the shape of x.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[1.0]]])
    >>> F.local_response_norm_backward(np.ones_like(x), x, 1, alpha=1.0, beta=1.0)  # (1 - x^2) / (1 + x^2)^2
    array([[[0.]]])
    """
    x, size, share, beta, k = _gate(x, size, alpha, beta, k)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    divisor = _divisor(x, size, share, k)
    scaled = dy * divisor**-beta
    around = _sum_of_neighbours(scaled * x / divisor, (size - 1) // 2, size // 2)
    dx: Array = scaled - (2 * share * beta) * x * around
    return dx
