"""The specification of activations and losses: values by hand."""

import math

import numpy as np
import pytest
from cases import elements, loss
from kernels.by_hand import INF, NAN

from kitnet._kernels import reference as ref

E, LOG2 = math.e, math.log(2)
HALF_NORMAL = 0.8413447460685429  # below 1 standard deviation
BELL = math.exp(-0.5) / math.sqrt(2 * math.pi)  # the density there
SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
TANH_GELU = 1 / (1 + math.exp(-2 * math.sqrt(2 / math.pi) * 1.044715))

# kind, a, b, x, y, dx for dy = 1
ACTIVATIONS = [
    ("relu", 0, 0, [-1, 0, 2, INF], [0, 0, 2, INF], [0, 0, 1, 1]),
    ("clip", -1, 2, [-3, -1, 0.5, 2, INF], [-1, -1, 0.5, 2, 2], [0, 0, 1, 0, 0]),
    ("threshold", 1, 7, [-1, 1, 2], [7, 7, 2], [0, 0, 1]),
    ("leaky_relu", 0.5, 0, [-4, 0, 3], [-2, 0, 3], [0.5, 0.5, 1]),
    ("elu", 2, 0.5, [-2, 0, 3, -INF], [2 / E - 2, 0, 3, -2], [1 / E, 1, 1, 0]),
    ("selu", 0, 0, [-1, 0, 2], [SCALE * ALPHA * (1 / E - 1), 0, 2 * SCALE],
     [SCALE * ALPHA / E, SCALE * ALPHA, SCALE]),
    ("gelu", 0, 0, [-1, 0, 1], [HALF_NORMAL - 1, 0, HALF_NORMAL],
     [1 - HALF_NORMAL - BELL, 0.5, HALF_NORMAL + BELL]),
    ("gelu_tanh", 0, 0, [-1, 0, 1, 1e9], [TANH_GELU - 1, 0, TANH_GELU, 1e9], [None, 0.5, None, 1]),
    ("silu", 0, 0, [0, LOG2, -1e9], [0, LOG2 * 2 / 3, 0], [0.5, 2 / 3 * (1 + LOG2 / 3), 0]),
    ("mish", 0, 0, [0, 1e9, -1e9], [0, 1e9, 0], [0.6, 1, 0]),
    ("softplus", 2, 10, [0, 5.5, -1e9], [LOG2 / 2, 5.5, 0], [0.5, 1, 0]),
    ("softsign", 0, 0, [-1, 0, 3], [-0.5, 0, 0.75], [0.25, 1, 0.0625]),
    ("sigmoid", 0, 0, [0, LOG2, -1e9, 1e9], [0.5, 2 / 3, 0, 1], [0.25, 2 / 9, 0, 0]),
    ("logsigmoid", 0, 0, [0, -1e9, 1e9], [-LOG2, -1e9, 0], [0.5, 1, 0]),
    ("tanh", 0, 0, [0, LOG2, -1e9], [0, 0.6, -1], [1, 0.64, 0]),
    ("hardsigmoid", 0, 0, [-3, 0, 3, 9], [0, 0.5, 1, 1], [0, 1 / 6, 0, 0]),
    ("hardswish", 0, 0, [-3, 1.5, 3, 9], [0, 1.125, 3, 9], [0, 1, 1, 1]),
    ("hardshrink", 1, 0, [-2, -1, 0.5, 3], [-2, 0, 0, 3], [1, 0, 0, 1]),
    ("softshrink", 1, 0, [-2, -1, 0.5, 3], [-1, 0, 0, 2], [1, 0, 0, 1]),
    ("tanhshrink", 0, 0, [0, LOG2], [0, LOG2 - 0.6], [0, 0.36]),
]  # fmt: skip


def test_every_activation_has_a_row_here_and_among_the_cases():
    assert {row[0] for row in ACTIVATIONS} == set(ref.activation.FORWARD) == set(elements.PARAMETERS)
    assert set(ref.activation.BACKWARD) == set(ref.activation.FORWARD)


@pytest.mark.parametrize(
    ("kind", "a", "b", "x", "y", "dx"), ACTIVATIONS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_activations_by_hand(kind, a, b, x, y, dx):
    x, got, slope = np.array(x, float), np.empty(len(x)), np.empty(len(x))
    ref.activation_forward(kind, x, got, a, b, 1)
    np.testing.assert_allclose(got, y, rtol=1e-12, atol=1e-300)
    at = got if kind in ("relu", "clip", "sigmoid", "tanh") else x
    ref.activation_backward(kind, np.ones_like(x), at, slope, a, b, 1)
    known = [i for i, value in enumerate(dx) if value is not None]
    np.testing.assert_allclose(slope[known], [dx[i] for i in known], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("kind", ref.activation.FORWARD)
def test_nan_stays_nan(kind):
    y, dx = np.empty(1), np.empty(1)
    ref.activation_forward(kind, np.array([NAN]), y, *elements.PARAMETERS[kind], 1)
    assert np.isnan(y).all()
    ref.activation_backward(kind, np.array([NAN]), np.array([1.5]), dx, *elements.PARAMETERS[kind], 1)
    assert np.isnan(dx).all() or kind in ("relu", "clip", "hardsigmoid")


def test_prelu_by_hand():
    x, dy = np.array([[[-1.0, 2.0], [-3.0, -4.0]]]), np.array([[[1.0, 2.0], [3.0, 4.0]]])
    weight, y, dx, dweight = np.array([0.5, 0.25]), np.empty_like(x), np.empty_like(x), np.empty(2)
    ref.prelu_forward(x, weight, y, 1)
    assert y.tolist() == [[[-0.5, 2], [-0.75, -1]]]
    ref.prelu_backward(dy, x, weight, dx, dweight, 1)
    assert dx.tolist() == [[[0.5, 2], [0.75, 1]]]
    assert dweight.tolist() == [-1, -9 - 16]


def test_glu_by_hand():
    x, y, dx = np.array([[[4.0, 3.0], [0.0, LOG2]]]), np.empty((1, 2)), np.empty((1, 2, 2))
    ref.glu_forward(x, y, 1)
    np.testing.assert_allclose(y, [[2, 2]])
    ref.glu_backward(np.array([[1.0, 10.0]]), x, dx, 1)
    np.testing.assert_allclose(dx, [[[0.5, 20 / 3], [1, 10 * 3 * 2 / 9]]])


def test_multiply():
    y = np.empty(3)
    ref.multiply(np.array([1.0, 2.0, INF]), np.array([3.0, 0.0, 0.0]), y, 1)
    assert y[:2].tolist() == [3, 0]
    assert math.isnan(y[2])


def test_add():
    y = np.array([1.0, INF, INF])
    ref.add(y, np.array([2.0, 1.0, -INF]), y, 1)
    assert y[:2].tolist() == [3, INF]
    assert math.isnan(y[2])


# kind, a, b, x, target, loss, slope
LOSSES = [
    ("mse", 0, 0, [3, 1], [1, 1], [4, 0], [4, 0]),
    ("l1", 0, 0, [3, 1, -1], [1, 1, 1], [2, 0, 2], [1, 0, -1]),
    ("smooth_l1", 2, 0, [1, 2, -5], [0, 0, 0], [0.25, 1, 4], [0.5, 1, -1]),
    ("smooth_l1", 0, 0, [1, 0], [0, 0], [1, 0], [1, 0]),
    ("huber", 2, 0, [1, 2, -5], [0, 0, 0], [0.5, 2, 8], [1, 2, -2]),
    ("bce", 0, 0, [0.5, 0.25, 0, 1], [1, 0.5, 1, 1], [LOG2, -math.log(0.25 * 0.75) / 2, 100, 0],
     [-2, -4 / 3, -1e12, 0]),
    ("bce_with_logits", 1, 1, [0, LOG2, 1e9, -1e9], [1, 0, 1, 1], [LOG2, math.log(3), 0, 1e9],
     [-0.5, 2 / 3, 0, -1]),
    ("bce_with_logits", 3, 2, [0, 0], [1, 0], [3 * LOG2, 2 * LOG2], [-1.5, 1]),
    ("focal", 0.25, 2, [0, 0], [1, 0], [LOG2 / 16, 3 * LOG2 / 16],
     [-(1 / 8 + LOG2 / 4) / 4, 3 * (1 / 8 + LOG2 / 4) / 4]),
    ("focal", -1, 0, [0, 1e9], [1, 1], [LOG2, 0], [-0.5, 0]),
    ("kl_div", 0, 0, [-1, -1], [0.5, 0], [-LOG2 / 2 + 0.5, 0], [-0.5, 0]),
    ("kl_div_log", 0, 0, [-1], [-LOG2], [(1 - LOG2) / 2], [-0.5]),
    ("poisson", 1, 0, [E - 1], [2], [E - 3], [1 - 2 / E]),
    ("poisson_log", 0, 0, [1], [2], [E - 2], [E - 2]),
    ("poisson_log", 0, 1, [0, 0], [1, E], [1, 1 + math.log(2 * math.pi * E) / 2], [0, 1 - E]),
    ("soft_margin", 0, 0, [0, LOG2, 1e9], [1, -1, -1], [LOG2, math.log(3), 1e9], [-0.5, 2 / 3, 1]),
    ("hinge", 1, 1, [0.25, 0.25, -3, 1, 2], [1, -1, -1, 1, 1], [0.75, 1.25, 0, 0, 0], [-1, 1, 0, -1, 0]),
    ("hinge", 2, 2, [0.5, 0.5, 2, 3], [1, -1, 1, 1], [2.25, 6.25, 0, 0], [-3, 5, 0, 0]),
    ("hinge_embedding", 1, 0, [0.25, 0.25, 1, 2], [1, -1, -1, -1], [0.25, 0.75, 0, 0], [1, -1, -1, 0]),
]  # fmt: skip


def test_every_loss_has_a_row_here_and_among_the_cases():
    assert {row[0] for row in LOSSES} == set(ref.loss.VALUE) == set(ref.loss.SLOPE) == set(loss.PARAMETERS)


@pytest.mark.parametrize(("kind", "a", "b", "x", "target", "each", "slope"), LOSSES)
def test_losses_by_hand(kind, a, b, x, target, each, slope):
    x, target = np.array(x, float), np.array(target, float)
    got, total, dx = np.empty(len(x)), np.empty(1), np.empty(len(x))
    ref.loss_forward(kind, x, target, got, total, a, b, 1)
    np.testing.assert_allclose(got, each, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(total, sum(each), rtol=1e-12)
    ref.loss_forward(kind, x, target, np.empty(0), total, a, b, 1)
    np.testing.assert_allclose(total, sum(each), rtol=1e-12)
    ref.loss_backward(kind, np.array([3.0]), x, target, dx, a, b, 1)
    np.testing.assert_allclose(dx, 3 * np.array(slope, float), rtol=1e-12, atol=1e-300)
    ref.loss_backward(kind, np.arange(1.0, len(x) + 1), x, target, dx, a, b, 1)
    np.testing.assert_allclose(dx, np.arange(1, len(x) + 1) * slope, rtol=1e-12, atol=1e-300)


def test_targets_are_classes_or_ignored_or_wrong():
    classes, totals = np.empty(5, int), np.empty(2)
    target = np.array([2, -100, 0, 3, 2])
    ref.class_targets(target, np.empty(0), 3, -100, classes, totals, 1)
    assert classes.tolist() == [2, -1, 0, -1, 2]
    assert totals.tolist() == [3, 1]
    ref.class_targets(target, np.array([1.0, 2.0, 4.0]), 3, 0, classes, totals, 1)
    assert classes.tolist() == [2, -1, -1, -1, 2]
    assert totals.tolist() == [8, 2]


def test_nll_by_hand():
    x = np.array([[[-1.0, -2.0], [-3.0, NAN]], [[NAN, -5.0], [NAN, NAN]]])
    target, weight = np.array([[1, 0], [-1, 0]]), np.array([1.0, 10.0])
    loss, total, dx = np.empty((2, 2)), np.empty(1), np.empty((2, 2, 2))
    for weights, first in ((np.empty(0), 3), (weight, 30)):
        ref.nll_forward(x, target, weights, loss, total, 1)
        assert loss.tolist() == [[first, 2], [0, 5]]
        ref.nll_forward(x, target, weights, np.empty((0, 0)), total, 1)
        assert total == first + 7
    ref.nll_backward(np.array([[2.0, 3.0], [4.0, 5.0]]), target, weight, dx, 1)
    assert dx.tolist() == [[[0, -3], [-20, 0]], [[0, -5], [0, 0]]]
    ref.nll_backward(np.array([[2.0]]), target, np.empty(0), dx, 1)
    assert dx.tolist() == [[[0, -2], [-2, 0]], [[0, -2], [0, 0]]]


def test_dice_by_hand():
    x, target = np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]), np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    loss, dx = np.empty(2), np.empty((2, 3))
    ref.dice_forward(x, target, 2.0, loss, 1)
    assert loss.tolist() == [1 - 3 / 4, 0]
    ref.dice_backward(np.array([16.0, 2.0]), x, target, 2.0, dx, 1)
    assert dx.tolist() == [[3 - 8, 3, 3], [1, 1, 1]]
    ref.dice_backward(np.array([16.0]), x, target, 2.0, dx, 1)
    assert dx.tolist() == [[3 - 8, 3, 3], [8, 8, 8]]


def test_margin_by_hand():
    x, target = np.array([[1.0, 0.5, -3.0, 2.0], [0.0, 3.0, 3.0, 3.0]]), np.array([0, 1])
    loss, dx, weight = np.empty(2), np.empty((2, 4)), np.array([2.0, 1.0, 0.0, 0.0])
    ref.margin_forward(x, target, np.empty(0), 1, 1.0, loss, 1)
    assert loss.tolist() == [(0.5 + 2) / 4, 2 / 4]
    ref.margin_forward(x, target, weight, 2, 1.0, loss, 1)
    assert loss.tolist() == [2 * (0.25 + 4) / 4, 2 / 4]
    ref.margin_backward(np.array([4.0, 8.0]), x, target, np.empty(0), 1, 1.0, dx, 1)
    assert dx.tolist() == [[-2, 1, 0, 1], [0, -4, 2, 2]]
    ref.margin_backward(np.array([4.0]), x, target, weight, 2, 1.0, dx, 1)
    assert dx.tolist() == [[-10, 2, 0, 8], [0, -4, 2, 2]]
