"""The article, row by row, as far as it is about functions: each test is named after what the article says.

Formulas are written out as the article draws them, as loops or chains of plain NumPy, in float64.
"""

import numpy as np
import pytest

from kitnet import functional as F


@pytest.fixture
def rng():
    return np.random.default_rng(2016)


def naive_conv2d(x, w):
    """The article's convolution, of images (N, C, H, W) with kernels (K, C, kh, kw), as one sum a cell."""
    n, _, h, width = x.shape
    k, _, kh, kw = w.shape
    y = np.empty((n, k, h - kh + 1, width - kw + 1))
    for i, j in np.ndindex(y.shape[2:]):
        y[:, :, i, j] = np.einsum("ncij,kcij->nk", x[:, :, i : i + kh, j : j + kw], w)
    return y


def border(x, *sizes):
    return np.pad(x, ((0, 0), (0, 0), *((s, s) for s in sizes)))


# ---- section 2: basic operations


def test_one_dimensional_convolution_with_weights_1_0_minus_1_from_7_inputs_to_5_outputs():
    x = np.array([[[2.0, 5, 3, 8, 1, 1, 4]]])
    y = F.conv1d(x, np.array([[[1.0, 0, -1]]]))
    np.testing.assert_array_equal(y, [[[2 - 3, 5 - 8, 3 - 1, 8 - 1, 1 - 4]]])


def test_local_receptive_fields_and_weight_sharing_reduce_35_weights_to_15_and_3(rng):
    """The same map from 7 to 5, dense, locally connected and convolutional."""
    x, w = rng.standard_normal((4, 1, 7)), rng.standard_normal((1, 1, 3))
    dense = np.zeros((5, 7))
    for place in range(5):
        dense[place, place : place + 3] = w
    local = np.broadcast_to(w, (5, 1, 1, 3))
    y = F.conv1d(x, w)
    np.testing.assert_allclose(F.linear(x[:, 0], dense), y[:, 0], rtol=1e-12)
    np.testing.assert_allclose(F.locally_connected1d(x, local), y, rtol=1e-12)
    assert (dense.size, local.size, w.size) == (35, 15, 3)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_the_gradient_of_shared_weights_is_the_sum_over_the_places(rng, ndim):
    size, kernel, places = (7, 6, 4)[:ndim], (3, 2, 2)[:ndim], (5, 5, 3)[:ndim]
    x, w = rng.standard_normal((4, 2, *size)), rng.standard_normal((3, 2, *kernel))
    dy, local = rng.standard_normal((4, 3, *places)), np.broadcast_to(w, (*places, *w.shape))
    conv, conv_backward = (getattr(F, f"conv{ndim}d{end}") for end in ("", "_backward"))
    unshared, unshared_backward = (getattr(F, f"locally_connected{ndim}d{end}") for end in ("", "_backward"))
    np.testing.assert_allclose(unshared(x, local), conv(x, w), rtol=1e-12, atol=1e-12)
    shared = conv_backward(dy, x, w)
    dx, dw, db = unshared_backward(dy, x, local)
    everywhere = tuple(range(ndim))
    np.testing.assert_allclose(dx, shared[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dw.sum(axis=everywhere), shared[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        db.sum(axis=tuple(a + 1 for a in everywhere)), shared[2], rtol=1e-12, atol=1e-12
    )


def test_several_feature_maps_are_several_shared_kernels(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    y = F.conv2d(x, w)
    assert y.shape == (2, 4, 4, 4)
    for k in range(4):
        np.testing.assert_allclose(y[:, k : k + 1], F.conv2d(x, w[k : k + 1]), rtol=1e-12)


def test_two_dimensional_convolution(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    np.testing.assert_allclose(F.conv2d(x, w), naive_conv2d(x, w), rtol=1e-12, atol=1e-12)


def test_stride_is_the_step_of_the_window_and_pad_a_border_of_zeros(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    full = naive_conv2d(border(x, 2, 1), w)
    y = F.conv2d(x, w, stride=(2, 3), padding=(2, 1))
    np.testing.assert_allclose(y, full[:, :, ::2, ::3], rtol=1e-12, atol=1e-12)


def test_three_dimensional_convolution_of_4d_input_and_4d_weight_is_multi_channel_conv2d(rng):
    """What the article calls 3-D: a volume convolved with kernels as deep as it is."""
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    volume = F.conv3d(x[:, None], w[:, None])
    np.testing.assert_allclose(F.conv2d(x, w), volume[:, :, 0], rtol=1e-12, atol=1e-12)


def test_two_3x3_convolutions_see_the_5x5_field_of_one_with_18_weights_for_25(rng):
    a, b = rng.standard_normal((1, 1, 3, 3)), rng.standard_normal((1, 1, 3, 3))
    x = rng.standard_normal((1, 1, 9, 9))
    five = F.conv2d(border(a, 2, 2), b[:, :, ::-1, ::-1])  # the full convolution of the kernels
    assert five.shape[2:] == (5, 5)
    np.testing.assert_allclose(F.conv2d(F.conv2d(x, a), b), F.conv2d(x, five), rtol=1e-9, atol=1e-12)
    assert (five.size, a.size + b.size) == (25, 18)


def test_subsampling_takes_one_number_for_a_local_region():
    region = np.array([[[[1.0, -2], [2, 4]]]])
    assert F.max_pool2d(region, 2) == 4
    assert F.avg_pool2d(region, 2) == 1.25
    assert F.sum_pool2d(region, 2) == 5
    assert F.lp_pool2d(region, 2, 2) == 5


# ---- section 3: backward of convolution


def test_backward_is_three_convolutions_dx_of_the_bordered_delta_dw_of_x_with_delta(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    delta = rng.standard_normal((2, 4, 4, 4))
    dx, dw, db = F.conv2d_backward(delta, x, w)
    flipped = w[:, :, ::-1, ::-1].swapaxes(0, 1)
    np.testing.assert_allclose(dx, naive_conv2d(border(delta, 2, 1), flipped), rtol=1e-12, atol=1e-12)
    swapped = naive_conv2d(x.swapaxes(0, 1), delta.swapaxes(0, 1))  # samples take the place of channels
    np.testing.assert_allclose(dw, swapped.swapaxes(0, 1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(db, delta.sum(axis=(0, 2, 3)), rtol=1e-12)


def test_backward_of_a_full_kernel_is_that_of_linear_regression(rng):
    """A kernel as large as the image: y = x w, dx = delta w, dw = delta^T x."""
    x, w, delta = (
        rng.standard_normal((5, 3, 4, 2)),
        rng.standard_normal((6, 3, 4, 2)),
        rng.standard_normal((5, 6)),
    )
    flat = F.linear_backward(delta, x.reshape(5, -1), w.reshape(6, -1))
    for grad, expected in zip(F.conv2d_backward(delta[:, :, None, None], x, w), flat, strict=True):
        np.testing.assert_allclose(grad.reshape(expected.shape), expected, rtol=1e-12, atol=1e-12)


def test_no_gradient_of_the_first_layers_input_is_computed_where_it_is_not_wanted(rng):
    x, w, delta = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2)), np.ones((2, 4, 4, 4))
    _, *expected = F.conv2d_backward(delta, x, w)
    dx, *rest = F.conv2d_backward(delta, x, w, input_grad=False)
    assert dx is None
    for grad, other in zip(rest, expected, strict=True):
        np.testing.assert_array_equal(grad, other)


# ---- section 4: backward of pooling


@pytest.mark.parametrize(("stride", "padding"), [(2, 0), (1, 1), (3, 1)])
def test_mean_pooling_is_convolution_with_constant_weights_forward_and_backward(rng, stride, padding):
    x = rng.standard_normal((2, 3, 7, 8))
    w = np.full((3, 1, 2, 2), 0.25)  # [[0.25, 0.25], [0.25, 0.25]] for each channel on its own
    y = F.avg_pool2d(x, 2, stride, padding)
    np.testing.assert_allclose(y, F.conv2d(x, w, None, stride, padding, groups=3), rtol=1e-12, atol=1e-12)
    delta = rng.standard_normal(y.shape)
    dx, _, _ = F.conv2d_backward(delta, x, w, stride, padding, groups=3)
    np.testing.assert_allclose(
        F.avg_pool2d_backward(delta, x.shape, 2, stride, padding), dx, rtol=1e-12, atol=1e-12
    )


def test_l2_pooling_is_square_sum_pooling_and_root_each_backward_in_turn(rng):
    x = rng.standard_normal((2, 3, 7, 8))
    squares = x**2
    sums = F.sum_pool2d(squares, 3, 2)
    y = F.lp_pool2d(x, 2, 3, 2)
    np.testing.assert_allclose(y, np.sqrt(sums), rtol=1e-12)
    delta = rng.standard_normal(y.shape)
    dsums = delta / (2 * np.sqrt(sums))
    dsquares = F.sum_pool2d_backward(dsums, x.shape, 3, 2)
    np.testing.assert_allclose(
        F.lp_pool2d_backward(delta, x, y, 2, 3, 2), dsquares * 2 * x, rtol=1e-12, atol=1e-12
    )


def test_l2_pooling_of_zeros_is_defined_with_gradient_0():
    x = np.zeros((1, 1, 2, 2))
    y = F.lp_pool2d(x, 2, 2)
    assert y == 0
    np.testing.assert_array_equal(F.lp_pool2d_backward(np.ones_like(y), x, y, 2, 2), x)


def test_max_pooling_backward_loops_to_the_largest_element(rng):
    x = rng.standard_normal((2, 3, 7, 8))
    y, indices = F.max_pool2d(x, 3, 2, return_indices=True)
    delta = rng.standard_normal(y.shape)
    expected = np.zeros_like(x)
    for n, c, i, j in np.ndindex(y.shape):
        window = x[n, c, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        h, w = np.unravel_index(window.argmax(), window.shape)
        expected[n, c, 2 * i + h, 2 * j + w] += delta[n, c, i, j]
    np.testing.assert_allclose(F.max_pool2d_backward(delta, indices, x.shape), expected, rtol=1e-12)


def test_max_pooling_gives_ties_to_the_first_and_lets_nan_win():
    x = np.array([[[[5.0, 5, 1, np.nan], [5, 5, 7, np.nan]]]])
    y, indices = F.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(y, [[[[5, np.nan]]]])
    np.testing.assert_array_equal(indices, [[[[0, 3]]]])


def test_max_pooling_keeps_what_is_largest_wherever_it_moves_in_the_region():
    """The invariance that the article wants of pooling."""
    for place in range(4):
        x = np.zeros((1, 1, 2, 2))
        x.flat[place] = 3
        assert F.max_pool2d(x, 2) == 3


# ---- section 5: im2col


def test_im2col_makes_convolution_one_matrix_product(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    cols = F.im2col(x, (3, 2), stride=(1, 2), padding=(1, 0))
    y = F.conv2d(x, w, stride=(1, 2), padding=(1, 0))
    assert cols.shape == (2 * y.shape[2] * y.shape[3], 3 * 3 * 2)
    product = cols @ w.reshape(4, -1).T
    images = product.reshape(2, *y.shape[2:], 4).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(images, y, rtol=1e-12, atol=1e-12)


def test_im2col_puts_each_window_of_the_bordered_image_in_a_row(rng):
    x = rng.standard_normal((2, 3, 6, 5))
    bordered = border(x, 1, 2)
    rows = [
        bordered[n, :, i : i + 3, j : j + 2].reshape(-1)
        for n in range(2)
        for i in range(0, 6 + 2 - 3 + 1, 2)
        for j in range(0, 5 + 4 - 2 + 1, 3)
    ]
    np.testing.assert_array_equal(F.im2col(x, (3, 2), (2, 3), (1, 2)), np.vstack(rows))


def test_backward_through_the_matrix_product_and_col2im_is_that_of_convolution(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    delta = rng.standard_normal((2, 4, 6, 4))
    rows = delta.transpose(0, 2, 3, 1).reshape(-1, 4)
    dx, dw, _ = F.conv2d_backward(delta, x, w, padding=(1, 0))
    dcols = rows @ w.reshape(4, -1)
    np.testing.assert_allclose(F.col2im(dcols, x.shape, (3, 2), padding=(1, 0)), dx, rtol=1e-12, atol=1e-12)
    product = rows.T @ F.im2col(x, (3, 2), padding=(1, 0))
    np.testing.assert_allclose(product.reshape(w.shape), dw, rtol=1e-12, atol=1e-12)


def test_col2im_accumulates_where_windows_overlap():
    ones = np.ones((4, 4))
    np.testing.assert_array_equal(F.col2im(ones, (1, 1, 3, 3), 2), [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]])


@pytest.mark.parametrize("shape", [(2, 3, 9), (2, 3, 6, 5), (2, 3, 4, 5, 6)], ids=str)
@pytest.mark.parametrize("moves", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}], ids=str)
def test_im2col_and_col2im_are_adjoint(rng, shape, moves):
    """<im2col(x), c> = <x, col2im(c)>"""
    x = rng.standard_normal(shape)
    cols = F.im2col(x, 2, **moves)
    c = rng.standard_normal(cols.shape)
    assert np.vdot(cols, c) == pytest.approx(np.vdot(x, F.col2im(c, shape, 2, **moves)), rel=1e-12)


# ---- section 6: what the listing gets wrong


def test_listing_result_is_n_c_h_w_as_documented_not_n_h_w_c(rng):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    y = F.conv2d(x, w)
    assert y.shape == (2, 4, 4, 4)
    assert y[1, 2, 3, 0] == pytest.approx((x[1, :, 3:6, 0:2] * w[2]).sum())


def test_listing_rows_are_read_back_in_their_order_so_samples_do_not_mix(rng):
    x = rng.standard_normal((3, 2, 5, 4))
    together = F.im2col(x, 2).reshape(3, -1, 8)
    for n in range(3):
        np.testing.assert_array_equal(F.im2col(x[n : n + 1], 2), together[n])


@pytest.mark.parametrize("padding", [(0, 2), (2, 0)], ids=str)
def test_listing_border_on_one_axis_alone_is_taken_off_again(rng, padding):
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    y = F.conv2d(x, w, padding=padding)
    delta = rng.standard_normal(y.shape)
    bordered = border(x, *padding)
    inside = tuple(slice(p, size - p) for p, size in zip(padding, bordered.shape[2:], strict=True))
    dx, dw, _ = F.conv2d_backward(delta, x, w, padding=padding)
    full, expected, _ = F.conv2d_backward(delta, bordered, w)
    np.testing.assert_allclose(dx, full[:, :, *inside], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dw, expected, rtol=1e-12, atol=1e-12)
