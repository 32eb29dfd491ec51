"""Values and gradients are PyTorch's: of functions and of losses, in both dtypes.

Runs where PyTorch is installed, which is no requirement of the other tests.
"""

import functools
import inspect
import zlib

import numpy as np
import pytest
from loss_cases import ROWS as LOSSES
from parity.closeness import assert_close, both_dtypes, tensor, tolerance
from parity.rows import ROWS

import kitnet.training
from kitnet import functional as F

torch = pytest.importorskip("torch")

# PyTorch finds it worth a warning that the mean is a mean, and that an even kernel has an odd border.
pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning"),
]


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


@both_dtypes
@pytest.mark.parametrize(("name", "arguments", "output", "target"), LOSSES)
@pytest.mark.parametrize("one_by_one", [False, True])
def test_losses(name, arguments, output, target, dtype, one_by_one):
    if not hasattr(torch.nn, name):
        pytest.skip(f"PyTorch has no {name}")
    arguments = {**arguments, "reduction": "none"} if one_by_one else arguments
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
    bound = tolerance(dtype, name)
    if one_by_one:
        assert_close(value, expected, bound, "value")
        dy = np.random.default_rng(0).standard_normal(value.shape).astype(dtype)
        expected.backward(torch.from_numpy(dy))
        gradients = pullback(dy)
    else:
        assert value == pytest.approx(expected.item(), rel=bound)
        expected.backward()
        gradients = pullback()
    for gradient, one in zip(as_arrays(gradients), outputs, strict=True):
        assert_close(gradient, one.grad, bound, "gradient")
