"""Sigmoids: functions that rise from one level to another, and softplus, whose slope does.

All take any shape of float32 or float64 and return the same; a NaN stays a NaN, and no exponential overflows.
"""

from __future__ import annotations

from .._arrays import Array, gate_number, gate_positive
from ._elementwise import backward, forward


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) of every element, from 0 to 1.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: the logistic function of Verhulst (1845).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return forward("sigmoid", x)


def sigmoid_backward(dy: Array, y: Array) -> Array:
    """The gradient dx of ``sigmoid``, given that of its output and the output: dy y (1 - y).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sigmoid_backward(np.array([1.0]), np.array([0.5]))
    array([0.25])
    """
    return backward("sigmoid", dy, y=y)


def logsigmoid(x: Array) -> Array:
    """log(sigmoid(x)) of every element, exact also where sigmoid(x) is 0 or 1 for the dtype.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: PyTorch's ``torch.nn.functional.logsigmoid``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.logsigmoid(np.array([-1000.0, 1000.0]))
    array([-1000.,    -0.])
    """
    return forward("logsigmoid", x)


def logsigmoid_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``logsigmoid``: dy sigmoid(-x).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.logsigmoid_backward(np.array([1.0, 1.0]), np.array([-1000.0, 0.0]))
    array([1. , 0.5])
    """
    return backward("logsigmoid", dy, x=x)


def tanh(x: Array) -> Array:
    """The hyperbolic tangent of every element, from -1 to 1.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: LeCun et al., "Efficient backprop" (1998), section 4.4.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.tanh(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7616])
    """
    return forward("tanh", x)


def tanh_backward(dy: Array, y: Array) -> Array:
    """The gradient dx of ``tanh``, given that of its output and the output: dy (1 - y^2).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.tanh_backward(np.array([1.0, 1.0]), np.array([0.0, 0.5]))
    array([1.  , 0.75])
    """
    return backward("tanh", dy, y=y)


def softsign(x: Array) -> Array:
    """x / (1 + abs(x)) of every element, from -1 to 1.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Bergstra et al., "Quadratic polynomials learn better image features" (2009).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softsign(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """
    return forward("softsign", x)


def softsign_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``softsign``: dy / (1 + abs(x))^2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softsign_backward(np.array([1.0, 1.0]), np.array([-1.0, 3.0]))
    array([0.25  , 0.0625])
    """
    return backward("softsign", dy, x=x)


def hardsigmoid(x: Array) -> Array:
    """min(max(x + 3, 0), 6) / 6 of every element: a sigmoid of three lines.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Howard et al., "Searching for MobileNetV3" (2019).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardsigmoid(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """
    return forward("hardsigmoid", x)


def hardsigmoid_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``hardsigmoid``: dy / 6 where -3 < x < 3, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardsigmoid_backward(np.array([6.0, 6.0]), np.array([-4.0, 1.5]))
    array([0., 1.])
    """
    return backward("hardsigmoid", dy, x=x)


def softplus(x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """log(1 + exp(beta x)) / beta: a smooth relu; x itself where beta x is above ``threshold``.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else,
    and where beta is not above 0.

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option pricing" (2001).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softplus(np.array([-1000.0, 0.0, 30.0])).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """
    return forward("softplus", x, gate_positive(beta, "beta"), gate_number(threshold, "threshold"))


def softplus_backward(dy: Array, x: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:
    """The gradient dx of ``softplus``: dy sigmoid(beta x), or dy where beta x is above ``threshold``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.softplus_backward(np.array([1.0, 1.0]), np.array([0.0, 30.0]))
    array([0.5, 1. ])
    """
    return backward("softplus", dy, gate_positive(beta, "beta"), gate_number(threshold, "threshold"), x=x)
