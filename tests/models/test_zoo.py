"""The named architectures."""

import numpy as np
import pytest

from kitnet.layers import BatchNorm2d, Conv2d, Linear
from kitnet.models import digits_net, lenet


def test_lenet_is_the_one_of_the_paper_with_relu_and_max_pooling():
    model = lenet()
    weights = [layer.weight.shape for layer in model if isinstance(layer, (Conv2d, Linear))]
    assert weights == [(6, 1, 5, 5), (16, 6, 5, 5), (120, 400), (84, 120), (10, 84)]
    assert sum(p.size for p in model.parameters()) == 61_706
    assert model[:6].out_shape((1, 1, 28, 28)) == (1, 16, 5, 5)


@pytest.mark.parametrize("size", [12, 13, 28, 32, 64])
def test_lenet_takes_other_images(size):
    model = lenet(num_classes=3, in_channels=2, image_size=size, dtype=np.float64)
    assert model(np.zeros((2, 2, size, size))).shape == (2, 3)


@pytest.mark.parametrize("size", [2, 3, 8, 11])
def test_digits_net_takes_small_images(size):
    model = digits_net(num_classes=3, in_channels=2, image_size=size)
    assert model(np.zeros((2, 2, size, size), np.float32)).shape == (2, 3)


@pytest.mark.parametrize("make", [lenet, digits_net])
def test_one_generator_gives_one_model(make):
    models = [make(rng=np.random.default_rng(seed)) for seed in (0, 0, 1)]
    weights = [[p.data for p in model.parameters()] for model in models]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])
    assert all(
        norm.weight.dtype == np.float64 for norm in make(dtype=np.float64) if isinstance(norm, BatchNorm2d)
    )


def test_bad_arguments():
    with pytest.raises(ValueError, match="image_size: expected an int from 12"):
        lenet(image_size=8)
    with pytest.raises(ValueError, match="image_size: expected an int from 2"):
        digits_net(image_size=1)
    with pytest.raises(ValueError, match="out_features: expected"):
        lenet(num_classes=0)
