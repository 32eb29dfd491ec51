"""Layers are PyTorch's: values in inference and in training, gradients and statistics, in both dtypes.

Runs where PyTorch is installed, which is no requirement of the other tests.
"""

import numpy as np
import pytest
from layer_cases import LAYERS
from loss_cases import ROWS as LOSSES
from parity.closeness import assert_close, both_dtypes, tensor, tolerance
from parity.rows import ROWS

import kitnet.layers
import kitnet.training
from kitnet import functional as F

torch = pytest.importorskip("torch")
twins = pytest.importorskip("parity.twins")

NO_ROW = {
    "dropout_mask": "it draws",
    "fold_batch_norm": "tests/functional has it: what the convolution and then the norm do",
}
"""Functions that are not compared, and why."""


def twin(case, dtype):
    """PyTorch's layer with the same parameters and statistics, or None."""
    layer = case.layer(dtype)
    theirs = twins.twin(layer, len(case.shape) - 2)
    return None if theirs is None else theirs.to(torch.float32 if dtype == np.float32 else torch.float64)


def chance(layer):
    return type(layer).__name__ in twins.DRAWN and 0 < layer.p < 1


COMPARED = [case for case in LAYERS if twin(case, np.dtype(np.float64)) is not None]


def names(classes, base):
    return {
        name
        for name in classes.__all__
        if isinstance(cls := getattr(classes, name), type) and issubclass(cls, base)
    }


def test_every_layer_and_loss_is_compared():
    layers = names(kitnet.layers, kitnet.layers.Layer) - {"Layer"}
    losses = names(kitnet.training, kitnet.training.Loss) - {"Loss"}
    compared = {type(case.layer()).__name__ for case in COMPARED}
    compared |= {name for name, *_ in LOSSES if hasattr(torch.nn, name)}
    assert compared | set(twins.AS_FUNCTIONS) | twins.BY_NUMPY == layers | losses
    assert not compared & set(twins.AS_FUNCTIONS)
    assert set(twins.AS_FUNCTIONS.values()) <= {row.name for row in ROWS}


def test_every_function_is_compared():
    functions = {name for name in F.__all__ if not name.endswith(("_backward", "_step"))}
    assert {row.name for row in ROWS} | set(NO_ROW) == functions


def test_most_rows_of_a_layer_are_compared():
    """What is left are borders that PyTorch has not: rows of functions pad before them."""
    others = [case.layer() for case in LAYERS if case not in COMPARED]
    left = [layer for layer in others if type(layer).__name__ not in twins.AS_FUNCTIONS]
    assert all(hasattr(layer, "padding") for layer in left), left
    assert len(left) < 10


def own_state(layer, theirs):
    """What is PyTorch's state, by its names: kitnet's own, but where the layer is made of others."""
    ours = {name: p.data for name, p in layer.named_parameters()} | layer.buffers()
    if type(layer).__name__ not in ("SeparableConv2d", "WeightNorm"):
        return ours
    state = zip(theirs.state_dict().items(), ours.values(), strict=True)
    return {name: array.reshape(tensor.shape) for (name, tensor), array in state}


@both_dtypes
@pytest.mark.parametrize("case", COMPARED, ids=lambda case: case.id)
def test_layers(case, dtype):
    layer, x, theirs = case.layer(dtype), case.x(dtype), twin(case, dtype)
    bound = max(tolerance(dtype, type(module).__name__) for module in layer.modules())
    theirs.load_state_dict({name: tensor(array) for name, array in own_state(layer, theirs).items()})
    theirs.eval()
    assert_close(layer(x), theirs(tensor(x)), bound, "inference")
    if chance(layer):
        return

    theirs.train()
    given = tensor(x, gradient=True)
    expected = theirs(given)
    y, pullback = layer.vjp(x)
    assert_close(y, expected, bound, "y")
    dy = np.random.default_rng(3).standard_normal(y.shape).astype(dtype)
    expected.backward(torch.from_numpy(dy))
    assert_close(pullback(dy), given.grad, bound, "dx")
    both = zip(layer.named_parameters(), theirs.parameters(), strict=True)
    for (name, parameter), theirs_parameter in both:
        assert_close(parameter.grad, theirs_parameter.grad, bound, f"d{name}")
    for name, buffer in theirs.named_buffers():
        if name == "num_batches_tracked" and type(layer).__name__.startswith("InstanceNorm"):
            continue  # PyTorch has the count there, and does not count
        np.testing.assert_allclose(layer.buffers()[name], buffer.numpy(), rtol=bound, err_msg=name)
