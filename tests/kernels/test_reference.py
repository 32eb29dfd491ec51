"""The specification itself: values worked out by hand, and identities that define the operations."""

import math

import numpy as np
import pytest

from kitnet._kernels import reference as ref

INF, NAN = math.inf, math.nan
ONES, ZEROS = (1, 1, 1), (0, 0, 0)


def images(*rows, shape=None) -> np.ndarray:
    """Numbers as one image (1, 1, 1, H, W), or as any 5-D ``shape``."""
    x = np.array(rows, float)
    return x.reshape(shape or (1, 1, 1, *np.atleast_2d(x).shape))


def conv(x, weight, y_size, stride=ONES, padding=ZEROS, dilation=ONES, groups=1, bias=(), low=-INF, high=INF):
    y = np.empty((x.shape[0], weight.shape[0], *y_size))
    ref.conv_forward(x, weight, np.array(bias, float), y, low, high, stride, padding, dilation, groups, 1)
    return y


def columns(kernel_fn, x, shape, kernel, out, stride=ONES, padding=ZEROS, dilation=ONES):
    result = np.empty(shape)
    kernel_fn(x, result, kernel, out, stride, padding, dilation, 1)
    return result


# ---- columns --------------------------------------------------------------------------------------


def test_im2col_has_one_window_a_row():
    x = images([1, 2, 3], [4, 5, 6], [7, 8, 9])
    expected = [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    assert columns(ref.im2col, x, (1, 4, 4), (1, 2, 2), (1, 2, 2)).tolist() == [expected]
    assert columns(ref.unfold, x, (1, 4, 4), (1, 2, 2), (1, 2, 2)).tolist() == [
        np.transpose(expected).tolist()
    ]


def test_im2col_orders_channels_before_kernel_cells():
    x = images(1, 2, 3, 10, 20, 30, shape=(1, 2, 1, 1, 3))
    cols = columns(ref.im2col, x, (1, 2, 4), (1, 1, 2), (1, 1, 2))
    assert cols.tolist() == [[[1, 2, 10, 20], [2, 3, 20, 30]]]


def test_im2col_pads_with_zeros_and_obeys_stride_and_dilation():
    x = images([1, 2, 3, 4, 5])
    cols = columns(ref.im2col, x, (1, 3, 2), (1, 1, 2), (1, 1, 3), (1, 1, 2), (0, 0, 1), (1, 1, 3))
    assert cols.tolist() == [[[0, 3], [2, 5], [4, 0]]]  # cells 2 o - 1 and 2 o + 2


def test_col2im_accumulates_where_windows_overlap():
    cols = np.ones((1, 4, 4))
    x = columns(ref.col2im, cols, (1, 1, 1, 3, 3), (1, 2, 2), (1, 2, 2))
    assert x[0, 0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (columns(ref.fold, cols, (1, 1, 1, 3, 3), (1, 2, 2), (1, 2, 2)) == x).all()


def test_col2im_leaves_cells_that_no_window_reaches_zero():
    x = columns(ref.col2im, np.ones((1, 2, 1)), (1, 1, 1, 1, 5), (1, 1, 1), (1, 1, 2), (1, 1, 3))
    assert x.ravel().tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize(("forward", "backward"), [(ref.im2col, ref.col2im), (ref.unfold, ref.fold)])
def test_columns_forward_and_backward_are_adjoint(forward, backward):
    """<im2col(x), c> = <x, col2im(c)>"""
    rng = np.random.default_rng(0)
    geometry = ((2, 3, 2), (3, 2, 3), (1, 2, 2), (1, 0, 1), (2, 1, 1))
    x = rng.standard_normal((2, 3, 3, 5, 5))
    c = rng.standard_normal((2, 18, 36) if forward is ref.im2col else (2, 36, 18))
    cols = columns(forward, x, c.shape, *geometry)
    assert np.vdot(cols, c) == pytest.approx(np.vdot(x, columns(backward, c, x.shape, *geometry)))


# ---- pooling --------------------------------------------------------------------------------------


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
    pooled, by_pooling, by_convolution = np.empty_like(dy), np.empty_like(x), np.empty_like(x)
    counts = np.ones(1), np.full(3, 3.0), np.full(4, 3.0)
    ref.avgpool_forward(x, pooled, *counts, (1, 3, 3), *geometry, 1)
    ref.avgpool_backward(dy, *counts, by_pooling, (1, 3, 3), *geometry, 1)
    ref.conv_backward_data(dy, weight, by_convolution, *geometry, 3, 1)
    np.testing.assert_allclose(pooled, conv(x, weight, (1, 3, 4), *geometry, groups=3))
    np.testing.assert_allclose(by_pooling, by_convolution)


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


# ---- convolution ------------------------------------------------------------------------------------


def test_the_articles_first_example():
    """1-D, w = [1, 0, -1], 7 inputs, 5 outputs: each output is an input less the one two places on."""
    x = images([1, 2, 4, 8, 16, 32, 64])
    y = conv(x, images([1, 0, -1]), (1, 1, 5))
    assert y.ravel().tolist() == [-3, -6, -12, -24, -48]
    dy, dx, dw, db = np.ones_like(y), np.empty_like(x), np.empty((1, 1, 1, 1, 3)), np.empty(1)
    ref.conv_backward_data(dy, images([1, 0, -1]), dx, ONES, ZEROS, ONES, 1, 1)
    ref.conv_backward_weight(dy, x, dw, db, ONES, ZEROS, ONES, 1, 1)
    assert dx.ravel().tolist() == [1, 1, 0, 0, 0, -1, -1]
    assert dw.ravel().tolist() == [31, 62, 124]
    assert db.tolist() == [5]


def test_conv_is_not_flipped_and_adds_channels_and_bias():
    x = images(1, 2, 3, 10, 20, 30, shape=(1, 2, 1, 1, 3))
    weight = images(1, 2, 3, 4, 0, 1, 0, -1, shape=(2, 2, 1, 1, 2))
    y = conv(x, weight, (1, 1, 2), bias=[100, 200])
    assert y.ravel().tolist() == [100 + 5 + 110, 100 + 8 + 180, 200 + 2 - 20, 200 + 3 - 30]


def test_conv_stride_padding_dilation():
    y = conv(images([1, 2, 3, 4, 5]), images([1, 10]), (1, 1, 3), (1, 1, 2), (0, 0, 1), (1, 1, 3))
    assert y.ravel().tolist() == [30, 2 + 50, 4]


def test_conv_groups_see_their_own_channels_only():
    x = images(1, 2, 3, 4, shape=(1, 4, 1, 1, 1))
    weight = images(1, 10, 100, 1000, shape=(2, 2, 1, 1, 1))
    assert conv(x, weight, ONES, groups=2).ravel().tolist() == [21, 4300]
    assert conv(x, weight.reshape(4, 1, 1, 1, 1), ONES, groups=4).ravel().tolist() == [1, 20, 300, 4000]


def test_conv_clips_and_keeps_nan():
    x = images([-2, 0.5, 7, NAN])
    assert conv(x, images([1]), (1, 1, 4), low=0.0).ravel()[:3].tolist() == [0, 0.5, 7]
    y = conv(x, images([1]), (1, 1, 4), low=0.0, high=6.0).ravel()
    assert y[:3].tolist() == [0, 0.5, 6]
    assert math.isnan(y[3])


def test_backward_is_two_more_convolutions():
    """The article: dx = the padded delta convolved with the flipped kernel, dw = x convolved with delta."""
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((2, 3, 1, 6, 7)), rng.standard_normal((4, 3, 1, 3, 2))
    dy = rng.standard_normal((2, 4, 1, 4, 6))
    dx, dw, db = np.empty_like(x), np.empty_like(w), np.empty(4)
    ref.conv_backward_data(dy, w, dx, ONES, ZEROS, ONES, 1, 1)
    ref.conv_backward_weight(dy, x, dw, db, ONES, ZEROS, ONES, 1, 1)
    padded = np.pad(dy, ((0, 0), (0, 0), (0, 0), (2, 2), (1, 1)))
    flipped = w[..., ::-1, ::-1].swapaxes(0, 1)
    np.testing.assert_allclose(dx, conv(padded, flipped, (1, 6, 7)), atol=1e-13)
    np.testing.assert_allclose(
        dw, conv(x.swapaxes(0, 1), dy.swapaxes(0, 1), (1, 3, 2)).swapaxes(0, 1), atol=1e-13
    )
    np.testing.assert_allclose(db, dy.sum(axis=(0, 2, 3, 4)))


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [
        ((1, 1, 1), (0, 0, 0), (1, 1, 1), 1),
        ((1, 2, 3), (0, 2, 1), (1, 1, 2), 1),
        ((2, 1, 2), (1, 3, 0), (1, 2, 1), 2),
    ],
)
def test_conv_is_im2col_times_weights(stride, padding, dilation, groups):
    """The three convolutions equal the article's three matrix products, col2im and all."""
    rng = np.random.default_rng(4)
    n, c, k, size, kernel = 2, 4, 6, (3, 7, 8), (2, 3, 2)
    after = (1, 0, 2)
    out = tuple(
        (z + p + a - d * (f - 1) - 1) // s + 1
        for z, p, a, d, f, s in zip(size, padding, after, dilation, kernel, stride, strict=True)
    )
    x, w = rng.standard_normal((n, c, *size)), rng.standard_normal((k, c // groups, *kernel))
    y = conv(x, w, out, stride, padding, dilation, groups)
    dy, dx, dw = rng.standard_normal(y.shape), np.empty_like(x), np.empty_like(w)
    ref.conv_backward_data(dy, w, dx, stride, padding, dilation, groups, 1)
    ref.conv_backward_weight(dy, x, dw, np.empty(0), stride, padding, dilation, groups, 1)
    ins, outs = c // groups, k // groups
    for g in range(groups):
        i, o = slice(g * ins, (g + 1) * ins), slice(g * outs, (g + 1) * outs)
        xg, wg = x[:, i], w[o].reshape(outs, -1)
        shape = (n, math.prod(out), ins * math.prod(kernel))
        cols = columns(ref.im2col, xg, shape, kernel, out, stride, padding, dilation)
        rows = dy[:, o].reshape(n, outs, -1).swapaxes(1, 2)
        np.testing.assert_allclose(y[:, o].reshape(n, outs, -1).swapaxes(1, 2), cols @ wg.T, atol=1e-12)
        back = columns(ref.col2im, rows @ wg, xg.shape, kernel, out, stride, padding, dilation)
        np.testing.assert_allclose(dx[:, i], back, atol=1e-12)
        np.testing.assert_allclose(dw[o].reshape(outs, -1), np.einsum("nlk,nlj->kj", rows, cols), atol=1e-12)


# ---- dense and local ------------------------------------------------------------------------------------


def test_linear_by_hand():
    x, w, b = (
        np.array([[1.0, 2.0]]),
        np.array([[3.0, 4.0], [5.0, 6.0], [-1.0, 0.0]]),
        np.array([10.0, 20.0, 0.0]),
    )
    y, dy = np.empty((1, 3)), np.array([[1.0, 10.0, 100.0]])
    ref.linear_forward(x, w, b, y, 0.0, 30.0, 1)
    assert y.tolist() == [[21, 30, 0]]
    dx, dw, db = np.empty_like(x), np.empty_like(w), np.empty_like(b)
    ref.linear_backward_data(dy, w, dx, 1)
    ref.linear_backward_weight(dy, x, dw, db, 1)
    assert dx.tolist() == [[3 + 50 - 100, 4 + 60]]
    assert dw.tolist() == [[1, 2], [10, 20], [100, 200]]
    assert db.tolist() == [1, 10, 100]


def test_local_with_equal_weights_is_a_convolution():
    rng = np.random.default_rng(5)
    geometry = ((1, 2, 3), (1, 3, 3), (1, 2, 1), (0, 1, 0), ONES)
    x, w = rng.standard_normal((2, 3, 1, 4, 5)), rng.standard_normal((4, 3, 1, 2, 3))
    unshared = np.broadcast_to(w.reshape(1, 4, 18), (9, 4, 18)).copy()
    y, dy = np.empty((2, 4, 9)), rng.standard_normal((2, 4, 9))
    bias = rng.standard_normal((4, 9))
    ref.local_forward(x, unshared, bias, y, *geometry, 1)
    expected = conv(x, w, (1, 3, 3), *geometry[2:])
    np.testing.assert_allclose(y, expected.reshape(2, 4, 9) + bias, atol=1e-13)
    dx, dw, db = np.empty_like(x), np.empty_like(unshared), np.empty_like(bias)
    ref.local_backward(dy, x, unshared, dx, dw, db, *geometry, 1)
    conv_dx, conv_dw = np.empty_like(x), np.empty_like(w)
    ref.conv_backward_data(dy.reshape(expected.shape), w, conv_dx, *geometry[2:], 1, 1)
    ref.conv_backward_weight(dy.reshape(expected.shape), x, conv_dw, np.empty(0), *geometry[2:], 1, 1)
    np.testing.assert_allclose(dx, conv_dx, atol=1e-13)
    np.testing.assert_allclose(dw.sum(axis=0), conv_dw.reshape(4, 18), atol=1e-13)
    np.testing.assert_allclose(db, dy.sum(axis=0))


# ---- elementwise, norm, softmax ------------------------------------------------------------------------


def test_relu_and_its_gradient():
    x, y, dx = np.array([-1.0, 0.0, 2.0, NAN, INF]), np.empty(5), np.empty(5)
    ref.relu_forward(x, y, 1)
    assert y[[0, 1, 2, 4]].tolist() == [0, 0, 2, INF]
    assert math.isnan(y[3])
    ref.relu_backward(np.arange(1.0, 6.0), y, dx, 1)
    assert dx.tolist() == [0, 0, 3, 4, 5]


def test_multiply():
    y = np.empty(3)
    ref.multiply(np.array([1.0, 2.0, INF]), np.array([3.0, 0.0, 0.0]), y, 1)
    assert y[:2].tolist() == [3, 0]
    assert math.isnan(y[2])


def test_batch_norm_by_hand():
    x, mean, var = np.array([[[1.0, 3.0]], [[5.0, 7.0]]]), np.empty(1), np.empty(1)
    ref.batchnorm_statistics(x, mean, var, 1)
    assert (mean.item(), var.item()) == (4, 5)
    y = np.empty_like(x)
    ref.batchnorm_forward(x, np.array([2.0]), np.array([-5.0]), y, 0.0, 6.0, 1)
    assert y.ravel().tolist() == [0, 1, 5, 6]


def test_batch_norm_of_nothing_has_no_mean_and_no_variance():
    mean, var = np.empty(2), np.empty(2)
    ref.batchnorm_statistics(np.empty((0, 2, 3)), mean, var, 1)
    assert mean.tolist() == var.tolist() == [0, 0]


def test_batch_norm_gradient_is_orthogonal_to_shift_and_scale():
    """Moving or stretching a channel changes nothing, so the gradient is orthogonal to 1 and to x."""
    rng = np.random.default_rng(6)
    x, dy = rng.standard_normal((2, 4, 3, 5))
    mean, var, dx, dgamma, dbeta = np.empty(3), np.empty(3), np.empty_like(x), np.empty(3), np.empty(3)
    ref.batchnorm_statistics(x, mean, var, 1)
    ref.batchnorm_backward(dy, x, mean, 1 / np.sqrt(var), rng.standard_normal(3), dx, dgamma, dbeta, 1)
    np.testing.assert_allclose(dx.sum(axis=(0, 2)), 0, atol=1e-13)
    np.testing.assert_allclose((dx * x).sum(axis=(0, 2)), 0, atol=1e-13)
    np.testing.assert_allclose(dbeta, dy.sum(axis=(0, 2)))


def softmax(*row):
    y = np.empty((1, len(row)))
    ref.softmax_forward(np.array([row], float), y, 1)
    return y[0]


def test_softmax_by_hand():
    np.testing.assert_allclose(softmax(0, math.log(3)), [0.25, 0.75])
    np.testing.assert_allclose(softmax(1e6, 1e6 - 800, -1e6), [1, 0, 0], atol=1e-300)
    np.testing.assert_allclose(softmax(0, -INF, 0), [0.5, 0, 0.5])
    for row in ((-INF, -INF), (INF, 0), (NAN, 0)):
        assert np.isnan(softmax(*row)).all()


def test_softmax_gradient_ignores_a_common_shift():
    y, dx = softmax(1, 2, 3)[None], np.empty((1, 3))
    ref.softmax_backward(np.full((1, 3), 7.0), y, dx, 1)
    np.testing.assert_allclose(dx, 0, atol=1e-15)


def test_cross_entropy_by_hand():
    x, target = np.array([[0, math.log(3)], [1000.0, 0.0]]), np.array([0, 1])
    prob, loss, dx = np.empty_like(x), np.empty(2), np.empty_like(x)
    ref.cross_entropy_forward(x, target, prob, loss, 1)
    np.testing.assert_allclose(prob, [[0.25, 0.75], [1, 0]])
    np.testing.assert_allclose(loss, [math.log(4), 1000])
    ref.cross_entropy_backward(np.array([2.0, 1.0]), prob, target, dx, 1)
    np.testing.assert_allclose(dx, [[-1.5, 1.5], [1, -1]])


# ---- optimizers -----------------------------------------------------------------------------------------


def sgd(param, grad, velocity, lr=0.5, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    state = [np.array(a, float) for a in (param, grad, velocity)]
    ref.sgd_step(*state, lr, momentum, dampening, weight_decay, nesterov, 1)
    return state[0].tolist(), state[2].tolist()


def test_sgd_by_hand():
    assert sgd([10.0], [4.0], []) == ([8], [])
    assert sgd([10.0], [4.0], [], weight_decay=0.1) == ([7.5], [])
    assert sgd([10.0], [4.0], [2.0], momentum=0.5) == ([7.5], [5])
    assert sgd([10.0], [4.0], [2.0], momentum=0.5, dampening=0.25) == ([8], [4])
    assert sgd([10.0], [4.0], [2.0], momentum=0.5, nesterov=True) == ([10 - 0.5 * 6.5], [5])


def adam(weight_decay=0.0, decoupled=False, steps=1):
    param, grad, m, v = np.array([1.0]), np.array([2.0]), np.zeros(1), np.zeros(1)
    for step in range(1, steps + 1):
        ref.adam_step(param, grad, m, v, 0.1, 0.9, 0.999, 0.0, weight_decay, decoupled, step, 1)
    return param.item()


def test_adam_by_hand():
    """With a constant gradient the corrected moments are g and g^2 at any step, so each step is lr long."""
    assert adam() == pytest.approx(0.9)
    assert adam(steps=5) == pytest.approx(0.5)
    assert adam(weight_decay=0.5) == pytest.approx(0.9)
    assert adam(weight_decay=0.5, decoupled=True) == pytest.approx(0.95 - 0.1)
