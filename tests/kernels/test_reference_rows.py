"""The specification of what works on rows and on elements: values by hand, and identities."""

import math

import numpy as np
from kernels.by_hand import INF, NAN

from kitnet._kernels import reference as ref


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
