"""The named architectures."""

import numpy as np
import pytest

from kitnet.layers import BatchNorm2d, Conv2d, Linear
from kitnet.models import Residual, digits_net, lenet, resnet18


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


@pytest.mark.parametrize("make", [lenet, digits_net, resnet18])
def test_one_generator_gives_one_model(make):
    models = [make(rng=np.random.default_rng(seed)) for seed in (0, 0, 1)]
    weights = [[p.data for p in model.parameters()] for model in models]
    assert all(np.array_equal(a, b) for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.array_equal(weights[0][0], weights[2][0])
    assert all(
        norm.weight.dtype == np.float64 for norm in make(dtype=np.float64) if isinstance(norm, BatchNorm2d)
    )


def test_resnet18_is_the_one_of_the_paper():
    model = resnet18()
    assert sum(p.size for p in model.parameters()) == 11_689_512
    blocks = [layer for layer in model if isinstance(layer, Residual)]
    shapes, shape = [], model[:4].out_shape((1, 3, 224, 224))
    for block in blocks:
        shape = block.out_shape(shape)
        shapes.append(shape[1:])
    assert shapes == [(c, s, s) for c, s in ((64, 56), (128, 28), (256, 14), (512, 7)) for _ in range(2)]
    projections = [next(block.shortcut.parameters(), None) is not None for block in blocks]
    assert projections == [False, False, True, False, True, False, True, False]
    assert model.out_shape((2, 3, 224, 224)) == (2, 1000)


def test_weights_of_resnet18_keep_the_variance_of_gradients():
    for layer in resnet18(rng=np.random.default_rng(0)).modules():
        if isinstance(layer, Conv2d):
            k, _, *kernel = layer.weight.shape
            assert layer.weight.data.std() == pytest.approx((2 / (k * np.prod(kernel))) ** 0.5, rel=0.05)
            assert layer.bias is None


def test_resnet18_of_small_images_learns():
    rng = np.random.default_rng(0)
    model = resnet18(2, 1, small_images=True, zero_init_residual=True, rng=rng)
    x = rng.normal(size=(8, 1, 9, 9)).astype(np.float32)
    h = model[:3](x)
    assert h.shape == (8, 64, 9, 9)
    np.testing.assert_array_equal(model[3](h), h)  # a block is its shortcut at first
    y, pullback = model.vjp(x, input_grad=False)
    pullback(y)
    assert all(np.isfinite(p.grad).all() for p in model.parameters())
    assert np.abs(model[-1].weight.grad).max() > 0


def test_bad_arguments():
    with pytest.raises(ValueError, match="image_size: expected an int from 12"):
        lenet(image_size=8)
    with pytest.raises(ValueError, match="image_size: expected an int from 2"):
        digits_net(image_size=1)
    with pytest.raises(ValueError, match="out_features: expected"):
        lenet(num_classes=0)
    with pytest.raises(ValueError, match="in_channels: expected"):
        resnet18(in_channels=0)
