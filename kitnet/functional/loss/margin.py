"""Losses that ask for a margin between right and wrong."""

from __future__ import annotations

from typing import Any

from ..._arrays import Array, empty, gate_batch, gate_int, gate_number, optional
from ..._backend import kernels, n_threads
from ._reduction import Reduction, check_reduction, gate_pair, reduce, slope, spread, value


def soft_margin_loss(x: Array, target: Array, reduction: Reduction = "mean") -> Any:
    """log(1 + exp(-target x)) of every element, for targets 1 and -1.

    Parameters
    ----------
    x, target
        Arrays of one shape and dtype, float32 or float64.
    reduction
        ``"mean"`` or ``"sum"`` over all elements, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x; of its shape for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: PyTorch's ``torch.nn.functional.soft_margin_loss``, the logistic loss.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.soft_margin_loss(np.array([-1e4, 1e4]), np.array([1.0, 1.0]), "none")
    array([10000.,     0.])
    """
    check_reduction(reduction)
    return value("soft_margin", *gate_pair(x, target), reduction)


def soft_margin_loss_backward(
    dy: float | Array, x: Array, target: Array, reduction: Reduction = "mean"
) -> Array:
    """The gradient of ``soft_margin_loss`` by x: -dy target sigmoid(-target x).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.soft_margin_loss_backward(1.0, np.array([0.0, -1e4]), np.array([1.0, 1.0]), "sum")
    array([-0.5, -1. ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    return slope("soft_margin", spread(dy, reduction, x.shape, x.dtype), x, target)


def _power(p: Any) -> int:
    if p not in (1, 2) or isinstance(p, bool):
        raise ValueError(f"p: expected 1 or 2, got {p!r}")
    return int(p)


def hinge_loss(
    x: Array, target: Array, margin: float = 1.0, p: int = 1, reduction: Reduction = "mean"
) -> Any:
    """max(margin - target x, 0) to the power ``p``, 1 or 2, of every element, for targets 1 and -1.

    Shapes, reductions and errors: as for ``soft_margin_loss``. The loss of support vector machines; PyTorch
    has it for pairs only, as ``margin_ranking_loss``.

    Source: Cortes and Vapnik, "Support-vector networks" (1995).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hinge_loss(np.array([0.25, 0.25, 2.0]), np.array([1.0, -1.0, 1.0]), reduction="none")
    array([0.75, 1.25, 0.  ])
    """
    check_reduction(reduction)
    return value("hinge", *gate_pair(x, target), reduction, gate_number(margin, "margin"), _power(p))


def hinge_loss_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    margin: float = 1.0,
    p: int = 1,
    reduction: Reduction = "mean",
) -> Array:
    """The gradient of ``hinge_loss`` by x: within the margin -dy target, for ``p`` = 2 twice what is left.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hinge_loss_backward(1.0, np.array([0.25, 2.0]), np.array([-1.0, 1.0]), p=2, reduction="sum")
    array([2.5, 0. ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype)
    return slope("hinge", dy, x, target, gate_number(margin, "margin"), _power(p))


def hinge_embedding_loss(x: Array, target: Array, margin: float = 1.0, reduction: Reduction = "mean") -> Any:
    """x where the target is 1, max(margin - x, 0) where it is -1: for distances x of like and unlike pairs.

    Shapes, reductions and errors: as for ``soft_margin_loss``.

    Source: Hadsell, Chopra and LeCun, "Dimensionality reduction by learning an invariant mapping" (2006),
    without the squares.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1.0, -1.0]), reduction="none")
    array([0.25, 0.75])
    """
    check_reduction(reduction)
    return value("hinge_embedding", *gate_pair(x, target), reduction, gate_number(margin, "margin"))


def hinge_embedding_loss_backward(
    dy: float | Array, x: Array, target: Array, margin: float = 1.0, reduction: Reduction = "mean"
) -> Array:
    """The gradient of ``hinge_embedding_loss`` by x: dy; for targets -1, -dy within the margin, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hinge_embedding_loss_backward(1.0, np.array([0.25, 0.25]), np.array([1.0, -1.0]), reduction="sum")
    array([ 1., -1.])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype)
    return slope("hinge_embedding", dy, x, target, gate_number(margin, "margin"))


def _classes(x: Array, target: Array, p: int, weight: Array | None) -> tuple[Array, Array, Array]:
    """The scores (N, C), the classes (N,), and the weights (C,), or none, all checked."""
    x = gate_batch(x, "x", 2)
    _power(p)
    target = gate_int(target, "target", shape=x.shape[:1], below=x.shape[1])
    return x, target, optional(weight, "weight", x.dtype, x.shape[1:])


def multi_margin_loss(
    x: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """How far the scores of the wrong classes come within ``margin`` of the right one's, to the power ``p``.

    The sum over the wrong classes, times the weight of the right one, is divided by the number of classes.

    Parameters
    ----------
    x
        (N, C), float32 or float64: the scores of C classes.
    target
        The true classes (N,), integers from 0 to C - 1.
    p
        1 or 2.
    margin
        The distance asked for.
    weight
        (C,): the weights of the classes.
    reduction
        ``"mean"`` or ``"sum"`` over the samples, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x; (N,) for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Crammer and Singer, "On the algorithmic implementation of multiclass kernel-based vector machines"
    (2001), with the sum instead of the worst.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.multi_margin_loss(np.array([[1.0, 0.5, -3.0, 2.0]]), np.array([0])))
    0.625
    """
    check_reduction(reduction)
    x, target, weight = _classes(x, target, p, weight)
    losses = empty(target.shape, x.dtype)
    kernels().margin_forward(x, target, weight, p, gate_number(margin, "margin"), losses, n_threads())
    return reduce(losses, reduction, x.dtype)


def multi_margin_loss_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """The gradient of ``multi_margin_loss`` by x, dy being a number or, for ``"none"``, an array (N,).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.multi_margin_loss_backward(1.0, np.array([[1.0, 0.5, -3.0, 2.0]]), np.array([0]))
    array([[-0.5 ,  0.25,  0.  ,  0.25]])
    """
    check_reduction(reduction)
    x, target, weight = _classes(x, target, p, weight)
    dy, dx = spread(dy, reduction, target.shape, x.dtype), empty(x.shape, x.dtype)
    kernels().margin_backward(dy, x, target, weight, p, gate_number(margin, "margin"), dx, n_threads())
    return dx
