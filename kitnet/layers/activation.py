"""Activations: layers without parameters that act on each element or each row."""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .._arrays import Array
from .._geometry import one_int
from .base import MOST_AXES, Layer, Pullback, no_gradient


class ReLU(Layer):
    """max(x, 0) of each element; a NaN stays a NaN.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import ReLU
    >>> ReLU()(np.array([-1, 2], np.float32))
    array([0., 2.], dtype=float32)
    """

    def __call__(self, x: Array) -> Array:
        return F.relu(x)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y = F.relu(x)
        return y, (lambda dy: F.relu_backward(dy, y)) if input_grad else no_gradient

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(in_shape)


class Softmax(Layer):
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

    def __init__(self, dim: int = -1) -> None:
        self.dim = one_int(dim, "dim", least=-MOST_AXES, most=MOST_AXES)

    def __call__(self, x: Array) -> Array:
        return F.softmax(x, self.dim)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        dim = self.dim
        y = F.softmax(x, dim)
        return y, (lambda dy: F.softmax_backward(dy, y, dim)) if input_grad else no_gradient

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return tuple(in_shape)
