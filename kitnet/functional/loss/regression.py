"""Losses of numbers: the distance of each output from its target, one compiled pass over both."""

from __future__ import annotations

from typing import Any

from ..._arrays import Array, gate_number, gate_positive
from ._reduction import Reduction, check_reduction, gate_pair, slope, spread, value


def mse_loss(x: Array, target: Array, reduction: Reduction = "mean") -> Any:
    """(x - target)^2 of every element.

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

    Source: Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes" (1805).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    2.0
    """
    check_reduction(reduction)
    return value("mse", *gate_pair(x, target), reduction)


def mse_loss_backward(dy: float | Array, x: Array, target: Array, reduction: Reduction = "mean") -> Array:
    """The gradient of ``mse_loss`` by x: dy 2 (x - target), dy being a number or, for ``"none"``, an array.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.mse_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0., -2.])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    return slope("mse", spread(dy, reduction, x.shape, x.dtype), x, target)


def l1_loss(x: Array, target: Array, reduction: Reduction = "mean") -> Any:
    """abs(x - target) of every element.

    Shapes, reductions and errors: as for ``mse_loss``.

    Source: Boscovich's least absolute deviations (1757).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0])))
    1.0
    """
    check_reduction(reduction)
    return value("l1", *gate_pair(x, target), reduction)


def l1_loss_backward(dy: float | Array, x: Array, target: Array, reduction: Reduction = "mean") -> Array:
    """The gradient of ``l1_loss`` by x: dy times the sign of x - target, which is 0 where they are equal.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.l1_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    array([ 0. , -0.5])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    return slope("l1", spread(dy, reduction, x.shape, x.dtype), x, target)


def smooth_l1_loss(x: Array, target: Array, reduction: Reduction = "mean", beta: float = 1.0) -> Any:
    """d^2 / (2 beta) for distances d below ``beta``, d - beta / 2 for larger ones; beta 0: ``l1_loss``.

    Shapes, reductions and errors: as for ``mse_loss``.

    Source: Girshick, "Fast R-CNN" (2015).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.smooth_l1_loss(np.array([1.0, 2.0]), np.array([1.5, 4.0]), "none")
    array([0.125, 1.5  ])
    """
    check_reduction(reduction)
    return value("smooth_l1", *gate_pair(x, target), reduction, gate_number(beta, "beta", 0.0))


def smooth_l1_loss_backward(
    dy: float | Array, x: Array, target: Array, reduction: Reduction = "mean", beta: float = 1.0
) -> Array:
    """The gradient of ``smooth_l1_loss`` by x: dy (x - target) / beta, or dy times the sign of that.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.smooth_l1_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    array([-0.25, -0.5 ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype)
    return slope("smooth_l1", dy, x, target, gate_number(beta, "beta", 0.0))


def huber_loss(x: Array, target: Array, reduction: Reduction = "mean", delta: float = 1.0) -> Any:
    """d^2 / 2 for distances d up to ``delta``, delta (d - delta / 2) for larger ones.

    Shapes, reductions and errors: as for ``mse_loss``; delta is above 0.

    Source: Huber, "Robust estimation of a location parameter" (1964).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.huber_loss(np.array([1.0, 2.0]), np.array([1.5, 4.0]), "none")
    array([0.125, 1.5  ])
    """
    check_reduction(reduction)
    return value("huber", *gate_pair(x, target), reduction, gate_positive(delta, "delta"))


def huber_loss_backward(
    dy: float | Array, x: Array, target: Array, reduction: Reduction = "mean", delta: float = 1.0
) -> Array:
    """The gradient of ``huber_loss`` by x: dy (x - target), with that cut off at delta and -delta.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.huber_loss_backward(1.0, np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    array([-0.25, -0.5 ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    dy = spread(dy, reduction, x.shape, x.dtype)
    return slope("huber", dy, x, target, gate_positive(delta, "delta"))
