"""Losses of yes and no: each output is one probability, or the logit of one, and each target too."""

from __future__ import annotations

from typing import Any

from ..._arrays import Array, empty, gate_batch, gate_number
from ..._backend import kernels, n_threads
from ..._geometry import product
from ._reduction import (
    Reduction,
    broadcast,
    check_reduction,
    gate_pair,
    quiet,
    reduce,
    slope,
    spread,
    value,
    weighed,
)


@quiet
def binary_cross_entropy(
    x: Array, target: Array, weight: Array | None = None, reduction: Reduction = "mean"
) -> Any:
    """-(target log x + (1 - target) log(1 - x)) of every probability x; logarithms end at -100.

    Parameters
    ----------
    x, target
        Arrays of one shape and dtype, float32 or float64, from 0 to 1; where x is not, the loss is NaN.
    weight
        What each loss is multiplied by; of a shape that broadcasts to that of x.
    reduction
        ``"mean"`` or ``"sum"`` over all elements, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x, in nats; of its shape for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bishop, "Pattern recognition and machine learning" (2006), section 4.3.2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.binary_cross_entropy(np.array([0.5, 1.0]), np.array([1.0, 0.0]), reduction="none").round(4)
    array([  0.6931, 100.    ])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    if weight is None:
        return value("bce", x, target, reduction)
    return weighed(value("bce", x, target, "none"), broadcast(weight, "weight", x), reduction)


@quiet
def binary_cross_entropy_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    weight: Array | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """The gradient of ``binary_cross_entropy`` by x: dy weight (x - target) / (x (1 - x)).

    The divisor is at least 1e-12; dy is a number or, for ``"none"``, an array.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.binary_cross_entropy_backward(1.0, np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    array([-1.,  1.])
    """
    check_reduction(reduction)
    x, target = gate_pair(x, target)
    return slope("bce", _weighed(dy, weight, x, reduction), x, target)


def _weighed(dy: Any, weight: Array | None, x: Array, reduction: str) -> Array:
    """The gradient of each loss, times its weight."""
    dy = spread(dy, reduction, x.shape, x.dtype)
    return dy if weight is None else dy * broadcast(weight, "weight", x)


@quiet
def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    reduction: Reduction = "mean",
    pos_weight: Array | None = None,
) -> Any:
    """``binary_cross_entropy`` of sigmoid(logits), exact for logits of any size.

    Parameters
    ----------
    logits, target
        Arrays of one shape and dtype, float32 or float64; targets from 0 to 1.
    weight
        What each loss is multiplied by; of a shape that broadcasts to that of logits.
    reduction
        ``"mean"`` or ``"sum"`` over all elements, or ``"none"``.
    pos_weight
        What the share of the target in each loss is multiplied by; of a shape that broadcasts to that of
        logits.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of logits, in nats; of their shape for ``"none"``. The mean of nothing is
        NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bishop, "Pattern recognition and machine learning" (2006), section 4.3.2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.binary_cross_entropy_with_logits(np.array([1e4, 1e4]), np.array([1.0, 0.0]), reduction="none")
    array([    0., 10000.])
    """
    check_reduction(reduction)
    x, target = gate_pair(logits, target, "logits")
    scale, positive = _positive(pos_weight, x, target)
    each = reduction if weight is None else "none"
    losses = value("bce_with_logits", x, target, each, scale, 1.0)
    if positive is not None:
        losses += value("bce_with_logits", x, positive, each, 1.0, 0.0)
    return losses if weight is None else weighed(losses, broadcast(weight, "weight", x), reduction)


@quiet
def binary_cross_entropy_with_logits_backward(
    dy: float | Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    reduction: Reduction = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """The gradient of ``binary_cross_entropy_with_logits`` by the logits.

    Without pos_weight it is dy weight (sigmoid(logits) - target), dy being a number or, for ``"none"``, an
    array.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.binary_cross_entropy_with_logits_backward(1.0, np.array([0.0, 1e4]), np.array([1.0, 0.0]))
    array([-0.25,  0.5 ])
    """
    check_reduction(reduction)
    x, target = gate_pair(logits, target, "logits")
    scale, positive = _positive(pos_weight, x, target)
    dy = _weighed(dy, weight, x, reduction)
    dx = slope("bce_with_logits", dy, x, target, scale, 1.0)
    if positive is not None:
        dx += slope("bce_with_logits", dy, x, positive, 1.0, 0.0)
    return dx


def _positive(pos_weight: Array | None, x: Array, target: Array) -> tuple[float, Array | None]:
    """The weight of the positive as a number; many as 0, which leaves their share out, and times the target.

    The share of the positive is -pos_weight target log sigmoid(x).
    """
    if pos_weight is None:
        return 1.0, None
    weights = broadcast(pos_weight, "pos_weight", x)
    if pos_weight.size == 1:
        return float(pos_weight.flat[0]), None
    return 0.0, target * weights


def sigmoid_focal_loss(
    logits: Array, target: Array, alpha: float = 0.25, gamma: float = 2.0, reduction: Reduction = "none"
) -> Any:
    """Binary cross-entropy that counts less, the better an element is told already.

    It is multiplied by (1 - p)^gamma, p being the probability of the truth, and by ``alpha`` for a target of
    1, 1 - alpha for 0.

    Parameters
    ----------
    logits, target
        Arrays of one shape and dtype, float32 or float64; targets 0 or 1.
    alpha
        From 0 to 1; a negative one weighs all alike.
    gamma
        At least 0.
    reduction
        ``"none"``, or ``"mean"`` or ``"sum"`` over all elements.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of logits; of their shape for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Lin et al., "Focal loss for dense object detection" (2017); names and defaults are torchvision's.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sigmoid_focal_loss(np.array([0.0, 4.0]), np.array([1.0, 1.0])).round(4)
    array([0.0433, 0.    ])
    """
    check_reduction(reduction)
    options = gate_number(alpha, "alpha", most=1.0), gate_number(gamma, "gamma", 0.0)
    return value("focal", *gate_pair(logits, target, "logits"), reduction, *options)


def sigmoid_focal_loss_backward(
    dy: float | Array,
    logits: Array,
    target: Array,
    alpha: float = 0.25,
    gamma: float = 2.0,
    reduction: Reduction = "none",
) -> Array:
    """The gradient of ``sigmoid_focal_loss`` by the logits; dy is an array or, unless ``"none"``, a number.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.sigmoid_focal_loss_backward(1.0, np.array([0.0]), np.array([1.0]), gamma=0, reduction="sum")
    array([-0.125])
    """
    check_reduction(reduction)
    x, target = gate_pair(logits, target, "logits")
    options = gate_number(alpha, "alpha", most=1.0), gate_number(gamma, "gamma", 0.0)
    return slope("focal", spread(dy, reduction, x.shape, x.dtype), x, target, *options)


def _gate_dice(x: Array, target: Array, smooth: float) -> tuple[Array, Array, Array, float]:
    """x, then x and the target as rows, one for each sample and channel, and ``smooth``."""
    x, target = gate_pair(gate_batch(x, "x", (2, 3, 4, 5)), target)
    rows = product(x.shape[:2]), product(x.shape[2:])
    return x, x.reshape(rows), target.reshape(rows), gate_number(smooth, "smooth", 0.0)


def dice_loss(x: Array, target: Array, smooth: float = 1.0, reduction: Reduction = "mean") -> Any:
    """1 - (2 sum of x target + smooth) / (sum of x + sum of target + smooth), for each sample and channel.

    Parameters
    ----------
    x, target
        (N, C, ...), of one shape and dtype, float32 or float64: probabilities (after a sigmoid or softmax)
        and masks. The sums run over all that comes after C.
    smooth
        At least 0; keeps the fraction defined, and flat, where there is nothing to find.
    reduction
        ``"mean"`` or ``"sum"`` over the samples and channels, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x; (N, C) for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Milletari, Navab and Ahmadi, "V-Net: fully convolutional neural networks for volumetric medical
    image segmentation" (2016), with plain sums in the divisor instead of those of squares.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.dice_loss(np.array([[[1.0, 1.0, 0.0]]]), np.array([[[1.0, 0.0, 0.0]]]), smooth=0.0).round(4))
    0.3333
    """
    check_reduction(reduction)
    x, *pair = _gate_dice(x, target, smooth)
    loss = empty(x.shape[:2], x.dtype)
    kernels().dice_forward(*pair, loss.reshape(-1), n_threads())
    return reduce(loss, reduction, x.dtype)


def dice_loss_backward(
    dy: float | Array, x: Array, target: Array, smooth: float = 1.0, reduction: Reduction = "mean"
) -> Array:
    """The gradient of ``dice_loss`` by x, dy being a number or, for ``"none"``, an array (N, C).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dice_loss_backward(1.0, np.array([[[1.0, 1.0]]]), np.array([[[1.0, 0.0]]]), smooth=1.0)
    array([[[-0.3125,  0.1875]]])
    """
    check_reduction(reduction)
    x, rows, target, smooth = _gate_dice(x, target, smooth)
    dy, dx = spread(dy, reduction, x.shape[:2], x.dtype), empty(x.shape, x.dtype)
    kernels().dice_backward(dy.reshape(-1), rows, target, smooth, dx.reshape(rows.shape), n_threads())
    return dx
