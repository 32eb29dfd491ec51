"""Softmax and its relatives: along one axis, scores to probabilities or to their logarithms."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .._geometry import one_int
from .activation import Activation
from .base import MOST_AXES


class AlongAxis(Activation):
    """What the layers share that see all elements along the axis ``dim`` together."""

    def __init__(self, dim: int = -1) -> None:
        self.dim = one_int(dim, "dim", least=-MOST_AXES, most=MOST_AXES)

    def arguments(self) -> tuple[Any, ...]:
        return (self.dim,)


class Softmax(AlongAxis):
    """exp(x) / sum(exp(x)) along the axis ``dim``: scores to probabilities.

    For training use ``kitnet.training.CrossEntropyLoss`` on the scores instead: it has the softmax inside.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Softmax
    >>> Softmax()(np.zeros((1, 4), np.float32))
    array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """

    _op = staticmethod(F.softmax)
    _op_backward = staticmethod(F.softmax_backward)
    _from_output = True


class LogSoftmax(AlongAxis):
    """log(softmax(x)) along the axis ``dim``: what ``kitnet.training.NLLLoss`` takes.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import LogSoftmax
    >>> LogSoftmax()(np.array([[0.0, 1000.0]]))
    array([[-1000.,     0.]])
    """

    _op = staticmethod(F.log_softmax)
    _op_backward = staticmethod(F.log_softmax_backward)
    _from_output = True


class Softmin(AlongAxis):
    """softmax(-x) along the axis ``dim``: the smallest gets the most.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Softmin
    >>> Softmin()(np.array([[0.0, 1000.0]]))
    array([[1., 0.]])
    """

    _op = staticmethod(F.softmin)
    _op_backward = staticmethod(F.softmin_backward)
    _from_output = True
