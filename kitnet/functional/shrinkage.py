"""Shrinkage: what is near 0 becomes 0 or comes nearer to it.

All take any shape of float32 or float64 and return the same; a NaN stays a NaN.
"""

from __future__ import annotations

from .._arrays import Array, gate_number
from ._elementwise import backward, forward


def hardshrink(x: Array, lambd: float = 0.5) -> Array:
    """x where abs(x) is more than ``lambd``, else 0.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage" (1994).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardshrink(np.array([-2.0, 0.5, 0.75]))
    array([-2.  ,  0.  ,  0.75])
    """
    return forward("hardshrink", x, gate_number(lambd, "lambd"))


def hardshrink_backward(dy: Array, x: Array, lambd: float = 0.5) -> Array:
    """The gradient dx of ``hardshrink``: dy where abs(x) is more than ``lambd``, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardshrink_backward(np.array([1.0, 1.0, 1.0]), np.array([-2.0, 0.5, 0.75]))
    array([1., 0., 1.])
    """
    return backward("hardshrink", dy, gate_number(lambd, "lambd"), x=x)


def softshrink(x: Array, lambd: float = 0.5) -> Array:
    """x moved towards 0 by ``lambd``, which is at least 0, and no further than 0.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Donoho and Johnstone, "Ideal spatial adaptation by wavelet shrinkage" (1994).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softshrink(np.array([-2.0, 0.5, 0.75]))
    array([-1.5 ,  0.  ,  0.25])
    """
    return forward("softshrink", x, gate_number(lambd, "lambd", 0.0))


def softshrink_backward(dy: Array, x: Array, lambd: float = 0.5) -> Array:
    """The gradient dx of ``softshrink``: dy where abs(x) is more than ``lambd``, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softshrink_backward(np.array([1.0, 1.0, 1.0]), np.array([-2.0, 0.5, 0.75]))
    array([1., 0., 1.])
    """
    return backward("softshrink", dy, gate_number(lambd, "lambd", 0.0), x=x)


def tanhshrink(x: Array) -> Array:
    """x - tanh(x) of every element.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: PyTorch's ``torch.nn.functional.tanhshrink``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.tanhshrink(np.array([0.0, 2.0])).round(4)
    array([0.   , 1.036])
    """
    return forward("tanhshrink", x)


def tanhshrink_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``tanhshrink``: dy tanh(x)^2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.tanhshrink_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0])).round(4)
    array([0.    , 0.9293])
    """
    return backward("tanhshrink", dy, x=x)
