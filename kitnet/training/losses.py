"""Losses: from a network's output and the targets to one number, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

from .. import functional as F
from .._arrays import gate_int
from .metrics import Metric, accuracy

LossPullback: TypeAlias = "Callable[[], Any]"


class Loss:
    """The base of every loss. A subclass defines ``vjp`` and ``check_target``.

    ``metrics`` names what a ``Trainer`` reports beside the loss unless it is told otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import Loss
    >>> class SquaredError(Loss):
    ...     def vjp(self, output, target):
    ...         error = output - target
    ...         return float((error**2).mean()), lambda: 2 * error / error.size
    ...
    ...     def check_target(self, target, name="y"):
    ...         return target
    >>> SquaredError()(np.array([[1.0], [3.0]]), np.array([[1.0], [1.0]]))
    2.0
    """

    metrics: ClassVar[dict[str, Metric]] = {}

    def vjp(self, output: Any, target: Any) -> tuple[float, LossPullback]:
        """The loss, and the function that returns its gradient with respect to ``output``."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines vjp")

    def check_target(self, target: Any, name: str = "y") -> Any:
        """All targets of a data set as ``vjp`` takes them in batches; errors name ``name``."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines check_target")

    def __call__(self, output: Any, target: Any) -> float:
        """The loss alone."""
        return self.vjp(output, target)[0]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class CrossEntropyLoss(Loss):
    """Mean over the batch of -log softmax(logits)[target]: the loss of a classifier that ends in logits.

    Shapes: logits (N, C), target int (N,) with values from 0 to C - 1. The mean of an empty batch is NaN.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or a target is out of range.

    Notes
    -----
    Softmax and logarithm are one kernel, stable for logits of any size; its gradient is softmax less one-hot
    (Bishop, "Pattern recognition and machine learning", 2006, section 4.3.4).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import CrossEntropyLoss
    >>> loss = CrossEntropyLoss()
    >>> value, pullback = loss.vjp(np.zeros((1, 4), np.float32), np.array([2]))
    >>> round(value, 4)  # log(4)
    1.3863
    >>> pullback()
    array([[ 0.25,  0.25, -0.75,  0.25]], dtype=float32)
    """

    metrics: ClassVar[dict[str, Metric]] = {"accuracy": accuracy}

    def vjp(self, output: Any, target: Any) -> tuple[float, LossPullback]:
        value, prob = F.cross_entropy(output, target, return_prob=True)
        return float(value), lambda: F.cross_entropy_backward(1.0, output, target, prob=prob)

    def check_target(self, target: Any, name: str = "y") -> Any:
        return gate_int(target, name, ndim=1)
