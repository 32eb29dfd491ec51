"""What the norms promise beyond the common contract."""

import numpy as np
import pytest

from kitnet.layers import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GroupNorm,
    InstanceNorm1d,
    LayerNorm,
    Linear,
    LocalResponseNorm,
    RMSNorm,
    WeightNorm,
)
from kitnet.models import Sequential


def test_a_frozen_batch_norm_trains_with_the_running_statistics_and_leaves_them():
    layer = BatchNorm1d(1, eps=0.0, frozen=True, dtype=np.float64)
    layer.running_mean[:], layer.running_var[:] = 1, 4
    y, pullback = layer.vjp(np.array([[5.0]]))
    assert y.tolist() == [[2]]
    assert pullback(np.array([[3.0]])).tolist() == [[1.5]]
    assert (layer.weight.grad.tolist(), layer.bias.grad.tolist()) == ([6], [3])
    assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([1], [4])
    assert layer.num_batches_tracked == 0
    layer.frozen = False
    layer.vjp(np.array([[5.0], [7]]))
    assert layer.num_batches_tracked == 1
    with pytest.raises(ValueError, match="frozen: expected"):
        BatchNorm2d(1, track_running_stats=False, frozen=True)


def test_without_running_statistics_inference_takes_those_of_the_batch():
    layer = BatchNorm1d(1, eps=0.0, track_running_stats=False, dtype=np.float64)
    x = np.array([[1.0], [5]])
    assert layer(x).tolist() == layer.vjp(x)[0].tolist() == [[-1], [1]]
    assert layer.buffers() == {}
    assert layer.running_mean is None
    assert layer.running_var is None
    with pytest.raises(ValueError, match="at least 2 values"):
        layer(x[:1])


@pytest.mark.parametrize("options", [{"frozen": True}, {"track_running_stats": False}])
def test_fusion_changes_nothing(options):
    conv, norm = Conv2d(2, 3, 3, dtype=np.float64), BatchNorm2d(3, dtype=np.float64, **options)
    x = np.random.default_rng(0).standard_normal((2, 2, 5, 6))
    fused, plain = Sequential(conv, norm), Sequential(conv, norm, fuse=False)
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(fused.vjp(x)[0], plain.vjp(x)[0], rtol=1e-12, atol=1e-12)


def test_running_statistics_of_instances_are_means_over_the_samples():
    layer = InstanceNorm1d(1, momentum=0.5, track_running_stats=True, dtype=np.float64)
    layer.vjp(np.array([[[1.0, 3]], [[10, 30]]]))  # means 2 and 20, unbiased variances 2 and 200
    np.testing.assert_allclose(layer.running_mean, [5.5])
    np.testing.assert_allclose(layer.running_var, [51])
    layer.running_mean[:], layer.running_var[:] = 1, 4 - 1e-5
    np.testing.assert_allclose(layer(np.array([[[5.0, 5]]])), [[[2, 2]]])
    before = layer.running_mean.copy()
    layer.vjp(np.empty((0, 1, 3)))
    assert layer.running_mean.tolist() == before.tolist()


def test_shapes_are_told_whole():
    assert repr(LayerNorm((4, 4))) == "LayerNorm((4, 4))"
    assert repr(LayerNorm(4, bias=False)) == "LayerNorm((4,), bias=False)"
    assert repr(RMSNorm((2, 2))) == "RMSNorm((2, 2))"
    assert LayerNorm(4, elementwise_affine=False).config()["bias"] is True


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: LayerNorm(0), ValueError, "normalized_shape: expected"),
        (lambda: LayerNorm(3, eps=None), TypeError, "eps: expected"),
        (lambda: GroupNorm(3, 4), ValueError, "num_groups: expected"),
        (lambda: GroupNorm(1, 0), ValueError, "num_channels: expected"),
        (lambda: InstanceNorm1d(1, momentum=2), ValueError, "momentum: expected"),
        (lambda: LocalResponseNorm(0), ValueError, "size: expected"),
        (lambda: WeightNorm(Flatten()), TypeError, "layer: expected"),
        (lambda: WeightNorm(Linear(2, 2), 2), ValueError, "dim: expected"),
        (lambda: GroupNorm(1, 4)(np.ones((2, 3), np.float32)), ValueError, "x: expected 4 channels"),
        (lambda: GroupNorm(1, 4).out_shape((2, 3)), ValueError, "in_shape: expected 4 channels"),
        (lambda: LayerNorm((2, 3)).out_shape((3,)), ValueError, "in_shape: expected"),
    ],
)
def test_bad_arguments_are_named(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_weight_norm_starts_as_the_layer_was_and_scales_it():
    rng = np.random.default_rng(0)
    conv, x = Conv2d(2, 3, 3, dtype=np.float64, rng=rng), rng.standard_normal((2, 2, 5, 6))
    expected = conv(x)
    norm = WeightNorm(conv)
    np.testing.assert_allclose(norm(x), expected, rtol=1e-12, atol=1e-14)
    assert [name for name, _ in norm.named_parameters()] == ["g", "layer.weight", "layer.bias"]
    conv.weight.data = 7 * conv.weight.data  # the length of v has no say
    np.testing.assert_allclose(norm(x), expected, rtol=1e-12, atol=1e-14)
    norm.g.data = 2 * norm.g.data
    bias = conv.bias.data[:, None, None]
    np.testing.assert_allclose(norm(x) - bias, 2 * (expected - bias), rtol=1e-12, atol=1e-14)
