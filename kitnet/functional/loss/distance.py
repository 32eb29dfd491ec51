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


def _inner(x1: Array, x2: Array) -> Array:
    """The inner products of the rows, as a column."""
    return np.einsum("nd,nd->n", x1, x2)[:, None]


def _cosine(x1: Array, x2: Array) -> tuple[Array, Array, Array]:
    """The cosines of the angles, and the squares of the lengths, as columns."""
    square1, square2 = _inner(x1, x1) + _EPS, _inner(x2, x2) + _EPS
    return _inner(x1, x2) / np.sqrt(square1 * square2), square1, square2


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
    cosine = _cosine(a, b)[0][:, 0]
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
    cosine, square1, square2 = _cosine(a, b)
    apart = cosine[:, 0] >= gate_number(margin, "margin", -1.0, 1.0)
    turn = np.where(target == 1, -1.0, np.where(target == -1, apart, 0 * target))
    turn = (turn * spread(dy, reduction, target.shape, dtype))[:, None]
    across, along = turn / np.sqrt(square1 * square2), turn * cosine
    return (
        (across * b - along / square1 * a).astype(dtype),
        (across * a - along / square2 * b).astype(dtype),
    )


def _norm(d: Array, p: float) -> Array:
    """The norms of rows, as a column."""
    if p == math.inf:
        return abs(d).max(axis=1, keepdims=True, initial=0)
    return np.sqrt(_inner(d, d)) if p == 2 else (abs(d) ** p).sum(axis=1, keepdims=True) ** (1 / p)


def _norm_slope(d: Array, p: float) -> Array:
    """The slopes of the norms."""
    size, norm = abs(d), _norm(d, p)
    if p == math.inf:
        largest = size == norm
        return np.sign(d) * largest / np.maximum(largest.sum(axis=1, keepdims=True), 1)
    if p == 2:
        return d / np.where(norm > 0, norm, 1)
    share = np.where(size > 0, size / np.where(norm > 0, norm, 1), 1)
    return np.sign(d) * share ** (p - 1)


def _triplets(
    anchor: Array, positive: Array, negative: Array, margin: float, p: float, eps: float, swap: bool
) -> tuple[Array, list[Array], Array | float, float, np.dtype]:
    """How far each triplet is from what is asked for, the differences of the vectors (from the anchor to the
    positive and the negative, and, for ``swap``, between these), and the share of the anchor's in the second
    distance."""
    (a, b, c), dtype = _embeddings(anchor=anchor, positive=positive, negative=negative)
    p, eps, margin = gate_positive(p, "p"), gate_number(eps, "eps"), gate_positive(margin, "margin")
    differences = [a - b + eps, a - c + eps, *([b - c + eps] if swap else [])]
    near, far, *other = (_norm(d, p) for d in differences)
    share: Array | float = 1.0
    if swap:
        share = np.where(far < other[0], 1.0, np.where(far > other[0], 0.0, 0.5))
        far = np.minimum(far, other[0])
    return (near - far + margin)[:, 0], differences, share, p, dtype


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
    lacking, differences, share, p, dtype = _triplets(anchor, positive, negative, margin, p, eps, swap)
    turn = (spread(dy, reduction, lacking.shape, dtype) * np.where(lacking < 0, 0, 1))[:, None]
    near, far, *other = (turn * _norm_slope(d, p) for d in differences)
    far *= share
    away = (1 - share) * other[0] if swap else 0.0
    return (near - far).astype(dtype), (-near - away).astype(dtype), (far + away).astype(dtype)
