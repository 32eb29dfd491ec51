"""Losses of embeddings and margins: what should be near, far apart or on one side."""

from __future__ import annotations

from typing import Any

from ... import functional as F
from ..._arrays import gate_number, gate_positive
from ..._geometry import one_int
from .base import FunctionLoss, LossPullback, match


class SoftMarginLoss(FunctionLoss):
    """Mean, or sum, of log(1 + exp(-target output)), for targets 1 and -1.

    Shapes: output and target alike.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import SoftMarginLoss
    >>> round(SoftMarginLoss()(np.array([0.0, 0.0]), np.array([1, -1])), 4)
    0.6931
    """

    _op = staticmethod(F.soft_margin_loss)
    _op_backward = staticmethod(F.soft_margin_loss_backward)


class HingeLoss(FunctionLoss):
    """Mean, or sum, of max(margin - target output, 0) to the power ``p``, for targets 1 and -1.

    Shapes: output and target alike.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or ``p`` is not 1 or 2.

    Source: Cortes and Vapnik, "Support-vector networks" (1995).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import HingeLoss
    >>> HingeLoss()(np.array([0.25, 0.25]), np.array([1, -1]))
    1.0
    """

    _op = staticmethod(F.hinge_loss)
    _op_backward = staticmethod(F.hinge_loss_backward)
    _names = ("margin", "p")

    def __init__(self, margin: float = 1.0, p: int = 1, reduction: str = "mean") -> None:
        self.margin = gate_number(margin, "margin")
        self.p = one_int(p, "p", 1, 2)
        self._reduce_by(reduction)


class HingeEmbeddingLoss(FunctionLoss):
    """Mean, or sum, of distances where the target is 1, of max(margin - distance, 0) where it is -1.

    Shapes: output (the distances) and target alike.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Source: Hadsell, Chopra and LeCun 2006, without the squares.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import HingeEmbeddingLoss
    >>> HingeEmbeddingLoss()(np.array([0.25, 0.25]), np.array([1, -1]))
    0.5
    """

    _op = staticmethod(F.hinge_embedding_loss)
    _op_backward = staticmethod(F.hinge_embedding_loss_backward)
    _names = ("margin",)

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        self.margin = gate_number(margin, "margin")
        self._reduce_by(reduction)


class CosineEmbeddingLoss(FunctionLoss):
    """Mean, or sum, of 1 - cos(x1, x2) for like pairs, of max(cos(x1, x2) - margin, 0) for unlike ones.

    Shapes: output a pair (x1, x2) of arrays (N, D), as two networks give it; target (N,): 1 for like, -1 for
    unlike. The pullback returns a pair.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or margin is not from -1 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import CosineEmbeddingLoss
    >>> loss = CosineEmbeddingLoss()
    >>> value, pullback = loss.vjp((np.array([[1.0, 0.0]]), np.array([[0.0, 2.0]])), np.array([1]))
    >>> value, [dx.shape for dx in pullback()]
    (1.0, [(1, 2), (1, 2)])
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        self.margin = gate_number(margin, "margin", -1.0, 1.0)
        self._reduce_by(reduction)

    def vjp(self, output: Any, target: Any) -> tuple[Any, LossPullback]:
        x1, x2 = _several(output, 2)
        target = match(target, x1)
        options: dict[str, Any] = {"margin": self.margin, "reduction": self.reduction}
        value = F.cosine_embedding_loss(x1, x2, target, **options)
        return self._result(value, lambda dy: F.cosine_embedding_loss_backward(dy, x1, x2, target, **options))


class TripletMarginLoss(FunctionLoss):
    """Mean, or sum, of max(|anchor - positive| - |anchor - negative| + margin, 0).

    Shapes: output a triple (anchor, positive, negative) of arrays (N, D); the target is not looked at. The
    pullback returns a triple. ``F.triplet_margin_loss`` has the parameters.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or an argument is out of range.

    Source: Balntas et al. 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import TripletMarginLoss
    >>> output = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    >>> round(TripletMarginLoss()(output, None), 4)
    4.0
    """

    _names = ("margin", "p", "eps", "swap")

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        self.margin = gate_positive(margin, "margin")
        self.p = gate_positive(p, "p")
        self.eps = gate_number(eps, "eps")
        self.swap = bool(swap)
        self._reduce_by(reduction)

    def vjp(self, output: Any, target: Any = None) -> tuple[Any, LossPullback]:
        a, p, n = _several(output, 3)
        options: dict[str, Any] = {name: getattr(self, name) for name in (*self._names, "reduction")}
        value = F.triplet_margin_loss(a, p, n, **options)
        return self._result(value, lambda dy: F.triplet_margin_loss_backward(dy, a, p, n, **options))

    def check_target(self, target: Any, name: str = "y") -> Any:
        return target


def _several(output: Any, count: int) -> tuple[Any, ...]:
    """The output of several networks, or of one for several inputs."""
    if not isinstance(output, (tuple, list)) or len(output) != count:
        raise TypeError(f"output: expected {count} arrays, got {type(output).__name__}")
    return tuple(output)
