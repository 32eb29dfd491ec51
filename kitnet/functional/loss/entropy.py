"""Losses of classification: minus the logarithm of the probability of the true class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..._arrays import Array, empty, gate, gate_batch, gate_int, gate_number, optional
from ..._backend import kernels, n_threads
from ..._geometry import LARGEST, one_int, product
from .._rows import around
from ._reduction import Reduction, check_reduction, reduce, share, spread


def _classes(
    target: Any, count: int, shape: tuple[int, ...], ignore_index: Any, weight: Array
) -> tuple[Array, float]:
    """The targets, int64 of ``shape`` and -1 where ignored, and the weights of all that count, added up."""
    ignore_index = one_int(ignore_index, "ignore_index", -LARGEST)
    given = gate_int(target, "target", None, shape=shape)
    if (
        given.dtype.kind == "u" and given.itemsize == 8
    ):  # numbers beyond int64 are to stay none of the classes
        given = np.minimum(given, 1 << 62)
    target, totals = given.astype(np.int64, copy=False), empty((2,), np.float64)
    classes = empty(shape, np.int64)
    kernels().class_targets(
        target.reshape(-1), weight, count, ignore_index, classes.reshape(-1), totals, n_threads()
    )
    if totals[1]:
        raise ValueError(
            f"target: expected values from 0 to {count - 1} (or ignore_index, {ignore_index}), "
            f"got {given.min()} to {given.max()}"
        )
    return classes, float(totals[0])


@dataclass(slots=True)
class _Question:
    """What ``cross_entropy`` is asked, checked."""

    logits: Array
    target: Array
    """Classes (N, P), -1 where ignored; or distributions (N, C, P)."""
    weight: Array
    smoothing: float
    places: tuple[int, ...]
    divisor: float

    @staticmethod
    def of(
        logits: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
    ) -> _Question:
        check_reduction(reduction)
        logits = gate_batch(logits, "logits", (2, 3, 4, 5))
        classes, places = logits.shape[1], (logits.shape[0], *logits.shape[2:])
        weight = optional(weight, "weight", logits.dtype, (classes,))
        smoothing = gate_number(smoothing, "label_smoothing", 0.0, 1.0)
        if isinstance(target, np.ndarray) and target.dtype.kind == "f" and target.ndim == logits.ndim:
            target = around(gate(target, "target", dtype=logits.dtype, shape=logits.shape), 1)
            divisor: float = product(places)
        else:
            target, divisor = _classes(target, classes, places, ignore_index, weight)
            target = _by_sample(target)
        return _Question(logits, target, weight, smoothing, places, divisor)

    @property
    def kind(self) -> str:
        return "cross_entropy" if self.target.ndim == 2 else "soft_cross_entropy"

    def answer(self) -> tuple[Array, Array]:
        """softmax(logits), and the loss of each place."""
        logits = self.logits
        prob, loss = empty(logits.shape, logits.dtype), empty(self.places, logits.dtype)
        kernel = getattr(kernels(), f"{self.kind}_forward")
        options = self.target, self.weight, self.smoothing
        kernel(around(logits, 1), *options, around(prob, 1), _by_sample(loss), n_threads())
        return prob, loss


def cross_entropy(
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    return_prob: bool = False,
) -> Any:
    """-log softmax(logits) at the true class: the loss of classification.

    Parameters
    ----------
    logits
        (N, C), or (N, C, d1, ...) with a class for every place, float32 or float64: the scores of C classes,
        before any softmax. Only N may be 0.
    target
        The true classes, integers from 0 to C - 1, (N,) or (N, d1, ...); or, of the shape and dtype of
        logits, their probabilities, with which -log softmax(logits) is weighed.
    weight
        (C,): what the loss of each class is multiplied by.
    ignore_index
        The class that counts nothing.
    reduction
        ``"mean"`` or ``"sum"`` over all samples and places, or ``"none"``. The mean divides by the weights of
        the true classes, or for probabilities by the number of places.
    label_smoothing
        The share, from 0 to 1, of an even distribution that is mixed into the targets.
    return_prob
        Whether to return softmax(logits) too, which spares ``cross_entropy_backward`` half of its work.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of logits, in nats; (N,) or (N, d1, ...) for ``"none"``. The mean of
        nothing is NaN. With ``return_prob`` the pair (loss, prob), prob being of the shape of logits.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bridle (1990), as for ``softmax``; the logarithm is taken of sums, so that nothing cancels. Label
    smoothing: Szegedy et al., "Rethinking the Inception architecture for computer vision" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.cross_entropy(np.zeros((2, 4)), np.array([0, 3])))
    1.3862943611198906
    """
    question = _Question.of(logits, target, weight, ignore_index, reduction, label_smoothing)
    prob, losses = question.answer()
    loss = reduce(losses, reduction, losses.dtype, question.divisor)
    return (loss, prob) if return_prob else loss


def cross_entropy_backward(
    dy: float | Array,
    logits: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    prob: Array | None = None,
) -> Array:
    """The gradient of ``cross_entropy`` by the logits: dy (softmax(logits) - 1 at the true class).

    Parameters
    ----------
    dy
        The gradient of the loss: a number (1 where the loss is what training minimises), which the mean
        divides as it does the losses; for ``"none"`` an array (N,) or (N, d1, ...).
    logits, target, weight, ignore_index, reduction, label_smoothing
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
    question = _Question.of(logits, target, weight, ignore_index, reduction, label_smoothing)
    shape, dtype = question.logits.shape, question.logits.dtype
    prob = question.answer()[0] if prob is None else gate(prob, "prob", dtype=dtype, shape=shape)
    dloss, dx = spread(dy, reduction, question.places, dtype, question.divisor), empty(shape, dtype)
    if reduction != "none":
        dloss = np.full(question.places, dloss[0])
    kernel = getattr(kernels(), f"{question.kind}_backward")
    options = question.target, question.weight, question.smoothing
    kernel(_by_sample(dloss), around(prob, 1), *options, around(dx, 1), n_threads())
    return dx


def _gate_nll(
    x: Any, target: Any, weight: Any, ignore_index: int, reduction: str
) -> tuple[Array, Array, float, Array]:
    """The logarithms, the classes, -1 where ignored, what the mean divides by, and the weights."""
    check_reduction(reduction)
    x = gate_batch(x, "x", (2, 3, 4, 5))
    weight = optional(weight, "weight", x.dtype, x.shape[1:2])
    places = x.shape[0], *x.shape[2:]
    return x, *_classes(target, x.shape[1], places, ignore_index, weight), weight


def nll_loss(
    x: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Any:
    """-x at the true class: ``cross_entropy`` where x = ``log_softmax(logits, 1)``.

    Parameters
    ----------
    x
        (N, C), or (N, C, d1, ...) with a class for every place, float32 or float64: logarithms of the
        probabilities of C classes. Only N may be 0.
    target, weight, ignore_index, reduction
        As for ``cross_entropy``, with classes as targets.

    Returns
    -------
    loss
        A NumPy scalar of the dtype of x, in nats; of the shape of target for ``"none"``. The mean of nothing
        is NaN.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Fisher, "On the mathematical foundations of theoretical statistics" (1922): maximum likelihood.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> print(F.nll_loss(np.array([[-1.0, -2.0], [-3.0, -4.0]]), np.array([0, 1])))
    2.5
    """
    x, classes, divisor, weight = _gate_nll(x, target, weight, ignore_index, reduction)
    losses, total = empty(classes.shape if reduction == "none" else (0, 0), x.dtype), empty((1,), np.float64)
    kernels().nll_forward(around(x, 1), _by_sample(classes), weight, _by_sample(losses), total, n_threads())
    return losses if reduction == "none" else x.dtype.type(share(float(total[0]), reduction, divisor))


def nll_loss_backward(
    dy: float | Array,
    x: Array,
    target: Array,
    weight: Array | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Array:
    """The gradient of ``nll_loss`` by x: -dy at the true class, 0 elsewhere.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.nll_loss_backward(1.0, np.array([[-1.0, -2.0], [-3.0, -4.0]]), np.array([0, 1]))
    array([[-0.5,  0. ],
           [ 0. , -0.5]])
    """
    x, classes, divisor, weight = _gate_nll(x, target, weight, ignore_index, reduction)
    dy, dx = spread(dy, reduction, classes.shape, x.dtype, divisor), empty(x.shape, x.dtype)
    dy = dy.reshape(1, 1) if reduction != "none" else _by_sample(dy)
    kernels().nll_backward(dy, _by_sample(classes), weight, around(dx, 1), n_threads())
    return dx


def _by_sample(places: Array) -> Array:
    """What is of every place as (N, P)."""
    return places.reshape(len(places), product(places.shape[1:]))
