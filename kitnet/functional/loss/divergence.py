"""Losses of distributions: Kullback and Leibler's divergence, and the likelihood of counts."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from ..._arrays import Array, gate_number
from ._reduction import Reduction, check_reduction, gate_pair, slope, spread, value

BatchReduction: TypeAlias = Literal["mean", "batchmean", "sum", "none"]


def kl_div(x: Array, target: Array, reduction: BatchReduction = "mean", log_target: bool = False) -> Any:
    """target (log target - x) of every element: how far a distribution is from the one that x gives.

    Parameters
    ----------
    x
        (N, ...), float32 or float64: logarithms of probabilities.
    target
        Probabilities, of the shape and dtype of x; their logarithms with ``log_target``.
    reduction
        ``"mean"`` or ``"sum"`` over all elements, ``"batchmean"`` (the sum over N: the divergence itself),
        or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x, in nats; of its shape for ``"none"``. A target of 0 counts nothing.
        The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Kullback and Leibler, "On information and sufficiency" (1951).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(round(F.kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), "batchmean"), 4))
    0.6931
    """
    check_reduction(reduction, "batchmean")
    x, target = gate_pair(x, target)
    divisor = len(x) if reduction == "batchmean" else None
    return value("kl_div_log" if log_target else "kl_div", x, target, reduction, divisor=divisor)


def kl_div_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    reduction: BatchReduction = "mean",
    log_target: bool = False,
) -> Array:
    """The gradient of ``kl_div`` by x: -dy target, dy being a number or, for ``"none"``, an array.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.kl_div_backward(1.0, np.log([[0.5, 0.5]]), np.array([[1.0, 0.25]]), "sum")
    array([[-1.  , -0.25]])
    """
    check_reduction(reduction, "batchmean")
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype, len(x) if reduction == "batchmean" else None)
    return slope("kl_div_log" if log_target else "kl_div", dy, x, target)


def poisson_nll_loss(
    x: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Any:
    """-log of the probability of a count ``target`` where exp(x) is the rate of Poisson's distribution.

    Parameters
    ----------
    x, target
        Arrays of one shape and dtype, float32 or float64.
    log_input
        False: x is the rate itself, and the loss is x - target log(x + eps) instead of exp(x) - target x.
    full
        Whether to add Stirling's approximation of log(target!), which has no gradient.
    eps
        Above 0.
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

    Source: PyTorch's ``torch.nn.functional.poisson_nll_loss``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.poisson_nll_loss(np.array([0.0, 0.0]), np.array([0.0, 3.0])))
    1.0
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    kind = "poisson_log" if log_input else "poisson"
    eps = gate_number(eps, "eps", 0.0)
    return value(kind, x, target, reduction, eps, 1.0 if full else 0.0)


def poisson_nll_loss_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Array:
    """The gradient of ``poisson_nll_loss`` by x: dy (exp(x) - target), or dy (1 - target / (x + eps)).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.poisson_nll_loss_backward(1.0, np.array([0.0, 0.0]), np.array([0.0, 3.0]))
    array([ 0.5, -1. ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype)
    return slope("poisson_log" if log_input else "poisson", dy, x, target, gate_number(eps, "eps", 0.0))
