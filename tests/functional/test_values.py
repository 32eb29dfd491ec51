"""Values worked out by hand, above all where PyTorch's meaning is easily missed."""

import math

import numpy as np
import pytest

from kitnet import functional as F

NAN, INF = math.nan, math.inf


def signal(*values):
    return np.array([[values]], float)


# ---- pooling: which cells a mean counts


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"kernel_size": 2}, [1.5, 3.5]),
        (
            {"kernel_size": 2, "ceil_mode": True},
            [1.5, 3.5, 5],
        ),  # the last window holds one cell, and counts one
        ({"kernel_size": 3, "stride": 2, "padding": 1}, [1, 3, 3]),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}, [1.5, 3, 4.5]),
        # ceil_mode with padding: cells of the border count, those behind it do not
        ({"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True}, [0.75, 3.5, 5 / 3]),
        (
            {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True, "count_include_pad": False},
            [1.5, 3.5, 5],
        ),
        (
            {"kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": True, "divisor_override": 3},
            [1, 14 / 3, 5 / 3],
        ),
        ({"kernel_size": 2, "stride": 1, "padding": ((1, 0),)}, [0.5, 1.5, 2.5, 3.5, 4.5]),
        ({"kernel_size": 2, "stride": 2, "padding": "same"}, [1.5, 3.5, 2.5]),
        ({"kernel_size": 2, "stride": 2, "padding": "same_lower"}, [0.5, 2.5, 4.5]),
    ],
    ids=str,
)
def test_avg_pool_counts_as_pytorch_does(arguments, expected):
    np.testing.assert_allclose(F.avg_pool1d(signal(1, 2, 3, 4, 5), **arguments)[0, 0], expected, rtol=1e-15)


def test_avg_pool_of_more_axes_multiplies_the_counts():
    x = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    y = F.avg_pool2d(x, 2, 2, 1, count_include_pad=False)
    np.testing.assert_array_equal(y, [[[[1, 2.5], [5.5, 7]]]])
    np.testing.assert_array_equal(F.avg_pool2d(x, 2, 2, 1), [[[[0.25, 1.25], [2.75, 7]]]])
    np.testing.assert_array_equal(F.avg_pool2d(x, 2, 2, 1, divisor_override=2), [[[[0.5, 2.5], [5.5, 14]]]])
    np.testing.assert_array_equal(F.sum_pool2d(x, 2, 2, 1), [[[[1, 5], [11, 28]]]])


def test_the_divisor_takes_part_in_the_gradient():
    dx = F.avg_pool1d_backward(signal(6, 6, 6), (1, 1, 5), 2, ceil_mode=True)
    np.testing.assert_array_equal(dx, signal(3, 3, 3, 3, 6))
    dx = F.avg_pool1d_backward(signal(6, 6), (1, 1, 5), 2, divisor_override=3)
    np.testing.assert_array_equal(dx, signal(2, 2, 2, 2, 0))


def test_ceil_mode_keeps_one_window_larger_than_the_image():
    assert F.max_pool2d(np.full((1, 1, 1, 1), 7.0), 2, ceil_mode=True) == 7
    assert F.avg_pool2d(np.full((1, 1, 1, 1), 7.0), 2, ceil_mode=True) == 7


def test_ceil_mode_drops_a_window_that_starts_behind_the_image():
    assert F.max_pool1d(signal(1, 2, 3, 4), 1, 4, ceil_mode=True).shape == (1, 1, 1)
    assert F.max_pool1d(signal(1, 2, 3, 4, 5), 1, 3, ceil_mode=True).shape == (1, 1, 2)
    assert F.avg_pool1d(signal(1, 2, 3), 2, 2, 1, ceil_mode=True).shape == (1, 1, 2)  # the third starts at 3


# ---- pooling: what is not a number, and what is not there


@pytest.mark.parametrize("place", range(4))
def test_nan_wins_wherever_it_is_and_the_first_of_several(place):
    x = np.ones((1, 1, 2, 2))
    x.flat[place:] = NAN
    y, indices = F.max_pool2d(x, 2, return_indices=True)
    assert np.isnan(y)
    assert indices == place
    dx = F.max_pool2d_backward(np.full((1, 1, 1, 1), 3.0), indices, x.shape)
    np.testing.assert_array_equal(dx.reshape(-1), 3 * (np.arange(4) == place))


@pytest.mark.parametrize("fill", [-INF, INF, NAN, -1.0])
def test_a_window_of_equals_gives_its_first_cell_inside_the_image(fill):
    """With -inf in the border as well, no index may point there (PyTorch issue 1465)."""
    x = np.full((1, 1, 2, 2), fill)
    y, indices = F.max_pool2d(x, 2, padding=1, return_indices=True)
    np.testing.assert_array_equal(y, np.full((1, 1, 2, 2), fill))
    np.testing.assert_array_equal(indices, np.arange(4).reshape(1, 1, 2, 2))


def test_a_border_never_wins():
    np.testing.assert_array_equal(F.max_pool1d(signal(-3, -2, -1), 2, 1, 1), signal(-3, -2, -1, -1))


def test_max_pool_of_dilated_windows_skips_cells():
    y, indices = F.max_pool1d(signal(1, 9, 2, 8, 3), 2, 1, 0, 2, return_indices=True)
    np.testing.assert_array_equal(y, signal(2, 9, 3))
    np.testing.assert_array_equal(indices, signal(2, 1, 4))


def test_overlapping_windows_add_their_gradients():
    x = signal(1, 5, 2)
    _, indices = F.max_pool1d(x, 2, 1, return_indices=True)
    np.testing.assert_array_equal(F.max_pool1d_backward(signal(3, 4), indices, x.shape), signal(0, 7, 0))


def test_indices_of_any_integer_type_are_taken():
    for dtype in (np.int8, np.uint8, np.int32, np.int64, np.uint64, ">i4"):
        dx = F.max_pool1d_backward(signal(3), np.array([[[2]]], dtype), (1, 1, 3))
        np.testing.assert_array_equal(dx, signal(0, 0, 3))


def test_lp_pool_is_a_norm_for_every_p_and_sign():
    x = signal(-3, 4, 0, 0)
    np.testing.assert_allclose(F.lp_pool1d(x, 1, 2), signal(7, 0))
    np.testing.assert_allclose(F.lp_pool1d(x, 2, 2), signal(5, 0))
    np.testing.assert_allclose(F.lp_pool1d(x, 3, 2), signal(91 ** (1 / 3), 0))
    np.testing.assert_allclose(F.lp_pool1d(x, INF, 2), signal(4, 0))
    np.testing.assert_allclose(F.lp_pool1d(x, 1, 3, 2, True), signal(7, 0))  # partial: what it holds


def test_lp_pool_gradient_for_p_inf_goes_to_the_first_largest():
    x = signal(2, -5, 5, 0)
    y = F.lp_pool1d(x, INF, 4)
    np.testing.assert_array_equal(F.lp_pool1d_backward(signal(3), x, y, INF, 4), signal(0, -3, 0, 0))


# ---- windows and convolution


def test_unfold_has_channel_then_place_in_the_window_as_rows():
    x = np.arange(12.0).reshape(1, 2, 2, 3)
    expected = [[0, 1], [1, 2], [3, 4], [4, 5], [6, 7], [7, 8], [9, 10], [10, 11]]
    np.testing.assert_array_equal(F.unfold(x, 2), [expected])
    np.testing.assert_array_equal(F.im2col(x, 2), np.transpose(expected))


def test_fold_takes_one_int_for_a_square():
    cols = np.ones((2, 4, 4), np.float32)
    np.testing.assert_array_equal(F.fold(cols, 3, 2), F.fold(cols, (3, 3), 2))


def test_convolution_does_not_flip_the_kernel():
    np.testing.assert_array_equal(F.conv1d(signal(1, 2, 3), signal(10, 1)), signal(12, 23))


def test_groups_are_convolutions_side_by_side():
    x, w = np.arange(24.0).reshape(1, 4, 6), np.arange(24.0).reshape(6, 2, 2)
    y = F.conv1d(x, w, groups=2)
    np.testing.assert_array_equal(y[:, :3], F.conv1d(x[:, :2], w[:3]))
    np.testing.assert_array_equal(y[:, 3:], F.conv1d(x[:, 2:], w[3:]))


def test_same_padding_puts_the_odd_cell_after_and_same_lower_before():
    x, w = signal(1, 2, 3), signal(1, 10)
    np.testing.assert_array_equal(F.conv1d(x, w, padding="same"), signal(21, 32, 3))
    np.testing.assert_array_equal(F.conv1d(x, w, padding="same_lower"), signal(10, 21, 32))
    np.testing.assert_array_equal(F.conv1d(x, w, padding="valid"), signal(21, 32))
    np.testing.assert_array_equal(F.conv1d(x, w, padding=((1, 0),)), signal(10, 21, 32))
    np.testing.assert_array_equal(F.conv1d(x, w, stride=2, padding="same"), signal(21, 3))


def test_causal_padding_sees_the_past_only():
    x, w = signal(1, 2, 3, 4, 5), signal(100, 10, 1)
    np.testing.assert_array_equal(F.conv1d(x, w, padding="causal"), signal(1, 12, 123, 234, 345))
    np.testing.assert_array_equal(F.conv1d(x, w, padding="causal", dilation=2), signal(1, 2, 13, 24, 135))
    np.testing.assert_array_equal(F.conv1d(x, w, padding="causal", stride=2), signal(1, 123, 345))
    dx, _, _ = F.conv1d_backward(signal(0, 0, 1, 0, 0), x, w, padding="causal")
    np.testing.assert_array_equal(dx, signal(100, 10, 1, 0, 0))


@pytest.mark.parametrize("op", ["conv", "linear", "batch_norm"])
def test_clip_is_a_fused_activation_that_keeps_nan(op):
    x = np.array([[-2.0, 0.5, 9, NAN]])
    one, zero = np.ones(1), np.zeros(1)
    y = {
        "conv": lambda: F.conv1d(x[:, None], np.ones((1, 1, 1)), one, clip=(0, 6)),
        "linear": lambda: F.linear(x.T, np.ones((1, 1)), one, clip=(0, 6)),
        "batch_norm": lambda: F.batch_norm(x[:, None], zero, one, None, one, eps=0.0, clip=(0, 6)),
    }[op]()
    np.testing.assert_array_equal(y.reshape(-1), [0, 1.5, 6, NAN])


def test_a_residual_is_added_before_the_clip():
    x, w = signal(-2, 0.5, 9, 1), signal(1)
    y = F.conv1d(x, w, np.ones(1), clip=(0, 6), residual=signal(1, -1, -8, NAN))
    np.testing.assert_array_equal(y, signal(0, 0.5, 2, NAN))
    np.testing.assert_array_equal(
        F.conv1d(x[0], w, residual=signal(1, 2, 3, 4)[0]), signal(-1, 2.5, 12, 5)[0]
    )
    np.testing.assert_array_equal(F.conv1d(x, w, residual=x), 2 * x)
    assert F.conv1d(x[:0], w, residual=x[:0]).shape == (0, 1, 4)


def test_linear_takes_any_leading_axes():
    x, w = np.arange(24.0).reshape(2, 3, 4), np.arange(8.0).reshape(2, 4)
    y = F.linear(x, w, np.ones(2))
    np.testing.assert_array_equal(y, x @ w.T + 1)
    np.testing.assert_array_equal(F.linear(x[0, 0], w), y[0, 0] - 1)
    dx, dw, db = F.linear_backward(y, x, w)
    np.testing.assert_array_equal(dx, y @ w)
    np.testing.assert_array_equal(dw, y.reshape(6, 2).T @ x.reshape(6, 4))
    np.testing.assert_array_equal(db, y.sum(axis=(0, 1)))


# ---- activations, losses, norms


def test_relu_passes_gradients_where_the_output_is_positive_or_nan():
    np.testing.assert_array_equal(F.relu(np.array([-1, 0, 2, NAN, -INF, INF])), [0, 0, 2, NAN, 0, INF])
    dx = F.relu_backward(np.arange(1.0, 5), np.array([0, -0.0, 2, NAN]))
    np.testing.assert_array_equal(dx, [0, 0, 3, 4])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_softmax_along_any_axis(axis):
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    e = np.exp(x)
    y = F.softmax(x, axis)
    np.testing.assert_allclose(y, e / e.sum(axis, keepdims=True), rtol=1e-14)
    assert y.flags.c_contiguous
    dy = np.random.default_rng(1).standard_normal(x.shape)
    dx = F.softmax_backward(dy, y, axis)
    np.testing.assert_allclose(dx, y * (dy - (dy * y).sum(axis, keepdims=True)), rtol=1e-12, atol=1e-15)


def test_softmax_of_infinities():
    rows = np.array([[-INF, -INF], [INF, 0], [-INF, 0], [NAN, 0], [1e308, -1e308]])
    expected = [[NAN, NAN], [NAN, NAN], [0, 1], [NAN, NAN], [1, 0]]
    np.testing.assert_array_equal(F.softmax(rows), expected)


def test_cross_entropy_reductions():
    logits = np.log([[1.0, 3], [1, 1], [1, 7]])
    target = np.array([1, 0, 0])
    each = np.log([4 / 3, 2, 8])
    np.testing.assert_allclose(F.cross_entropy(logits, target, reduction="none"), each, rtol=1e-14)
    assert F.cross_entropy(logits, target, reduction="sum") == pytest.approx(each.sum())
    assert F.cross_entropy(logits, target) == pytest.approx(each.mean())
    gradient = np.array([[0.25, -0.25], [-0.5, 0.5], [-7 / 8, 7 / 8]])
    np.testing.assert_allclose(
        F.cross_entropy_backward(1, logits, target, reduction="sum"), gradient, rtol=1e-14
    )
    np.testing.assert_allclose(F.cross_entropy_backward(1, logits, target), gradient / 3, rtol=1e-14)
    np.testing.assert_allclose(
        F.cross_entropy_backward(np.array(6.0), logits, target), gradient * 2, rtol=1e-14
    )
    np.testing.assert_allclose(
        F.cross_entropy_backward(np.array([1.0, 0, 2]), logits, target, reduction="none"),
        gradient * [[1], [0], [2]],
        rtol=1e-14,
    )


def test_cross_entropy_hands_its_softmax_to_its_gradient():
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (2, 3, 5)):
        logits, target = rng.normal(size=shape), rng.integers(0, shape[1], shape[:1] + shape[2:])
        loss, prob = F.cross_entropy(logits, target, return_prob=True)
        assert loss == F.cross_entropy(logits, target)
        np.testing.assert_allclose(prob, F.softmax(logits, axis=1), rtol=1e-14)
        for reduction, dy in (("mean", 2.0), ("none", rng.normal(size=target.shape))):
            dx = F.cross_entropy_backward(dy, logits, target, reduction=reduction)
            assert np.array_equal(
                F.cross_entropy_backward(dy, logits, target, reduction=reduction, prob=prob), dx
            )
    with pytest.raises(ValueError, match="prob"):
        F.cross_entropy_backward(1.0, logits, target, prob=prob[:, :2])


def test_cross_entropy_of_places_has_the_classes_on_axis_1():
    logits = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    target = np.random.default_rng(1).integers(0, 3, (2, 4, 5))
    loss = F.cross_entropy(logits, target, reduction="none")
    assert loss.shape == target.shape
    dx = F.cross_entropy_backward(1.0, logits, target, reduction="sum")
    assert dx.shape == logits.shape
    for n, h, w in np.ndindex(target.shape):
        row, one = logits[n, :, h, w][None], target[n, h, w][None]
        np.testing.assert_allclose(loss[n, h, w], F.cross_entropy(row, one), rtol=1e-13)
        np.testing.assert_allclose(dx[n, :, h, w], F.cross_entropy_backward(1.0, row, one)[0], rtol=1e-13)


def test_cross_entropy_neither_overflows_nor_cancels():
    logits = np.array([[1000, 0], [0, 1000], [-1e-20, 0]], np.float32)
    losses = F.cross_entropy(logits, np.array([0, 0, 1]), reduction="none")
    np.testing.assert_allclose(losses, [0, 1000, math.log(2)], rtol=1e-6)
    assert losses.dtype == np.float32
    assert F.cross_entropy(logits, np.array([0, 0, 1])).dtype == np.float32


def test_batch_norm_by_hand():
    x = np.array([[[1.0, 3], [0, 0]], [[5, 7], [0, 4]]])
    y, mean, var = F.batch_norm_train(x, np.array([2.0, 1]), np.array([0.0, 10]), eps=1.0)
    np.testing.assert_array_equal(mean, [4, 1])
    np.testing.assert_array_equal(var, [5, 3])  # biased
    expected = np.array([[-3, -1], [-1, -1]]) / np.sqrt([[6], [4]]) * [[2], [1]] + [[0], [10]]
    np.testing.assert_allclose(y[0], expected, rtol=1e-14)
    given = F.batch_norm(x, mean, var, np.array([2.0, 1]), np.array([0.0, 10]), eps=1.0)
    np.testing.assert_array_equal(given, y)


def test_batch_norm_gradients_differ_by_the_statistics():
    """Through the statistics nothing is left of a constant, nor of x itself (up to eps)."""
    x = np.random.default_rng(0).standard_normal((4, 2, 5))
    mean, var = x.mean(axis=(0, 2)), x.var(axis=(0, 2))
    dx, dweight, dbias = F.batch_norm_train_backward(np.ones_like(x), x, mean, var, eps=0.0)
    np.testing.assert_allclose(dx, 0, atol=1e-14)
    np.testing.assert_allclose(dweight, 0, atol=1e-13)
    np.testing.assert_allclose(dbias, 20)
    dx, *_ = F.batch_norm_train_backward(x, x, mean, var, eps=0.0)
    np.testing.assert_allclose(dx, 0, atol=1e-14)
    dx, dweight, dbias = F.batch_norm_backward(np.ones_like(x), x, mean, var, np.array([3.0, -1]), eps=0.0)
    np.testing.assert_allclose(dx, np.broadcast_to((np.array([3, -1]) / np.sqrt(var))[:, None], x.shape))
    np.testing.assert_allclose(dbias, 20)


@pytest.mark.parametrize("bias", [None, np.array([1.0, 2, 3, 4])], ids=["no bias", "bias"])
def test_fold_batch_norm_is_convolution_and_batch_norm(bias):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    mean, var, weight, beta = (
        rng.standard_normal(4),
        rng.random(4),
        rng.standard_normal(4),
        rng.standard_normal(4),
    )
    expected = F.batch_norm(F.conv2d(x, w, bias), mean, var, weight, beta)
    folded = F.fold_batch_norm(w, bias, mean, var, weight, beta)
    np.testing.assert_allclose(F.conv2d(x, *folded), expected, rtol=1e-10, atol=1e-12)


def test_dropout_keeps_the_mean_and_the_generator_decides():
    mask = F.dropout_mask((1000, 100), 0.25, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(np.unique(mask), np.float32([0, 1 / 0.75]))
    assert mask.mean() == pytest.approx(1, abs=0.01)
    np.testing.assert_array_equal(mask, F.dropout_mask([1000, 100], 0.25, rng=np.random.default_rng(0)))
    for p, value in ((0, 1), (1, 0)):
        np.testing.assert_array_equal(
            F.dropout_mask((3,), p, rng=np.random.default_rng(), dtype=float), [value] * 3
        )


# ---- steps


def test_sgd_with_momentum_by_hand():
    param, velocity, grad = np.array([1.0]), np.zeros(1), np.array([2.0])
    F.sgd_step(param, grad, velocity, lr=0.5, momentum=0.5, weight_decay=1.0)
    assert (param, velocity) == (-0.5, 3)  # g = 2 + 1
    F.sgd_step(param, grad, velocity, lr=0.5, momentum=0.5, weight_decay=1.0)
    assert (param, velocity) == (-2, 3)  # g = 2 - 0.5, v = 1.5 + 1.5
    F.sgd_step(param, grad, velocity, lr=0.5, momentum=0.5, nesterov=True)
    assert (param, velocity) == (-2 - 0.5 * (2 + 0.5 * 3.5), 3.5)
    F.sgd_step(param, grad, velocity, lr=0.5, momentum=0.5, dampening=0.5)
    assert velocity == 0.5 * 3.5 + 0.5 * 2


def test_adam_and_adamw_by_hand():
    arguments = {"lr": 0.5, "beta1": 0.5, "beta2": 0.75, "eps": 0.0, "weight_decay": 0.5}
    param, grad, m, v = np.array([4.0]), np.array([1.0]), np.zeros(1), np.zeros(1)
    F.adam_step(param, grad, m, v, 1, **arguments)
    assert (param, m, v) == (3.5, 1.5, 2.25)  # g = 1 + 2; m' = 3, v' = 9
    param, m, v = np.array([4.0]), np.zeros(1), np.zeros(1)
    F.adam_step(param, grad, m, v, 1, **arguments, decoupled=True)
    assert (param, m, v) == (4 * 0.75 - 0.5, 0.5, 0.25)
    F.adam_step(param, grad, m, v, 2, **arguments, decoupled=True)
    assert (param, m, v) == (pytest.approx(2.5 * 0.75 - 0.5), 0.75, 0.4375)


def test_steps_take_arrays_of_any_shape_and_change_them_in_place():
    param = np.ones((2, 3), np.float32)
    view = param.reshape(-1)
    F.sgd_step(param, np.ones((3, 2), np.float32).T, lr=0.25)
    np.testing.assert_array_equal(view, np.full(6, 0.75))
