"""The specification of linear maps and batch normalisation: values by hand, and identities."""

import numpy as np

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


def test_rows_of_a_table_get_the_sum_of_what_was_looked_up_there():
    dw = np.empty((3, 2))
    ref.embedding_backward(np.array([[1.0, 2], [10, 20], [100, 200]]), np.array([2, 0, 2]), dw, 1)
    assert dw.tolist() == [[10, 20], [0, 0], [101, 202]]
