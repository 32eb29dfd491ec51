"""A resumed run is, bit for bit, the run that was not stopped."""

import math

import numpy as np
import pytest
from training.optimizer_cases import MAKE

from kitnet.training import (
    LBFGS,
    AveragedModel,
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    ReduceLROnPlateau,
    WeightAveraging,
    get_ema_multi_avg_fn,
)
from kitnet.training.checkpoint import read_state, write_state


class StopAfter(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, trainer, row):
        if row["epoch"] == self.epoch:
            trainer.stop("for the test")


def batch_descent(model, lr):
    return LBFGS(model, lr, max_iter=3, history_size=4, line_search_fn="strong_wolfe")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [*MAKE.values(), batch_descent], ids=[*MAKE, "lbfgs"])
def test_resume_between_epochs(make_trainer, data, outcome, tmp_path, optimizer, dtype):
    options = {"batch_size": 8, "validation_data": data, "verbose": 0}
    whole, first, second = (make_trainer(optimizer=optimizer, dtype=dtype) for _ in range(3))
    whole.fit(*data, epochs=4, **options)
    first.fit(*data, epochs=2, **options)
    first.save_checkpoint(tmp_path / "run.ckpt")
    # The second trainer has a past of its own, of which nothing may be left.
    second.fit(*data, epochs=1, **options)
    second.resume(tmp_path / "run.ckpt")
    assert outcome(second) == outcome(first)
    second.fit(*data, epochs=4 - second.epoch, **options)
    assert outcome(second) == outcome(whole)


@pytest.mark.parametrize("generator", [np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64])
def test_resume_with_any_random_generator(make_trainer, data, outcome, tmp_path, generator):
    trainers = [make_trainer(seed=np.random.Generator(generator(3))) for _ in range(3)]
    whole, first, second = trainers
    whole.fit(*data, epochs=2, batch_size=8, verbose=0)
    first.fit(*data, epochs=1, batch_size=8, verbose=0)
    first.save_checkpoint(tmp_path / "run.ckpt")
    second.resume(tmp_path / "run.ckpt")
    second.fit(*data, epochs=1, batch_size=8, verbose=0)
    assert outcome(second) == outcome(whole)


def test_callbacks_resume_too(make_trainer, data, outcome, tmp_path):
    def run(*callbacks):
        return make_trainer([ModelCheckpoint(tmp_path / "{epoch}.ckpt"), *callbacks])

    options = {"batch_size": 8, "validation_data": data, "verbose": 0}
    whole = run(EarlyStopping("val_loss", patience=2, min_delta=10, restore_best=True))
    whole.fit(*data, epochs=9, **options)
    assert whole.epoch == 3
    second = run(EarlyStopping("val_loss", patience=2, min_delta=10, restore_best=True))
    second.resume(tmp_path / "2.ckpt")
    second.fit(*data, epochs=7, **options)
    assert outcome(second) == outcome(whole)
    assert second.history.stopped == "val_loss no better for 2 epochs"


def test_averages_and_reduced_rates_resume_too(make_trainer, data, outcome, tmp_path):
    def run(*callbacks):
        trainer = make_trainer()
        averaged = AveragedModel(trainer.model, multi_avg_fn=get_ema_multi_avg_fn(0.8))
        ema, swa = (
            WeightAveraging(averaged, "step", 2),
            WeightAveraging(AveragedModel(trainer.model), start=1),
        )
        plateau = ReduceLROnPlateau("loss", patience=0, threshold=0.9, factor=0.5)
        trainer.callbacks = [ema, swa, plateau, *callbacks]
        return trainer

    def everything(trainer):
        averages = [callback.averaged for callback in trainer.callbacks[:2]]
        bits = [array.tobytes() for average in averages for array in average.arrays().values()]
        return outcome(trainer), bits, [average.n_averaged for average in averages], trainer.optimizer.lr

    whole, first, second = run(), run(), run()
    whole.fit(*data, epochs=4, batch_size=8, verbose=0)
    first.fit(*data, epochs=2, batch_size=8, verbose=0)
    first.save_checkpoint(tmp_path / "run.ckpt")
    second.fit(*data, epochs=1, batch_size=8, verbose=0)
    second.resume(tmp_path / "run.ckpt")
    assert everything(second) == everything(first)
    second.fit(*data, epochs=2, batch_size=8, verbose=0)
    assert everything(second) == everything(whole)
    assert [average.averaged.n_averaged for average in whole.callbacks[:2]] == [4 * 3 - 2, 3]
    assert whole.optimizer.lr == 0.01 / 8  # the first epoch sets the mark


def test_checkpoints_are_the_same_file_for_the_same_run(make_trainer, tmp_path):
    for name in "ab":
        make_trainer().save_checkpoint(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda s: s["arrays"].pop("0.weight"), "arrays"),
        (lambda s: s["arrays"].update(extra=np.zeros(1)), "arrays"),
        (lambda s: s["arrays"].update({"0.weight": np.zeros((3, 1, 3, 2), np.float32)}), "0.weight"),
        (lambda s: s["arrays"].update({"0.weight": np.zeros((3, 1, 3, 3))}), "0.weight"),
        (lambda s: s["arrays"].update({"0.weight": 3}), "whole checkpoint"),
        (lambda s: s["optimizer"].update({"class": "SGD"}), "state of Adam, got that of SGD"),
        (lambda s: s["optimizer"].pop("exp_avg_sq"), "optimizer"),
        (lambda s: s["generators"]["shuffling"].update(bit_generator="MT19937"), "PCG64"),
        (lambda s: s["generators"].pop("shuffling"), "generators"),
        (lambda s: s["callbacks"].update({"0 EarlyStopping": {}}), "callbacks"),
        (lambda s: s.pop("epoch"), "whole checkpoint"),
        (lambda s: s.update(epoch="three"), "whole checkpoint"),
        (lambda s: s.update(history=None), "whole checkpoint"),
        (lambda s: s.update(current={"order": 1}), "whole checkpoint"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_whole(
    make_trainer, data, outcome, tmp_path, change, match
):
    path = tmp_path / "run.ckpt"
    trainer = make_trainer()
    trainer.save_checkpoint(path)
    state = read_state(path)
    change(state)
    write_state(path, state)
    trainer.fit(*data, verbose=0)
    before = outcome(trainer)
    with pytest.raises(ValueError, match=match):
        trainer.resume(path)
    assert outcome(trainer) == before


def test_a_damaged_checkpoint_is_refused(make_trainer, tmp_path):
    path = tmp_path / "run.ckpt"
    trainer = make_trainer()
    trainer.save_checkpoint(path)
    content = path.read_bytes()
    places = range(0, len(content), len(content) // 40)
    for spoilt in [content[:place] for place in places] + [
        content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] for place in places
    ]:
        path.write_bytes(spoilt)
        with pytest.raises(ValueError, match="path: expected"):
            trainer.resume(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        trainer.resume(path)


def test_a_model_file_is_no_checkpoint(make_trainer, tmp_path):
    import kitnet

    kitnet.save(make_trainer().model, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="kitnet-checkpoint"):
        make_trainer().resume(tmp_path / "model.safetensors")


def test_states_come_back_exactly(tmp_path):
    state = {
        "big": 2**127 + 1,
        "third": 1 / 3,
        "nan": math.nan,
        "none": None,
        "words": ["a", True],
        "a/b": {"~": np.arange(3), "~1": {"scalar": np.array(7, np.uint64), "empty": np.zeros((0, 2))}},
        "nothing": {},
    }
    write_state(tmp_path / "s", state)
    found = read_state(tmp_path / "s")
    inner = found.pop("a/b")
    assert math.isnan(found.pop("nan"))
    assert found == {key: state[key] for key in found}
    assert len(found) == len(state) - 2
    np.testing.assert_array_equal(inner["~"], np.arange(3))
    assert inner["~1"]["scalar"].shape == ()
    assert inner["~1"]["scalar"].dtype == np.uint64
    assert inner["~1"]["empty"].shape == (0, 2)


def test_other_versions_are_refused(tmp_path):
    from kitnet._files import write_tensors

    write_tensors(tmp_path / "s", {}, {"format": "kitnet-checkpoint", "format_version": "2", "state": "{}"})
    with pytest.raises(ValueError, match="version"):
        read_state(tmp_path / "s")
    for text in ("[]", "{", "[" * 100000):
        tensors = {"a/b": np.zeros(1)}
        write_tensors(
            tmp_path / "s", tensors, {"format": "kitnet-checkpoint", "format_version": "1", "state": text}
        )
        with pytest.raises(ValueError, match="whole state"):
            read_state(tmp_path / "s")
