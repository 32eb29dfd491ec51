"""A learning rate that falls when the results no longer get better."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .._arrays import gate_number
from .._geometry import one_int
from .callbacks import Callback, Mode, is_rising, monitored
from .optimizers import Optimizer

if TYPE_CHECKING:
    from .trainer import Trainer


class ReduceLROnPlateau(Callback):
    """Lower the optimizer's ``lr`` when a value has not become better for ``patience`` epochs.

    The rule is PyTorch's. ``lr`` itself changes, that of the optimizer and those that groups have of their
    own: schedules start from it.

    Parameters
    ----------
    monitor
        A name of the history.
    mode
        Whether less ("min") or more ("max") is better; "auto": more for an accuracy, else less.
    factor
        What the rate is multiplied by, from 0 to below 1.
    patience
        The number of epochs without a better value that is put up with.
    threshold, threshold_mode
        How much better is better: relative to the best value ("rel"), or in itself ("abs").
    cooldown
        The number of epochs after a reduction in which nothing counts.
    min_lr
        The least rate.
    eps
        A reduction by no more than this is left out.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; after the first epoch, if ``monitor`` is no name of the history.

    Examples
    --------
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD, ReduceLROnPlateau
    >>> optimizer = SGD(Linear(1, 1), lr=0.5)
    >>> plateau = ReduceLROnPlateau(factor=0.1, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     plateau.step(loss, optimizer)
    >>> optimizer.lr
    0.05
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: Mode = "auto",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        self.monitor, self.rising = monitor, is_rising(monitor, mode)
        self.factor = gate_number(factor, "factor", 0.0, math.nextafter(1, 0))
        self.patience, self.cooldown = one_int(patience, "patience", 0), one_int(cooldown, "cooldown", 0)
        self.threshold = gate_number(threshold, "threshold", 0.0)
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode: expected 'rel' or 'abs', got {threshold_mode!r}")
        self.threshold_mode = threshold_mode
        self.min_lr, self.eps = gate_number(min_lr, "min_lr", 0.0), gate_number(eps, "eps", 0.0)
        self.best = -math.inf if self.rising else math.inf
        self.bad, self.cooling = 0, 0

    def _better(self, value: float) -> bool:
        sign = 1 if self.rising else -1
        if self.threshold_mode == "abs":
            return sign * value > sign * self.best + self.threshold
        return sign * value > sign * self.best * (1 + sign * self.threshold)

    def step(self, value: float, optimizer: Optimizer) -> None:
        """Take the newest value, and lower the rate of ``optimizer`` if it is time to."""
        if self._better(value):
            self.best, self.bad = value, 0
        else:
            self.bad += 1
        if self.cooling:
            self.cooling, self.bad = self.cooling - 1, 0
        if self.bad > self.patience:
            self._reduce(optimizer)
            self.bad, self.cooling = 0, self.cooldown

    def _reduce(self, optimizer: Optimizer) -> None:
        shared: set[int] = set()
        for group in optimizer.param_groups:
            own = "lr" in group.own
            old = group["lr"]
            new = max(old * self.factor, self.min_lr)
            if old - new <= self.eps or (not own and id(group.optimizer) in shared):
                continue
            if own:
                group["lr"] = new
            else:
                group.optimizer.lr = new
                shared.add(id(group.optimizer))

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        self.step(monitored(row, self.monitor), trainer.optimizer)

    def state(self) -> dict[str, Any]:
        return {"best": self.best, "bad": self.bad, "cooling": self.cooling}

    def load_state(self, state: dict[str, Any]) -> None:
        self.best, self.bad, self.cooling = state["best"], state["bad"], state["cooling"]
