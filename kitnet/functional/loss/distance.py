"""Losses of embeddings: vectors that should be near each other, or far apart (plain NumPy: rows are few)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..._arrays import Array, gate, gate_number, gate_positive
from ._reduction import Reduction, check_reduction, quiet, reduce, spread

_EPS = 1e-12  # PyTorch's, beside the squares of lengths


def _embeddings(**arrays: Any) -> tuple[list[Array], np.dtype]:
    """Arrays (N, D) that are all of the shape and dtype of the first, in float64, and their dtype."""
    (name, first), *others = arrays.items()
    first = gate(first, name, 2)
    rest = [gate(array, name, dtype=first.dtype, shape=first.shape) for name, array in others]
    return [array.astype(np.float64) for array in (first, *rest)], first.dtype


def _cosine(x1: Array, x2: Array) -> tuple[Array, Array, Array]:
    """The cosines of the angles, and the slopes of these by x1 and x2."""
    square1, square2 = ((x * x).sum(axis=1, keepdims=True) + _EPS for x in (x1, x2))
    lengths = np.sqrt(square1 * square2)
    cosine = (x1 * x2).sum(axis=1, keepdims=True) / lengths
    return cosine[:, 0], x2 / lengths - cosine * x1 / square1, x1 / lengths - cosine * x2 / square2


@quiet
def cosine_embedding_loss(
    x1: Array, x2: Array, target: Array, margin: float = 0.0, reduction: Reduction = "mean"
) -> Any:
    """1 - cos(x1, x2) where the target is 1, max(cos(x1, x2) - margin, 0) where it is -1.

    Parameters
    ----------
    x1, x2
        (N, D), of one dtype, float32 or float64: pairs of vectors.
    target
        (N,) of the same dtype: 1 for like, -1 for unlike pairs; a pair of any other target counts nothing.
    margin
        From -1 to 1: how like unlike pairs may be.
    reduction
        ``"mean"`` or ``"sum"`` over the pairs, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x1; (N,) for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: PyTorch's ``torch.nn.functional.cosine_embedding_loss``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> a, b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [3.0, 0.0]])
    >>> F.cosine_embedding_loss(a, b, np.array([1.0, -1.0]), reduction="none").round(4)
    array([1., 1.])
    """
    check_reduction(reduction)
    (a, b), dtype = _embeddings(x1=x1, x2=x2)
    target = gate(target, "target", dtype=dtype, shape=a.shape[:1])
    cosine, _, _ = _cosine(a, b)
    apart = np.maximum(cosine - gate_number(margin, "margin", -1.0, 1.0), 0)
    losses = np.where(target == 1, 1 - cosine, np.where(target == -1, apart, 0 * target))
    return reduce(losses, reduction, dtype)


@quiet
def cosine_embedding_loss_backward(
    dy: float | Array,
    x1: Array,
    x2: Array,
    target: Array,
    margin: float = 0.0,
    reduction: Reduction = "mean",
) -> tuple[Array, Array]:
    """The gradients of ``cosine_embedding_loss`` by x1 and x2; dy is a number or, for ``"none"``, (N,).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> a, b = np.array([[1.0, 0.0]]), np.array([[2.0, 2.0]])
    >>> dx1, dx2 = F.cosine_embedding_loss_backward(1.0, a, b, np.array([1.0]))
    >>> dx1.round(3), dx2.round(3)
    (array([[-0.   , -0.707]]), array([[-0.177,  0.177]]))
    """
    check_reduction(reduction)
    (a, b), dtype = _embeddings(x1=x1, x2=x2)
    target = gate(target, "target", dtype=dtype, shape=a.shape[:1])
    cosine, slope1, slope2 = _cosine(a, b)
    apart = cosine >= gate_number(margin, "margin", -1.0, 1.0)
    turn = np.where(target == 1, -1.0, np.where(target == -1, apart, 0 * target))
    turn = (turn * spread(dy, reduction, target.shape, dtype))[:, None]
    return (turn * slope1).astype(dtype), (turn * slope2).astype(dtype)


def _distance(a: Array, b: Array, p: float, eps: float) -> tuple[Array, Array]:
    """The norms of a - b + eps, and their slopes by a."""
    d = a - b + eps
    size = abs(d)
    if p == math.inf:
        norm = size.max(axis=1, keepdims=True, initial=0)
        largest = size == norm
        return norm[:, 0], np.sign(d) * largest / np.maximum(largest.sum(axis=1, keepdims=True), 1)
    norm = (size**p).sum(axis=1, keepdims=True) ** (1 / p)
    share = np.where(size > 0, size / np.where(norm > 0, norm, 1), 1)
    return norm[:, 0], np.sign(d) * share ** (p - 1)


def _triplets(
    anchor: Array, positive: Array, negative: Array, margin: float, p: float, eps: float, swap: bool
) -> tuple[Array, Array, Array, Array, np.dtype]:
    """How far each triplet is from what is asked for, and the slopes of that by the three vectors."""
    (a, b, c), dtype = _embeddings(anchor=anchor, positive=positive, negative=negative)
    options = gate_positive(p, "p"), gate_number(eps, "eps")
    near, near_slope = _distance(a, b, *options)
    far, far_slope = _distance(a, c, *options)
    other, other_slope = _distance(b, c, *options)
    share = np.where(far < other, 1.0, np.where(far > other, 0.0, 0.5))[:, None] if swap else 1.0
    from_anchor, from_positive = share * far_slope, (1 - share) * other_slope
    lacking = near - (np.minimum(far, other) if swap else far) + gate_positive(margin, "margin")
    return (
        lacking,
        near_slope - from_anchor,
        -near_slope - from_positive,
        from_anchor + from_positive,
        dtype,
    )


@quiet
def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Any:
    """max(|anchor - positive| - |anchor - negative| + margin, 0) of every triplet of vectors.

    Parameters
    ----------
    anchor, positive, negative
        (N, D), of one dtype, float32 or float64.
    margin
        Above 0: how much farther the negative should be than the positive.
    p
        The norm, above 0; infinity for the largest coordinate.
    eps
        Added to each difference.
    swap
        Whether to take the positive for the anchor of the negative, where that is nearer.
    reduction
        ``"mean"`` or ``"sum"`` over the triplets, or ``"none"``.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of anchor; (N,) for ``"none"``. The mean of nothing is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Balntas et al., "Learning local feature descriptors with triplets and shallow convolutional neural
    networks" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> a, b, c = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    >>> print(F.triplet_margin_loss(a, b, c, eps=0.0))
    4.0
    """
    check_reduction(reduction)
    lacking, *_, dtype = _triplets(anchor, positive, negative, margin, p, eps, swap)
    return reduce(np.maximum(lacking, 0), reduction, dtype)


@quiet
def triplet_margin_loss_backward(
    dy: float | Array,
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> tuple[Array, Array, Array]:
    """The gradients of ``triplet_margin_loss`` by the three vectors; dy is a number or, for ``"none"``, (N,).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> a, b, c = np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]]), np.array([[0.0, 2.0]])
    >>> F.triplet_margin_loss_backward(1.0, a, b, c, eps=0.0)
    (array([[-0.6,  0.2]]), array([[0.6, 0.8]]), array([[ 0., -1.]]))
    """
    check_reduction(reduction)
    lacking, *slopes, dtype = _triplets(anchor, positive, negative, margin, p, eps, swap)
    turn = spread(dy, reduction, lacking.shape, dtype) * np.where(lacking < 0, 0, 1)
    da, db, dc = ((turn[:, None] * slope).astype(dtype) for slope in slopes)
    return da, db, dc
