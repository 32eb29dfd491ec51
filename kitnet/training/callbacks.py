"""Callbacks: what else happens at the start of a fit, after each step and epoch, and at the end."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from .._files import Path, check_writable
from .._geometry import one_int

if TYPE_CHECKING:
    from .trainer import Trainer

Mode: TypeAlias = "Literal['auto', 'min', 'max']"


class Callback:
    """The base of every callback: hooks that do nothing. A subclass defines those that it needs.

    A hook may read and change everything on the trainer, and end the fit by ``trainer.stop(reason)``.
    Callbacks are called in the order in which the trainer was given them, those with ``last = True`` after
    the others.

    Examples
    --------
    >>> from kitnet.training import Callback
    >>> class PrintEpoch(Callback):
    ...     def on_epoch_end(self, trainer, row):
    ...         print(f"epoch {row['epoch']}: loss {row['loss']:.2f}")
    """

    last: ClassVar[bool] = False

    def on_fit_start(self, trainer: Trainer) -> None:
        """Before the first step of a ``fit``."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After a step of the optimizer."""

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        """After an epoch and its validation; ``row`` is what the history has just got."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last step, also where the fit was stopped (``trainer.history.stopped`` says why)."""

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to know: numbers, strings and arrays by name."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken."""


def is_rising(monitor: str, mode: Mode) -> bool:
    """Whether more of what ``monitor`` names is better."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"mode: expected 'auto', 'min' or 'max', got {mode!r}")
    return mode == "max" or (mode == "auto" and monitor.endswith("accuracy"))


def monitored(row: dict[str, float], monitor: str) -> float:
    """The value of ``monitor`` in a row of the history."""
    if monitor not in row:
        raise ValueError(f"monitor: expected one of {', '.join(map(repr, row))}, got {monitor!r}")
    return row[monitor]


class _Best:
    """The best value so far of one name of the history."""

    def __init__(self, monitor: str, mode: Mode, min_delta: float = 0.0) -> None:
        self.monitor, self.min_delta = monitor, abs(min_delta)
        self.sign = 1 if is_rising(monitor, mode) else -1
        self.value = -math.inf * self.sign

    def improved(self, row: dict[str, float]) -> bool:
        """Whether ``row`` is better than all before by more than ``min_delta``; NaN never is."""
        value = monitored(row, self.monitor)
        better = self.sign * value > self.sign * self.value + self.min_delta
        if better:
            self.value = value
        return better


class EarlyStopping(Callback):
    """Stop when a value has not become better for ``patience`` epochs in a row.

    Parameters
    ----------
    monitor
        A name of the history.
    patience
        The number of epochs without a better value that ends the fit.
    min_delta
        How much better a value must be to count as better.
    mode
        Whether less ("min") or more ("max") is better; "auto": more for an accuracy, else less.
    restore_best
        At the end put the parameters and running statistics of the best epoch back (not after a Ctrl-C: that
        run may go on).

    Raises
    ------
    ValueError
        If an argument is not as described; after the first epoch, if ``monitor`` is no name of the history.

    Examples
    --------
    >>> from kitnet.training import EarlyStopping
    >>> stopping = EarlyStopping("val_accuracy", patience=3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Mode = "auto",
        restore_best: bool = False,
    ) -> None:
        self.patience, self.restore_best = one_int(patience, "patience"), restore_best
        self.waited = 0
        self._best = _Best(monitor, mode, min_delta)
        self._arrays: dict[str, Any] = {}

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        if self._best.improved(row):
            self.waited = 0
            if self.restore_best:
                self._arrays = {name: array.copy() for name, array in trainer.arrays().items()}
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(f"{self._best.monitor} no better for {self.patience} epochs")

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._arrays and trainer.history.stopped != "interrupt":
            for name, array in trainer.arrays().items():
                array[...] = self._arrays[name]

    def state(self) -> dict[str, Any]:
        return {"waited": self.waited, "best": self._best.value, "arrays": self._arrays}

    def load_state(self, state: dict[str, Any]) -> None:
        self.waited, self._best.value, self._arrays = state["waited"], state["best"], state["arrays"]


class ModelCheckpoint(Callback):
    """Write a checkpoint that ``Trainer.resume`` reads: after epochs, and when Ctrl-C ends the fit.

    Parameters
    ----------
    path
        The file. ``{epoch}`` in it is replaced by the number of the epoch (``"run-{epoch:03}.ckpt"``);
        without it each checkpoint takes the place of the one before, atomically.
    every
        The number of epochs from one checkpoint to the next.
    monitor
        A name of the history: write only where its value is the best so far. None: always.
    mode
        As ``EarlyStopping`` has it.

    Raises
    ------
    ValueError
        If an argument is not as described.
    OSError
        At the start of the fit, if the file cannot be written.

    Examples
    --------
    >>> from kitnet.training import ModelCheckpoint
    >>> checkpoint = ModelCheckpoint("best.ckpt", monitor="val_loss")
    """

    last = True  # what it writes has the others' state after this epoch

    def __init__(self, path: Path, every: int = 1, monitor: str | None = None, mode: Mode = "auto") -> None:
        self.path, self.every = os.fspath(path), one_int(every, "every")
        self._best = _Best(monitor, mode) if monitor is not None else None

    def path_at(self, epoch: int) -> str:
        """The file of the checkpoint after ``epoch`` epochs."""
        return self.path.format(epoch=epoch)

    def on_fit_start(self, trainer: Trainer) -> None:
        check_writable(self.path_at(trainer.epoch))

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        best = self._best is None or self._best.improved(row)
        if best and trainer.epoch % self.every == 0:
            trainer.save_checkpoint(self.path_at(trainer.epoch))

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._best is None and trainer.history.stopped == "interrupt":
            trainer.save_checkpoint(self.path_at(trainer.epoch))

    def state(self) -> dict[str, Any]:
        return {} if self._best is None else {"best": self._best.value}

    def load_state(self, state: dict[str, Any]) -> None:
        if self._best is not None:
            self._best.value = state["best"]


class CSVLogger(Callback):
    """Write the history to a CSV file after each epoch, atomically.

    Raises
    ------
    OSError
        At the start of the fit, if the file cannot be written.

    Examples
    --------
    >>> from kitnet.training import CSVLogger
    >>> logger = CSVLogger("history.csv")
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_fit_start(self, trainer: Trainer) -> None:
        check_writable(self.path)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        trainer.history.to_csv(self.path)
