"""Activations: of each element, or of each row."""

from __future__ import annotations

from .._arrays import Array, empty, gate
from .._backend import kernels, n_threads
from .._geometry import one_int
from ._rows import from_rows, to_rows


def relu(x: Array) -> Array:
    """max(x, 0) of every element; NaN stays NaN.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines" (2010).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    x = gate(x, "x")
    y = empty(x.shape, x.dtype)
    kernels().relu_forward(x.reshape(-1), y.reshape(-1), n_threads())
    return y


def relu_backward(dy: Array, y: Array) -> Array:
    """The gradient dx of ``relu``, given that of its output and the output: dy where y > 0 or NaN, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu_backward(np.array([5.0, 6.0]), np.array([0.0, 2.0]))
    array([0., 6.])
    """
    y = gate(y, "y")
    dy = gate(dy, "dy", dtype=y.dtype, shape=y.shape)
    dx = empty(y.shape, y.dtype)
    kernels().relu_backward(dy.reshape(-1), y.reshape(-1), dx.reshape(-1), n_threads())
    return dx


def _axis(x: Array, name: str, axis: int) -> int:
    """``axis`` counted from the front, and of size 1 or more."""
    axis = one_int(axis, "axis", -x.ndim, x.ndim - 1) % x.ndim
    if x.shape[axis] == 0:
        raise ValueError(f"{name}: expected at least 1 element along axis {axis}, got shape {x.shape}")
    return axis


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) over its sum along ``axis``: positive numbers that add up to 1.

    Parameters
    ----------
    x
        Any shape, float32 or float64; not empty along ``axis``.
    axis
        From -x.ndim to x.ndim - 1.

    Returns
    -------
    y
        Of the shape of x. Large values do not overflow; where there is NaN or +inf, or nothing but -inf, y is
        NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs" (1990).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softmax(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    x = gate(x, "x")
    axis = _axis(x, "x", axis)
    rows = to_rows(x, axis)
    y = empty(rows.shape, x.dtype)
    kernels().softmax_forward(rows, y, n_threads())
    return from_rows(y, x.shape, axis)


def softmax_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """The gradient dx of ``softmax``, given that of its output and the output: y (dy - the sum of dy y).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softmax_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([ 0.25, -0.25])
    """
    y = gate(y, "y")
    axis = _axis(y, "y", axis)
    dy = gate(dy, "dy", dtype=y.dtype, shape=y.shape)
    rows = to_rows(y, axis)
    dx = empty(rows.shape, y.dtype)
    kernels().softmax_backward(to_rows(dy, axis), rows, dx, n_threads())
    return from_rows(dx, y.shape, axis)
