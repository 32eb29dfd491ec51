"""The specification of vectors: values by hand."""

import numpy as np
import pytest
from kernels.by_hand import INF

from kitnet._kernels import reference as ref


@pytest.mark.parametrize(
    ("p", "norm", "slope"),
    [
        (1, 7, [1, -1, 0]),
        (2, 5, [0.6, -0.8, 0]),
        (3, 91 ** (1 / 3), [9 / 91 ** (2 / 3), -16 / 91 ** (2 / 3), 0]),
        (0.5, (3**0.5 + 2) ** 2, [1 + 2 / 3**0.5, -1 - 3**0.5 / 2, 0]),
        (INF, 4, [0, -1, 0]),
    ],
)
def test_distance_by_hand(p: float, norm: float, slope: list[float]):
    a, b, y = (
        np.array([[2.0, 1.0, 7.0], [1.0, 1.0, 1.0]]),
        np.array([[0.0, 6.0, 8.0], [2.0, 2.0, 2.0]]),
        np.empty(2),
    )
    ref.distance_forward(a, b, p, 1.0, y, 1)
    np.testing.assert_allclose(y, [norm, 0])
    da, db = np.ones((2, 3)), np.ones((2, 3))
    ref.distance_backward(np.array([2.0, 5.0]), a, b, y, p, 1.0, True, da, db, 1)
    np.testing.assert_allclose(da, [1 + 2 * np.array(slope), [1, 1, 1]])
    np.testing.assert_allclose(db, [1 - 2 * np.array(slope), [1, 1, 1]])


def test_the_largest_share_a_gradient():
    a, b, da, db = np.array([[3.0, 0.0, -3.0]]), np.zeros((1, 3)), np.empty((1, 3)), np.empty((1, 3))
    ref.distance_backward(np.array([2.0]), a, b, np.array([3.0]), INF, 0.0, False, da, db, 1)
    assert da.tolist() == [[1, 0, -1]]
    assert db.tolist() == [[-1, 0, 1]]


def test_row_products():
    sums = np.empty(2)
    ref.row_products(np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[3.0, 4.0], [2.0, 5.0]]), sums, 1)
    np.testing.assert_array_equal(sums, [11.0, -4.0])


def test_row_sums():
    y = np.empty((2, 2))
    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[10.0, 20.0], [30.0, 40.0]])
    ref.row_sums(np.array([1.0, -1.0]), a, np.array([0.5, 2.0]), b, y, 1)
    assert y.tolist() == [[6, 12], [57, 76]]
