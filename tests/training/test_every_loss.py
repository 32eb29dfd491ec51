"""What every loss promises, over one list of them. A new loss is a new row."""

import inspect

import numpy as np
import pytest
from loss_cases import ROWS, SIGNS, X

from kitnet import functional as F
from kitnet import training
from kitnet.layers import Linear
from kitnet.training import SGD, Loss, Trainer

every_row = pytest.mark.parametrize(("name", "arguments", "output", "target"), ROWS)


def make(name, arguments) -> Loss:
    return getattr(training, name)(**arguments)


def tuple_of(output):
    return output if isinstance(output, tuple) else (output,)


def like(output, arrays):
    return tuple(arrays) if isinstance(output, tuple) else arrays[0]


def test_every_loss_has_a_row():
    losses = {name for name in training.__all__ if name.endswith("Loss") and name != "Loss"}
    assert losses == {name for name, *_ in ROWS}
    functions = {name for name in F.loss.__all__ if not name.endswith("_backward")}
    assert len(functions) == len(losses)


@every_row
def test_the_gradient_is_that_of_the_value(name, arguments, output, target):
    loss, step = make(name, arguments), 1e-6
    arrays = tuple_of(output)
    value, pullback = loss.vjp(output, target)
    assert type(value) is float
    assert value == loss(output, target)
    gradients = tuple_of(pullback())
    for i, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        direction = np.random.default_rng(i).standard_normal(array.shape)
        ahead, behind = (
            loss(like(output, [a + sign * step * direction * (k == i) for k, a in enumerate(arrays)]), target)
            for sign in (1, -1)
        )
        expected = (ahead - behind) / (2 * step)
        assert np.vdot(gradient, direction) == pytest.approx(expected, rel=1e-6, abs=1e-7 * (1 + abs(value)))


@every_row
def test_float32_is_as_float64(name, arguments, output, target):
    """Targets and weights may be of any type of number."""
    loss = make(name, arguments)
    narrow = like(output, [array.astype(np.float32) for array in tuple_of(output)])
    value, pullback = loss.vjp(narrow, target)
    exact, exact_pullback = loss.vjp(output, target)
    assert value == pytest.approx(exact, rel=1e-5)
    for got, wanted in zip(tuple_of(pullback()), tuple_of(exact_pullback()), strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, wanted, atol=2e-6 * abs(wanted).max())


@every_row
def test_the_constructor_keeps_and_shows_its_arguments(name, arguments, output, target):
    loss = make(name, arguments)
    for argument, value in arguments.items():
        np.testing.assert_array_equal(getattr(loss, argument), value)
        assert f"{argument}=" in repr(loss)
    assert set(inspect.signature(type(loss)).parameters) >= set(arguments)
    assert repr(make(name, {})) == f"{name}()"


@every_row
def test_inputs_are_not_written(name, arguments, output, target):
    before = [array.copy() for array in (*tuple_of(output), *tuple_of(target)) if array is not None]
    _, pullback = make(name, arguments).vjp(output, target)
    pullback()
    after = [array for array in (*tuple_of(output), *tuple_of(target)) if array is not None]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@every_row
def test_a_data_set_of_targets_passes_its_check(name, arguments, output, target):
    loss = make(name, arguments)
    checked = loss.check_target(target)
    assert loss(output, checked) == loss(output, target)
    if target is not None:
        with pytest.raises(TypeError, match="labels: expected"):
            loss.check_target(target.tolist(), "labels")
        with pytest.raises(TypeError, match="labels: expected"):
            loss.check_target(target.astype(object), "labels")


@every_row
def test_losses_one_by_one(name, arguments, output, target):
    """ "none" are the summands of "sum", and the pullback takes a weight for each."""
    total, one_by_one = (make(name, {**arguments, "reduction": r}) for r in ("sum", "none"))
    value, pullback = one_by_one.vjp(output, target)
    assert value.sum() == pytest.approx(total(output, target), rel=1e-12)
    same, twice = pullback(np.ones_like(value)), pullback(np.full_like(value, 2))
    for expected, got, double in zip(
        *map(tuple_of, (total.vjp(output, target)[1](), same, twice)), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(double, 2 * expected, rtol=1e-12, atol=1e-14)
    doubled = total.vjp(output, target)[1](2.0)
    for expected, got in zip(tuple_of(twice), tuple_of(doubled), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", sorted({name for name, *_ in ROWS}))
def test_training_needs_one_number(name):
    model = Linear(3, 1)
    with pytest.raises(ValueError, match=rf"^loss: expected one that is one number, got {name}"):
        Trainer(model, make(name, {"reduction": "none"}), SGD(model))
    with pytest.raises(ValueError, match=r"^reduction: expected .*, got 'all'"):
        make(name, {"reduction": "all"})


@pytest.mark.parametrize(
    ("name", "arguments", "error", "argument"),
    [
        ("CrossEntropyLoss", {"weight": [1, 2]}, TypeError, "weight"),
        ("CrossEntropyLoss", {"label_smoothing": 2}, ValueError, "label_smoothing"),
        ("CrossEntropyLoss", {"ignore_index": None}, TypeError, "ignore_index"),
        ("MultiMarginLoss", {"p": 3}, ValueError, "p"),
        ("BCEWithLogitsLoss", {"pos_weight": 2.0}, TypeError, "pos_weight"),
        ("HuberLoss", {"delta": 0}, ValueError, "delta"),
        ("SmoothL1Loss", {"beta": -1}, ValueError, "beta"),
        ("TripletMarginLoss", {"p": 0}, ValueError, "p"),
        ("CosineEmbeddingLoss", {"margin": 2}, ValueError, "margin"),
    ],
)
def test_bad_arguments_are_named(name, arguments, error, argument):
    with pytest.raises(error, match=f"^{argument}: expected .*, got "):
        make(name, arguments)


@pytest.mark.parametrize("name", ["CosineEmbeddingLoss", "TripletMarginLoss"])
def test_several_outputs_come_as_a_tuple(name):
    with pytest.raises(TypeError, match=r"^output: expected . arrays, got ndarray"):
        make(name, {})(X, SIGNS[:, 0])


def test_a_trainer_regresses_and_tells_yes_from_no():
    """Targets of other types than the model, in a whole training."""
    x = np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
    line = x.astype(float) @ np.array([[1.0], [-2.0], [0.5]])
    for loss, y in (
        ("MSELoss", line),
        ("BCEWithLogitsLoss", line > 0),
        ("HuberLoss", np.rint(line).astype(int)),
    ):
        model = Linear(3, 1, rng=np.random.default_rng(1))
        trainer = Trainer(model, make(loss, {}), SGD(model, lr=0.1))
        history = trainer.fit(x, y, epochs=20, batch_size=16, verbose=0)
        assert history["loss"][-1] < 0.5 * history["loss"][0]


def test_accuracy_of_maps_and_of_soft_targets():
    scores = np.zeros((2, 3, 2))
    scores[:, 1] = 1
    assert training.accuracy(scores, np.array([[1, 1], [1, 0]])) == 0.75
    assert training.accuracy(scores[..., 0], np.array([[0.1, 0.8, 0.1], [0.5, 0.3, 0.2]])) == 0.5
