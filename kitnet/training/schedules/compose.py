"""Schedules made of schedules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..._arrays import gate_number
from ..._geometry import one_int
from .base import Constant, Schedule, as_schedule
from .waves import half_wave, one_of

Part: TypeAlias = "Schedule | Callable[[int], float]"


def _parts(schedules: Sequence[Part]) -> tuple[Schedule, ...]:
    parts = tuple(as_schedule(schedule, "schedulers") for schedule in schedules)
    if not parts:
        raise ValueError("schedulers: expected at least 1 schedule, got none")
    return parts


@dataclass(frozen=True)
class SequentialLR(Schedule):
    """One schedule after the other: the next begins, at its step 0, at each of the ``milestones``.

    >>> from kitnet.training.schedules import ExponentialLR, LinearLR, SequentialLR
    >>> schedule = SequentialLR([LinearLR(0.25, total_iters=3), ExponentialLR(0.5)], milestones=[3])
    >>> [schedule(step) for step in range(6)]
    [0.25, 0.5, 0.75, 1.0, 0.5, 0.25]
    """

    schedulers: Sequence[Part]
    milestones: Sequence[int]
    _schedules: tuple[Schedule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_schedules", _parts(self.schedulers))
        steps = tuple(one_int(step, "milestones", 0) for step in self.milestones)
        n = len(self._schedules) - 1
        if len(steps) != n or list(steps) != sorted(set(steps)):
            raise ValueError(f"milestones: expected {n} ascending numbers of steps, got {self.milestones}")

    def _at(self, step: int) -> tuple[Schedule, int]:
        """The schedule that is on, and the steps that it has taken."""
        index = bisect_right(self.milestones, step)
        return self._schedules[index], step - (self.milestones[index - 1] if index else 0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        schedule, own_step = self._at(step)
        return schedule(own_step, lr)

    def momentum(self, step: int) -> float | None:
        schedule, own_step = self._at(step)
        return schedule.momentum(own_step)


@dataclass(frozen=True)
class ChainedScheduler(Schedule):
    """Several schedules at once: what one makes of the rate is the rate that the next one starts from.

    That is the product of the factors, for schedules that are factors. (In PyTorch those that are computed
    from the first rate, such as ``LambdaLR``, forget the ones in front of them.)

    >>> from kitnet.training.schedules import ChainedScheduler, ConstantLR, ExponentialLR
    >>> schedule = ChainedScheduler([ConstantLR(0.5, total_iters=2), ExponentialLR(0.5)])
    >>> [schedule(step) for step in range(4)]
    [0.5, 0.25, 0.25, 0.125]
    """

    schedulers: Sequence[Part]
    _schedules: tuple[Schedule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_schedules", _parts(self.schedulers))

    def __call__(self, step: int, lr: float = 1.0) -> float:
        for schedule in self._schedules:
            lr = schedule(step, lr)
        return lr

    def momentum(self, step: int) -> float | None:
        values = [value for part in self._schedules if (value := part.momentum(step)) is not None]
        return values[-1] if values else None


@dataclass(frozen=True)
class Warmup(Schedule):
    """A linear rise over the first ``steps`` steps to where ``schedule`` begins, then ``schedule``.

    Step i of the rise has the factor (i + 1) / steps, so that no step is in vain. (Goyal et al., "Accurate,
    large minibatch SGD", 2017.)

    >>> from kitnet.training.schedules import ExponentialLR, Warmup
    >>> schedule = Warmup(ExponentialLR(0.5), steps=4)
    >>> [schedule(step) for step in range(7)]
    [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.25]
    """

    schedule: Part
    steps: int
    _schedule: Schedule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_int(self.steps, "steps")
        object.__setattr__(self, "_schedule", as_schedule(self.schedule))

    def __call__(self, step: int, lr: float = 1.0) -> float:
        if step < self.steps:
            return self._schedule(0, lr) * (step + 1) / self.steps
        return self._schedule(step - self.steps, lr)

    def momentum(self, step: int) -> float | None:
        return self._schedule.momentum(max(0, step - self.steps))


@dataclass(frozen=True)
class PerEpoch(Schedule):
    """``schedule`` counted in epochs of so many steps each.

    >>> from kitnet.training.schedules import PerEpoch, StepLR
    >>> schedule = PerEpoch(StepLR(30, gamma=0.5), steps_per_epoch=100)
    >>> [schedule(step) for step in (2999, 3000)]
    [1.0, 0.5]
    """

    schedule: Part
    steps_per_epoch: int
    _schedule: Schedule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        one_int(self.steps_per_epoch, "steps_per_epoch")
        object.__setattr__(self, "_schedule", as_schedule(self.schedule))

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return self._schedule(step // self.steps_per_epoch, lr)

    def momentum(self, step: int) -> float | None:
        return self._schedule.momentum(step // self.steps_per_epoch)


@dataclass(frozen=True)
class SWALR(Schedule):
    """From where ``schedule`` is at step ``start`` to the rate ``swa_lr`` within ``anneal_epochs`` steps.

    The rate stays there, which is what weights are averaged at (``kitnet.training.AveragedModel``).
    ``anneal_strategy`` is "cos" or "linear". (Izmailov et al., "Averaging weights leads to wider optima and
    better generalization", 2018.)

    >>> from kitnet.training.schedules import SWALR
    >>> schedule = SWALR(0.5, anneal_epochs=2, anneal_strategy="linear", start=10)
    >>> [schedule(step) for step in (0, 10, 11, 12, 13)]
    [1.0, 1.0, 0.75, 0.5, 0.5]
    """

    swa_lr: float
    anneal_epochs: int = 10
    anneal_strategy: str = "cos"
    schedule: Part = field(default_factory=Constant)
    start: int = 0
    _schedule: Schedule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        gate_number(self.swa_lr, "swa_lr", 0.0)
        one_int(self.anneal_epochs, "anneal_epochs", 0)
        one_of(self.anneal_strategy, "anneal_strategy", ("cos", "linear"))
        one_int(self.start, "start", 0)
        object.__setattr__(self, "_schedule", as_schedule(self.schedule))

    def __call__(self, step: int, lr: float = 1.0) -> float:
        begun = self._schedule(min(step, self.start), lr)
        if step < self.start:
            return begun
        progress = min(1.0, (step - self.start) / self.anneal_epochs) if self.anneal_epochs else 1.0
        if self.anneal_strategy == "cos":
            return half_wave(begun, self.swa_lr, progress)
        return begun + (self.swa_lr - begun) * progress

    def momentum(self, step: int) -> float | None:
        return self._schedule.momentum(min(step, self.start))
