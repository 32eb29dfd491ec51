"""Inference that was prepared is that of the layers, bit for bit, and never of layers as they were."""

import copy
import os
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from layer_case import LayerCase
from layer_cases import CASES

import kitnet
from kitnet._backend import compiled
from kitnet.layers import BatchNorm2d, Conv2d, Flatten, Hardtanh, Identity, Linear, MaxPool2d, Parameter, Tanh
from kitnet.models import Sequential, lenet

only_compiled = pytest.mark.skipif(kitnet.backend() == "numpy", reason="what differs are compiled kernels")


def rng(seed=0):
    return np.random.default_rng(seed)


def images(n=2, dtype=np.float32, size=(2, 12, 12), seed=0):
    return rng(seed).normal(size=(n, *size)).astype(dtype)


def make(dtype=np.float32):
    """A network of all that is prepared, and of what is not."""
    return Sequential(
        Conv2d(2, 3, 3, padding=1, dtype=dtype, rng=rng(1)),
        Hardtanh(-0.4, 0.9),
        MaxPool2d(2),
        Conv2d(3, 4, 3, dtype=dtype, rng=rng(2)),
        BatchNorm2d(4, dtype=dtype),
        Tanh(),
        Sequential(Flatten(), Identity()),
        Linear(64, 5, dtype=dtype, rng=rng(3)),
    )


def steps(model, x):
    """How many are prepared for x; 0 if none."""
    chain = model._prepared._chains.get((x.shape, x.dtype, kitnet.backend()))
    return len(chain.steps or ()) if chain else 0


def warm(model, x):
    """The output of a model that was called until it is prepared."""
    for _ in range(2):
        model(x)
    y = model(x)
    assert steps(model, x) == len(model._plan)
    return y


def plain(layer, x):
    """The output of the layers one by one."""
    if not isinstance(layer, Sequential):
        return layer(x)
    for inner in layer._plan:
        x = plain(inner, x)
    return x


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_layer_does_the_same_however_often_it_is_called(case: LayerCase, dtype):
    layer = case.layer(dtype)
    model, x = Sequential(layer, Identity()), case.x(dtype)
    expected = layer(x)
    for given in (x, x, x, np.asfortranarray(x), x):
        y = model(given)
        assert y.shape == expected.shape
        assert y.dtype == expected.dtype
        assert y.tobytes() == expected.tobytes()
        assert y.flags.c_contiguous
    assert steps(model, x) == 2
    x.flags.writeable = False
    assert model(x).tobytes() == expected.tobytes()


CHANGES = {
    "weight in place": lambda m: np.multiply(m[0].weight.data, 2, out=m[0].weight.data),
    "weight assigned": lambda m: setattr(m[3].weight, "data", m[3].weight.data + 1),
    "dense weight in place": lambda m: np.multiply(m[-1].weight.data, 2, out=m[-1].weight.data),
    "bias in place": lambda m: m[-1].bias.data.fill(3),
    "other array": lambda m: m[0].weight.bind(m[0].weight.data * 2),
    "other parameter": lambda m: setattr(m[-1], "bias", Parameter(np.ones(5, np.float32))),
    "no bias": lambda m: setattr(m[0], "bias", None),
    "padding": lambda m: (setattr(m[0], "padding", (2, 1)), setattr(m[0], "dilation", (2, 1))),
    "bounds": lambda m: setattr(m[1], "max_val", 0.5),
    "window": lambda m: (setattr(m[2], "kernel_size", (3, 3)), setattr(m[2], "padding", 1)),
    "running statistics": lambda m: m[4].running_var.fill(2),
    "eps": lambda m: setattr(m[4], "eps", 1.0),
    "inner layer": lambda m: m[6].append(Tanh()),
    "other layer": lambda m: m.__setitem__(1, Tanh()),
    "flat": lambda m: (m.flatten_parameters(), np.multiply(m.flat_data, 2, out=m.flat_data)),
    "trained": lambda m: m[0].weight.data.__isub__(m[0].weight.grad + 1),
}


@pytest.mark.parametrize("sealed", [False, True], ids=["open", "sealed"])
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_seen(change, sealed):
    model, x = make(), images()
    before = warm(model, x)
    if sealed:  # and unsealed, each of which moves all parameters
        model.seal()
        before = warm(model, x)
        assert before.tobytes() == plain(model, x).tobytes()
        if change in ("eps", "bounds"):
            CHANGES[change](model)
            assert model(x).tobytes() == plain(model, x).tobytes() != before.tobytes()
            return
        model.unseal()
    CHANGES[change](model)
    for _ in range(4):
        assert model(x).tobytes() == plain(model, x).tobytes() != before.tobytes()


@only_compiled
def test_backend_instruction_set_and_settings_are_those_of_the_call():
    from kitnet._kernels._dispatch import use_isa

    model, x = Sequential(Conv2d(32, 32, 3, rng=rng()), Tanh()), images(1, size=(32, 30, 30))
    before = warm(model, x)
    seen = {before.tobytes()}
    for context in (
        kitnet.use_backend("numpy"),
        use_isa("baseline"),
        kitnet.config_context(winograd="never"),
    ):
        with context:
            expected = plain(model, x)
            for _ in range(3):
                assert model(x).tobytes() == expected.tobytes()
        assert model(x).tobytes() == before.tobytes()
        seen.add(expected.tobytes())
    assert len(seen) == 4


def test_shapes_and_dtypes_do_not_mix():
    """Interleaved, and more than are kept."""
    model = Sequential(Conv2d(2, 3, 3, rng=rng(1)), MaxPool2d(2), Conv2d(3, 4, 3, rng=rng(2)))
    inputs = [images(n, size=(2, h, w)) for n in (0, 1, 3) for h in (8, 9, 11) for w in (8, 13)]
    inputs += [images()[0]]
    for _ in range(4):
        for x in inputs:
            assert model(x).tobytes() == plain(model, x).tobytes()
            assert model(x).shape == plain(model, x).shape
    assert len(model._prepared._chains) < len(inputs)
    assert warm(model, inputs[-2]).shape == plain(model, inputs[-2]).shape


BAD = [
    None,
    np.float32(1),
    np.zeros((), np.float32),
    images(dtype=np.float64),
    images(dtype=np.float16),
    images(dtype=">f4"),
    images(size=(3, 12, 12)),
    images(size=(0, 12, 12)),
    images(size=(2, 0, 12)),
    images(size=(2, 1, 12)),
    np.ma.masked_array(images()),
]


@pytest.mark.parametrize(
    ("make", "bad"),
    [
        *((make, bad) for bad in BAD),
        *((lambda: Sequential(MaxPool2d(2), Conv2d(2, 1, 2)), bad) for bad in BAD),
        (lambda: Sequential(MaxPool2d(2)), images(size=(0, 12, 12))),
    ],
)
def test_what_is_refused_once_is_refused_each_time(make, bad):
    model, errors = make(), []
    for _ in range(4):
        with pytest.raises((ValueError, TypeError)) as caught:
            model(bad)
        errors.append(f"{caught.type.__name__}: {caught.value}")
    assert set(errors) == {errors[0]}


class Shifted(Conv2d):
    """What somebody else made of a layer."""

    def convolve(self, x, weight, bias, **end):
        return super().convolve(x, weight, bias, **end) + 1


def test_layers_of_others_are_called_as_they_are():
    layer, x = Shifted(2, 3, 3), images()
    for layers in ([layer, Hardtanh(0, 9)], [layer], [Identity(), Sequential(layer)]):
        model = Sequential(*layers)
        expected = plain(model, x)
        for _ in range(4):
            np.testing.assert_array_equal(model(x), expected)


def test_weights_that_a_kernel_cannot_read_where_they_are():
    model, x = Sequential(Linear(4, 4, rng=rng())), rng().normal(size=(3, 4)).astype(np.float32)
    model[0].weight.bind(model[0].weight.data.T)
    for _ in range(4):
        assert model(x).tobytes() == plain(model, x).tobytes()
        model[0].weight.data[...] *= 2


def test_arrays_of_before_are_not_kept():
    model, inputs = make(), [images(1), images(2)]
    for x in inputs:
        warm(model, x)
    old = weakref.ref(model[0].weight.data)
    model[0].weight.bind(model[0].weight.data * 2)
    model(inputs[0])
    assert old() is None


def test_copies_are_prepared_for_themselves():
    model, x = make(), images()
    y = warm(model, x)
    twin = copy.deepcopy(model)
    twin[0].weight.data *= 2
    assert warm(twin, x).tobytes() == plain(twin, x).tobytes() != y.tobytes()
    assert model(x).tobytes() == y.tobytes()


def test_many_threads_at_once_while_weights_change():
    model = make()
    inputs = [images(n, seed=n) for n in (1, 2, 3)] * 40
    arrays = [model[0].weight.data * scale for scale in (1, 2)]
    allowed = []
    for array in arrays:
        model[0].weight.bind(array)
        allowed.append({len(x): plain(model, x).tobytes() for x in inputs})
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(model, x) for x in inputs]
        for i in range(200):
            model[0].weight.bind(arrays[i % 2])
        for x, future in zip(inputs, futures, strict=True):
            assert future.result().tobytes() in [each[len(x)] for each in allowed]
    for i, array in enumerate(arrays):
        model[0].weight.bind(array)
        for _ in range(3):
            assert [model(x).tobytes() for x in inputs[:3]] == [allowed[i][len(x)] for x in inputs[:3]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_goes_on():
    model, x = lenet(rng=rng()), images(64, size=(1, 28, 28))
    expected = warm(model, x).tobytes()
    child = os.fork()
    if child == 0:
        os._exit(0 if all(model(x).tobytes() == expected for _ in range(3)) else 1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(compiled is None, reason="it is they that have threads")
def test_threads_are_those_of_the_call():
    model, x = lenet(rng=rng()), images(64, size=(1, 28, 28))
    expected, before = warm(model, x).tobytes(), kitnet.get_num_threads()
    try:
        for n in (1, 3, 2):
            kitnet.set_num_threads(n)
            assert model(x).tobytes() == expected
    finally:
        kitnet.set_num_threads(before)
