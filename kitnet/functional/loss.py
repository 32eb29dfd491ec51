"""Losses: how far the outputs are from the targets, and the gradient that training starts from."""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import numpy as np

from .._arrays import Array, empty, gate, gate_batch, gate_int, gate_number
from .._backend import kernels, n_threads
from ._rows import from_rows, to_rows

Reduction: TypeAlias = Literal["mean", "sum", "none"]


def _gate(logits: Array, target: Array, reduction: str) -> tuple[Array, Array]:
    """The checked logits, and the targets as (M,), for M = N d1 ..."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction: expected 'mean', 'sum' or 'none', got {reduction!r}")
    logits = gate_batch(logits, "logits", (2, 3, 4, 5))
    places = (logits.shape[0], *logits.shape[2:])
    return logits, gate_int(target, "target", np.int64, shape=places, below=logits.shape[1]).reshape(-1)


def _softmax_and_loss(logits: Array, target: Array) -> tuple[Array, Array]:
    """Softmax (M, C) and losses (M,) of what ``_gate`` returns."""
    rows = to_rows(logits, 1)
    prob, loss = empty(rows.shape, rows.dtype), empty(rows.shape[:1], rows.dtype)
    kernels().cross_entropy_forward(rows, target, prob, loss, n_threads())
    return prob, loss


def cross_entropy(
    logits: Array, target: Array, reduction: Reduction = "mean", return_prob: bool = False
) -> Any:
    """-log softmax(logits) at the true class: the loss of classification.

    Parameters
    ----------
    logits
        (N, C), or (N, C, d1, ...) with a class for every place, float32 or float64: the scores of C classes,
        before any softmax. Only N may be 0.
    target
        The true classes, integers from 0 to C - 1, (N,) or (N, d1, ...).
    reduction
        ``"mean"`` or ``"sum"`` over all samples and places, or ``"none"``.
    return_prob
        Whether to return softmax(logits) too, which spares ``cross_entropy_backward`` half of its work.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of logits, in nats; of the shape of target for ``"none"``. The mean of no
        samples is NaN. With ``return_prob`` the pair (loss, prob), prob being of the shape of logits.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bridle (1990), as for ``softmax``; the logarithm is taken of sums, so that nothing cancels.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.cross_entropy(np.zeros((2, 4)), np.array([0, 3])))
    1.3862943611198906
    """
    logits, classes = _gate(logits, target, reduction)
    prob, losses = _softmax_and_loss(logits, classes)
    if reduction == "none":
        loss: Any = losses.reshape(np.shape(target))
    elif reduction == "mean" and losses.size == 0:
        loss = losses.dtype.type(math.nan)
    else:
        total = losses.sum(dtype=np.float64)
        loss = losses.dtype.type(total / losses.size if reduction == "mean" else total)
    return (loss, from_rows(prob, logits.shape, 1)) if return_prob else loss


def cross_entropy_backward(
    dy: float | Array,
    logits: Array,
    target: Array,
    reduction: Reduction = "mean",
    prob: Array | None = None,
) -> Array:
    """The gradient of ``cross_entropy`` by the logits: dy (softmax(logits) - 1 at the true class).

    Parameters
    ----------
    dy
        The gradient of the loss: a number (1 where the loss is what training minimises), which the mean
        divides by the samples and places; for ``"none"`` an array of the shape of target.
    logits, target, reduction
        As they were passed to ``cross_entropy``.
    prob
        softmax(logits), if ``cross_entropy`` has returned it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.cross_entropy_backward(1.0, np.zeros((1, 2)), np.array([1]))
    array([[ 0.5, -0.5]])
    """
    logits, classes = _gate(logits, target, reduction)
    if prob is None:
        prob, dloss = _softmax_and_loss(logits, classes)
    else:
        prob = to_rows(gate(prob, "prob", dtype=logits.dtype, shape=logits.shape), 1)
        dloss = empty(classes.shape, logits.dtype)
    if reduction == "none":
        dloss = gate(dy, "dy", dtype=logits.dtype, shape=np.shape(target)).reshape(-1)
    else:
        scale = gate_number(dy[()] if isinstance(dy, np.ndarray) and dy.ndim == 0 else dy, "dy")
        dloss.fill(scale / max(dloss.size, 1) if reduction == "mean" else scale)
    dx = empty(prob.shape, prob.dtype)
    kernels().cross_entropy_backward(dloss, prob, classes, dx, n_threads())
    return from_rows(dx, logits.shape, 1)
