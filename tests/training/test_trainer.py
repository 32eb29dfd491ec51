import math

import numpy as np
import pytest

import kitnet
from kitnet.layers import Flatten, Linear
from kitnet.models import Sequential
from kitnet.training import SGD, Adam, Callback, CrossEntropyLoss, Loss, Trainer, accuracy, predict


def weights(trainer):
    return {name: array.tobytes() for name, array in trainer.arrays().items()}


def test_training_learns(make_trainer, data):
    trainer = make_trainer()
    history = trainer.fit(*data, epochs=60, batch_size=8, validation_data=data, verbose=0)
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"]
    assert history["epoch"] == list(range(1, 61))
    assert history["val_loss"][-1] < 0.8 * history["val_loss"][0]
    assert history["val_accuracy"][-1] > 0.9
    assert trainer.evaluate(*data) == {
        "loss": history["val_loss"][-1],
        "accuracy": history["val_accuracy"][-1],
    }


def test_one_epoch_is_the_loop_that_it_stands_for(data):
    """The history's means, the batches and the steps, against the plainest possible loop."""
    x, y = data
    mine, other = (Sequential(Flatten(), Linear(36, 2, rng=np.random.default_rng(1))) for _ in range(2))
    trainer = Trainer(mine, CrossEntropyLoss(), SGD(mine, 0.1, momentum=0.9), rng=7)
    history = trainer.fit(x, y, batch_size=8, verbose=0)

    loss, optimizer, order = CrossEntropyLoss(), SGD(other, 0.1, momentum=0.9), np.random.default_rng(7)
    losses, right = [], 0
    order = order.permutation(22)
    for start in (0, 8, 16):
        batch = order[start : start + 8]
        output, pullback = other.vjp(x[batch])
        value, loss_pullback = loss.vjp(output, y[batch])
        other.zero_grad()
        pullback(loss_pullback())
        optimizer.step()
        losses += len(batch) * [value]
        right += (output.argmax(1) == y[batch]).sum()
    assert mine.flat_data.tobytes() == other.flat_data.tobytes()
    assert history["loss"] == [pytest.approx(np.mean(losses))]
    assert history["accuracy"] == [right / 22]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_seed_same_bits_for_any_number_of_threads(make_trainer, data, dtype):
    before, found = kitnet.get_num_threads(), []
    try:
        for n in (1, 2, 3, 7):
            kitnet.set_num_threads(n)
            trainer = make_trainer(dtype=dtype)
            trainer.fit(*data, epochs=2, batch_size=5, verbose=0)
            found.append(weights(trainer))
    finally:
        kitnet.set_num_threads(before)
    assert found[1:] == found[:-1]
    other = make_trainer(seed=1, dtype=dtype)
    other.fit(*data, epochs=2, batch_size=5, verbose=0)
    assert weights(other) != found[0]


@pytest.mark.parametrize("kind", ["float64", "float16", "uint8", "int64", "bool", ">f4"])
def test_images_of_any_number_type_become_the_models_type(make_trainer, data, kind):
    x, y = data
    whole = np.abs(x * 4).astype(np.uint8).clip(0, 1).astype(kind)
    results = []
    for images in (whole, whole.astype(np.float32)):
        trainer = make_trainer()
        trainer.fit(images, y, batch_size=8, verbose=0)
        results.append((weights(trainer), trainer.predict(images, 4).tobytes(), trainer.evaluate(images, y)))
    assert results[0] == results[1]


def test_float64_models_are_trained_in_float64(make_trainer, data):
    trainer = make_trainer(dtype=np.float64)
    trainer.fit(*data, verbose=0)
    assert trainer.predict(data[0]).dtype == np.float64


def test_inputs_are_not_modified_and_may_be_awkward(make_trainer, data, tmp_path):
    x, y = data
    results = []
    strided = np.repeat(x, 2, axis=3)[..., ::2]
    frozen = x.copy()
    frozen.flags.writeable = False
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=x.shape)
    mapped[...] = x
    unaligned = np.frombuffer(b"\0" + x.tobytes(), np.float32, offset=1).reshape(x.shape)
    for images in (x, strided, frozen, mapped, unaligned, np.asfortranarray(x)):
        before = np.array(images)
        trainer = make_trainer()
        trainer.fit(images, y, batch_size=8, verbose=0)
        results.append((weights(trainer), trainer.predict(images).tobytes()))
        np.testing.assert_array_equal(images, before)
    assert results[1:] == results[:-1]


def test_predict_does_not_depend_on_the_batch(make_trainer, data):
    trainer, x = make_trainer(), data[0]
    whole = trainer.predict(x)
    assert whole.shape == (22, 2)
    for size in (1, 3, 22, 1000):
        assert trainer.predict(x, size).tobytes() == whole.tobytes()
    assert trainer.predict(x[:0]).shape == (0, 2)
    assert predict(trainer.model, x).tobytes() == whole.tobytes()


def test_predict_is_always_a_new_array():
    x = np.ones((3, 4), np.float32)
    y = predict(Flatten(), x)
    assert not np.shares_memory(x, y)
    assert predict(Flatten(), x.astype(int)).dtype == np.float32


def test_evaluating_nothing_is_nan(make_trainer, data):
    x, y = data
    assert all(map(math.isnan, make_trainer().evaluate(x[:0], y[:0]).values()))


def test_more_epochs_go_on(make_trainer, data):
    whole, parts = make_trainer(), make_trainer()
    whole.fit(*data, epochs=3, batch_size=8, verbose=0)
    parts.fit(*data, epochs=1, batch_size=8, verbose=0)
    assert parts.fit(*data, epochs=0, verbose=0)["epoch"] == [1]
    parts.fit(*data, epochs=2, batch_size=8, verbose=0)
    assert weights(whole) == weights(parts)
    assert parts.epoch == 3


def test_metrics_can_be_chosen(make_trainer, data):
    trainer = make_trainer(metrics={"error": lambda output, target: np.float32(1 - accuracy(output, target))})
    history = trainer.fit(*data, verbose=0)
    assert list(history) == ["epoch", "loss", "error", "lr", "seconds"]
    assert type(history["error"][0]) is float


def test_nan_in_the_data_is_nan_in_the_history(make_trainer, data):
    x, y = data
    spoilt = np.where(np.arange(22)[:, None, None, None] == 3, np.nan, x)
    assert math.isnan(make_trainer().fit(spoilt, y, verbose=0)["loss"][0])


def test_lines_and_silence(make_trainer, data, capsys):
    make_trainer().fit(*data, epochs=2, batch_size=8, validation_data=data, verbose=2)
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith("epoch 1/2  loss ")
    assert all(word in second for word in ("accuracy", " %", "val_loss", "val_accuracy"))
    assert "seconds" not in out
    assert err == ""
    make_trainer().fit(*data, verbose=0)
    assert capsys.readouterr() == ("", "")
    make_trainer().fit(*data, verbose=1)  # no terminal: a line, no bar
    assert capsys.readouterr().out.startswith("epoch 1/1  loss ")


def test_the_bar_shows_loss_and_accuracy(make_trainer, data, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("kitnet.training.progress._is_terminal", lambda stream: True)
    make_trainer().fit(*data, epochs=2, batch_size=8, validation_data=data, verbose=1)
    out, err = capsys.readouterr()
    assert out == ""
    last = err.splitlines()[-1].rpartition("\r")[2]
    assert last.startswith("epoch 2/2 |")
    assert all(word in last for word in ("img/s, loss 0.", " accuracy ", " %, val 0."))
    assert len(last) <= 80


def test_callbacks_are_called_in_order(make_trainer, data):
    calls = []

    class Recorder(Callback):
        def __init__(self, name):
            self.name = name

        def on_fit_start(self, trainer):
            calls.append((self.name, "start", trainer.epoch))

        def on_step_end(self, trainer):
            calls.append((self.name, "step", trainer.optimizer.steps))

        def on_epoch_end(self, trainer, row):
            calls.append((self.name, row["epoch"], trainer.epoch))
            if row["epoch"] == 2:
                trainer.stop("enough")

        def on_fit_end(self, trainer):
            calls.append((self.name, trainer.history.stopped, trainer.epoch))

    trainer = make_trainer([Recorder("a"), Recorder("b")])
    assert trainer.fit(*data, epochs=9, verbose=0).stopped == "enough"
    events = [("start", 0), ("step", 1), (1, 1), ("step", 2), (2, 2), ("enough", 2)]
    assert calls == [(name, *event) for event in events for name in "ab"]
    assert trainer.fit(*data, epochs=1, verbose=0).stopped is None


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"x": None}, TypeError, "x: "),
        ({"x": np.ma.zeros((22, 1, 6, 6))}, TypeError, "masked"),
        ({"x": np.zeros((22, 1, 6, 6), object)}, TypeError, "x: "),
        ({"x": np.zeros((22, 1, 6, 6), complex)}, TypeError, "x: "),
        ({"x": np.array(1.0)}, ValueError, "x: "),
        ({"x": np.zeros((21, 1, 6, 6))}, ValueError, "21 and 22"),
        ({"x": np.zeros((0, 1, 6, 6)), "y": np.zeros(0, int)}, ValueError, "at least 1 sample"),
        ({"x": np.zeros((22, 2, 6, 6))}, ValueError, "x"),
        ({"y": np.zeros(22)}, TypeError, "y: "),
        ({"y": np.zeros((22, 1), int)}, ValueError, "target: expected shape"),
        ({"y": np.full(22, 2)}, ValueError, "target"),
        ({"epochs": -1}, ValueError, "epochs"),
        ({"epochs": 1.5}, TypeError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": 2.0}, TypeError, "batch_size"),
        ({"verbose": 3}, ValueError, "verbose"),
        ({"validation_data": (np.zeros((2, 1, 6, 6)), np.zeros(3, int))}, ValueError, "validation_data: x"),
        ({"validation_data": (np.zeros((2, 1, 6, 6)), None)}, TypeError, "validation_data: y"),
    ],
)
def test_bad_arguments_are_named(make_trainer, data, change, error, match):
    arguments = {"x": data[0], "y": data[1], "verbose": 0} | change
    with pytest.raises(error, match=match):
        make_trainer().fit(**arguments)


def test_parts_that_do_not_belong_together(make_net, data):
    model, other = make_net(), make_net()
    with pytest.raises(ValueError, match="optimizer: expected one made for this model"):
        Trainer(model, CrossEntropyLoss(), Adam(other)).fit(*data, verbose=0)
    with pytest.raises(TypeError, match="loss: expected a Loss, got function"):
        Trainer(model, lambda output, target: 0, Adam(model))
    with pytest.raises(TypeError, match="optimizer: expected a Optimizer"):
        Trainer(model, CrossEntropyLoss(), Adam)
    with pytest.raises(TypeError, match="model"):
        Trainer(None, CrossEntropyLoss(), Adam(model))


def test_other_losses_bring_their_own_targets():
    class SquaredError(Loss):
        def vjp(self, output, target):
            error = output - target
            return float((error**2).mean()), lambda: 2 * error / error.size

        def check_target(self, target, name="y"):
            return target

    x = np.random.default_rng(0).normal(size=(50, 3))
    y = x @ np.array([[1.0], [2.0], [3.0]])
    model = Linear(3, 1, dtype=np.float64, rng=np.random.default_rng(0))
    trainer = Trainer(model, SquaredError(), SGD(model, 0.1))
    assert trainer.fit(x, y, epochs=30, batch_size=10, verbose=0)["loss"][-1] < 1e-4
    np.testing.assert_allclose(model.weight.data, [[1, 2, 3]], atol=0.05)
