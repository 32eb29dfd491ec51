"""Softmax and its relatives: scores along an axis to probabilities, or to their logarithms."""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate
from .._backend import kernels, n_threads
from ._rows import around, counted_axis


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
    axis = counted_axis(x, "x", axis)
    y = empty(x.shape, x.dtype)
    kernels().softmax_forward(around(x, axis), around(y, axis), n_threads())
    return y


def softmax_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """The gradient dx of ``softmax``, given that of its output and the output: y (dy - the sum of dy y).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softmax_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([ 0.25, -0.25])
    """
    y = gate(y, "y")
    axis = counted_axis(y, "y", axis)
    dy = gate(dy, "dy", dtype=y.dtype, shape=y.shape)
    dx = empty(y.shape, y.dtype)
    kernels().softmax_backward(around(dy, axis), around(y, axis), around(dx, axis), n_threads())
    return dx


def log_softmax(x: Array, axis: int = -1) -> Array:
    """log(softmax(x)) along ``axis``, exact also where the probability is 0 for the dtype.

    Shapes, values that are special and errors: as for ``softmax``.

    Source: Bridle, "Probabilistic interpretation of feedforward classification network outputs" (1990).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.log_softmax(np.array([0.0, 1000.0]))
    array([-1000.,     0.])
    """
    x = gate(x, "x")
    axis = counted_axis(x, "x", axis)
    y = empty(x.shape, x.dtype)
    kernels().log_softmax_forward(around(x, axis), around(y, axis), n_threads())
    return y


def log_softmax_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """The gradient dx of ``log_softmax``, given that of its output and the output: dy - exp(y) times its sum.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.log_softmax_backward(np.array([1.0, 0.0]), np.log([0.5, 0.5]))
    array([ 0.5, -0.5])
    """
    y = gate(y, "y")
    axis = counted_axis(y, "y", axis)
    dy = gate(dy, "dy", dtype=y.dtype, shape=y.shape)
    dx = empty(y.shape, y.dtype)
    kernels().log_softmax_backward(around(dy, axis), around(y, axis), around(dx, axis), n_threads())
    return dx


def softmin(x: Array, axis: int = -1) -> Array:
    """softmax(-x) along ``axis``: the smallest gets the most.

    Shapes, values that are special and errors: as for ``softmax``.

    Source: PyTorch's ``torch.nn.functional.softmin``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softmin(np.array([0.0, 1000.0]))
    array([1., 0.])
    """
    return softmax(-gate(x, "x"), axis)


def softmin_backward(dy: Array, y: Array, axis: int = -1) -> Array:
    """The gradient dx of ``softmin``, given that of its output and the output.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softmin_backward(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    array([-0.25,  0.25])
    """
    dx = softmax_backward(dy, y, axis)
    return np.negative(dx, out=dx)
