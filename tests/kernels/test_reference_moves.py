"""The specification of moves: values worked out by hand."""

import numpy as np

from kitnet._kernels import reference as ref


def take_rows(x, rows, runs, width, value=0.0):
    y = np.empty((len(x), len(rows) or x.shape[1], width))
    ref.take_rows(x, np.array(rows, np.int64), np.array(runs), y, value, 1)
    return y.tolist()


def test_rows_are_taken_by_their_numbers_or_all_of_them():
    x = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    assert take_rows(x, [1, 0, 1], [[0, 2]], 2) == [[[3, 4], [1, 2], [3, 4]], [[7, 8], [5, 6], [7, 8]]]
    assert take_rows(x, [], [[1, 1]], 1) == [[[2], [4]], [[6], [8]]]


def test_rows_are_made_of_runs_and_of_a_border():
    x = np.array([[[1.0, 2.0, 3.0]]])
    assert take_rows(x, [0, -1], [[-1, 2], [1, 2], [0, 1]], 5, 9) == [[[9, 9, 2, 3, 1], [9] * 5]]


def test_the_rows_of_a_view_may_lie_apart():
    x, y = np.arange(8.0).reshape(2, 1, 4), np.zeros((2, 1, 4))
    ref.take_rows(x[:, :, 1:3], np.empty(0, np.int64), np.array([[0, 2]]), y[:, :, 2:], 0.0, 1)
    assert y.tolist() == [[[0, 0, 1, 2]], [[0, 0, 5, 6]]]


def test_pixel_shuffle_puts_channels_into_the_cells_of_a_pixel_and_back():
    x = np.array([[[[[1.0, 5.0]], [[2.0, 6.0]]], [[[3.0, 7.0]], [[4.0, 8.0]]]]])
    y, back = np.empty((1, 1, 2, 2, 2)), np.empty(x.shape)
    ref.pixel_shuffle(x, y, 1)
    assert y.reshape(2, 4).tolist() == [[1, 2, 5, 6], [3, 4, 7, 8]]
    ref.pixel_unshuffle(y, back, 1)
    np.testing.assert_array_equal(back, x)


def test_unpooling_puts_numbers_in_their_places_and_takes_them_back():
    index, y, dx = np.array([[2, 0], [1, 1]]), np.empty((2, 3)), np.empty((2, 2))
    ref.unpool_forward(np.array([[1.0, 2.0], [3.0, 4.0]]), index, y, 1)
    np.testing.assert_array_equal(y, [[2, 0, 1], [0, 4, 0]])
    ref.unpool_backward(np.array([[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]]), index, dx, 1)
    np.testing.assert_array_equal(dx, [[7, 5], [9, 9]])
