"""Layers that take indices, or two arrays: values, gradients, files, and what they refuse."""

import numpy as np
import pytest

import kitnet
from kitnet import functional as F
from kitnet.layers import (
    Add,
    AlphaDropout,
    Bilinear,
    Cat,
    Dropout2d,
    Embedding,
    Fold,
    MaxUnpool1d,
    MaxUnpool2d,
    MaxUnpool3d,
    StochasticDepth,
    Unflatten,
    Upsample,
)

MAKES = [
    lambda rng: Embedding(5, 3, -1, rng=rng, dtype=np.float64),
    lambda rng: Bilinear(4, 3, 2, rng=rng, dtype=np.float64),
    lambda rng: Bilinear(4, 3, 2, bias=False, rng=rng, dtype=np.float64),
    lambda rng: MaxUnpool2d((2, 3), padding=1),
    lambda rng: Add(),
    lambda rng: Cat(-1),
]


@pytest.mark.parametrize("make", MAKES)
def test_a_saved_layer_comes_back(make, tmp_path):
    layer = make(np.random.default_rng(0))
    kitnet.save(layer, tmp_path / "layer.safetensors")
    again = kitnet.load(tmp_path / "layer.safetensors")
    assert repr(again) == repr(layer)
    assert again.config() == layer.config()
    mine, other = dict(layer.named_parameters()), dict(again.named_parameters())
    assert mine.keys() == other.keys()
    assert all(np.array_equal(p.data, other[name].data) for name, p in mine.items())


def test_embedding_adds_up_what_each_row_was_used_for():
    layer = Embedding(4, 2, padding_idx=1, dtype=np.float64, rng=np.random.default_rng(0))
    assert not layer.weight.data[1].any()
    layer.weight.data[...] = [[1, 2], [3, 4], [5, 6], [7, 8]]
    x = np.array([[3, 1, 3], [0, 3, 1]], np.uint8)
    y, pullback = layer.vjp(x)
    np.testing.assert_array_equal(y[0], [[7, 8], [3, 4], [7, 8]])
    assert layer.out_shape(x.shape) == y.shape
    dy = np.arange(12.0).reshape(2, 3, 2)
    assert pullback(dy) is None
    np.testing.assert_array_equal(layer.weight.grad, [[6, 7], [0, 0], [0, 0], [0 + 4 + 8, 1 + 5 + 9]])
    assert F.embedding_backward(dy[:0], x[:0], 4).tolist() == [[0, 0]] * 4


def test_embedding_starts_normal():
    weight = Embedding(300, 200, rng=np.random.default_rng(0)).weight.data
    assert abs(weight.mean()) < 0.02
    assert abs(weight.std() - 1) < 0.02


@pytest.mark.parametrize("bad", [4, -1])
def test_embedding_refuses_rows_that_it_has_not(bad):
    layer = Embedding(4, 2)
    with pytest.raises(ValueError, match=r"x: expected values from 0 to 3"):
        layer(np.array([bad]))
    with pytest.raises(TypeError, match=r"x: expected integers"):
        layer(np.array([1.0]))


def test_bilinear_is_what_its_formula_says():
    rng = np.random.default_rng(0)
    layer = Bilinear(4, 3, 2, rng=rng, dtype=np.float64)
    x1, x2 = rng.normal(size=(5, 6, 4)), rng.normal(size=(5, 6, 3))
    y, pullback = layer.vjp(x1, x2)
    expected = np.einsum("...i,kij,...j->...k", x1, layer.weight.data, x2) + layer.bias.data
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    np.testing.assert_array_equal(layer(x1, x2), y)
    assert layer.out_shape(x1.shape) == y.shape
    dy = rng.normal(size=y.shape)
    dx1, dx2 = pullback(dy)
    np.testing.assert_allclose(dx1, np.einsum("...k,kij,...j->...i", dy, layer.weight.data, x2), rtol=1e-11)
    np.testing.assert_allclose(dx2, np.einsum("...k,kij,...i->...j", dy, layer.weight.data, x1), rtol=1e-11)
    dw = np.einsum("abk,abi,abj->kij", dy, x1, x2)
    np.testing.assert_allclose(layer.weight.grad, dw, rtol=1e-11)
    np.testing.assert_allclose(layer.bias.grad, dy.sum((0, 1)), rtol=1e-12)
    assert layer.vjp(x1, x2, input_grad=False)[1](dy) is None
    bound = 1 / 2
    assert 0.3 < abs(layer.weight.data).max() <= bound


@pytest.mark.parametrize(("layer", "ndim"), [(MaxUnpool1d(2), 1), (MaxUnpool2d(2), 2), (MaxUnpool3d(2), 3)])
def test_unpooling_is_the_way_back_of_pooling(layer, ndim):
    for size, expected in ((None, (4,) * ndim), ((5,) * ndim, (5,) * ndim)):
        x = np.random.default_rng(0).normal(size=(2, 3, *expected))
        y, indices = getattr(F, f"max_pool{ndim}d")(x, 2, return_indices=True)
        z, pullback = layer.vjp(y, indices, size)
        assert z.shape == layer.out_shape(y.shape, output_size=size) == (2, 3, *expected)
        np.testing.assert_array_equal(z[z != 0], x[z != 0])
        assert np.sort(z[z != 0]).tolist() == np.sort(y.reshape(-1)).tolist()
        np.testing.assert_array_equal(layer(y, indices, size), z)
        np.testing.assert_array_equal(pullback(z), y)
        assert layer.vjp(y, indices, size, input_grad=False)[1](z) is None


# ---- chance


def test_channels_are_dropped_whole():
    y, pullback = Dropout2d(0.5, rng=np.random.default_rng(0)).vjp(np.ones((40, 50, 2, 3)))
    assert (y == y[:, :, :1, :1]).all()
    assert 0.45 < (y[:, :, 0, 0] == 2).mean() < 0.55
    np.testing.assert_array_equal(pullback(np.ones_like(y)), y)


def test_stochastic_depth_drops_samples_or_the_batch():
    x = np.ones((200, 3, 2))
    y, _ = StochasticDepth(0.3, "row", rng=np.random.default_rng(0)).vjp(x)
    assert (y == y[:, :1, :1]).all()
    assert 0.6 < (y[:, 0, 0] > 0).mean() < 0.8
    layer = StochasticDepth(0.3, "batch", rng=np.random.default_rng(0))
    means = [layer.vjp(x)[0].mean() for _ in range(300)]
    np.testing.assert_allclose(np.unique(means), [0, 1 / 0.7])
    assert 0.6 < np.mean(np.array(means) > 0) < 0.8


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_alpha_dropout_keeps_mean_and_variance(p):
    x = np.random.default_rng(0).normal(size=400_000)
    y, _ = AlphaDropout(p, rng=np.random.default_rng(1)).vjp(x)
    assert abs(y.mean()) < 0.02
    assert abs(y.var() - 1) < 0.02


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: StochasticDepth(0.5, "rows"), ValueError, "mode: expected"),
        (lambda: StochasticDepth(2, "row"), ValueError, "p: expected"),
        (lambda: Embedding(3, 2, 3), ValueError, "padding_idx: expected"),
        (lambda: Embedding(0, 2), ValueError, "num_embeddings: expected"),
        (lambda: Bilinear(1, 0, 2), ValueError, "in2_features: expected"),
        (lambda: MaxUnpool2d(2, padding=-1), ValueError, "padding: expected"),
        (lambda: Unflatten(1, 3), TypeError, "unflattened_size: expected"),
        (lambda: Unflatten(1, (-1, -1)), ValueError, "unflattened_size: expected"),
        (lambda: Unflatten(1, (0, 2)), ValueError, "unflattened_size: expected"),
        (lambda: Upsample(), ValueError, "size: expected either"),
        (lambda: Upsample(2, align_corners=True), ValueError, "align_corners: expected"),
        (lambda: Upsample(2, mode="cubic"), ValueError, "mode: expected"),
        (lambda: Upsample(scale_factor=-1), ValueError, "scale_factor: expected"),
        (lambda: Fold(2, 3), ValueError, "kernel_size: expected a kernel that fits"),
    ],
)
def test_bad_arguments_are_named(make, error, match):
    with pytest.raises(error, match=match):
        make()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_unpooling_takes_a_sample_by_itself(ndim):
    layer, pool = (MaxUnpool1d, MaxUnpool2d, MaxUnpool3d)[ndim - 1](2, 3), getattr(F, f"max_pool{ndim}d")
    x = np.random.default_rng(0).normal(size=(1, 2, *(8, 5, 6)[:ndim]))
    y, indices = pool(x, 2, 3, return_indices=True)
    size = x.shape[2:]
    (z, pullback), (alone, alone_pullback) = (
        layer.vjp(*given, size) for given in ((y, indices), (y[0], indices[0]))
    )
    np.testing.assert_array_equal(alone, z[0])
    np.testing.assert_array_equal(alone_pullback(x[0]), pullback(x)[0])
    assert layer.out_shape(y.shape[1:], output_size=size) == alone.shape
    with pytest.raises(ValueError, match=r"^(x|indices): expected"):
        layer(y[0], indices, size)


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (2, 3)), ((2, 3), (3,)), ((4, 1, 3), (2, 1)), ((0, 3), (1, 3)), ((301, 300), (301, 300))],
)
def test_add_is_the_sum_and_its_gradient_goes_to_both(a, b):
    x, z = np.random.default_rng(0).normal(size=a), np.random.default_rng(1).normal(size=b)
    y, pullback = Add().vjp(x, z)
    np.testing.assert_array_equal(y, x + z)
    assert y.shape == Add().out_shape(a, b)
    dy = np.random.default_rng(2).normal(size=y.shape)
    dx, dz = pullback(dy)
    assert (dx.shape, dz.shape) == (a, b)
    np.testing.assert_allclose((dx * x).sum() + (dz * z).sum(), (dy * y).sum())


@pytest.mark.parametrize("size", [3, 40_000])
@pytest.mark.parametrize("dim", [1, -2])
def test_cat_puts_arrays_side_by_side(dim, size):
    xs = [np.random.default_rng(k).normal(size=(2, k, size)) for k in (1, 0, 2, 4)]
    y, pullback = Cat(dim).vjp(*xs)
    np.testing.assert_array_equal(y, np.concatenate(xs, axis=1))
    assert y.shape == Cat(dim).out_shape(*(x.shape for x in xs)) == (2, 7, size)
    for x, dx in zip(xs, pullback(y), strict=True):
        np.testing.assert_array_equal(dx, x)
        assert dx.flags.c_contiguous


def test_joins_refuse_what_does_not_fit():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"b: expected a shape that \(2, 3\) can be added to, got \(2, 4\)"):
        Add()(x, np.ones((2, 4)))
    with pytest.raises(TypeError, match="b: expected float64"):
        Add()(x, x.astype(np.float32))
    with pytest.raises(ValueError, match=r"differ along axis 1, got \(2, 3\), \(3, 3\)"):
        Cat()(x, np.ones((3, 3)))
    with pytest.raises(ValueError, match="got none"):
        Cat()()
    with pytest.raises(ValueError, match="differ along axis 2"):
        Cat(2)(x, x)
    with pytest.raises(TypeError, match="x: expected float64"):
        Cat()(x, x.astype(np.float32))
