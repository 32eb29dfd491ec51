"""Residual blocks: what they compute, and what computing in one pass changes."""

import copy

import numpy as np
import pytest

from kitnet import layers
from kitnet.layers import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    Identity,
    LeakyReLU,
    MaxPool2d,
    ReLU,
    ReLU6,
)
from kitnet.models import Residual, Sequential

IMAGE, WIDE = (3, 4, 5, 6), (2, 4, 11, 12)


def conv(c, k, kernel=3, *rest, **more):
    rng = np.random.default_rng(0)
    return Conv2d(c, k, kernel, *rest, padding=kernel // 2, dtype=np.float64, rng=rng, **more)


def norm(c):
    layer, rng = BatchNorm2d(c, dtype=np.float64), np.random.default_rng(1)
    layer.running_mean[:], layer.running_var[:] = rng.normal(size=c), rng.uniform(1, 2, c)
    layer.weight.data, layer.bias.data = rng.normal(size=c), rng.normal(size=c)
    return layer


def relu_last():
    return Sequential(conv(4, 4), ReLU())


BLOCKS = {
    "conv": (lambda: conv(4, 4), None, None),
    "conv in a chain": (lambda: Sequential(conv(4, 6), ReLU(), conv(6, 4)), None, ReLU6),
    "conv, norm": (lambda: Sequential(conv(4, 4, bias=False), norm(4)), None, None),
    "nested chains": (lambda: Sequential(relu_last(), Sequential(conv(4, 4), norm(4))), None, None),
    "projection": (
        lambda: Sequential(conv(4, 6, 3, 2), norm(6), ReLU(), conv(6, 6), norm(6)),
        lambda: Sequential(conv(4, 6, 1, 2), norm(6)),
        None,
    ),
    "no activation": (lambda: conv(4, 4), None, Identity),
    "another activation": (lambda: Sequential(conv(4, 4), norm(4)), None, LeakyReLU),
    "padding mode": (lambda: conv(4, 4, padding_mode="reflect"), None, None),
    "clipped body": (relu_last, None, None),
    "pooled body": (lambda: Sequential(conv(4, 4), MaxPool2d(3, 1, 1)), None, None),
    "transposed": (
        lambda: Sequential(ConvTranspose2d(4, 4, 1, dtype=np.float64, rng=np.random.default_rng(2)), norm(4)),
        None,
        None,
    ),
    "nothing": (Identity, Identity, Identity),
}


def make(name, fuse):
    body, shortcut, activation = BLOCKS[name]
    return Residual(body(), shortcut and shortcut(), activation and activation(), fuse=fuse)


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize("shape", [IMAGE, WIDE])
@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_is_body_plus_shortcut_and_then_the_activation(name, shape, sealed):
    x, dy = (np.random.default_rng(seed).normal(size=shape) for seed in (1, 2))
    results = []
    for fuse in (True, False):
        block = make(name, fuse)
        body, shortcut, activation = map(copy.deepcopy, (block.body, block.shortcut, block.activation))
        if sealed:
            block.seal()
        y = block(x)
        np.testing.assert_allclose(y, activation(body(x) + shortcut(x)), rtol=1e-12, atol=1e-12)
        assert block.out_shape(shape) == y.shape
        block.unseal()
        y, pullback = block.vjp(x)
        dx = pullback(np.resize(dy, y.shape))
        assert block.vjp(x, input_grad=False)[1](np.resize(dy, y.shape)) is None
        grads = {name: p.grad for name, p in block.named_parameters()}
        results.append({"y": y, "dx": dx, **grads, **block.buffers()})
    assert list(results[0]) == list(results[1])
    for name, array in results[0].items():
        np.testing.assert_array_equal(array, results[1][name], err_msg=name)


@pytest.mark.parametrize(
    ("name", "adds"),
    [("conv", 1), ("conv, norm", 1), ("nested chains", 1), ("clipped body", 0), ("transposed", 0)],
)
def test_the_last_convolution_adds(name, adds, monkeypatch):
    seen = []
    run = layers.conv.F.conv2d
    spy = lambda *a, residual=None, **k: seen.append(residual) or run(*a, residual=residual, **k)  # noqa: E731
    monkeypatch.setattr(Conv2d, "_op", staticmethod(spy))
    block, x = make(name, True), np.random.default_rng(1).normal(size=WIDE)
    block(x)
    assert sum(residual is x for residual in seen) == adds
    block.fuse = False
    block(x)
    assert sum(residual is x for residual in seen) == adds


def test_bodies_that_change_are_followed():
    block, x = make("conv in a chain", True), np.random.default_rng(1).normal(size=IMAGE)
    for change in (lambda b: b.append(norm(4)), lambda b: b.append(ReLU()), lambda b: b.append(Dropout(0.5))):
        change(block.body)
        plain = Residual(block.body, block.shortcut, block.activation, fuse=False)
        np.testing.assert_allclose(block(x), plain(x), rtol=1e-12, atol=1e-12)
        assert block(x).any()


def test_shared_arrays_are_not_written():
    """A body, a shortcut or an activation may give out what it got."""
    x = np.random.default_rng(0).normal(size=IMAGE)
    block = make("nothing", True)
    y, pullback = block.vjp(x)
    dx = pullback(y)
    np.testing.assert_array_equal(y, 2 * x)
    np.testing.assert_array_equal(dx, 4 * x)
    assert not np.shares_memory(y, dx)


def test_shapes_that_cannot_be_added():
    x = np.ones((1, 4, 5, 5))
    for body in (conv(4, 5), Sequential(conv(4, 5), norm(5)), Sequential(conv(4, 5), ReLU()), conv(4, 1)):
        block = Residual(body)
        with pytest.raises(ValueError, match=r"^in_shape: expected a body and a shortcut that make the same"):
            block.out_shape(x.shape)
        for call in (lambda: block(x), lambda: block.vjp(x)):  # noqa: B023
            with pytest.raises(ValueError, match=r"^residual: expected shape"):
                call()


@pytest.mark.parametrize("name", ["body", "shortcut", "activation"])
def test_bad_layers(name):
    with pytest.raises(TypeError, match=rf"^{name}: expected a layer, got str"):
        Residual(**{"body": ReLU(), name: "relu"})


def test_names_and_repr():
    block = Residual(Sequential(conv(4, 4), norm(4)), conv(4, 4, 1), fuse=False)
    names = [name for name, _ in block.named_parameters()]
    assert names[:2] == ["body.0.weight", "body.0.bias"]
    assert names[-1] == "shortcut.bias"
    assert repr(block).splitlines() == [
        "Residual(",
        "  (body): Sequential(",
        "    (0): Conv2d(4, 4, 3, padding=1, dtype='float64')",
        "    (1): BatchNorm2d(4, dtype='float64')",
        "  )",
        "  (shortcut): Conv2d(4, 4, 1, dtype='float64')",
        "  (activation): ReLU()",
        "  fuse=False",
        ")",
    ]
