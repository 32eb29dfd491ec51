"""What single layers promise beyond the common contract."""

import inspect

import numpy as np
import pytest

from kitnet import layers
from kitnet.layers import (
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    ConstantPad1d,
    Conv1d,
    Conv2d,
    ConvTranspose2d,
    DepthwiseConv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocallyConnected1d,
    LocallyConnected2d,
    LPPool2d,
    MaxPool2d,
    Parameter,
    ReflectionPad1d,
    ReLU,
    SeparableConv2d,
    Softmax,
    SumPool2d,
    ZeroPad2d,
)

# PyTorch's modules, with what kitnet leaves out left out (return_indices: functional; device).
KERNELS = "in_channels, out_channels, kernel_size, stride=1, padding=0"
CONV = f"{KERNELS}, dilation=1, groups=1, bias=True, padding_mode='zeros'"
TRANSPOSED = f"{KERNELS}, output_padding=0, groups=1, bias=True, dilation=1"
AVG = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None"
NORM = "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True"
SIGNATURES = {
    "Conv": CONV,
    "ConvTranspose": TRANSPOSED,
    "ZeroPad": "padding",
    "ConstantPad": "padding, value",
    "ReflectionPad": "padding",
    "ReplicationPad": "padding",
    "CircularPad": "padding",
    "MaxPool": "kernel_size, stride=None, padding=0, dilation=1",
    "AvgPool": AVG,
    "LPPool": "norm_type, kernel_size, stride=None, ceil_mode=False",
    "BatchNorm": NORM,
    "InstanceNorm": NORM.replace("True", "False"),
    "GroupNorm": "num_groups, num_channels, eps=1e-05, affine=True",
    "LayerNorm": "normalized_shape, eps=1e-05, elementwise_affine=True, bias=True",
    "RMSNorm": "normalized_shape, eps=None, elementwise_affine=True",
    "LocalResponseNorm": "size, alpha=0.0001, beta=0.75, k=1.0",
    "Linear": "in_features, out_features, bias=True",
    "Dropout": "p=0.5",
    "Flatten": "start_dim=1, end_dim=-1",
    "Unflatten": "dim, unflattened_size",
    "AlphaDropout": "p=0.5",
    "StochasticDepth": "p, mode",
    "AdaptiveAvgPool": "output_size",
    "AdaptiveMaxPool": "output_size",
    "MaxUnpool": "kernel_size, stride=None, padding=0",
    "PixelShuffle": "upscale_factor",
    "PixelUnshuffle": "downscale_factor",
    "ChannelShuffle": "groups",
    "Unfold": "kernel_size, dilation=1, padding=0, stride=1",
    "Fold": "output_size, kernel_size, dilation=1, padding=0, stride=1",
    "Upsample": "size=None, scale_factor=None, mode='nearest', align_corners=None, "
    "recompute_scale_factor=None",
    "Embedding": "num_embeddings, embedding_dim, padding_idx=None",
    "Bilinear": "in1_features, in2_features, out_features, bias=True",
}


@pytest.mark.parametrize("name", [n for n in layers.__all__ if n.rstrip("123d") in SIGNATURES])
def test_arguments_are_those_of_pytorch(name):
    parameters = inspect.signature(getattr(layers, name)).parameters.values()
    positional = [p.replace(annotation=p.empty) for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    found = ", ".join(map(str, positional)).replace(" = ", "=")
    assert found == SIGNATURES[name.rstrip("123d")]


@pytest.mark.parametrize(
    ("make", "fan_in"),
    [
        (lambda **kw: Conv2d(8, 64, (3, 5), groups=2, **kw), 4 * 15),
        (lambda **kw: Conv1d(9, 300, 3, **kw), 27),
        (lambda **kw: ConvTranspose2d(8, 64, (3, 5), groups=2, **kw), 32 * 15),
        (lambda **kw: DepthwiseConv2d(300, 3, depth_multiplier=2, **kw), 9),
        (lambda **kw: Linear(50, 200, **kw), 50),
        (lambda **kw: LocallyConnected1d(3, 40, 20, 5, **kw), 15),
        (lambda **kw: LocallyConnected2d(3, 10, (9, 8), (2, 3), **kw), 18),
    ],
)
def test_parameters_start_as_in_pytorch(make, fan_in):
    """Uniform on +-1 / sqrt(fan_in), weights (kaiming_uniform with a = sqrt 5) and bias alike."""
    layer = make(rng=np.random.default_rng(0))
    for parameter in layer.parameters():
        largest = abs(parameter.data).max() * np.sqrt(fan_in)
        assert 0.95 < largest <= 1
        assert abs(parameter.data.mean()) * np.sqrt(fan_in) < 0.1
    again, other, fresh = (
        make(rng=rng) for rng in (np.random.default_rng(0), np.random.default_rng(1), None)
    )
    assert np.array_equal(layer.weight.data, again.weight.data)
    assert not np.array_equal(layer.weight.data, other.weight.data)
    assert not np.array_equal(other.weight.data, fresh.weight.data)
    double = make(rng=np.random.default_rng(0), dtype=np.float64)
    assert np.array_equal(double.weight.data.astype(np.float32), layer.weight.data)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: Conv2d(0, 1, 3), ValueError, "in_channels: expected"),
        (lambda: Conv2d(1, -1, 3), ValueError, "out_channels: expected"),
        (lambda: Conv2d(1.0, 1, 3), TypeError, "in_channels: expected"),
        (lambda: Conv2d(1, 1, 0), ValueError, "kernel_size: expected"),
        (lambda: Conv2d(1, 1, (3, 3, 3)), ValueError, "kernel_size: expected"),
        (lambda: Conv2d(1, 1, "3"), TypeError, "kernel_size: expected"),
        (lambda: Conv2d(1, 1, 3, 0), ValueError, "stride: expected"),
        (lambda: Conv2d(1, 1, 3, None), TypeError, "stride: expected"),
        (lambda: Conv2d(1, 1, 3, padding=-1), ValueError, "padding: expected"),
        (lambda: Conv2d(1, 1, 3, padding="full"), ValueError, "padding: expected"),
        (lambda: Conv2d(1, 1, 3, dilation=0), ValueError, "dilation: expected"),
        (lambda: Conv2d(4, 4, 3, groups=3), ValueError, "groups: expected"),
        (lambda: Conv2d(4, 6, 3, groups=4), ValueError, "groups: expected"),
        (lambda: Conv2d(4, 4, 3, groups=0), ValueError, "groups: expected"),
        (lambda: Conv2d(1, 1, 3, dtype=int), TypeError, "dtype: expected float32 or float64"),
        (lambda: Conv2d(1, 1, 3, dtype="no such"), TypeError, "dtype: expected float32 or float64"),
        (lambda: Conv2d(1, 1, 3, dtype=">f4"), TypeError, "dtype: expected float32 or float64"),
        (
            lambda: Conv2d(2**31 - 1, 2**31 - 1, 2**16),
            ValueError,
            "shape: expected a result that fits in memory",
        ),
        (lambda: Conv2d(1, 1, 3, padding_mode="constant"), ValueError, "padding_mode: expected"),
        (lambda: Conv2d(1, 1, 3, padding_mode=None), ValueError, "padding_mode: expected"),
        (lambda: DepthwiseConv2d(0, 3), ValueError, "in_channels: expected"),
        (lambda: DepthwiseConv2d(2, 3, depth_multiplier=0), ValueError, "depth_multiplier: expected"),
        (lambda: SeparableConv2d(2, 3, 3, depth_multiplier=1.5), TypeError, "depth_multiplier: expected"),
        (lambda: SeparableConv2d(2, 3, 0), ValueError, "kernel_size: expected"),
        (lambda: SeparableConv2d(2, 3, 3, dtype=int), TypeError, "dtype: expected float32 or float64"),
        (lambda: ZeroPad2d((1, 2, 3)), ValueError, "padding: expected an int or 4 ints"),
        (lambda: ZeroPad2d(None), TypeError, "padding: expected an int or 4 ints"),
        (lambda: ReflectionPad1d((1, -1)), ValueError, "padding: expected values from 0"),
        (lambda: ConstantPad1d(1, "0"), TypeError, "value: expected a number"),
        (lambda: ConvTranspose2d(4, 6, 3, groups=4), ValueError, "groups: expected"),
        (lambda: ConvTranspose2d(1, 1, 3, output_padding=1), ValueError, "output_padding: expected less"),
        (lambda: ConvTranspose2d(1, 1, 3, 2, 0, (1, 2)), ValueError, "output_padding: expected less"),
        (lambda: ConvTranspose2d(1, 1, 3, 2, 0, 1.0), TypeError, "output_padding: expected"),
        (lambda: ConvTranspose2d(1, 1, 3, 2, "same", 1), ValueError, "output_padding: expected 0"),
        (lambda: ConvTranspose2d(1, 1, 3, 2, "full"), ValueError, "padding: expected"),
        (lambda: Linear(0, 1), ValueError, "in_features: expected"),
        (lambda: Linear(1, True), TypeError, "out_features: expected"),
        (lambda: LocallyConnected1d(1, 1, 2, 3), ValueError, "kernel_size: expected a kernel that fits"),
        (lambda: LocallyConnected1d(1, 1, 0, 1), ValueError, "in_size: expected"),
        (lambda: LocallyConnected2d(1, 1, (5, 5, 5), 1), ValueError, "in_size: expected"),
        (lambda: MaxPool2d(2, padding=2), ValueError, "padding: expected at most half"),
        (lambda: MaxPool2d(2, stride=(2, 0)), ValueError, "stride: expected"),
        (lambda: AvgPool2d(2, padding=2), ValueError, "padding: expected at most half"),
        (lambda: AvgPool2d(2, divisor_override=0), ValueError, "divisor_override: expected"),
        (lambda: LPPool2d(0.5, 2), ValueError, "norm_type: expected"),
        (lambda: LPPool2d(float("nan"), 2), ValueError, "norm_type: expected"),
        (lambda: LPPool2d("2", 2), TypeError, "norm_type: expected"),
        (lambda: BatchNorm2d(0), ValueError, "num_features: expected"),
        (lambda: BatchNorm2d(1, eps=-1), ValueError, "eps: expected"),
        (lambda: BatchNorm2d(1, momentum=1.5), ValueError, "momentum: expected"),
        (lambda: Dropout(-0.1), ValueError, "p: expected"),
        (lambda: Dropout(1.1), ValueError, "p: expected"),
        (lambda: Dropout("half"), TypeError, "p: expected"),
        (lambda: Flatten(1.0), TypeError, "start_dim: expected"),
        (lambda: Softmax(None), TypeError, "dim: expected"),
        (lambda: Parameter([1.0]), TypeError, "data: expected"),
        (lambda: Parameter(np.ones(2, int)), TypeError, "data: expected"),
    ],
)
def test_bad_arguments_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_layers_name_the_input_that_does_not_fit():
    for layer, shape in (
        (Conv2d(3, 2, 3), (1, 2, 5, 5)),
        (Conv2d(3, 2, 3), (1, 3, 2, 5)),
        (MaxPool2d(3), (1, 3, 2, 5)),
        (Linear(4, 2), (3, 5)),
        (BatchNorm2d(3), (1, 2, 4, 4)),
        (LocallyConnected1d(1, 1, 7, 3), (1, 1, 8)),
        (LocallyConnected2d(1, 1, (7, 8), 3), (1, 1, 8, 7)),
        (Flatten(2, 1), (2, 3, 4)),
        (Flatten(3), (2, 3)),
    ):
        with pytest.raises(ValueError, match="expected"):
            layer(np.ones(shape, np.float32))
        with pytest.raises(ValueError, match=r"in_shape: expected|expected a kernel that fits"):
            layer.out_shape(shape)


# ---- batch norm


@pytest.mark.parametrize("momentum", [0.1, 0.25, 1.0, 0.0])
def test_running_statistics_move_towards_those_of_the_batch(momentum):
    layer = BatchNorm1d(1, momentum=momentum, dtype=np.float64)
    layer.vjp(np.array([[1.0], [2], [6]]))  # mean 3, unbiased variance 7
    np.testing.assert_allclose(layer.running_mean, [3 * momentum], rtol=1e-15)
    np.testing.assert_allclose(layer.running_var, [1 + 6 * momentum], rtol=1e-15)
    assert layer.num_batches_tracked == 1


def test_without_momentum_all_batches_count_the_same():
    layer = BatchNorm1d(1, momentum=None, dtype=np.float64)
    for batch in ([1.0, 3], [5.0, 9], [0.0, 6]):  # means 2, 7, 3; unbiased variances 2, 8, 18
        layer.vjp(np.array(batch)[:, None])
    np.testing.assert_allclose(layer.running_mean, [4], rtol=1e-15)
    np.testing.assert_allclose(layer.running_var, [28 / 3], rtol=1e-15)


def test_running_statistics_are_the_same_arrays_for_ever():
    layer = BatchNorm2d(2)
    before = layer.buffers()
    layer.vjp(np.random.default_rng(0).normal(size=(2, 2, 3, 3)).astype(np.float32))
    assert all(array is before[name] for name, array in layer.buffers().items())
    assert list(before) == ["running_mean", "running_var", "num_batches_tracked"]


def test_inference_uses_running_statistics_and_training_those_of_the_batch():
    layer = BatchNorm1d(1, eps=0.0, dtype=np.float64)
    layer.running_mean[:], layer.running_var[:] = 1, 4
    layer.weight.data, layer.bias.data = np.array([10.0]), np.array([0.5])
    np.testing.assert_allclose(layer(np.array([[5.0]])), [[20.5]])
    np.testing.assert_allclose(layer.vjp(np.array([[5.0], [9]]))[0], [[-9.5], [10.5]])
    with pytest.raises(ValueError, match="at least 2 values"):
        layer.vjp(np.array([[5.0]]))


def test_batch_norms_take_inputs_of_their_own_dimensions_only():
    for layer, bad in ((BatchNorm1d(2), (3, 2, 4, 4)), (BatchNorm2d(2), (3, 2)), (BatchNorm2d(2), (3, 2, 4))):
        for call in (layer, layer.vjp):
            with pytest.raises(ValueError, match="x: expected"):
                call(np.ones(bad, np.float32))


# ---- dropout


def test_dropout_has_a_generator_of_its_own():
    rng = np.random.default_rng(3)
    first, second = Dropout(rng=rng), Dropout(rng=rng)
    before = rng.bit_generator.state
    x = np.ones((4, 50), np.float32)
    a, b = first.vjp(x)[0], second.vjp(x)[0]
    assert not np.array_equal(a, b)
    assert rng.bit_generator.state == before
    assert np.array_equal(a, Dropout(rng=np.random.default_rng(3)).vjp(x)[0])


def test_dropout_goes_on_from_a_saved_state():
    layer, x = Dropout(), np.ones((4, 50), np.float32)
    state = layer.rng.bit_generator.state
    expected = [layer.vjp(x)[0] for _ in range(3)]
    layer.rng.bit_generator.state = state
    assert all(np.array_equal(layer.vjp(x)[0], y) for y in expected)


def test_dropout_keeps_the_mean_and_does_nothing_in_inference():
    x = np.ones((100, 1000), np.float32)
    layer = Dropout(0.3, rng=np.random.default_rng(0))
    y, pullback = layer.vjp(x)
    assert abs(y.mean() - 1) < 0.01
    assert abs((y == 0).mean() - 0.3) < 0.01
    assert np.array_equal(pullback(x), y)
    assert np.array_equal(layer(x), x)
    assert not Dropout(1.0).vjp(x)[0].any()


# ---- the article's section 2


def test_the_article_35_weights_then_15_then_3():
    """A dense layer of 7 to 5, local receptive fields of 3, shared weights: same outputs with ever fewer."""
    shared = Conv1d(1, 1, 3, bias=False, dtype=np.float64)
    local = LocallyConnected1d(1, 1, 7, 3, bias=False, dtype=np.float64)
    dense = Linear(7, 5, bias=False, dtype=np.float64)
    assert [layer.weight.size for layer in (dense, local, shared)] == [35, 15, 3]
    shared.weight.data = np.array([[[1.0, 0, -1]]])
    local.weight.data = np.broadcast_to(shared.weight.data, (5, 1, 1, 3))
    dense.weight.data = np.array([np.roll([1.0, 0, -1, 0, 0, 0, 0], place) for place in range(5)])
    x = np.array([[[2.0, 5, 3, 8, 1, 1, 4]]])
    expected = [[[2 - 3, 5 - 8, 3 - 1, 8 - 1, 1 - 4]]]
    for layer in (shared, local):
        np.testing.assert_array_equal(layer(x), expected)
        assert layer.out_shape(x.shape) == (1, 1, 5)
    np.testing.assert_array_equal(dense(x[0]), expected[0])
    dy = np.array([[[1.0, 2, 3, 4, 5]]])
    dx = [layer.vjp(x)[1](dy) for layer in (shared, local)] + [dense.vjp(x[0])[1](dy[0])[None]]
    np.testing.assert_array_equal(dx[1], dx[0])
    np.testing.assert_array_equal(dx[2], dx[0])
    np.testing.assert_array_equal(local.weight.grad.sum(axis=0), shared.weight.grad)


def test_pooling_layers_name_what_they_do():
    x = np.array([[[[3.0, 0], [0, -4]]]])
    values = {MaxPool2d(2): 3, AvgPool2d(2): -0.25, SumPool2d(2): -1, LPPool2d(2, 2): 5, LPPool2d(1, 2): 7}
    for layer, value in values.items():
        assert layer(x) == value


# ---- parameters and the base class


def test_assigning_to_a_parameter_copies_into_its_array():
    parameter = Parameter(np.zeros(3, np.float32))
    array = parameter.data
    values = np.arange(3, dtype=np.float32)
    parameter.data = values
    assert parameter.data is array
    assert np.array_equal(array, values)
    values[:] = 9
    assert array[2] == 2
    for bad, error in (
        (np.zeros(2, np.float32), ValueError),
        (np.zeros(3), TypeError),
        ([0, 0, 0], TypeError),
    ):
        with pytest.raises(error, match="data: expected"):
            parameter.data = bad


def test_parameters_can_be_made_of_arrays_that_must_not_be_written():
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    parameter = Parameter(frozen)
    parameter.data += 1
    assert not frozen.any()
    assert parameter.data.all()


def test_gradients_add_up_until_they_are_zeroed():
    parameter = Parameter(np.zeros(2))
    assert not parameter.grad.any()
    parameter.accumulate(np.array([1.0, 2]))
    parameter.accumulate(np.array([1.0, 2]))
    assert parameter.grad.tolist() == [2, 4]
    parameter.zero_grad()
    assert parameter.grad.tolist() == [0, 0]


def test_the_base_class_says_what_a_subclass_must_define():
    for call in (
        lambda: Layer().vjp(np.ones(1)),
        lambda: Layer().out_shape((1,)),
        lambda: Layer()(np.ones(1)),
    ):
        with pytest.raises(NotImplementedError, match="Layer: expected a subclass that defines"):
            call()
    assert ReLU().absorb(ReLU()) is None
    assert list(ReLU().parameters()) == list(ReLU().children()) == []
    assert ReLU().buffers() == ReLU().config() == {}


def test_one_dtype_for_flat_parameters():
    layer = Linear(2, 2)
    layer.bias = Parameter(np.zeros(2))
    with pytest.raises(TypeError, match="parameters: expected one dtype, got float32, float64"):
        layer.flatten_parameters()


def test_flat_parameters_of_a_layer_without_any():
    layer = ReLU()
    layer.flatten_parameters()
    assert layer.flat_data.size == layer.flat_grad.size == 0
    layer.zero_grad()
