"""Convolution layers: what they pad with, and how they come apart."""

import numpy as np
import pytest

from kitnet import functional
from kitnet.layers import Conv2d, DepthwiseConv2d, ReflectionPad2d, SeparableConv2d

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [2, ((1, 2), (0, 3)), "same", "same_lower", "valid"])
def test_padding_modes_are_those_of_numpy(mode, padding):
    layer = Conv2d(2, 3, (4, 3), 2, padding, padding_mode=mode, dtype=np.float64)
    x = np.random.default_rng(0).normal(size=(2, 2, 6, 7))
    pads = Conv2d(2, 3, (4, 3), 2, padding).window(x.shape[2:]).pads
    framed = np.pad(x, ((0, 0), (0, 0), *pads), MODES[mode])
    expected = functional.conv2d(framed, layer.weight.data, layer.bias.data, 2)
    np.testing.assert_array_equal(layer(x), expected)
    assert layer.out_shape(x.shape) == expected.shape


def test_borders_that_the_image_cannot_fill_are_refused():
    for mode, size in (("reflect", 3), ("circular", 2)):
        layer = Conv2d(1, 1, 3, padding=3, padding_mode=mode)
        x = np.ones((1, 1, size, 9), np.float32)
        for call in (lambda: layer(x), lambda: layer.vjp(x), lambda: layer.out_shape(x.shape)):  # noqa: B023
            with pytest.raises(ValueError, match=r"^padding: expected at most 2 cells with mode"):
                call()
        layer(np.ones((1, 1, size + 1, 9), np.float32))
    with pytest.raises(ValueError, match=r"^in_shape: expected at most 4 cells with mode 'reflect'"):
        ReflectionPad2d(5).out_shape((1, 1, 9, 5))


def test_separable_convolution_is_depthwise_then_pointwise():
    rng = np.random.default_rng(0)
    layer = SeparableConv2d(3, 4, (3, 2), 2, 1, depth_multiplier=2, rng=rng)
    depthwise = DepthwiseConv2d(3, (3, 2), 2, 1, depth_multiplier=2, bias=False)
    pointwise = Conv2d(6, 4, 1)
    depthwise.weight.data = layer.depthwise_weight.data
    pointwise.weight.data, pointwise.bias.data = layer.pointwise_weight.data, layer.bias.data
    x = rng.normal(size=(2, 3, 7, 6)).astype(np.float32)
    np.testing.assert_array_equal(layer(x), pointwise(depthwise(x)))
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["depthwise_weight", "pointwise_weight", "bias"]


def test_depthwise_convolution_filters_each_channel_by_itself():
    rng = np.random.default_rng(0)
    layer = DepthwiseConv2d(3, 2, depth_multiplier=2, rng=rng)
    x = rng.normal(size=(2, 3, 4, 5)).astype(np.float32)
    y = layer(x)
    for channel in range(3):
        own = slice(2 * channel, 2 * channel + 2)
        weight, bias = layer.weight.data[own], layer.bias.data[own]
        alone = functional.conv2d(x[:, channel : channel + 1], weight, bias)
        np.testing.assert_allclose(y[:, own], alone, rtol=1e-5, atol=1e-6)
