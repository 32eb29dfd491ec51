"""Losses of embeddings: vectors that should be near each other, or far apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..._arrays import Array, empty, gate, gate_number, gate_positive, zeros
from ..._backend import kernels, n_threads
from ._reduction import Reduction, check_reduction, quiet, reduce, spread

_EPS = 1e-12  # PyTorch's, beside the squares of lengths


def _embeddings(**arrays: Any) -> list[Array]:
    """Arrays (N, D) that are all of the shape and dtype of the first."""
    (name, first), *others = arrays.items()
    first = gate(first, name, 2)
    return [first, *(gate(array, name, dtype=first.dtype, shape=first.shape) for name, array in others)]


def _inner(x1: Array, x2: Array) -> Array:
    """The inner products of the rows."""
    sums = empty(x1.shape[:1], np.float64)
    kernels().row_products(x1, x2, sums, n_threads())
    return sums


def _cosine(x1: Array, x2: Array) -> tuple[Array, Array, Array]:
    """The cosines of the angles, and the squares of the lengths."""
    square1, square2 = _inner(x1, x1) + _EPS, _inner(x2, x2) + _EPS
    return _inner(x1, x2) / np.sqrt(square1 * square2), square1, square2


def _row_sums(f: Array, x1: Array, g: Array, x2: Array) -> Array:
    """f x1 + g x2, each row with its own f and g."""
    y = empty(x1.shape, x1.dtype)
    kernels().row_sums(f, x1, g, x2, y, n_threads())
    return y


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
    x1, x2 = _embeddings(x1=x1, x2=x2)
    target = gate(target, "target", dtype=x1.dtype, shape=x1.shape[:1])
    cosine, *_ = _cosine(x1, x2)
    apart = np.maximum(cosine - gate_number(margin, "margin", -1.0, 1.0), 0)
    losses = np.where(target == 1, 1 - cosine, np.where(target == -1, apart, 0 * target))
    return reduce(losses, reduction, x1.dtype)


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
    x1, x2 = _embeddings(x1=x1, x2=x2)
    target = gate(target, "target", dtype=x1.dtype, shape=x1.shape[:1])
    cosine, square1, square2 = _cosine(x1, x2)
    apart = cosine >= gate_number(margin, "margin", -1.0, 1.0)
    turn = np.where(target == 1, -1.0, np.where(target == -1, apart, 0 * target))
    turn = turn * spread(dy, reduction, target.shape, x1.dtype)
    across, along = turn / np.sqrt(square1 * square2), turn * cosine
    return _row_sums(across, x2, -along / square1, x1), _row_sums(across, x1, -along / square2, x2)


def _distance(x1: Array, x2: Array, p: float, eps: float) -> Array:
    """The norms of the rows of x1 - x2 + eps."""
    y = empty(x1.shape[:1], x1.dtype)
    kernels().distance_forward(x1, x2, p, eps, y, n_threads())
    return y


def _pull(
    turn: Array,
    x1: Array,
    x2: Array,
    y: Array,
    p: float,
    eps: float,
    dx1: Array,
    dx2: Array,
    add: bool = True,
) -> None:
    """The gradients of the distances y by x1 and x2, times ``turn``: added to dx1 and dx2, or put there."""
    kernels().distance_backward(turn, x1, x2, y, p, eps, add, dx1, dx2, n_threads())


def _check_triplets(
    anchor: Array, positive: Array, negative: Array, margin: float, p: float, eps: float
) -> tuple[list[Array], float, float, float]:
    vectors = _embeddings(anchor=anchor, positive=positive, negative=negative)
    return vectors, gate_positive(margin, "margin"), gate_positive(p, "p"), gate_number(eps, "eps")


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
    (a, b, c), margin, p, eps = _check_triplets(anchor, positive, negative, margin, p, eps)
    near, far = _distance(a, b, p, eps), _distance(a, c, p, eps)
    if swap:
        far = np.minimum(far, _distance(b, c, p, eps))
    return reduce(np.maximum(near - far + margin, 0), reduction, a.dtype)


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
    (a, b, c), margin, p, eps = _check_triplets(anchor, positive, negative, margin, p, eps)
    near, far = _distance(a, b, p, eps), _distance(a, c, p, eps)
    nearest, other, share = far, far, np.ones_like(far)
    if swap:
        other = _distance(b, c, p, eps)
        nearest = np.minimum(far, other)
        share = np.where(far < other, 1.0, np.where(far > other, 0.0, 0.5))
    turn = spread(dy, reduction, near.shape, a.dtype) * np.where(near - nearest + margin < 0, 0.0, 1.0)
    da, db, dc = empty(a.shape, a.dtype), empty(b.shape, b.dtype), zeros(c.shape, c.dtype)
    _pull(turn, a, b, near, p, eps, da, db, add=False)
    _pull(-turn * share, a, c, far, p, eps, da, dc)
    if swap:
        _pull(-turn * (1 - share), b, c, other, p, eps, db, dc)
    return da, db, dc
