"""What every layer and container promises, over the one list of them."""

import copy
import inspect
import json
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from layer_case import LayerCase
from layer_cases import CASES, LAYERS, OTHER_INPUTS

import kitnet
from kitnet import layers
from kitnet.layers import Dropout, Layer
from kitnet.layers.activation import SameShape
from kitnet.layers.adaptive import _Adaptive as Adaptive
from kitnet.layers.padding import Padding
from kitnet.layers.windowed import Windowed
from kitnet.models import Sequential

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
SPATIAL = [case for case in LAYERS if isinstance(case.layer(), (Windowed, Padding, Adaptive))]
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def restart(layer: Layer, seed: int = 5) -> None:
    """Let the dropout inside draw the same numbers again."""
    for module in layer.modules():
        if isinstance(module, Dropout):
            module.rng = np.random.default_rng(seed)


def train(layer, x, **kwargs):
    restart(layer)
    return layer.vjp(x, **kwargs)


def gradients(layer):
    return {name: p.grad.copy() for name, p in layer.named_parameters()}


def state(layer):
    """All attributes of all layers inside, arrays by value."""

    def plain(value):
        if isinstance(value, np.random.Generator):
            return repr(value.bit_generator.state)
        if isinstance(value, layers.Parameter):
            return id(value), value.data.tobytes(), None if value._grad is None else value._grad.tobytes()
        return (id(value), value.tobytes()) if isinstance(value, np.ndarray) else (id(value), repr(value))

    return [{name: plain(value) for name, value in vars(module).items()} for module in layer.modules()]


def assert_same_model(a, b):
    assert type(a) is type(b)
    for mine, other in ((dict(a.named_parameters()), dict(b.named_parameters())),):
        assert list(mine) == list(other)
        assert all(np.array_equal(p.data, other[name].data) for name, p in mine.items())
        assert all(p.dtype == other[name].dtype for name, p in mine.items())
    mine, other = a.buffers(), b.buffers()
    assert list(mine) == list(other)
    assert all(np.array_equal(array, other[name]) for name, array in mine.items())


def test_every_public_layer_has_a_row():
    public = {getattr(layers, name) for name in layers.__all__} - {Layer, layers.Parameter}
    assert {type(case.layer()) for case in LAYERS} | OTHER_INPUTS == public
    assert not {type(case.layer()) for case in LAYERS} & OTHER_INPUTS


@every_case
def test_gradients_are_those_of_the_output(case: LayerCase):
    """Directional derivative of <vjp(x), dy> along x and along each parameter, in float64."""
    layer, x = case.layer(), case.x()
    rng = np.random.default_rng(2)
    y, pullback = train(layer, x)
    dy = rng.normal(size=y.shape)
    dx = pullback(dy)

    def value(x):
        return (train(layer, x)[0] * dy).sum()

    def check(derivative, plus, minus, step):
        numerical = (plus - minus) / (2 * step)
        rounding = np.finfo(np.float64).eps * abs(plus) / step
        assert derivative == pytest.approx(numerical, rel=2e-6, abs=2e-7 + 8 * rounding)

    step = 1e-6
    u = rng.normal(size=x.shape)
    assert dx.shape == x.shape
    check((dx * u).sum(), value(x + step * u), value(x - step * u), step)
    for parameter in layer.parameters():
        u, start, gradient = rng.normal(size=parameter.shape), parameter.data.copy(), parameter.grad.copy()
        parameter.data = start + step * u
        plus = value(x)
        parameter.data = start - step * u
        minus = value(x)
        parameter.data = start
        check((gradient * u).sum(), plus, minus, step)


@every_case
def test_pullbacks_are_independent_of_each_other(case: LayerCase):
    """Two steps under way at once do not disturb each other, and gradients add up."""
    layer = case.layer()
    first, second = case.x(), case.x(seed=8)
    rng = np.random.default_rng(3)
    alone = []
    for x in (first, second):
        y, pullback = train(layer, x)
        dy = rng.normal(size=y.shape)
        layer.zero_grad()
        alone.append((dy, pullback(dy), gradients(layer)))
    layer.zero_grad()
    pullbacks = [train(layer, x)[1] for x in (first, second)]
    for (dy, dx, _), pullback in reversed(list(zip(alone, pullbacks, strict=True))):
        np.testing.assert_array_equal(pullback(dy), dx)
    for name, gradient in gradients(layer).items():
        np.testing.assert_allclose(gradient, alone[0][2][name] + alone[1][2][name], rtol=1e-12, atol=1e-12)


@every_case
def test_unwanted_input_gradients_are_not_made(case: LayerCase):
    layer, x = case.layer(), case.x()
    y, pullback = train(layer, x)
    pullback(np.ones_like(y))
    expected = gradients(layer)
    layer.zero_grad()
    z, pullback = train(layer, x, input_grad=False)
    np.testing.assert_array_equal(z, y)
    assert pullback(np.ones_like(y)) is None
    for name, gradient in gradients(layer).items():
        np.testing.assert_array_equal(gradient, expected[name])


@every_case
def test_forward_and_backward_are_vjp_with_memory(case: LayerCase):
    layer, x = case.layer(), case.x()
    with pytest.raises(RuntimeError, match="forward"):
        layer.backward(x)
    y, pullback = train(layer, x)
    dy = np.random.default_rng(3).normal(size=y.shape)
    dx = pullback(dy)
    expected = list(gradients(layer).values())
    layer.zero_grad()
    restart(layer)
    assert layer.forward(x) is layer.output
    assert layer.backward(dy) is layer.delta
    np.testing.assert_array_equal(layer.output, y)
    np.testing.assert_array_equal(layer.delta, dx)
    assert len(layer.grad) == len(expected)
    for gradient, wanted in zip(layer.grad, expected, strict=True):
        np.testing.assert_array_equal(gradient, wanted)


@every_case
@pytest.mark.parametrize("n", [None, 0, 1])
def test_out_shape_is_the_shape_of_the_output(case: LayerCase, n):
    layer, x = case.layer(), case.x(n=n)
    shape = layer.out_shape(x.shape)
    assert isinstance(shape, tuple)
    if not (case.whole_batch and n == 0):
        assert layer(x).shape == shape
    if not (case.statistics and n is not None):
        y, pullback = layer.vjp(x)
        assert y.shape == shape
        assert pullback(y).shape == x.shape


@every_case
@both_dtypes
def test_inputs_of_any_layout_are_read_and_never_written(case: LayerCase, dtype):
    layer, x = case.layer(dtype), case.x(dtype)
    y, (z, pullback) = layer(x), train(layer, x)
    dx = pullback(z)
    assert y.dtype == z.dtype == dx.dtype == dtype
    assert y.flags.c_contiguous
    x.flags.writeable = False
    strided = np.repeat(x, 2, axis=-1)[..., ::2]
    unaligned = np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    for again in (x, strided, unaligned):
        before = again.copy()
        fresh = case.layer(dtype)
        np.testing.assert_array_equal(fresh(again), y)
        z2, pullback = train(fresh, again)
        z2.flags.writeable = False
        np.testing.assert_array_equal(z2, z)
        np.testing.assert_array_equal(pullback(z2), dx)
        np.testing.assert_array_equal(again, before)


@pytest.mark.parametrize("case", SPATIAL, ids=lambda case: case.id)
def test_a_sample_by_itself_needs_no_batch(case: LayerCase):
    """As in PyTorch, convolution, pooling and padding take (C, *spatial)."""
    layer, x = case.layer(), case.x(n=1)
    np.testing.assert_array_equal(layer(x[0]), layer(x)[0])
    assert layer.out_shape(x.shape[1:]) == layer.out_shape(x.shape)[1:]
    (y, pullback), (alone, alone_pullback) = layer.vjp(x), layer.vjp(x[0])
    np.testing.assert_array_equal(alone, y[0])
    np.testing.assert_array_equal(alone_pullback(y[0]), pullback(y)[0])
    for bad in (y.repeat(2, axis=0), y[0, 0], y[0, ..., 1:]):
        with pytest.raises(ValueError, match=r"^(dy|input_shape|indices): expected"):
            alone_pullback(bad)
    for bad in (x[0, 0], x[0, :, :0]):
        with pytest.raises(ValueError, match=r"^x: expected"):
            layer(bad)
        with pytest.raises(ValueError, match=r"^in_shape: expected"):
            layer.out_shape(bad.shape)


@every_case
def test_inference_keeps_and_writes_nothing(case: LayerCase):
    layer, x = case.layer(), case.x()
    before = state(layer)
    layer(x)
    layer.out_shape(x.shape)
    repr(layer)
    assert state(layer) == before


@every_case
def test_inference_from_many_threads_at_once(case: LayerCase):
    layer = case.layer(np.float32)
    inputs = [case.x(np.float32, seed=seed) for seed in range(16)]
    expected = [layer(x) for x in inputs]
    with ThreadPoolExecutor(8) as pool:
        for y, wanted in zip(pool.map(layer, inputs * 4), expected * 4, strict=True):
            np.testing.assert_array_equal(y, wanted)


@every_case
@both_dtypes
@pytest.mark.skipif(kitnet.backend() == "numpy", reason="the promise is that of the compiled kernels")
def test_inference_of_a_sample_does_not_depend_on_its_batch(case: LayerCase, dtype):
    if case.whole_batch:
        return
    layer, x = case.layer(dtype), case.x(dtype, n=7)
    together = layer(x)
    for i in range(len(x)):
        assert layer(x[i : i + 1]).tobytes() == together[i : i + 1].tobytes()
    assert layer(x[2:6]).tobytes() == together[2:6].tobytes()


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_the_configuration_makes_the_layer_again(case: LayerCase):
    layer = case.layer()
    config = json.loads(json.dumps(layer.config()))
    again = type(layer)(*case.layer(seed=7).children(), **config)
    assert again.config() == layer.config() == config
    assert "rng" not in config
    assert repr(again) == repr(layer)
    assert {n: p.shape for n, p in again.named_parameters()} == {
        n: p.shape for n, p in layer.named_parameters()
    }
    for parameter, mine in zip(again.parameters(), layer.parameters(), strict=True):
        parameter.data = mine.data
    for name, array in again.buffers().items():
        array[...] = layer.buffers()[name]
    np.testing.assert_array_equal(again(case.x()), layer(case.x()))


@every_case
@both_dtypes
def test_a_saved_model_comes_back_bit_for_bit(case: LayerCase, dtype, tmp_path):
    layer, x = case.layer(dtype), case.x(dtype)
    kitnet.save(layer, tmp_path / "model.safetensors")
    again = kitnet.load(tmp_path / "model.safetensors")
    assert repr(again) == repr(layer)
    assert_same_model(again, layer)
    assert again(x).tobytes() == layer(x).tobytes()
    for model in (layer, again):
        y, pullback = train(model, x)
        pullback(y)
        for parameter in model.parameters():
            parameter.data = parameter.data - dtype(0.1) * parameter.grad
    assert_same_model(again, layer)


@every_case
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])  # noqa: S301
def test_copies_share_nothing(case: LayerCase, clone):
    layer, x = case.layer(), case.x()
    layer.flatten_parameters()
    layer.forward(x)
    twin = clone(layer)
    assert_same_model(twin, layer)
    expected = layer(x)
    np.testing.assert_array_equal(twin(x), expected)
    y, pullback = twin.vjp(x)
    pullback(y)
    for parameter in twin.parameters():
        parameter.data += 1
    np.testing.assert_array_equal(layer(x), expected)
    assert all(not p.grad.any() for p in layer.parameters())


@every_case
@pytest.mark.parametrize(
    "bad", [None, [[1.0]], "x", np.float32(1), np.ones((2, 2), object), np.ones((2, 3, 4, 5), np.float16)]
)
def test_inputs_that_are_no_float_arrays_are_type_errors(case: LayerCase, bad):
    layer = case.layer()
    for call in (layer, layer.vjp):
        with pytest.raises(TypeError, match="expected"):
            call(bad)


@every_case
def test_inputs_of_wrong_shape_are_value_errors(case: LayerCase):
    layer, x = case.layer(), case.x()
    first = layer[0] if isinstance(layer, Sequential) else layer
    if not isinstance(first, (SameShape, layers.GLU, layers.Flatten, layers.Unflatten)):
        for bad in (x[..., None, None, None], x[..., :0]):
            with pytest.raises(ValueError, match="expected"):
                layer(bad)
            with pytest.raises(ValueError, match="expected"):
                layer.vjp(bad)
            with pytest.raises(ValueError, match="in_shape: "):
                layer.out_shape(bad.shape)
    y, pullback = layer.vjp(x)
    with pytest.raises(ValueError, match="expected"):
        pullback(y[:-1])
    with pytest.raises(TypeError, match="dy: expected"):
        pullback(y.astype(np.float16))


@every_case
def test_parameters_are_of_the_dtype_asked_for(case: LayerCase):
    if parameters := list(case.layer(np.float32).parameters()):
        assert {p.dtype for p in parameters} == {np.dtype(np.float32)}
        with pytest.raises(TypeError, match="expected float"):
            case.layer(np.float32)(case.x(np.float64))
        with pytest.raises(TypeError, match="dtype: expected float32 or float64"):
            case.layer(np.float16)


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_layers_and_functions_have_the_same_arguments_in_the_same_order(case: LayerCase):
    """The window arguments of a layer come in the order of PyTorch's module of that name."""
    names = list(inspect.signature(type(case.layer())).parameters)
    order = ["norm_type", "in_channels", "out_channels", "in_size", "kernel_size", "stride"]
    found = [name for name in names if name in order]
    assert found == [name for name in order if name in names]


@every_case
def test_training_with_flat_parameters_is_the_same(case: LayerCase):
    plain, flat, x = case.layer(), case.layer(), case.x()
    flat.flatten_parameters()
    for layer in (plain, flat):
        y, pullback = train(layer, x)
        pullback(y)
    size = sum(math.prod(p.shape) for p in plain.parameters())
    assert flat.flat_data.shape == flat.flat_grad.shape == (size,)
    for a, b in zip(plain.parameters(), flat.parameters(), strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)
    flat.zero_grad()
    assert not flat.flat_grad.any()
    assert all(not p.grad.any() for p in flat.parameters())
    assert isinstance(plain, Sequential) or plain.flat_data is None
