"""Values and gradients are PyTorch's: of functions, of layers and of losses, in both dtypes.

Runs where PyTorch is installed, which is no requirement of the other tests.
"""

import functools
import inspect
import zlib

import numpy as np
import pytest
from layer_cases import LAYERS
from loss_cases import ROWS as LOSSES
from parity.rows import ROWS

import kitnet.training
from kitnet import functional as F

torch = pytest.importorskip("torch")

both_dtypes = pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=str)
# PyTorch finds it worth a warning that the mean is a mean.
pytestmark = pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")

FLOAT_CONSTANTS = ("hardsigmoid", "Hardsigmoid", "binary_cross_entropy")
"""What PyTorch computes in double with a constant of float."""


def tolerance(dtype, name):
    return 1e-5 if dtype == np.float32 else 1e-7 if name in FLOAT_CONSTANTS else 1e-10


def tensor(value, gradient=False):
    """An array as a tensor of its own, anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    return torch.from_numpy(value.copy()).requires_grad_(gradient and value.dtype.kind == "f")


def assert_close(actual, expected, bound, what):
    """Errors of at most ``bound`` times the number, or times the largest one; dtypes are the same."""
    expected = expected.detach().numpy()
    assert np.asarray(actual).dtype == expected.dtype, what
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, bound, bound * scale, err_msg=what)


def one_by_one(actual, expected, bound, what, given):
    """The same without help from larger numbers, and only where PyTorch has a number.

    Of infinities it has none here and there; and what a gradient is at NaN depends, in PyTorch, on where in
    the array it stands.
    """
    expected = expected.detach().numpy()
    known = ~np.isnan(expected) & ~np.isnan(given)
    np.testing.assert_allclose(actual[known], expected[known], bound, 0.1 * bound, err_msg=what)
    if what == "y":
        assert np.isnan(actual[np.isnan(given)]).all()


def as_arrays(value):
    return value if isinstance(value, tuple) else (value,)


@both_dtypes
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_functions(row, dtype):
    rng = np.random.default_rng(zlib.crc32(row.id.encode()))

    inputs = {
        name: rng.standard_normal(value).astype(dtype) if isinstance(value, tuple) else value(rng, dtype)
        for name, value in row.inputs.items()
    }
    options = {name: value(rng, dtype) if callable(value) else value for name, value in row.options.items()}
    wanted = row.gradients or (next(iter(inputs)),)

    named = dict(zip(row.returns, as_arrays(getattr(F, row.name)(**inputs, **options)), strict=True))
    tensors = {name: tensor(value, name in wanted) for name, value in inputs.items()}
    theirs = row.torch(torch.nn.functional) if callable(row.torch) else find(row.torch or row.name)
    their_options = options if row.torch_options is None else row.torch_options
    expected = theirs(*tensors.values(), **{name: tensor(value) for name, value in their_options.items()})

    dy = rng.standard_normal(expected.shape).astype(dtype)
    expected.backward(torch.from_numpy(np.asarray(dy)))
    backward = getattr(F, f"{row.name}_backward")
    known = {"input_shape": next(iter(inputs.values())).shape, **inputs, **options, **named, **row.known}
    known[row.delta] = dy if np.ndim(dy) else float(dy)
    asked = [name for name in inspect.signature(backward).parameters if name in known]
    gradients = as_arrays(backward(**{name: known[name] for name in asked}))

    bound = tolerance(dtype, row.name)
    check = functools.partial(one_by_one, given=inputs["x"]) if row.special else assert_close
    check(named[row.returns[0]], expected, bound, "y")
    for name, gradient in zip(wanted, gradients, strict=False):
        check(gradient, tensors[name].grad, bound, f"d{name}")


def find(name):
    """A function of torch.nn.functional, or of torch."""
    return getattr(torch.nn.functional, name, None) or getattr(torch, name)


def torch_layer(case, dtype):
    """PyTorch's layer of the same class and arguments, or None where it has none."""
    layer = case.layer(dtype)
    theirs = getattr(torch.nn, type(layer).__name__, None)
    config = {name: value for name, value in layer.config().items() if name != "dtype"}
    padding = config.get("padding")
    if theirs is None or "Dropout" in type(layer).__name__ or padding in ("same_lower", "causal"):
        return None
    if padding == "same" and "Transpose" in type(layer).__name__:  # PyTorch has no such padding there
        return None
    if isinstance(padding, list) and any(isinstance(p, list) and p[0] != p[1] for p in padding):
        return None
    names = inspect.signature(theirs).parameters
    if any(value and name not in names for name, value in config.items()):
        return None
    config = {n: tuple(v) if isinstance(v, list) else v for n, v in config.items() if n in names}
    if isinstance(padding, list):
        config["padding"] = tuple(p[0] if isinstance(p, list) else p for p in padding)
    return theirs(**config).to(torch.float32 if dtype == np.float32 else torch.float64)


COMPARED = [case for case in LAYERS if torch_layer(case, np.dtype(np.float32)) is not None]


def test_most_layers_are_compared():
    assert len(COMPARED) > len(LAYERS) / 2


@both_dtypes
@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case.id)
def test_layers(case, dtype):
    layer, x = case.layer(dtype), case.x(dtype)
    theirs = torch_layer(case, dtype)
    state = {name: p.data for name, p in layer.named_parameters()} | layer.buffers()
    bound = tolerance(dtype, type(layer).__name__)
    theirs.load_state_dict({name: tensor(array) for name, array in state.items()})
    theirs.eval()
    assert_close(layer(x), theirs(tensor(x)), bound, "inference")

    theirs.train()
    given = tensor(x, gradient=True)
    expected = theirs(given)
    y, pullback = layer.vjp(x)
    assert_close(y, expected, bound, "y")
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(dtype)
    expected.backward(torch.from_numpy(dy))
    assert_close(pullback(dy), given.grad, bound, "dx")
    for (name, parameter), theirs_parameter in zip(
        layer.named_parameters(), theirs.parameters(), strict=True
    ):
        assert_close(parameter.grad, theirs_parameter.grad, bound, f"d{name}")
    for name, buffer in theirs.named_buffers():
        if name == "num_batches_tracked" and type(layer).__name__.startswith("InstanceNorm"):
            continue  # PyTorch has the count there, and does not count
        np.testing.assert_allclose(layer.buffers()[name], buffer.numpy(), rtol=bound, err_msg=name)


@both_dtypes
@pytest.mark.parametrize(("name", "arguments", "output", "target"), LOSSES)
def test_losses(name, arguments, output, target, dtype):
    if not hasattr(torch.nn, name):
        pytest.skip(f"PyTorch has no {name}")
    arrays = tuple(array.astype(dtype) for array in as_arrays(output))
    value, pullback = getattr(kitnet.training, name)(**arguments).vjp(
        arrays if isinstance(output, tuple) else arrays[0], target
    )
    floats = {k: v.astype(dtype) if isinstance(v, np.ndarray) else v for k, v in arguments.items()}
    theirs = getattr(torch.nn, name)(**{k: tensor(v) for k, v in floats.items()})
    outputs = [tensor(array, gradient=True) for array in arrays]
    if target is not None and (target.dtype.kind != "i" or name == "PoissonNLLLoss"):
        target = target.astype(dtype)
    expected = theirs(*outputs, *([] if target is None else [tensor(target)]))
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=tolerance(dtype, name))
    for gradient, one in zip(as_arrays(pullback()), outputs, strict=True):
        assert_close(gradient, one.grad, tolerance(dtype, name), "gradient")
