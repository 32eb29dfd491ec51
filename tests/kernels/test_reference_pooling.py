"""The specification of pooling: values worked out by hand, and the article's identities."""

import math

import numpy as np
import pytest
from kernels.by_hand import INF, NAN, ONES, ZEROS, conv, conv_back, images

from kitnet._kernels import reference as ref


def max_pool(x, y_size, kernel, stride=ONES, padding=ZEROS, dilation=ONES):
    y = np.empty((*x.shape[:2], *y_size), x.dtype)
    index = np.empty(y.shape, np.int32)
    ref.maxpool_forward(x, y, index, kernel, stride, padding, dilation, 1)
    return y.ravel().tolist(), index.ravel().tolist()


def test_max_pool_finds_value_and_place():
    x = images([1, 5, 2, 0], [3, 4, 9, 1])
    assert max_pool(x, (1, 1, 2), (1, 2, 2), (1, 1, 2)) == ([5, 9], [1, 6])


def test_max_pool_takes_the_first_of_equals():
    assert max_pool(images([7, 7, 7]), (1, 1, 2), (1, 1, 2)) == ([7, 7], [0, 1])
    y, index = max_pool(images([-0.0, 0.0]), (1, 1, 1), (1, 1, 2))
    assert math.copysign(1, y[0]) == -1
    assert index == [0]


def test_max_pool_lets_the_first_nan_win():
    y, index = max_pool(images([INF, NAN, 1, NAN, 2]), (1, 1, 3), (1, 1, 3))
    assert np.isnan(y).all()
    assert index == [1, 1, 3]


def test_max_pool_never_points_into_the_border():
    x = images([-INF, -INF], [-INF, -INF])
    y, index = max_pool(x, (1, 2, 2), (1, 2, 2), (1, 2, 2), (0, 1, 1))
    assert y == [-INF] * 4
    assert index == [0, 1, 2, 3]


def test_max_pool_indexes_the_plane_of_a_volume():
    x = np.arange(16.0).reshape(1, 2, 2, 2, 2)[:, :, ::-1].copy()
    assert max_pool(x, ONES, (2, 2, 2)) == ([7, 15], [3, 3])


def test_max_pool_backward_adds_each_gradient_where_its_maximum_was():
    dx = np.empty((1, 2, 1, 1, 3))
    dy = images(1, 2, 3, 4, shape=(1, 2, 1, 1, 2))
    index = np.array([1, 1, 0, 2], np.int32).reshape(dy.shape)
    ref.maxpool_backward(dy, index, dx, 1)
    assert dx.ravel().tolist() == [0, 3, 0, 3, 0, 4]


def test_average_pool_divides_by_the_counts_of_its_place():
    x = images([1, 2, 3], [4, 5, 6])
    y = np.empty((1, 1, 1, 2, 2))
    geometry = ((1, 2, 2), (1, 1, 2), (0, 0, 0), ONES)  # the last windows stick out after the image
    counts = np.array([2.0]), np.array([1.0, 0.5]), np.array([2.0, 1.0])
    ref.avgpool_forward(x, y, *counts, *geometry, 1)
    assert y.ravel().tolist() == [12 / 4, 9 / 2, 9 / 2, 6 / 1]
    dx = np.empty_like(x)
    ref.avgpool_backward(np.full(y.shape, 4.0), *counts, dx, *geometry, 1)
    assert dx.ravel().tolist() == [1, 1, 2, 3, 3, 6]


def test_mean_pooling_backward_is_a_convolution_with_constant_weights():
    """The article: the gradient of mean pooling is that of a convolution with weights 1 / (kh kw)."""
    rng = np.random.default_rng(1)
    x, geometry = rng.standard_normal((2, 3, 1, 5, 6)), ((1, 2, 1), (0, 1, 0), ONES)
    dy = rng.standard_normal((2, 3, 1, 3, 4))
    weight = np.full((3, 1, 1, 3, 3), 1 / 9)
    pooled, by_pooling = np.empty_like(dy), np.empty_like(x)
    counts = np.ones(1), np.full(3, 3.0), np.full(4, 3.0)
    ref.avgpool_forward(x, pooled, *counts, (1, 3, 3), *geometry, 1)
    ref.avgpool_backward(dy, *counts, by_pooling, (1, 3, 3), *geometry, 1)
    np.testing.assert_allclose(pooled, conv(x, weight, (1, 3, 4), *geometry, groups=3))
    np.testing.assert_allclose(by_pooling, conv_back(dy, weight, x.shape[2:], *geometry, groups=3))


def lp_pool(x, p, dy=1.0):
    """One window over the row ``x``: y and dx."""
    y, dx, geometry = np.empty((1, 1, 1, 1, 1)), np.empty_like(x), ((1, 1, x.size), ONES, ZEROS, ONES)
    ref.lppool_forward(x, y, p, *geometry, 1)
    ref.lppool_backward(np.full(y.shape, dy), x, y, p, dx, *geometry, 1)
    return y.item(), dx.ravel().tolist()


def test_lp_pool_by_hand():
    assert lp_pool(images([3, -4]), 2.0, dy=10.0) == (5, [pytest.approx(6), pytest.approx(-8)])
    assert lp_pool(images([3, -4, 0]), 1.0) == (7, [1, -1, 0])
    assert lp_pool(images([3, -4, 4]), INF) == (4, [0, -1, 0])
    assert lp_pool(images([0, 0]), 2.0) == (0, [0, 0])
    assert lp_pool(images([0, 0]), INF) == (0, [0, 0])
    assert lp_pool(images([1, 2]), 3.0)[0] == pytest.approx(9 ** (1 / 3))


def test_lp_pool_does_not_overflow():
    assert lp_pool(images([3e200, -4e200]), 2.0) == (pytest.approx(5e200), pytest.approx([0.6, -0.8]))
    assert lp_pool(images([1, INF]), 2.0)[0] == INF
    assert math.isnan(lp_pool(images([1, NAN]), 2.0)[0])


def test_l2_pooling_is_square_sum_root():
    """The article: square, sum pool, root, each backward in turn."""
    rng = np.random.default_rng(2)
    x, geometry = rng.standard_normal((1, 2, 1, 4, 5)), ((1, 2, 3), (1, 2, 1), ZEROS, ONES)
    dy, ones = rng.standard_normal((1, 2, 1, 2, 3)), (np.ones(1), np.ones(2), np.ones(3))
    total, y, back, dx = np.empty_like(dy), np.empty_like(dy), np.empty_like(x), np.empty_like(x)
    ref.avgpool_forward(x**2, total, *ones, *geometry, 1)
    ref.lppool_forward(x, y, 2.0, *geometry, 1)
    np.testing.assert_allclose(y, np.sqrt(total))
    ref.avgpool_backward(dy / (2 * np.sqrt(total)), *ones, back, *geometry, 1)
    ref.lppool_backward(dy, x, y, 2.0, dx, *geometry, 1)
    np.testing.assert_allclose(dx, back * 2 * x)
