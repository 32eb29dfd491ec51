"""Losses of classification: a class for each sample or place, or yes and no for each element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import functional as F
from ..._arrays import gate_number
from ..._geometry import LARGEST, one_int
from .base import ClassLoss, FunctionLoss, LossPullback, match, weights


class CrossEntropyLoss(ClassLoss):
    """Mean over the batch of -log softmax(logits)[target]: the loss of a classifier that ends in logits.

    Shapes: logits (N, C) or (N, C, d1, ...), target int (N,) or (N, d1, ...) with values from 0 to C - 1; or
    probabilities of the shape of logits. The mean of an empty batch is NaN.

    Parameters
    ----------
    weight
        (C,): what the loss of each class is multiplied by. The mean divides by the weights of the targets.
    ignore_index
        The class that counts nothing; the accuracy counts it as wrong.
    reduction
        ``"mean"``, ``"sum"``, or ``"none"``: an array, whose pullback takes its gradient.
    label_smoothing
        The share, from 0 to 1, of an even distribution that is mixed into the targets.

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

    _names = ("weight", "ignore_index", "label_smoothing")

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        self.weight = weights(weight)
        self.ignore_index = one_int(ignore_index, "ignore_index", -LARGEST)
        self._reduce_by(reduction)
        self.label_smoothing = gate_number(label_smoothing, "label_smoothing", 0.0, 1.0)

    def vjp(self, output: Any, target: Any) -> tuple[Any, LossPullback]:
        keywords, target = self._keywords(output), self._target(target, output)
        value, prob = F.cross_entropy(output, target, **keywords, return_prob=True)
        return self._result(
            value, lambda dy: F.cross_entropy_backward(dy, output, target, **keywords, prob=prob)
        )

    def _target(self, target: Any, output: Any) -> Any:
        return match(target, output) if _soft(target) else target

    def check_target(self, target: Any, name: str = "y") -> Any:
        return target if _soft(target) else super().check_target(target, name)


def _soft(target: Any) -> bool:
    """Whether the targets are probabilities."""
    return isinstance(target, np.ndarray) and target.dtype.kind == "f" and target.ndim > 1


class NLLLoss(ClassLoss):
    """Mean over the batch of -output[target]: ``CrossEntropyLoss`` for a network that ends in ``LogSoftmax``.

    Shapes: output (N, C) or (N, C, d1, ...), target int (N,) or (N, d1, ...). Parameters, errors and metrics
    are those of ``CrossEntropyLoss``.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import NLLLoss
    >>> round(NLLLoss()(np.log([[0.25, 0.75], [0.5, 0.5]]), np.array([1, 0])), 4)
    0.4904
    """

    _op = staticmethod(F.nll_loss)
    _op_backward = staticmethod(F.nll_loss_backward)
    _names = ("weight", "ignore_index")

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        self.weight = weights(weight)
        self.ignore_index = one_int(ignore_index, "ignore_index", -LARGEST)
        self._reduce_by(reduction)


class MultiMarginLoss(ClassLoss):
    """Mean over the batch of how far wrong classes score within ``margin`` of the right one, to the power p.

    Shapes: output (N, C), target int (N,). ``F.multi_margin_loss`` has the formula and the parameters.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or a target or an argument is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import MultiMarginLoss
    >>> MultiMarginLoss()(np.array([[1.0, 0.5, -3.0, 2.0]]), np.array([0]))
    0.625
    """

    _op = staticmethod(F.multi_margin_loss)
    _op_backward = staticmethod(F.multi_margin_loss_backward)
    _names = ("p", "margin", "weight")

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        self.p = one_int(p, "p", 1, 2)
        self.margin = gate_number(margin, "margin")
        self.weight = weights(weight)
        self._reduce_by(reduction)


class BCELoss(FunctionLoss):
    """Mean of binary cross-entropy, for a network that ends in ``Sigmoid``.

    Shapes: output and target alike; targets are numbers of any type from 0 to 1. ``weight`` broadcasts to
    that shape. ``BCEWithLogitsLoss`` without the sigmoid is exact where this one has to cut logarithms off.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import BCELoss
    >>> round(BCELoss()(np.array([0.5, 0.25]), np.array([1.0, 0.0])), 4)
    0.4904
    """

    _op = staticmethod(F.binary_cross_entropy)
    _op_backward = staticmethod(F.binary_cross_entropy_backward)
    _names = ("weight",)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        self.weight = weights(weight)
        self._reduce_by(reduction)


class BCEWithLogitsLoss(FunctionLoss):
    """Mean of binary cross-entropy of sigmoid(output): yes and no for each element, stable for any logits.

    Shapes: output and target alike; targets are numbers of any type from 0 to 1. ``weight`` and
    ``pos_weight``, which weighs the positive, broadcast to that shape.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import BCEWithLogitsLoss
    >>> BCEWithLogitsLoss()(np.array([1e4, 1e4]), np.array([True, False]))
    5000.0
    """

    _op = staticmethod(F.binary_cross_entropy_with_logits)
    _op_backward = staticmethod(F.binary_cross_entropy_with_logits_backward)
    _names = ("weight", "pos_weight")

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        self.weight = weights(weight)
        self._reduce_by(reduction)
        self.pos_weight = weights(pos_weight, "pos_weight")


class SigmoidFocalLoss(FunctionLoss):
    """Mean of binary cross-entropy of sigmoid(output) that counts less, the better an element is told.

    Shapes: output and target alike; targets are 0 and 1. ``F.sigmoid_focal_loss`` has the formula and the
    parameters.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or an argument is out of range.

    Source: Lin et al., "Focal loss for dense object detection" (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import SigmoidFocalLoss
    >>> round(SigmoidFocalLoss()(np.array([0.0, 4.0]), np.array([1, 1])), 4)
    0.0217
    """

    _op = staticmethod(F.sigmoid_focal_loss)
    _op_backward = staticmethod(F.sigmoid_focal_loss_backward)
    _names = ("alpha", "gamma")

    def __init__(self, alpha: float = 0.25, gamma: float = 2.0, reduction: str = "mean") -> None:
        self.alpha = gate_number(alpha, "alpha", most=1.0)
        self.gamma = gate_number(gamma, "gamma", 0.0)
        self._reduce_by(reduction)


class DiceLoss(FunctionLoss):
    """Mean over samples and channels of 1 - Dice's coefficient of probabilities and masks.

    Shapes: output and target (N, C, ...). ``F.dice_loss`` has the formula.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Source: Milletari, Navab and Ahmadi, "V-Net" (2016).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import DiceLoss
    >>> round(DiceLoss(smooth=0.0)(np.array([[[1.0, 1.0, 0.0]]]), np.array([[[1, 0, 0]]])), 4)
    0.3333
    """

    _op = staticmethod(F.dice_loss)
    _op_backward = staticmethod(F.dice_loss_backward)
    _names = ("smooth",)

    def __init__(self, smooth: float = 1.0, reduction: str = "mean") -> None:
        self.smooth = gate_number(smooth, "smooth", 0.0)
        self._reduce_by(reduction)
