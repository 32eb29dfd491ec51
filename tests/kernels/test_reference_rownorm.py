"""The specification of the normalisation of rows: values by hand, and identities."""

import numpy as np

from kitnet._kernels import reference as ref


def forward(x, gamma, beta, groups, eps=0.0, centred=True):
    """(y, mean, invstd) as lists."""
    x = np.array(x, float)
    y, invstd = np.empty_like(x), np.empty((len(x), groups))
    mean = np.empty(invstd.shape if centred else (0, 0))
    ref.rownorm_forward(x, np.array(gamma, float), np.array(beta, float), y, mean, invstd, eps, 1)
    return y.tolist(), mean.tolist(), invstd.tolist()


def test_groups_by_hand():
    """Two groups of two channels of one pixel: means 2 and 20, deviations 1 and 10."""
    x = [[[1], [3], [10], [30]]]
    y, mean, invstd = forward(x, [1, 2, 3, 4], [0, 0, 0, 10], 2)
    assert y == [[[-1], [2], [-3], [14]]]
    assert mean == [[2, 20]]
    assert invstd == [[1, 0.1]]


def test_eps_is_inside_the_root():
    _, _, invstd = forward([[[1, 3]]], [], [], 1, eps=3.0)
    assert invstd == [[0.5]]


def test_rows_without_weights_and_without_a_mean_by_hand():
    y, mean, invstd = forward([[[1, 7]], [[5, 5]]], [], [], 1, centred=False)
    np.testing.assert_allclose(y, [[[0.2, 1.4]], [[1, 1]]])
    assert mean == []
    np.testing.assert_allclose(invstd, [[0.2], [0.2]])


def backward(dy, x, gamma, groups, centred=True):
    gamma = np.array(gamma, float)
    y, invstd = np.empty_like(x), np.empty((len(x), groups))
    mean = np.empty(invstd.shape if centred else (0, 0))
    ref.rownorm_forward(x, gamma, 0 * gamma, y, mean, invstd, 0.0, 1)
    dx, dgamma, dbeta = np.empty_like(x), np.empty_like(gamma), np.empty_like(gamma)
    ref.rownorm_backward(dy, x, mean, invstd, gamma, dx, dgamma, dbeta, 1)
    return dx, dgamma, dbeta


def test_gradients_of_the_weights_by_hand():
    """xhat is -1, 1 in each sample."""
    x, dy = np.array([[[1.0], [3]], [[10], [30]]]), np.array([[[1.0], [2]], [[30], [40]]])
    _, dgamma, dbeta = backward(dy, x, [5, 6], 1)
    assert dgamma.tolist() == [-31, 42]
    assert dbeta.tolist() == [31, 42]


def test_gradient_is_orthogonal_to_shift_and_scale_of_a_row():
    rng = np.random.default_rng(6)
    x, dy = rng.standard_normal((2, 4, 6, 5))
    dx, _, _ = backward(dy, x, rng.standard_normal(6), 3)
    rows = dx.reshape(4, 3, 10)
    np.testing.assert_allclose(rows.sum(axis=2), 0, atol=1e-13)
    np.testing.assert_allclose((rows * x.reshape(rows.shape)).sum(axis=2), 0, atol=1e-13)
    dx, _, _ = backward(dy, x, rng.standard_normal(6), 1, centred=False)
    np.testing.assert_allclose((dx * x).sum(axis=(1, 2)), 0, atol=1e-13)
    assert abs(dx.sum(axis=(1, 2))).min() > 1e-3
