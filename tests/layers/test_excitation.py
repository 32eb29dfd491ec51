"""Squeeze and excitation."""

import numpy as np
import pytest

from kitnet.layers import Conv2d, ReLU, SqueezeExcitation


def test_squeeze_excitation_by_hand():
    """Means 2 and -1: fc1 gives 1, fc2 gives 0 and 2 ln 3, and their sigmoids are 1/2 and 9/10."""
    layer = SqueezeExcitation(2, 1, dtype=np.float64)
    weights = [[[1, 1]], [0], [[0], [2 * np.log(3)]], [0, 0]]
    for parameter, values in zip(layer.parameters(), weights, strict=True):
        parameter.data = np.array(values, float).reshape(parameter.shape)
    x = np.array([[[[1.0, 3]], [[-5, 3]]]])
    for given in (x, x[0]):
        np.testing.assert_allclose(layer(given).ravel(), [0.5, 1.5, -4.5, 2.7], rtol=1e-14)
        assert layer(given).shape == layer.out_shape(given.shape) == given.shape
    assert [name for name, _ in layer.named_parameters()] == [
        "fc1.weight",
        "fc1.bias",
        "fc2.weight",
        "fc2.bias",
    ]


def test_squeeze_excitation_of_one_sample_has_its_gradient():
    rng = np.random.default_rng(0)
    layer, x = SqueezeExcitation(3, 2, dtype=np.float64, rng=rng), rng.normal(size=(3, 4, 5))
    y, pullback = layer.vjp(x)
    np.testing.assert_array_equal(pullback(y), layer.vjp(x[None])[1](y[None])[0])


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: SqueezeExcitation(0, 1), ValueError, "input_channels: expected"),
        (lambda: SqueezeExcitation(4, 1.0), TypeError, "squeeze_channels: expected"),
        (lambda: SqueezeExcitation(4, 2, "relu"), TypeError, "^activation: expected a layer"),
        (lambda: SqueezeExcitation(4, 2, ReLU, 1), TypeError, "scale_activation: expected a layer"),
        (
            lambda: SqueezeExcitation(Conv2d(4, 2, 1), Conv2d(2, 3, 1)),
            ValueError,
            "squeeze_channels: expected",
        ),
        (lambda: SqueezeExcitation(4, 2)(np.ones((1, 3, 2, 2), np.float32)), ValueError, "expected"),
        (
            lambda: SqueezeExcitation(4, 2).out_shape((1, 3, 2, 2)),
            ValueError,
            "in_shape: expected 4 channels",
        ),
    ],
)
def test_squeeze_excitation_names_what_does_not_fit(call, error, match):
    with pytest.raises(error, match=match):
        call()
