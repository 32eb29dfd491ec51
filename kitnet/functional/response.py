"""Normalisation of a channel by its neighbours.

Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks"
(2012), section 3.3.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import Array, empty, gate, gate_batch, gate_number
from .._backend import kernels, n_threads
from .._geometry import one_int, product


def _planes(x: Array) -> Array:
    """``x`` as (N, C, P)."""
    return x.reshape(*x.shape[:2], product(x.shape[2:]))


def _gate(
    x: Any, size: int, alpha: float, beta: float, k: float
) -> tuple[Array, tuple[int, int, float, float, float]]:
    """x, and what the kernels call before, after, share, beta and base."""
    x, size = gate_batch(x, "x", (3, 4, 5)), one_int(size, "size")
    finite = float(np.finfo(x.dtype).max)
    numbers = ((alpha, "alpha"), (beta, "beta"), (k, "k"))
    alpha, beta, k = (gate_number(value, name, -finite, finite) for value, name in numbers)
    most = x.shape[1]
    return x, (min(size // 2, most), min((size - 1) // 2, most), alpha / size, beta, k)


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
    x, settings = _gate(x, size, alpha, beta, k)
    y = empty(x.shape, x.dtype)
    kernels().response_forward(_planes(x), _planes(y), *settings, n_threads())
    return y


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
    x, settings = _gate(x, size, alpha, beta, k)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    dx = empty(x.shape, x.dtype)
    kernels().response_backward(_planes(dy), _planes(x), _planes(dx), *settings, n_threads())
    return dx
