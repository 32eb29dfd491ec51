"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from .._arrays import gate_number
from .._files import Path
from .._geometry import one_int
from ..layers import Layer
from .callbacks import Callback
from .checkpoint import capture, read_state, restore, write_state
from .clipping import clip_grad_norm_, clip_grad_value_
from .epoch import Epoch, Totals
from .feed import Feed, check_images, predict
from .history import History
from .interrupt import Interrupt
from .losses import Loss
from .metrics import Metric
from .optimizers import Optimizer
from .progress import Progress, progress


class Trainer:
    """Trains a model: shuffled batches, loss, gradients, optimizer; with history, progress and checkpoints.

    Same model, data, arguments and seed: same weights, bit for bit, with any number of threads, whether a run
    goes through or is stopped by Ctrl-C or a crash and resumed from a checkpoint.

    Parameters
    ----------
    model
        A layer or model.
    loss
        What to make small.
    optimizer
        Made for this very model.
    callbacks
        See ``kitnet.training.Callback``.
    metrics
        Functions of (output, target) by name, whose means over the samples are reported; None takes the
        loss's.
    rng
        The generator that shuffles, or its seed.
    clip_grad_norm, clip_grad_value
        The most that the norm of all gradients, and each of their elements, may be; None: no bound.

    Attributes
    ----------
    history
        The ``History`` of all fits.
    epoch
        The number of epochs finished.
    current
        The ``Epoch`` that was begun and not finished, or None.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    ``fit``, ``evaluate`` and ``predict`` take images of any number type and convert them to the model's type
    batch by batch. Values stay as they are: scale pixels from 0...255 yourself if you want them from 0 to 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD, CrossEntropyLoss, Trainer
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(100, 2))
    >>> y = (x[:, 0] > 0).astype(int)
    >>> model = Linear(2, 2, rng=rng)
    >>> trainer = Trainer(model, CrossEntropyLoss(), SGD(model, lr=1.0))
    >>> history = trainer.fit(x, y, epochs=10, batch_size=10, verbose=0)
    >>> bool(history["loss"][-1] < history["loss"][0])
    True
    >>> trainer.predict(x).shape
    (100, 2)
    """

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        callbacks: Sequence[Callback] = (),
        metrics: Mapping[str, Metric] | None = None,
        rng: np.random.Generator | int = 0,
        *,
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
    ) -> None:
        for name, value, kind in (
            ("model", model, Layer),
            ("loss", loss, Loss),
            ("optimizer", optimizer, Optimizer),
        ):
            if not isinstance(value, kind):
                raise TypeError(f"{name}: expected a {kind.__name__}, got {type(value).__name__}")
        if getattr(loss, "reduction", None) == "none":
            raise ValueError(f"loss: expected one that is one number, got {loss!r}")
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.callbacks = sorted(callbacks, key=lambda callback: callback.last)
        self.metrics = dict(loss.metrics if metrics is None else metrics)
        self.rng = np.random.default_rng(rng)
        self.clip_grad_norm, self.clip_grad_value = (
            None if bound is None else gate_number(bound, name, 0.0)
            for name, bound in (("clip_grad_norm", clip_grad_norm), ("clip_grad_value", clip_grad_value))
        )
        self.history = History()
        self.epoch = 0
        self.current: Epoch | None = None
        self._stop: str | None = None

    # Training

    def fit(
        self,
        x: Any,
        y: Any,
        epochs: int = 1,
        batch_size: int = 32,
        *,
        validation_data: tuple[Any, Any] | None = None,
        verbose: int = 1,
    ) -> History:
        """Train for ``epochs`` more epochs.

        Ctrl-C finishes the step, and returns with ``history.stopped == "interrupt"``; a second one raises
        KeyboardInterrupt. The next ``fit`` on as many samples with the same batch size goes on at the very
        step; the rest of that epoch counts as its first epoch.

        Parameters
        ----------
        x
            Images (N, C, ...) of any number type, converted to the model's type with values as they are.
        y
            Targets (N, ...) as the loss takes them.
        epochs
            How often to go through the data.
        batch_size
            Samples a step; the last step of an epoch has what is left.
        validation_data
            (x, y) to evaluate after each epoch.
        verbose
            0: silent; 1: a progress bar an epoch (a line where there is no terminal); 2: a line an epoch.

        Returns
        -------
        The trainer's ``history``, with the new epochs at its end.

        Raises
        ------
        TypeError, ValueError
            If an argument is not as described.
        """
        x, y, batch_size = self._check_data(x, y, batch_size)
        epochs = one_int(epochs, "epochs", least=0)
        if len(x) == 0:
            raise ValueError(f"x: expected at least 1 sample, got shape {x.shape}")
        if self.model.flat_data is not self.optimizer.data:
            raise ValueError("optimizer: expected one made for this model, and the model unchanged since")
        validation = None
        if validation_data is not None:
            validation = self._check_data(*validation_data, 256, "validation_data: ")
        display = progress(verbose)
        feed = Feed(x, self.optimizer.data.dtype, batch_size)
        last = self.epoch + epochs
        self.history.stopped = self._stop = None
        for callback in self.callbacks:
            callback.on_fit_start(self)
        with Interrupt() as interrupt, closing(display):
            while self.epoch < last and self._stop is None:
                epoch = self._current_epoch(len(x), batch_size)
                display.start(self.epoch + 1, last, len(x), epoch.done)
                if not self._run_epoch(epoch, feed, y, interrupt, display):
                    display.end(epoch.done, epoch.means())
                    break
                row = self._finish_epoch(epoch, validation)
                display.end(
                    epoch.done, {name: row[name] for name in row if name not in ("epoch", "lr", "seconds")}
                )
                for callback in self.callbacks:
                    callback.on_epoch_end(self, row)
                if interrupt.pressed:
                    break
            self.history.stopped = "interrupt" if interrupt.pressed else self._stop
            for callback in self.callbacks:
                callback.on_fit_end(self)
        return self.history

    def stop(self, reason: str) -> None:
        """End the fit after this epoch; for callbacks. ``reason`` becomes ``history.stopped``."""
        self._stop = reason

    def _current_epoch(self, samples: int, batch_size: int) -> Epoch:
        """The epoch that an interruption left, if it is one of this data; else a new one."""
        epoch = self.current
        if epoch is None or len(epoch.order) != samples or epoch.batch_size != batch_size:
            epoch = self.current = Epoch(order=self.rng.permutation(samples), batch_size=batch_size)
        return epoch

    def _run_epoch(
        self, epoch: Epoch, feed: Feed, y: np.ndarray, interrupt: Interrupt, display: Progress
    ) -> bool:
        """Whether the epoch was finished."""
        began, before = time.perf_counter(), epoch.seconds
        while epoch.done < len(y):
            indices = epoch.order[epoch.done : epoch.done + epoch.batch_size]
            epoch.add(len(indices), self._step(feed.take(indices), y[indices]))
            epoch.seconds = before + time.perf_counter() - began
            if display.due():
                display.update(epoch.done, epoch.means())
            if interrupt.pressed and epoch.done < len(y):
                return False
        return True

    def _step(self, x: np.ndarray, target: np.ndarray) -> dict[str, float]:
        """One step of the optimizer; the loss and metrics before it."""
        first: list[tuple[float, np.ndarray]] = []

        def closure() -> float:
            output, pullback = self.model.vjp(x, input_grad=False)
            loss, loss_pullback = self.loss.vjp(output, target)
            self.optimizer.zero_grad()
            pullback(loss_pullback())
            if self.clip_grad_norm is not None:
                clip_grad_norm_(self.model, self.clip_grad_norm)
            if self.clip_grad_value is not None:
                clip_grad_value_(self.model, self.clip_grad_value)
            if not first:
                first.append((loss, output))
            return loss

        self.optimizer.step(closure)
        for callback in self.callbacks:
            callback.on_step_end(self)
        return self._measure(*first[0], target)

    def _measure(self, loss: float, output: np.ndarray, target: np.ndarray) -> dict[str, float]:
        values = {"loss": loss}
        for name, metric in self.metrics.items():
            values[name] = float(metric(output, target))
        return values

    def _finish_epoch(self, epoch: Epoch, validation: tuple[Any, Any, int] | None) -> dict[str, float]:
        self.epoch += 1
        self.current = None
        row = {"epoch": self.epoch, **epoch.means()}
        if validation is not None:
            row |= {f"val_{name}": value for name, value in self._evaluate(*validation).items()}
        row |= {"lr": self.optimizer.last_lr, "seconds": epoch.seconds}
        self.history.append(row)
        return row

    # Inference

    def evaluate(self, x: Any, y: Any, batch_size: int = 256) -> dict[str, float]:
        """The loss and metrics on a data set, as means over its samples (NaN if it has none).

        Parameters, conversions and errors are those of ``fit``.
        """
        return self._evaluate(*self._check_data(x, y, batch_size))

    def _evaluate(self, x: np.ndarray, y: np.ndarray, batch_size: int) -> dict[str, float]:
        totals = Totals()
        feed = Feed(x, self.optimizer.data.dtype, batch_size)
        for start in range(0, max(len(x), 1), batch_size):
            target = y[start : start + batch_size]
            output = self.model(feed.slice(start, start + batch_size))
            totals.add(len(target), self._measure(self.loss(output, target), output, target))
        return totals.means()

    def predict(self, x: Any, batch_size: int = 256) -> np.ndarray:
        """The model's output for each sample, as ``model(x)`` gives it, in batches.

        Parameters, conversions and errors are those of ``fit``.
        """
        return predict(self.model, x, batch_size)

    # Checkpoints

    def save_checkpoint(self, path: Path) -> None:
        """Write all that the rest of the run depends on to one file, atomically.

        That is: parameters, running statistics, the optimizer's state, the random generators (shuffling,
        dropout), the history, the state of the callbacks and the place in the epoch; but not the data and not
        the code (model, schedule).

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_state(path, capture(self))

    def resume(self, path: Path) -> None:
        """Go on where ``save_checkpoint`` was called, in a trainer built by the same code.

        The next ``fit`` on the same data takes the same steps, bit for bit, as the saved run would have
        taken: ``trainer.fit(x, y, epochs=20 - trainer.epoch)``.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no checkpoint, is damaged, or fits another model, optimizer or list of callbacks. Nothing
            changes then.
        """
        restore(self, read_state(path))

    def arrays(self) -> dict[str, np.ndarray]:
        """The model's parameters and buffers by name: the arrays themselves."""
        return {name: p.data for name, p in self.model.named_parameters()} | self.model.buffers()

    def _check_data(
        self, x: Any, y: Any, batch_size: Any, prefix: str = ""
    ) -> tuple[np.ndarray, np.ndarray, int]:
        x = check_images(x, f"{prefix}x")
        y = self.loss.check_target(y, f"{prefix}y")
        if len(x) != len(y):
            raise ValueError(f"{prefix}x: expected as many samples as targets, got {len(x)} and {len(y)}")
        return x, y, one_int(batch_size, "batch_size")
