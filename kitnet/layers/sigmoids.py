"""Sigmoids: functions that rise from one level to another, softplus, whose slope does, and shrinkage."""

from __future__ import annotations

from .. import functional as F
from .._arrays import gate_number, gate_positive
from .activation import Activation


class Sigmoid(Activation):
    """1 / (1 + exp(-x)) of each element, from 0 to 1.

    For training use ``kitnet.training.BCEWithLogitsLoss`` on x instead: it has the sigmoid inside.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Sigmoid
    >>> Sigmoid()(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """

    _op = staticmethod(F.sigmoid)
    _op_backward = staticmethod(F.sigmoid_backward)
    _from_output = True


class LogSigmoid(Activation):
    """log(sigmoid(x)) of each element, exact also where sigmoid(x) is 0 or 1 for the dtype.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import LogSigmoid
    >>> LogSigmoid()(np.array([-1000.0, 1000.0]))
    array([-1000.,    -0.])
    """

    _op = staticmethod(F.logsigmoid)
    _op_backward = staticmethod(F.logsigmoid_backward)


class Tanh(Activation):
    """The hyperbolic tangent of each element, from -1 to 1.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Tanh
    >>> Tanh()(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.7616])
    """

    _op = staticmethod(F.tanh)
    _op_backward = staticmethod(F.tanh_backward)
    _from_output = True


class Softsign(Activation):
    """x / (1 + abs(x)) of each element, from -1 to 1 (Bergstra et al. 2009).

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Softsign
    >>> Softsign()(np.array([-1.0, 3.0]))
    array([-0.5 ,  0.75])
    """

    _op = staticmethod(F.softsign)
    _op_backward = staticmethod(F.softsign_backward)


class Hardsigmoid(Activation):
    """min(max(x + 3, 0), 6) / 6 of each element: a sigmoid of three lines (Howard et al. 2019).

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Hardsigmoid
    >>> Hardsigmoid()(np.array([-4.0, 0.0, 1.5]))
    array([0.  , 0.5 , 0.75])
    """

    _op = staticmethod(F.hardsigmoid)
    _op_backward = staticmethod(F.hardsigmoid_backward)


class Softplus(Activation):
    """log(1 + exp(beta x)) / beta: a smooth ReLU; x itself where beta x is above ``threshold``.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit; beta is above 0.

    Source: Dugas et al., "Incorporating second-order functional knowledge for better option pricing" (2001).

    >>> import numpy as np
    >>> from kitnet.layers import Softplus
    >>> Softplus()(np.array([-1000.0, 0.0, 30.0])).round(4)
    array([ 0.    ,  0.6931, 30.    ])
    """

    _op = staticmethod(F.softplus)
    _op_backward = staticmethod(F.softplus_backward)
    _names = ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta = gate_positive(beta, "beta")
        self.threshold = gate_number(threshold, "threshold")


class Hardshrink(Activation):
    """x where abs(x) is more than ``lambd``, else 0 (Donoho and Johnstone 1994).

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Hardshrink
    >>> Hardshrink()(np.array([-2.0, 0.5, 0.75]))
    array([-2.  ,  0.  ,  0.75])
    """

    _op = staticmethod(F.hardshrink)
    _op_backward = staticmethod(F.hardshrink_backward)
    _names = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = gate_number(lambd, "lambd")


class Softshrink(Activation):
    """x moved towards 0 by ``lambd``, which is at least 0, and no further (Donoho and Johnstone 1994).

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Softshrink
    >>> Softshrink()(np.array([-2.0, 0.5, 0.75]))
    array([-1.5 ,  0.  ,  0.25])
    """

    _op = staticmethod(F.softshrink)
    _op_backward = staticmethod(F.softshrink_backward)
    _names = ("lambd",)

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = gate_number(lambd, "lambd", 0.0)


class Tanhshrink(Activation):
    """x - tanh(x) of each element.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Tanhshrink
    >>> Tanhshrink()(np.array([0.0, 2.0])).round(4)
    array([0.   , 1.036])
    """

    _op = staticmethod(F.tanhshrink)
    _op_backward = staticmethod(F.tanhshrink_backward)
