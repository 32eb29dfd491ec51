"""The specification of convolution, shared weights or not: by hand, and as the products that it is."""

import math

import numpy as np
import pytest
from kernels.by_hand import INF, NAN, ONES, ZEROS, columns, conv, conv_back, images

from kitnet._kernels import reference as ref


def test_the_articles_first_example():
    """1-D, w = [1, 0, -1], 7 inputs, 5 outputs: each output is an input less the one two places on."""
    x = images([1, 2, 4, 8, 16, 32, 64])
    y = conv(x, images([1, 0, -1]), (1, 1, 5))
    assert y.ravel().tolist() == [-3, -6, -12, -24, -48]
    dy, dw, db = np.ones_like(y), np.empty((1, 1, 1, 1, 3)), np.empty(1)
    dx = conv_back(dy, images([1, 0, -1]), (1, 1, 7))
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


def test_conv_adds_a_residual_before_it_clips():
    x, residual = images([-2, 0.5, 7, 1]), images([1, -1, -3, NAN])
    y = conv(x, images([2]), (1, 1, 4), bias=[1], low=0.0, high=6.0, residual=residual).ravel()
    assert y[:3].tolist() == [0, 1, 6]  # of -3 + 1, 2 - 1 and 15 - 3
    assert math.isnan(y[3])
    both, weight = images(1, 2, shape=(2, 1, 1, 1, 1)), images(1, 10, shape=(2, 1, 1, 1, 1))
    residual = images(100, 200, 300, 400, shape=(2, 2, 1, 1, 1))
    assert conv(both, weight, ONES, residual=residual).ravel().tolist() == [101, 210, 302, 420]


def test_backward_is_two_more_convolutions():
    """The article: dx = the padded delta convolved with the flipped kernel, dw = x convolved with delta."""
    rng = np.random.default_rng(3)
    x, w = rng.standard_normal((2, 3, 1, 6, 7)), rng.standard_normal((4, 3, 1, 3, 2))
    dy = rng.standard_normal((2, 4, 1, 4, 6))
    dx, dw, db = conv_back(dy, w, x.shape[2:]), np.empty_like(w), np.empty(4)
    ref.conv_backward_weight(dy, x, dw, db, ONES, ZEROS, ONES, 1, 1)
    padded = np.pad(dy, ((0, 0), (0, 0), (0, 0), (2, 2), (1, 1)))
    flipped = w[..., ::-1, ::-1].swapaxes(0, 1)
    np.testing.assert_allclose(dx, conv(padded, flipped, (1, 6, 7)), atol=1e-13)
    np.testing.assert_allclose(
        dw, conv(x.swapaxes(0, 1), dy.swapaxes(0, 1), (1, 3, 2)).swapaxes(0, 1), atol=1e-13
    )
    np.testing.assert_allclose(db, dy.sum(axis=(0, 2, 3, 4)))


def test_transposed_convolution_lays_a_kernel_for_every_input():
    """Each input stamps the kernel, times itself, a stride on from the one before; the stamps add up."""
    x, weight = images([1, 2]), images([1, 10, 100])
    assert conv_back(x, weight, (1, 1, 5), (1, 1, 2)).ravel().tolist() == [1, 10, 102, 20, 200]
    assert conv_back(x, weight, (1, 1, 3), (1, 1, 2), (0, 0, 1)).ravel().tolist() == [10, 102, 20]
    assert conv_back(x, weight, (1, 1, 6), dilation=(1, 1, 2)).ravel().tolist() == [1, 2, 10, 20, 100, 200]
    y = conv_back(images([1, 2], [3, 4]), images([1, 10]), (1, 3, 3), (1, 2, 1))
    assert y[0, 0, 0].tolist() == [[1, 12, 20], [0, 0, 0], [3, 34, 40]]


def test_transposed_convolution_adds_the_bias_where_no_kernel_lies_too():
    x, weight = images(1, -2, shape=(1, 1, 1, 1, 2)), images(1, 2, shape=(1, 2, 1, 1, 1))
    y = conv_back(x, weight, (1, 1, 5), (1, 1, 3), bias=[0.5, -8], low=0.0)
    assert y[0, :, 0, 0].tolist() == [[1.5, 0.5, 0.5, 0, 0.5], [0, 0, 0, 0, 0]]
    y = conv_back(images([NAN, INF]), images([1]), (1, 1, 3), (1, 1, 2), bias=[7], low=0.0, high=6.0).ravel()
    assert math.isnan(y[0])
    assert y[1:].tolist() == [6, 6]


def test_transposed_convolution_mixes_the_channels_of_a_group():
    """weight (4 channels in, 2 channels out in each of 2 groups)"""
    x, weight = images(1, 2, 3, 4, shape=(1, 4, 1, 1, 1)), images(*range(8), shape=(4, 2, 1, 1, 1))
    expected = [1 * 0 + 2 * 2, 1 * 1 + 2 * 3, 3 * 4 + 4 * 6, 3 * 5 + 4 * 7]
    assert conv_back(x, weight, ONES, groups=2).ravel().tolist() == expected


def test_channel_sums_are_over_samples_and_pixels():
    sums = np.empty(2)
    ref.channel_sums(np.array([[[1.0, 2], [3, 4]], [[10, 20], [30, 40]]]), sums, 1)
    assert sums.tolist() == [33, 77]
    ref.channel_sums(np.empty((0, 2, 3)), sums, 1)
    assert sums.tolist() == [0, 0]


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
    dy, dw = rng.standard_normal(y.shape), np.empty_like(w)
    dx = conv_back(dy, w, size, stride, padding, dilation, groups)
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
    conv_dw, conv_dx = np.empty_like(w), conv_back(dy.reshape(expected.shape), w, x.shape[2:], *geometry[2:])
    ref.conv_backward_weight(dy.reshape(expected.shape), x, conv_dw, np.empty(0), *geometry[2:], 1, 1)
    np.testing.assert_allclose(dx, conv_dx, atol=1e-13)
    np.testing.assert_allclose(dw.sum(axis=0), conv_dw.reshape(4, 18), atol=1e-13)
    np.testing.assert_allclose(db, dy.sum(axis=0))
