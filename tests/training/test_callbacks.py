import csv
import math

import numpy as np
import pytest

from kitnet.layers import Linear
from kitnet.training import (
    SGD,
    Callback,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
)


class Script(Callback):
    """Puts given values into the rows, before the other callbacks see them."""

    def __init__(self, **columns):
        self.columns = columns

    def on_epoch_end(self, trainer, row):
        for name, values in self.columns.items():
            row[name] = values[row["epoch"] - 1]


def epochs_run(make_trainer, data, callback, **columns):
    trainer = make_trainer([Script(**columns), callback])
    trainer.fit(*data, epochs=6, batch_size=22, verbose=0)
    return trainer.epoch


@pytest.mark.parametrize(
    ("options", "column", "values", "expected"),
    [
        ({"patience": 2}, "val_loss", [5, 4, 4, 4, 1, 1], 4),
        ({"patience": 2}, "val_loss", [5, 4, 4, 3, 3, 2], 6),
        ({"patience": 1, "min_delta": 0.5}, "val_loss", [5, 4, 3.6, 3, 3, 3], 3),
        ({"patience": 1}, "val_accuracy", [0.1, 0.2, 0.2, 0.3, 0.4, 0.5], 3),
        ({"patience": 1, "mode": "min"}, "val_accuracy", [0.5, 0.4, 0.3, 0.2, 0.1, 0.0], 6),
        ({"patience": 1, "mode": "max"}, "val_loss", [1, 2, 3, 4, 4, 5], 5),
        ({"patience": 2}, "val_loss", [math.nan] * 6, 2),
        ({"patience": 1}, "val_loss", [-math.inf, 0, 0, 0, 0, 0], 2),
    ],
)
def test_early_stopping(make_trainer, data, options, column, values, expected):
    stopping = EarlyStopping(column, **options)
    assert epochs_run(make_trainer, data, stopping, **{column: values}) == expected


def test_early_stopping_brings_the_best_back(make_trainer, data):
    kept = []

    class Keep(Callback):
        def on_epoch_end(self, trainer, row):
            kept.append({name: array.tobytes() for name, array in trainer.arrays().items()})

    trainer = make_trainer(
        [Script(val_loss=[3, 1, 2, 2]), Keep(), EarlyStopping(patience=2, restore_best=True)]
    )
    trainer.fit(*data, epochs=4, verbose=0)
    assert {name: array.tobytes() for name, array in trainer.arrays().items()} == kept[1]
    assert len(kept) == 4
    assert kept[1] != kept[3]


def test_unknown_monitor_is_named_with_what_there_is(make_trainer, data):
    with pytest.raises(ValueError, match=r"monitor: expected one of 'epoch', 'loss', .* got 'val_loss'"):
        make_trainer([EarlyStopping()]).fit(*data, verbose=0)


def test_model_checkpoint_writes_every_so_many_epochs(make_trainer, data, tmp_path):
    trainer = make_trainer([ModelCheckpoint(tmp_path / "at-{epoch:02}.ckpt", every=2)])
    trainer.fit(*data, epochs=5, verbose=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["at-02.ckpt", "at-04.ckpt"]


def test_model_checkpoint_keeps_the_best(make_trainer, data, tmp_path):
    best = ModelCheckpoint(tmp_path / "best.ckpt", monitor="val_accuracy")
    epochs_run(make_trainer, data, best, val_accuracy=[0.1, 0.5, 0.4, 0.5, 0.6, 0.2])
    again = make_trainer([Script(), ModelCheckpoint(tmp_path / "best.ckpt", monitor="val_accuracy")])
    again.resume(tmp_path / "best.ckpt")
    assert again.epoch == 5
    assert list(tmp_path.iterdir()) == [tmp_path / "best.ckpt"]


def test_csv_logger_is_there_after_each_epoch(make_trainer, data, tmp_path):
    path = tmp_path / "history.csv"
    lines = []

    class Look(Callback):
        def on_epoch_end(self, trainer, row):
            with open(path, newline="") as f:
                lines.append(len(list(csv.DictReader(f))))

    make_trainer([CSVLogger(path), Look()]).fit(*data, epochs=3, verbose=0)
    assert lines == [1, 2, 3]


def lowered(values, optimizer=None, **options):
    """The rates after each of the values."""
    optimizer = optimizer or SGD(Linear(1, 1), lr=1.0)
    plateau, rates = ReduceLROnPlateau("loss", factor=0.5, **options), []
    for value in values:
        plateau.step(value, optimizer)
        rates.append(optimizer.lr)
    return rates


def test_the_rate_falls_on_a_plateau():
    assert lowered([3, 2, 2, 2, 2, 1], patience=1) == [1, 1, 1, 0.5, 0.5, 0.5]
    assert lowered([3, 3, 3, 3, 3], patience=0, cooldown=1) == [1, 0.5, 0.5, 0.25, 0.25]
    assert lowered([3, 3, 3], patience=0, min_lr=0.4) == [1, 0.5, 0.4]
    assert lowered([3, 3, 3], patience=0, eps=0.3) == [1, 0.5, 0.5]
    assert lowered([10, 9.5, 8], patience=0, threshold=0.1) == [1, 0.5, 0.5]
    assert lowered([10, 9.5, 9.3], patience=0, threshold=0.3, threshold_mode="abs") == [1, 1, 0.5]
    assert lowered([1, 2, 3, 3], patience=0, mode="max") == [1, 1, 1, 0.5]
    assert lowered([math.nan, math.nan], patience=0) == [0.5, 0.25]


def test_every_rate_falls_once():
    optimizer = SGD(Linear(1, 1), lr=1.0, params=[{"params": "bias", "lr": 0.1}, {"params": "weight"}])
    lowered([1, 1], optimizer, patience=0)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.5]
    optimizer = SGD(Linear(1, 1), lr=1.0, params=[{"params": "bias"}, {"params": "weight"}])
    assert lowered([1, 1], optimizer, patience=0)[-1] == 0.5


def test_a_plateau_in_training(make_trainer, data):
    trainer = make_trainer([ReduceLROnPlateau("val_loss", patience=1, threshold=0.99)])
    history = trainer.fit(*data, epochs=4, validation_data=data, verbose=0)
    assert history["lr"] == pytest.approx([0.01, 0.01, 0.01, 0.001])
    with pytest.raises(ValueError, match="monitor: expected one of 'epoch', 'loss'"):
        make_trainer([ReduceLROnPlateau("val_loss")]).fit(*data, verbose=0)


@pytest.mark.parametrize("kind", [CSVLogger, ModelCheckpoint])
def test_unwritable_paths_are_told_before_training(make_trainer, data, tmp_path, kind):
    trainer = make_trainer([kind(tmp_path / "missing" / "file")])
    before = trainer.model.flat_data.copy()
    with pytest.raises(OSError, match="folder"):
        trainer.fit(*data, verbose=0)
    np.testing.assert_array_equal(trainer.model.flat_data, before)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: EarlyStopping(patience=0), "patience"),
        (lambda: EarlyStopping(mode="best"), "mode"),
        (lambda: ModelCheckpoint("x", every=0), "every"),
        (lambda: ReduceLROnPlateau(mode="best"), "mode"),
        (lambda: ReduceLROnPlateau(factor=1.0), "factor"),
        (lambda: ReduceLROnPlateau(patience=-1), "patience"),
        (lambda: ReduceLROnPlateau(threshold=-1), "threshold"),
        (lambda: ReduceLROnPlateau(threshold_mode="both"), "threshold_mode"),
        (lambda: ReduceLROnPlateau(cooldown=-1), "cooldown"),
        (lambda: ReduceLROnPlateau(min_lr=-1), "min_lr"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()
