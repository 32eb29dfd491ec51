"""Sequential: order, names, fusion that changes nothing but speed, and flat parameters."""

import copy
from itertools import pairwise

import numpy as np
import pytest

from kitnet.layers import (
    BatchNorm1d,
    BatchNorm2d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Flatten,
    Hardtanh,
    Layer,
    LeakyReLU,
    Linear,
    MaxPool2d,
    Parameter,
    ReLU,
    ReLU6,
    SeparableConv2d,
)
from kitnet.layers.conv import ConvBatchNorm
from kitnet.layers.fused import WithClip
from kitnet.models import Sequential


class Recorder(Layer):
    """A layer of ones that notes what it was asked for."""

    def __init__(self, parameter: bool = False) -> None:
        self.asked: list[bool] = []
        if parameter:
            self.weight = Parameter(np.ones(1))

    def vjp(self, x, *, input_grad=True):
        self.asked.append(input_grad)
        return x, lambda dy: self.note("pulled") and dy

    def note(self, what):
        self.asked.append(what)
        return True


def conv(in_channels, out_channels, size=3, seed=0, **kwargs):
    return Conv2d(
        in_channels, out_channels, size, rng=np.random.default_rng(seed), dtype=np.float64, **kwargs
    )


def up(in_channels, out_channels, size=3, seed=0, **kwargs):
    return ConvTranspose2d(
        in_channels, out_channels, size, rng=np.random.default_rng(seed), dtype=np.float64, **kwargs
    )


def separable(in_channels, out_channels):
    return SeparableConv2d(in_channels, out_channels, 3, dtype=np.float64, rng=np.random.default_rng(0))


def norm(channels, cls=BatchNorm2d):
    rng = np.random.default_rng(channels)
    layer = cls(channels, dtype=np.float64)
    layer.running_mean[:] = rng.normal(size=channels)
    layer.running_var[:] = rng.uniform(0.5, 2, channels)
    layer.weight.data, layer.bias.data = rng.normal(size=channels), rng.normal(size=channels)
    return layer


def dense(c, k):
    return Linear(c, k, rng=np.random.default_rng(c), dtype=np.float64)


IMAGE, WIDE = (3, 2, 6, 6), (3, 2, 40, 40)  # output smaller, and larger, than the weights
FUSIONS = [
    # layers, input, what the plan is made of
    (lambda: (conv(2, 3), ReLU()), IMAGE, [WithClip]),
    (lambda: (conv(2, 3, bias=False), ReLU()), IMAGE, [WithClip]),
    (lambda: (conv(2, 4, groups=2, padding=1, stride=2), ReLU()), IMAGE, [WithClip]),
    (lambda: (conv(2, 3), ReLU6()), IMAGE, [WithClip]),
    (lambda: (conv(2, 3), Hardtanh(-0.3, 0.4)), IMAGE, [WithClip]),
    (lambda: (dense(4, 3), Hardtanh(-0.3, 0.4)), (5, 4), [WithClip]),
    (lambda: (conv(2, 3), norm(3), Hardtanh(0.25, 0.5)), WIDE, [WithClip]),
    (lambda: (conv(2, 3), LeakyReLU()), IMAGE, [Conv2d, LeakyReLU]),
    (lambda: (conv(2, 3), norm(3)), IMAGE, [ConvBatchNorm]),
    (lambda: (conv(2, 3), norm(3), ReLU()), IMAGE, [WithClip]),
    (lambda: (conv(2, 3), norm(3), ReLU()), WIDE, [WithClip]),
    (lambda: (conv(2, 3, bias=False, padding="same"), norm(3), ReLU()), WIDE, [WithClip]),
    (lambda: (conv(2, 4, groups=2), BatchNorm2d(4, affine=False, dtype=np.float64)), WIDE, [ConvBatchNorm]),
    (lambda: (conv(2, 3, padding=2, padding_mode="circular"), norm(3), ReLU()), WIDE, [WithClip]),
    (
        lambda: (SeparableConv2d(2, 3, 3, dtype=np.float64, rng=np.random.default_rng(0)), ReLU6()),
        IMAGE,
        [WithClip],
    ),
    (lambda: (up(2, 3, 4, stride=2), Hardtanh(-0.3, 0.4)), IMAGE, [WithClip]),
    (lambda: (up(2, 6, 4, stride=2), norm(6), ReLU()), IMAGE, [WithClip]),
    (lambda: (up(4, 6, stride=2, padding=1, groups=2, bias=False), norm(6)), (2, 4, 9, 9), [ConvBatchNorm]),
    (lambda: (up(2, 3), norm(3)), (2, 2, 1, 1), [ConvBatchNorm]),
    (lambda: (norm(2), ReLU()), IMAGE, [WithClip]),
    (lambda: (conv(2, 3), ReLU(), norm(3)), IMAGE, [WithClip, BatchNorm2d]),
    (lambda: (conv(2, 3), MaxPool2d(2), ReLU()), IMAGE, [Conv2d, MaxPool2d, ReLU]),
    (lambda: (conv(2, 3), ReLU(), ReLU()), IMAGE, [WithClip, ReLU]),
    (lambda: (ReLU(), conv(2, 3)), IMAGE, [ReLU, Conv2d]),
    (lambda: (dense(4, 3), ReLU(), dense(3, 2)), (5, 4), [WithClip, Linear]),
    (lambda: (dense(4, 3), norm(3, BatchNorm1d), ReLU()), (5, 4), [Linear, WithClip]),
    (
        lambda: (conv(2, 3), norm(3), ReLU(), conv(3, 2), norm(2), ReLU(), Flatten(), dense(8, 3), ReLU()),
        IMAGE,
        [WithClip, WithClip, Flatten, WithClip],
    ),
]


@pytest.mark.parametrize(("make", "shape", "plan"), FUSIONS)
def test_fusion_changes_speed_only(make, shape, plan):
    fused, plain = Sequential(*make()), Sequential(*make(), fuse=False)
    assert [type(layer) for layer in fused._plan] == plan
    assert plain._plan == plain.layers
    x = np.random.default_rng(1).normal(size=shape)
    folded = "BatchNorm" in repr(fused) and "Conv" in repr(fused)
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-12, atol=1e-12 if folded else 0)
    assert plain(x).any()  # a ReLU may hide everything
    assert fused.out_shape(shape) == plain.out_shape(shape) == fused(x).shape
    # A training step is the same bit for bit, running statistics included.
    results = []
    for model in (fused, plain):
        y, pullback = model.vjp(x)
        dx = pullback(np.random.default_rng(2).normal(size=y.shape))
        grads = {name: p.grad for name, p in model.named_parameters()}
        results.append({"y": y, "dx": dx, **grads, **model.buffers()})
    assert list(results[0]) == list(results[1])
    for name, array in results[0].items():
        np.testing.assert_array_equal(array, results[1][name], err_msg=name)
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-12, atol=1e-12 if folded else 0)


def test_fused_layers_keep_nan():
    x = np.full((1, 1, 3, 3), np.nan)
    assert np.isnan(Sequential(conv(1, 1), ReLU())(x)).all()
    assert np.isnan(Sequential(conv(1, 1), norm(1), ReLU())(x)).all()


def test_folding_is_chosen_by_the_sample_alone():
    """The same bits for a sample in any batch need the same choice for any batch."""
    model = Sequential(conv(2, 3), norm(3), ReLU())
    for shape in (IMAGE, WIDE):
        x = np.random.default_rng(1).normal(size=(9, *shape[1:]))
        together = model(x)
        for i in (0, 4, 8):
            np.testing.assert_allclose(model(x[i : i + 1]), together[i : i + 1], rtol=1e-15, atol=1e-15)


def test_fusion_follows_every_change_of_its_layers():
    model = Sequential(conv(2, 3), norm(3), ReLU())
    x = np.random.default_rng(1).normal(size=WIDE)

    def agree():
        model.fuse = True
        fused = model(x)
        model.fuse = False
        np.testing.assert_allclose(fused, model(x), rtol=1e-12, atol=1e-12)
        model.fuse = True
        return fused

    seen = [agree()]
    model[0].weight.data *= 2
    seen.append(agree())
    model[0].bias = Parameter(np.ones(3))
    seen.append(agree())
    model[1].running_var *= 3
    seen.append(agree())
    model[1].weight = Parameter(np.ones(3))
    seen.append(agree())
    model.flatten_parameters()
    model.flat_data[...] += 1
    seen.append(agree())
    assert all(not np.allclose(a, b) for a, b in pairwise(seen))


def test_changing_the_layers_changes_the_plan():
    model = Sequential(conv(2, 3), ReLU())
    x = np.random.default_rng(1).normal(size=IMAGE)
    model.append(Flatten())
    assert model(x).shape == (3, 48)
    model[1] = MaxPool2d(2)
    np.testing.assert_array_equal(model(x), Flatten()(MaxPool2d(2)(model[0](x))))
    model.insert(1, norm(3))
    assert [type(layer) for layer in model] == [Conv2d, BatchNorm2d, MaxPool2d, Flatten]
    assert [type(layer) for layer in model._plan] == [ConvBatchNorm, MaxPool2d, Flatten]
    del model[1]
    del model[-1]
    assert len(model) == 2
    assert model[-1].kernel_size == (2, 2)
    assert [type(layer) for layer in model._plan] == [Conv2d, MaxPool2d]
    assert model(x).shape == (3, 3, 2, 2)
    with pytest.raises(ValueError, match="layers: expected at least one"):
        del Sequential(ReLU())[0]
    with pytest.raises(TypeError, match="layers: expected layers, got int"):
        model.append(3)
    with pytest.raises(IndexError):
        model[5]


def test_bad_layers():
    with pytest.raises(ValueError, match="layers: expected at least one"):
        Sequential()
    with pytest.raises(TypeError, match="layers: expected layers, got list"):
        Sequential([ReLU()])
    with pytest.raises(TypeError, match="layers: expected layers, got type"):
        Sequential(ReLU)


def test_slices_share_their_layers():
    model = Sequential(conv(2, 3), ReLU(), Flatten())
    head = model[:2]
    assert isinstance(head, Sequential)
    assert head[0] is model[0]
    assert len(model[1:]) == 2


def test_names_are_dotted_places():
    model = Sequential(conv(1, 2), Sequential(dense(3, 2), Sequential(norm(2))), ReLU())
    names = [
        "0.weight",
        "0.bias",
        "1.0.weight",
        "1.0.bias",
        "1.1.0.weight",
        "1.1.0.bias",
    ]
    assert [name for name, _ in model.named_parameters()] == names
    assert list(model.buffers()) == [
        f"1.1.0.{n}" for n in ("running_mean", "running_var", "num_batches_tracked")
    ]
    assert [name for name, _ in model.named_children()] == ["0", "1", "2"]
    assert len(list(model.modules())) == 7


def test_shared_layers_are_trained_once():
    layer = dense(3, 3)
    model = Sequential(layer, ReLU(), layer)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert len(list(model.modules())) == 3
    twin = Sequential(dense(3, 3), ReLU(), dense(3, 3))
    x = np.random.default_rng(0).normal(size=(4, 3))
    for m in (model, twin):
        y, pullback = m.vjp(x)
        pullback(y)
    np.testing.assert_allclose(layer.weight.grad, twin[0].weight.grad + twin[2].weight.grad, rtol=1e-14)


def test_gradients_end_at_the_first_layer_with_parameters():
    layers = [Recorder(), Recorder(), Recorder(parameter=True), Recorder()]
    model = Sequential(*layers)
    y, pullback = model.vjp(np.ones(3), input_grad=False)
    pullback(y)
    assert [layer.asked for layer in layers] == [[False], [False], [False, "pulled"], [True, "pulled"]]
    _, pullback = Sequential(Recorder(), ReLU()).vjp(np.ones(3), input_grad=False)
    assert pullback(np.ones(3)) is None


def test_out_shape_names_the_layer_that_cannot_take_it():
    model = Sequential(conv(2, 3), Flatten(), dense(48, 2))
    assert model.out_shape(IMAGE) == (3, 2)
    with pytest.raises(ValueError, match=r"in_shape: Linear\(48, 2, .*\) at 2 cannot take \(3, 75\)"):
        model.out_shape((3, 2, 7, 7))


def test_repr_is_a_tree():
    model = Sequential(Linear(4, 8), Sequential(ReLU(), Dropout()), fuse=False)
    assert repr(model) == (
        "Sequential(\n  (0): Linear(4, 8)\n  (1): Sequential(\n    (0): ReLU()\n    (1): Dropout()\n  )\n"
        "  fuse=False\n)"
    )


# ---- flat parameters


def test_flat_parameters_are_views_in_order():
    model = Sequential(dense(3, 2), ReLU(), dense(2, 4))
    values = np.concatenate([p.data.reshape(-1) for p in model.parameters()])
    model[0].weight.accumulate(np.ones((2, 3)))
    assert model.flat_data is None
    assert model.flat_grad is None
    model.flatten_parameters()
    np.testing.assert_array_equal(model.flat_data, values)
    assert model.flat_grad.tolist() == [1] * 6 + [0] * 14
    data = model.flat_data
    model.flatten_parameters()
    assert model.flat_data is data
    model.flat_data[...] = np.arange(20)
    assert model[0].bias.data.tolist() == [6, 7]
    assert model[2].weight.data.tolist() == np.arange(8, 16).reshape(4, 2).tolist()
    model[2].bias.data = np.full(4, -1.0)
    assert model.flat_data[-4:].tolist() == [-1] * 4
    model.zero_grad()
    assert not model.flat_grad.any()


def test_flat_arrays_that_no_longer_hold_are_not_given_out():
    inner = Sequential(dense(3, 2), ReLU())
    inner.flatten_parameters()
    outer = Sequential(inner, dense(2, 4))
    outer.flatten_parameters()
    assert inner.flat_data is None
    assert outer.flat_data.size == 20
    y, pullback = outer.vjp(np.ones((2, 3)))
    pullback(y)
    inner.zero_grad()
    assert not outer.flat_grad[:8].any()
    assert outer.flat_grad[8:].any()
    inner.append(dense(2, 2))
    assert outer.flat_data is None
    outer.zero_grad()
    assert all(not p.grad.any() for p in outer.parameters())
    outer.flatten_parameters()
    assert outer.flat_data.size == 26


def test_a_copy_has_parameters_of_its_own():
    model = Sequential(dense(3, 2), ReLU())
    model.flatten_parameters()
    twin = copy.deepcopy(model)
    assert twin.flat_data is None
    twin.flatten_parameters()
    twin.flat_data[...] = 0
    assert model.flat_data.all()
    x = np.random.default_rng(0).normal(size=(9, 3))
    assert not twin(x).any()
    assert model(x).any()


def test_other_channel_counts_and_dimensions_are_not_absorbed():
    assert conv(2, 3).absorb(norm(4)) is None
    assert conv(2, 3).absorb(norm(3, BatchNorm1d)) is None
    assert Conv1d(2, 3, 3).absorb(norm(3)) is None
    assert isinstance(Conv1d(2, 3, 3).absorb(BatchNorm1d(3)), ConvBatchNorm)
