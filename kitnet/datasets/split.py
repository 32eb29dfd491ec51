"""Splitting a data set in two, the same way for ever."""

from __future__ import annotations

import numpy as np

from .._arrays import gate_int, gate_number
from .._geometry import one_int


def stratified_split(
    labels: np.ndarray, test_fraction: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Indices of a training and a test part, with every class in both in the same proportion.

    The split depends on ``labels``, ``test_fraction`` and ``seed`` alone: it comes from NumPy's frozen
    generator (``RandomState``), so it is the same with every version of NumPy and of kitnet.

    Parameters
    ----------
    labels
        Class of each sample: integers from 0, of shape (N,).
    test_fraction
        Share of the samples for the test part, between 0 and 1; rounded to whole samples class by class.
    seed
        Which of the splits: an int from 0 to 2**32 - 1.

    Returns
    -------
    train, test
        Two int64 arrays of indices, each in rising order; together every index once.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.datasets import stratified_split
    >>> train, test = stratified_split(np.array([0, 1] * 10), 0.2)
    >>> len(train), len(test), int(np.array([0, 1] * 10)[test].sum())
    (16, 4, 2)
    """
    labels = gate_int(labels, "labels", ndim=1)
    if labels.size and labels.min() < 0:
        raise ValueError(f"labels: expected values from 0, got {labels.min()}")
    if not 0 < gate_number(test_fraction, "test_fraction") < 1:
        raise ValueError(f"test_fraction: expected a number between 0 and 1, got {test_fraction!r}")
    random = np.random.RandomState(one_int(seed, "seed", least=0, most=2**32 - 1))
    in_test = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        in_test[random.permutation(members)[: round(len(members) * test_fraction)]] = True
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)
