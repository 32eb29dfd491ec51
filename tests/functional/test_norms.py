"""Normalisation of samples, of neighbours and of weights: values by hand, identities, and what is refused."""

import math

import numpy as np
import pytest

from kitnet import functional as F


def rng_array(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_layer_norm_by_hand():
    x = np.array([[[1.0, 3], [5, 7]]])
    y, mean, rstd = F.layer_norm(x, (2, 2), eps=4.0, return_statistics=True)
    assert mean.tolist() == [4]  # the variance is 5
    np.testing.assert_allclose(rstd, [1 / 3])
    np.testing.assert_allclose(y, [[[-1, -1 / 3], [1 / 3, 1]]])
    weight, bias = np.array([[1.0, 2], [3, 4]]), np.array([[0.0, 0], [0, 10]])
    np.testing.assert_allclose(F.layer_norm(x, (2, 2), weight, bias, 4.0), [[[-1, -2 / 3], [1, 14]]])
    np.testing.assert_allclose(F.layer_norm(x, 2, eps=0.0), [[[-1, 1], [-1, 1]]])


def test_one_of_weight_and_bias_is_enough():
    x, ones, zeros = rng_array(3, 4), np.ones(4), np.zeros(4)
    half = np.array([1.0, 2, 3, 4])
    np.testing.assert_array_equal(F.layer_norm(x, 4, half), F.layer_norm(x, 4, half, zeros))
    np.testing.assert_array_equal(F.layer_norm(x, 4, None, half), F.layer_norm(x, 4, ones, half))


def test_a_whole_array_may_be_one_row():
    y, mean, rstd = F.layer_norm(np.array([1.0, 3]), 2, eps=0.0, return_statistics=True)
    assert (y.tolist(), mean.shape, rstd.shape) == ([-1, 1], (), ())
    dx, dweight, dbias = F.layer_norm_backward(np.ones(2), np.array([1.0, 3]), 2, mean, rstd)
    assert (dx.tolist(), dweight, dbias) == ([0, 0], None, None)


def test_groups_of_all_and_of_single_channels_are_layer_and_instance_norm():
    x, weight, bias = rng_array(3, 4, 5, 6), rng_array(4, seed=1), rng_array(4, seed=2)
    np.testing.assert_allclose(F.group_norm(x, 1), F.layer_norm(x, (4, 5, 6)), rtol=1e-12)
    one = F.group_norm(x, 4, weight, bias)
    np.testing.assert_array_equal(F.instance_norm(x, weight, bias), one)
    alone = [F.batch_norm_train(sample[None], weight, bias)[0][0] for sample in x]
    np.testing.assert_allclose(one, alone, rtol=1e-10, atol=1e-12)


def test_rms_norm_keeps_the_mean_and_takes_the_spacing_of_the_dtype():
    np.testing.assert_allclose(F.rms_norm(np.array([[2.0, 14]]), 2, np.array([1.0, 10]), 0.0), [[0.2, 14]])
    for dtype in (np.float32, np.float64):
        _, rstd = F.rms_norm(np.zeros((1, 3), dtype), 3, return_statistics=True)
        np.testing.assert_allclose(rstd, 1 / math.sqrt(np.finfo(dtype).eps), rtol=1e-6)


def test_local_response_norm_by_hand():
    """Of an even size the channel before counts, not the one after."""
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1)
    sums = np.array([1, 1 + 4, 4 + 9, 9 + 16])
    y = F.local_response_norm(x, 2, alpha=4.0, beta=1.0, k=3.0)
    np.testing.assert_allclose(y[0, :, 0], x[0, :, 0] / (3 + 2 * sums))
    wide = F.local_response_norm(x, 99, alpha=99.0, beta=0.5, k=6.0)
    np.testing.assert_allclose(wide, x / 6)


def test_weight_norm_by_hand():
    v = np.array([[3.0, 4], [0, 5]])
    assert F.weight_norm(v).tolist() == [[5], [5]]
    assert F.weight_norm(v, np.array([[10.0], [1]])).tolist() == [[6, 8], [0, 1]]
    assert F.weight_norm(v, dim=1).tolist() == [[3, math.sqrt(41)]]
    np.testing.assert_allclose(F.weight_norm(v, np.full((1, 1), math.sqrt(50)), None), v)
    dv, dg = F.weight_norm_backward(v, v, F.weight_norm(v))  # along v nothing but the length changes
    np.testing.assert_allclose(dv, 0, atol=1e-15)
    assert dg.tolist() == [[5], [5]]


X = np.zeros((2, 4, 3, 5), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "argument"),
    [
        (lambda: F.layer_norm(X, 4), ValueError, "x"),
        (lambda: F.layer_norm(X, (2, 2, 4, 3, 5)), ValueError, "x"),
        (lambda: F.layer_norm(X, ()), ValueError, "normalized_shape"),
        (lambda: F.layer_norm(X, 0), ValueError, "normalized_shape"),
        (lambda: F.layer_norm(X, (3, -5)), ValueError, "normalized_shape"),
        (lambda: F.layer_norm(X, "5"), TypeError, "normalized_shape"),
        (lambda: F.layer_norm(X, 5.0), TypeError, "normalized_shape"),
        (lambda: F.layer_norm(X, (3, 5), X[0, 0, 0]), ValueError, "weight"),
        (lambda: F.layer_norm(X, (3, 5), X[0, 0], X[0]), ValueError, "bias"),
        (lambda: F.layer_norm(X, 5, eps=-1.0), ValueError, "eps"),
        (lambda: F.layer_norm_backward(X[:1], X, 5, X[..., 0], X[..., 0]), ValueError, "dy"),
        (lambda: F.layer_norm_backward(X, X, 5, X[:1, ..., 0], X[..., 0]), ValueError, "mean"),
        (lambda: F.layer_norm_backward(X, X, 5, X[..., 0], X), ValueError, "rstd"),
        (lambda: F.rms_norm(X, 5, eps="1"), TypeError, "eps"),
        (lambda: F.rms_norm_backward(X, X, 5, X), ValueError, "rstd"),
        (lambda: F.group_norm(X, 3), ValueError, "num_groups"),
        (lambda: F.group_norm(X, 0), ValueError, "num_groups"),
        (lambda: F.group_norm(X, 2.0), TypeError, "num_groups"),
        (lambda: F.group_norm(X, 2, X[0, 0, 0]), ValueError, "weight"),
        (lambda: F.group_norm_backward(X, X, 2, X[:, :, 0, 0], X[:, :2, 0, 0]), ValueError, "mean"),
        (lambda: F.instance_norm(X[:, :, :1, :1]), ValueError, "x"),
        (lambda: F.instance_norm(X[:, :, 0, 0]), ValueError, "x"),
        (lambda: F.local_response_norm(X, 0), ValueError, "size"),
        (lambda: F.local_response_norm(X, 3, alpha=math.inf), ValueError, "alpha"),
        (lambda: F.local_response_norm(X[:, :, 0, 0], 3), ValueError, "x"),
        (lambda: F.weight_norm(X, dim=4), ValueError, "dim"),
        (lambda: F.weight_norm(X, dim=-1), ValueError, "dim"),
        (lambda: F.weight_norm(X[:0]), ValueError, "v"),
        (lambda: F.weight_norm(X, X[:1]), ValueError, "g"),
        (lambda: F.weight_norm_backward(X[:1], X, X[:, :1, :1, :1]), ValueError, "dw"),
    ],
)
def test_what_does_not_fit_is_named(call, error, argument):
    with pytest.raises(error, match=rf"^{argument}: expected .*, got "):
        call()
