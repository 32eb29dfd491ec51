"""The specification of the normalisation of channels by their neighbours: values by hand, and identities."""

import numpy as np

from kitnet._kernels import reference as ref

X = np.array([[[1.0], [2.0], [3.0], [4.0]]])


def forward(x, before, after, share, beta, base):
    y = np.empty_like(x)
    ref.response_forward(x, y, before, after, share, beta, base, 1)
    return y


def backward(dy, x, *settings):
    dx = np.empty_like(x)
    ref.response_backward(dy, x, dx, *settings, 1)
    return dx


def test_windows_reach_before_and_after():
    assert forward(X, 1, 0, 2.0, 1.0, 3.0).tolist() == [[[1 / 5], [2 / 13], [3 / 29], [4 / 53]]]
    assert forward(X, 0, 1, 2.0, 1.0, 3.0).tolist() == [[[1 / 13], [2 / 29], [3 / 53], [4 / 35]]]
    np.testing.assert_allclose(forward(X, 9, 9, 1.0, 0.5, 6.0), X / 6)


def test_gradient_by_hand():
    """Alone, x / (1 + x^2) has the slope (1 - x^2) / (1 + x^2)^2."""
    assert backward(np.ones_like(X), X, 0, 0, 1.0, 1.0, 1.0)[0, :2].tolist() == [[0], [-3 / 25]]


def test_gradient_comes_back_from_the_windows_that_see_a_channel():
    """Channel 0 is seen from channel 1, whose value falls by 2 x0 x1 / d^2; nobody else changes with it."""
    dy = np.array([[[0.0], [1.0], [0.0], [0.0]]])
    dx = backward(dy, X, 1, 0, 1.0, 1.0, 0.0)
    assert dx[0, :, 0].tolist() == [-2 * 1 * 2 / 25, 1 / 5 - 2 * 4 / 25, 0, 0]


def test_a_root_of_a_negative_divisor_is_nan_and_a_whole_power_is_not():
    assert np.isnan(forward(X, 0, 0, 0.0, 0.5, -4.0)).all()
    assert forward(X, 0, 0, 0.0, 2.0, -4.0)[0, :, 0].tolist() == [1 / 16, 2 / 16, 3 / 16, 4 / 16]
