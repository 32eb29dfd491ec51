"""The article's ConvLayer and ParamLayer: names and matrices of the listing, without its mistakes."""

import inspect

import numpy as np
import pytest

from kitnet import functional as F
from kitnet.article import ConvLayer, ParamLayer
from kitnet.layers import Conv2d


@pytest.fixture
def rng():
    return np.random.default_rng(2016)


def random_layer(rng, shape=(3, 2, 3, 4), **kwargs):
    layer = ConvLayer(shape, rng=rng, **kwargs)
    layer.W[...] = rng.normal(size=layer.W.shape)
    layer.b[...] = rng.normal(size=layer.b.shape)
    return layer


def test_signature_of_the_listing():
    positional = [
        f"{p.name}={p.default!r}" if p.default is not p.empty else p.name
        for p in inspect.signature(ConvLayer).parameters.values()
        if p.kind is p.POSITIONAL_OR_KEYWORD
    ]
    assert positional == [
        "shape",
        "pad_w=0",
        "pad_h=0",
        "stride=1",
        "name='ConvLayer'",
        "init_method='random'",
        "debug=False",
    ]
    assert [*inspect.signature(ParamLayer).parameters][:3] == ["name", "shape", "init_method"]
    assert issubclass(ConvLayer, ParamLayer)


def test_attributes_of_the_listing(rng):
    layer = random_layer(rng, (3, 2, 5, 4), pad_w=2, pad_h=1, stride=1)
    assert (layer.in_channel, layer.filter_h, layer.filter_w, layer.out_channel) == (3, 2, 5, 4)
    assert (layer.indx, layer.pad_w, layer.pad_h, layer.stride, layer.name) == (30, 2, 1, 1, "ConvLayer")
    x = rng.normal(size=(2, 3, 6, 7))
    layer.forward(x)
    layer.backward(np.ones((2, 4, 7, 7)))
    assert layer.batch_size == 2
    assert layer.W.shape == (3, 2, 5, 4)
    assert layer.b.shape == (4,)
    assert layer.input.shape == (2 * 7 * 7, 30)
    assert layer.w_cols.shape == (30, 4)
    assert layer.output_col.shape == (2 * 7 * 7, 4)
    assert layer.output.shape == (2, 4, 7, 7)
    assert [g.shape for g in layer.grad] == [(3, 2, 5, 4), (4,)]
    assert layer.delta.shape == x.shape
    np.testing.assert_array_equal(layer.w_cols, layer.W.reshape(30, 4))
    np.testing.assert_allclose(layer.output_col, layer.input @ layer.w_cols + layer.b, rtol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("pad_w", "pad_h", "stride"), [(0, 0, 1), (1, 2, 1), (2, 0, 2), (0, 1, 3)])
def test_forward_and_backward_are_those_of_conv2d(rng, pad_w, pad_h, stride, dtype):
    layer = random_layer(rng, pad_w=pad_w, pad_h=pad_h, stride=stride)
    size = 2 + 3 * stride - 2 * pad_h, 3 + 2 * stride - 2 * pad_w + (stride * 2 if pad_w else 0)
    x = rng.normal(size=(3, 3, *size)).astype(dtype)
    conv = Conv2d(3, 4, (2, 3), stride, (pad_h, pad_w), dtype=dtype)
    conv.weight.data = np.moveaxis(layer.W, -1, 0).astype(dtype)
    conv.bias.data = layer.b.astype(dtype)
    y, pullback = conv.vjp(x)
    dy = rng.normal(size=y.shape).astype(dtype)
    dx = pullback(dy)
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(layer.forward(x), y, **tolerance)
    np.testing.assert_allclose(layer.backward(dy), dx, **tolerance)
    assert layer.output.dtype == layer.delta.dtype == layer.grad[0].dtype == dtype
    np.testing.assert_allclose(np.moveaxis(layer.grad[0], -1, 0), conv.weight.grad, **tolerance)
    np.testing.assert_allclose(layer.grad[1], conv.bias.grad, **tolerance)


# ---- what the listing gets wrong


def test_output_is_n_c_h_w_as_the_listing_documents(rng):
    layer = random_layer(rng, (1, 1, 1, 3))
    layer.W[...] = np.array([1.0, 10, 100])
    layer.b[...] = 0
    x = rng.normal(size=(1, 1, 2, 2))
    np.testing.assert_allclose(layer.forward(x), np.concatenate([x, 10 * x, 100 * x], axis=1))


def test_samples_of_a_batch_do_not_mix(rng):
    layer = random_layer(rng, pad_w=1, pad_h=1)
    x, dy = rng.normal(size=(3, 3, 5, 6)), rng.normal(size=(3, 4, 6, 6))
    together, delta, rows = layer.forward(x), layer.backward(dy), layer.input
    grad = [g.copy() for g in layer.grad]
    sums = [np.zeros_like(g) for g in grad]
    for n in range(3):
        np.testing.assert_allclose(layer.forward(x[n : n + 1]), together[n : n + 1], rtol=1e-13)
        np.testing.assert_array_equal(layer.input, rows[n * 36 : (n + 1) * 36])
        np.testing.assert_allclose(layer.backward(dy[n : n + 1]), delta[n : n + 1], rtol=1e-12)
        sums = [total + g for total, g in zip(sums, layer.grad, strict=True)]
    np.testing.assert_allclose(sums[0], grad[0], rtol=1e-12)
    np.testing.assert_allclose(sums[1], grad[1], rtol=1e-12)


@pytest.mark.parametrize(("pad_w", "pad_h"), [(0, 0), (2, 0), (0, 2), (1, 2)])
def test_padding_of_either_axis_is_taken_off_delta(rng, pad_w, pad_h):
    layer = random_layer(rng, (2, 3, 3, 2), pad_w=pad_w, pad_h=pad_h)
    x = rng.normal(size=(2, 2, 5, 6))
    delta = layer.backward(np.ones_like(layer.forward(x)))
    assert delta.shape == x.shape
    step = 1e-6 * rng.normal(size=x.shape)
    difference = layer.forward(x + step).sum() - layer.forward(x - step).sum()
    assert (delta * step).sum() * 2 == pytest.approx(difference, rel=1e-5)


def test_rows_are_written_once(rng):
    """The vstack of the listing copies all rows for each new one: hours for these 160,000."""
    layer = random_layer(rng, (1, 3, 3, 1), pad_w=1, pad_h=1)
    layer.forward(np.ones((1, 1, 400, 400)))
    assert layer.input.shape == (160_000, 9)


def test_a_stride_that_does_not_fit_is_refused_as_the_listing_meant_to(rng):
    layer = random_layer(rng, (1, 3, 3, 1), stride=2)
    assert layer.forward(np.ones((1, 1, 5, 7))).shape == (1, 1, 2, 3)
    with pytest.raises(
        ValueError, match="x: expected a height that windows at stride 2 cover without a rest"
    ):
        layer.forward(np.ones((1, 1, 6, 7)))
    with pytest.raises(ValueError, match="x: expected a width"):
        layer.forward(np.ones((1, 1, 5, 8)))


# ---- and the rest


def test_rows_and_columns_are_in_the_order_of_im2col(rng):
    layer = random_layer(rng)
    x = rng.normal(size=(2, 3, 4, 5))
    layer.forward(x)
    np.testing.assert_array_equal(layer.input, F.im2col(x, (2, 3)))
    np.testing.assert_array_equal(layer.input[1], x[0, :, 0:2, 1:4].reshape(-1))


def test_debug_prints_shapes(rng, capsys):
    layer = random_layer(rng, (1, 3, 3, 2), debug=True)
    layer.forward(np.ones((2, 1, 4, 4)))
    layer.backward(np.ones((2, 2, 2, 2)))
    assert capsys.readouterr().out.splitlines() == [
        "x_cols.shape =  (8, 9)",
        "w_cols.shape =  (9, 2)",
        "output.shape =  (2, 2, 2, 2)",
        "grad_w.shape =  (1, 3, 3, 2)",
        "delta.shape =  (2, 1, 4, 4)",
    ]


@pytest.mark.parametrize(
    ("method", "std"),
    [("random", 0.01), ("xavier", np.sqrt(2 / (72 + 180))), ("kaiming", np.sqrt(2 / 72)), ("zeros", 0)],
)
def test_init_methods(rng, method, std):
    layer = ParamLayer("layer", (8, 3, 3, 20), method, rng=rng)
    assert layer.name == "layer"
    assert layer.W.dtype == np.float64
    assert layer.W.flags.c_contiguous
    assert layer.W.std() == pytest.approx(std, rel=0.05)
    assert not layer.b.any()


def test_bad_arguments(rng):
    for call, match in (
        (lambda: ConvLayer((1, 3, 3)), "shape: expected 4 ints"),
        (lambda: ConvLayer((0, 3, 3, 1)), "shape: expected"),
        (lambda: ConvLayer((1, 3, 0, 1)), "shape: expected"),
        (lambda: ConvLayer((1, 3, 3, 1), pad_w=-1), "pad_w: expected"),
        (lambda: ConvLayer((1, 3, 3, 1), stride=0), "stride: expected"),
        (lambda: ConvLayer((1, 3, 3, 1), init_method="magic"), "init_method: expected 'random', "),
        (lambda: ConvLayer((2, 3, 3, 1)).forward(np.ones((1, 1, 4, 4))), "x: expected 2 channels"),
        (lambda: ConvLayer((1, 3, 3, 1)).forward(np.ones((1, 4, 4))), "x: expected 4 dimensions"),
        (lambda: ConvLayer((1, 3, 3, 1)).forward(np.ones((1, 1, 2, 4))), "expected a kernel that fits"),
    ):
        with pytest.raises(ValueError, match=match):
            call()
    layer = random_layer(rng, (1, 3, 3, 2))
    with pytest.raises(RuntimeError, match="expected a call of forward before"):
        layer.backward(np.ones((1, 2, 1, 1)))
    layer.forward(np.ones((2, 1, 4, 4)))
    with pytest.raises(ValueError, match=r"delta: expected shape \(2, 2, 2, 2\)"):
        layer.backward(np.ones((2, 2, 2, 2)).reshape(2, 2, 4, 1))
    with pytest.raises(TypeError, match="x: expected float32 or float64"):
        layer.forward(np.ones((2, 1, 4, 4), int))
