"""The specification of resampling by lists, computed by hand."""

import numpy as np
from kernels.by_hand import images

from kitnet._kernels import reference as ref

STAYS = tuple(np.empty(0, kind) for kind in (np.int32, np.int32, float))


def lists(*rows):
    """Rows of (cell, weight) pairs as start, index and weight."""
    pairs = [pair for row in rows for pair in row]
    start = np.cumsum([0] + [len(row) for row in rows])
    index, weight = ([pair[i] for pair in pairs] for i in (0, 1))
    return start.astype(np.int32), np.array(index, np.int32), np.array(weight, float)


def resample(x, d, h, w, size):
    y = np.full((*x.shape[:2], *size), np.nan)
    ref.resample(x, *d, *h, *w, y, 1)
    return y


def test_each_result_is_the_weighted_sum_of_its_list():
    w = lists([(0, 1.0)], [(2, 0.5), (1, 0.25)], [])
    y = resample(images([1, 4, 8], [2, 8, 16]), STAYS, STAYS, w, (1, 2, 3))
    assert y.tolist() == [[[[[1, 5, 0], [2, 10, 0]]]]]


def test_axes_are_independent():
    x = images(1, 2, 3, 4, 5, 6, 7, 8, shape=(1, 1, 2, 2, 2))
    both = lists([(0, 1.0), (1, 1.0)])
    assert resample(x, both, STAYS, STAYS, (1, 2, 2)).reshape(-1).tolist() == [6, 8, 10, 12]
    assert resample(x, STAYS, both, STAYS, (2, 1, 2)).reshape(-1).tolist() == [4, 6, 12, 14]
    assert resample(x, both, both, both, (1, 1, 1)).tolist() == [[[[[36]]]]]
    assert resample(x, STAYS, STAYS, STAYS, (2, 2, 2)).tolist() == x.tolist()


def test_what_is_in_no_list_has_no_say():
    assert resample(images([np.nan, 3]), STAYS, STAYS, lists([(1, 2.0)]), (1, 1, 1)).tolist() == [[[[[6]]]]]
