"""Ctrl-C finishes the step; what was done is kept, and the run can go on at that very step."""

import signal
import threading

import numpy as np
import pytest

from kitnet.training import ModelCheckpoint, accuracy
from kitnet.training.interrupt import Interrupt

pytestmark = pytest.mark.filterwarnings("error")


class Press:
    """A metric that presses Ctrl-C at a given call (one a step)."""

    def __init__(self, at, times=1):
        self.calls, self.at, self.times = 0, at, times

    def __call__(self, output, target):
        self.calls += 1
        if self.calls == self.at:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)
        return accuracy(output, target)


@pytest.fixture(autouse=True)
def _python_handles_ctrl_c():
    """As in a shell in the foreground; under some runners the signal comes ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


OPTIONS = {"batch_size": 8, "verbose": 0}  # three steps an epoch


@pytest.mark.parametrize("at", range(1, 8))
def test_interrupted_runs_go_on_bit_for_bit(make_trainer, data, outcome, tmp_path, at):
    def make(press):
        return make_trainer([ModelCheckpoint(tmp_path / "run.ckpt")], metrics={"accuracy": Press(press)})

    whole, same, resumed = make(0), make(at), make(0)
    whole.fit(*data, epochs=3, **OPTIONS)
    history = same.fit(*data, epochs=3, **OPTIONS)
    assert history.stopped == "interrupt"
    assert same.epoch == history.epochs == at // 3
    resumed.resume(tmp_path / "run.ckpt")
    assert outcome(resumed) == outcome(same)
    for trainer in (same, resumed):
        assert trainer.fit(*data, epochs=3 - trainer.epoch, **OPTIONS).stopped is None
        assert outcome(trainer) == outcome(whole)


def test_other_data_begin_a_new_epoch(make_trainer, data):
    x, y = data
    trainer = make_trainer(metrics={"accuracy": Press(1)})
    trainer.fit(x, y, **OPTIONS)
    assert trainer.fit(x[:20], y[:20], **OPTIONS)["epoch"] == [1]


def test_a_second_press_raises(make_trainer, data):
    trainer = make_trainer(metrics={"accuracy": Press(2, times=2)})
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(*data, **OPTIONS)


def test_a_press_in_the_last_step_loses_nothing(make_trainer, data):
    trainer = make_trainer(metrics={"accuracy": Press(3)})
    history = trainer.fit(*data, epochs=5, validation_data=data, **OPTIONS)
    assert (history.stopped, history["epoch"], trainer.epoch) == ("interrupt", [1], 1)


def test_the_line_says_where_it_stopped(make_trainer, data, capsys):
    make_trainer(metrics={"accuracy": Press(2)}).fit(*data, batch_size=8, verbose=2)
    assert capsys.readouterr().out.startswith("epoch 1/1  stopped at 16/22  loss")


def test_other_threads_train_without_signals(make_trainer, data):
    found = []
    thread = threading.Thread(target=lambda: found.append(make_trainer().fit(*data, **OPTIONS)))
    thread.start()
    thread.join()
    assert found[0]["epoch"] == [1]


def test_ignored_signals_stay_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert not interrupt.pressed
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_errors_leave_the_handler_as_it_was(make_trainer, data):
    with pytest.raises(ValueError, match="target"):
        make_trainer().fit(data[0], np.full(22, 9), **OPTIONS)
