"""Gates: x times something from 0 to 1 that x itself, or another x, decides.

All take float32 or float64; a NaN stays a NaN. Of -inf, which the gate multiplies by 0, they make NaN, as
PyTorch does.
"""

from __future__ import annotations

from .._arrays import Array, empty, gate
from .._backend import kernels, n_threads
from .._geometry import product
from ._elementwise import backward, forward
from ._rows import counted_axis


def gelu(x: Array, approximate: str = "none") -> Array:
    """x times the probability that a normal number is below x.

    Parameters
    ----------
    x
        Any shape, float32 or float64.
    approximate
        ``"none"``, or ``"tanh"`` for x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose value or dtype does not fit.

    Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.gelu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    """
    return forward(_gelu(approximate), x)


def gelu_backward(dy: Array, x: Array, approximate: str = "none") -> Array:
    """The gradient dx of ``gelu``, given that of its output, and x.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.gelu_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0])).round(4)
    array([0.5   , 1.0852])
    """
    return backward(_gelu(approximate), dy, x=x)


def _gelu(approximate: str) -> str:
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate: expected 'none' or 'tanh', got {approximate!r}")
    return "gelu" if approximate == "none" else "gelu_tanh"


def silu(x: Array) -> Array:
    """x sigmoid(x) of every element, also known as swish.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Elfwing, Uchibe and Doya, "Sigmoid-weighted linear units for neural network function approximation
    in reinforcement learning" (2018).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.silu(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    """
    return forward("silu", x)


def silu_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``silu``: dy s (1 + x (1 - s)) with s = sigmoid(x).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.silu_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0])).round(4)
    array([0.5   , 1.0908])
    """
    return backward("silu", dy, x=x)


def mish(x: Array) -> Array:
    """x tanh(log(1 + exp(x))) of every element.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Misra, "Mish: a self regularized non-monotonic activation function" (2020).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.mish(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.3034,  0.    ,  1.944 ])
    """
    return forward("mish", x)


def mish_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``mish``, given that of its output, and x.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.mish_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0])).round(4)
    array([0.6   , 1.0693])
    """
    return backward("mish", dy, x=x)


def hardswish(x: Array) -> Array:
    """x min(max(x + 3, 0), 6) / 6 of every element: ``silu`` without an exponential.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Howard et al., "Searching for MobileNetV3" (2019).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardswish(np.array([-4.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])
    """
    return forward("hardswish", x)


def hardswish_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``hardswish``: 0 up to -3, dy from 3 on, dy (x / 3 + 1 / 2) between them.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardswish_backward(np.array([1.0, 1.0, 1.0]), np.array([-4.0, 1.5, 4.0]))
    array([0., 1., 1.])
    """
    return backward("hardswish", dy, x=x)


def _halves(x: Array, axis: int) -> tuple[int, tuple[int, int, int]]:
    """The axis counted from the front, and the shape of x as (M, 2 halves, P)."""
    axis = counted_axis(x, "x", axis)
    if x.shape[axis] % 2:
        raise ValueError(f"x: expected an even size along axis {axis}, got shape {x.shape}")
    return axis, (product(x.shape[:axis]), 2, product(x.shape[axis:]) // 2)


def glu(x: Array, axis: int = -1) -> Array:
    """The first half of x along ``axis`` times the sigmoid of the second half.

    Parameters
    ----------
    x
        Any shape, of even size along ``axis``; float32 or float64.
    axis
        From -x.ndim to x.ndim - 1.

    Returns
    -------
    y
        Half of the size of x along ``axis``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Dauphin et al., "Language modeling with gated convolutional networks" (2017).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.glu(np.array([[4.0, 6.0, 0.0, 1000.0]]))
    array([[2., 6.]])
    """
    x = gate(x, "x")
    axis, shape = _halves(x, axis)
    y = empty((*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1 :]), x.dtype)
    kernels().glu_forward(x.reshape(shape), y.reshape(shape[::2]), n_threads())
    return y


def glu_backward(dy: Array, x: Array, axis: int = -1) -> Array:
    """The gradient dx of ``glu``, given that of its output, and x.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.glu_backward(np.array([[1.0, 1.0]]), np.array([[4.0, 6.0, 0.0, 1000.0]]))
    array([[0.5, 1. , 1. , 0. ]])
    """
    x = gate(x, "x")
    axis, shape = _halves(x, axis)
    half = (*x.shape[:axis], x.shape[axis] // 2, *x.shape[axis + 1 :])
    dy = gate(dy, "dy", dtype=x.dtype, shape=half)
    dx = empty(x.shape, x.dtype)
    kernels().glu_backward(dy.reshape(shape[::2]), x.reshape(shape), dx.reshape(shape), n_threads())
    return dx
