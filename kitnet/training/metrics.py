"""Metrics: how good predictions are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from .._arrays import gate_int

Metric: TypeAlias = "Callable[[Any, Any], float]"


def _labels(predicted: Any) -> np.ndarray:
    """Labels (N,) as they are, or the places of the largest scores (N, C, ...)."""
    if isinstance(predicted, np.ndarray) and (predicted.ndim == 2 or _scores(predicted)):
        return predicted.argmax(axis=1)
    return gate_int(predicted, "predicted", ndim=1)


def _scores(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind == "f" and values.ndim > 1


def accuracy(predicted: Any, target: Any) -> float:
    """The share of right predictions, from 0 to 1; NaN for no predictions.

    Parameters
    ----------
    predicted
        Scores (N, C) or (N, C, d1, ...), of which the largest counts (the first of equals), or labels (N,).
    target
        The true labels (N,) or (N, d1, ...), or their probabilities, of the shape of the scores.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import accuracy
    >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    """
    labels = _labels(predicted)
    target = gate_int(target.argmax(axis=1) if _scores(target) else target, "target", shape=labels.shape)
    return int(np.count_nonzero(labels == target)) / labels.size if labels.size else np.nan


def confusion_matrix(target: Any, predicted: Any, classes: int | None = None) -> np.ndarray:
    """How often each class was taken for each class.

    Parameters
    ----------
    target
        The true labels (N,).
    predicted
        Labels (N,), or scores (N, C) of which the largest counts.
    classes
        The number of classes; None takes it from the scores or the largest label.

    Returns
    -------
    int64 array (classes, classes)
        Row: true class, column: predicted class.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a label is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import confusion_matrix
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]))
    array([[1, 0],
           [1, 1]])
    """
    labels = _labels(predicted)
    target = gate_int(target, "target", shape=labels.shape)
    if classes is None:
        scores = np.ndim(predicted) == 2
        classes = (
            predicted.shape[1] if scores else int(max(labels.max(initial=-1), target.max(initial=-1))) + 1
        )
    gate_int(labels, "predicted", below=max(classes, 0))
    gate_int(target, "target", below=max(classes, 0))
    return np.bincount(target * classes + labels, minlength=classes * classes).reshape(classes, classes)
