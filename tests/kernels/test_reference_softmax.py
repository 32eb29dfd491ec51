"""The specification of softmax and cross-entropy: values by hand, and identities."""

import math

import numpy as np
import pytest
from kernels.by_hand import INF, NAN

from kitnet._kernels import reference as ref

NONE = np.empty(0)


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


def test_softmax_runs_down_the_second_axis():
    x, y = np.array([[[0, 5.0], [math.log(3), 5]]]), np.empty((1, 2, 2))
    ref.softmax_forward(x, y, 1)
    np.testing.assert_allclose(y, [[[0.25, 0.5], [0.75, 0.5]]])


def test_softmax_gradient_ignores_a_common_shift():
    y, dx = softmax(1, 2, 3)[None], np.empty((1, 3))
    ref.softmax_backward(np.full((1, 3), 7.0), y, dx, 1)
    np.testing.assert_allclose(dx, 0, atol=1e-15)


def test_log_softmax_by_hand():
    y, dx = np.empty((2, 2)), np.empty((2, 2))
    ref.log_softmax_forward(np.array([[0, math.log(3)], [1000.0, 0.0]]), y, 1)
    np.testing.assert_allclose(y, [[math.log(0.25), math.log(0.75)], [0, -1000]])
    ref.log_softmax_backward(np.array([[1.0, 3.0], [5.0, 0.0]]), y, dx, 1)
    np.testing.assert_allclose(dx, [[1 - 4 / 4, 3 - 3], [0, 0]], atol=1e-15)


def cross_entropy(x, target, weight=NONE, smoothing=0.0, dloss=None):
    """Probabilities, losses and gradients of rows, as places; target classes, or distributions."""
    x, target = np.array(x, float).T[None], np.array(target).T[None]
    prob, loss, dx = np.empty_like(x), np.empty((1, x.shape[2])), np.empty_like(x)
    name = "cross_entropy" if target.ndim == 2 else "soft_cross_entropy"
    getattr(ref, f"{name}_forward")(x, target, weight, smoothing, prob, loss, 1)
    dloss = np.ones(loss.shape) if dloss is None else np.array(dloss)[None]
    getattr(ref, f"{name}_backward")(dloss, prob, target, weight, smoothing, dx, 1)
    return prob[0].T, loss[0], dx[0].T


def test_cross_entropy_by_hand():
    prob, loss, dx = cross_entropy([[0, math.log(3)], [1000, 0]], [0, 1], dloss=[2.0, 1.0])
    np.testing.assert_allclose(prob, [[0.25, 0.75], [1, 0]])
    np.testing.assert_allclose(loss, [math.log(4), 1000])
    np.testing.assert_allclose(dx, [[-1.5, 1.5], [1, -1]])


def test_cross_entropy_weighs_by_the_true_class_and_leaves_out_what_has_none():
    _, loss, dx = cross_entropy([[0, math.log(3)]] * 3, [0, -1, 1], np.array([10.0, 100.0]))
    np.testing.assert_allclose(loss, [10 * math.log(4), 0, 100 * math.log(4 / 3)])
    np.testing.assert_allclose(dx, [[-7.5, 7.5], [0, 0], [25, -25]])


def test_cross_entropy_with_smoothing_by_hand():
    """Half of an even distribution over two classes: 3/4 of the true one and 1/4 of the other."""
    _, loss, dx = cross_entropy([[0, math.log(3)]] * 2, [0, -1], smoothing=0.5)
    np.testing.assert_allclose(loss, [0.75 * math.log(4) + 0.25 * math.log(4 / 3), 0])
    np.testing.assert_allclose(dx, [[0.25 - 0.75, 0.75 - 0.25], [0, 0]])
    _, loss, dx = cross_entropy([[0, math.log(3)]], [0], np.array([4.0, 8.0]), 0.5)
    np.testing.assert_allclose(loss, [3 * math.log(4) + 2 * math.log(4 / 3)])
    np.testing.assert_allclose(dx, [[5 * 0.25 - 3, 5 * 0.75 - 2]])


def test_cross_entropy_with_a_distribution_by_hand():
    _, loss, dx = cross_entropy([[0, math.log(3)]], [[0.75, 0.5]])  # it need not add up to 1
    np.testing.assert_allclose(loss, [0.75 * math.log(4) + 0.5 * math.log(4 / 3)])
    np.testing.assert_allclose(dx, [[1.25 * 0.25 - 0.75, 1.25 * 0.75 - 0.5]])


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weight", [NONE, np.array([1.0, 2.0, 0.5])])
def test_a_class_is_the_distribution_that_is_sure_of_it(weight, smoothing):
    x, target = np.random.default_rng(0).standard_normal((4, 3)), np.array([2, 0, 1, 1])
    by_class = cross_entropy(x, target, weight, smoothing)
    for one, other in zip(by_class, cross_entropy(x, np.eye(3)[target], weight, smoothing), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)
