"""Schedules that go one way: by steps, along a line or a power."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ..._arrays import gate_number
from ..._geometry import one_int
from .base import Schedule


def power(base: float, exponent: int) -> float:
    """``base ** exponent``, infinite instead of an error where it is too large."""
    try:
        return float(base**exponent)
    except OverflowError:
        return math.inf


@dataclass(frozen=True)
class StepLR(Schedule):
    """``gamma`` times as much every ``step_size`` steps: gamma ** (step // step_size).

    >>> from kitnet.training.schedules import StepLR
    >>> schedule = StepLR(100, gamma=0.5)
    >>> [schedule(step) for step in (0, 99, 100, 200)]
    [1.0, 1.0, 0.5, 0.25]
    """

    step_size: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        one_int(self.step_size, "step_size")
        gate_number(self.gamma, "gamma", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * power(self.gamma, step // self.step_size)


@dataclass(frozen=True)
class MultiStepLR(Schedule):
    """``gamma`` times as much from each of the ``milestones`` on.

    >>> from kitnet.training.schedules import MultiStepLR
    >>> schedule = MultiStepLR([30, 80], gamma=0.5)
    >>> [schedule(step) for step in (29, 30, 79, 80)]
    [1.0, 0.5, 0.5, 0.25]
    """

    milestones: Sequence[int]
    gamma: float = 0.1

    def __post_init__(self) -> None:
        steps = sorted(one_int(step, "milestones", 0) for step in self.milestones)
        object.__setattr__(self, "milestones", tuple(steps))
        gate_number(self.gamma, "gamma", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * power(self.gamma, bisect_right(self.milestones, step))


@dataclass(frozen=True)
class ConstantLR(Schedule):
    """``factor`` for the first ``total_iters`` steps, then 1.

    >>> from kitnet.training.schedules import ConstantLR
    >>> schedule = ConstantLR(0.5, total_iters=4)
    >>> [schedule(step) for step in (0, 3, 4)]
    [0.5, 0.5, 1.0]
    """

    factor: float = 1.0 / 3
    total_iters: int = 5

    def __post_init__(self) -> None:
        gate_number(self.factor, "factor", 0.0, 1.0)
        one_int(self.total_iters, "total_iters", 0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * (self.factor if step < self.total_iters else 1.0)


@dataclass(frozen=True)
class LinearLR(Schedule):
    """A straight line from ``start_factor`` to ``end_factor`` at step ``total_iters``, where it stays.

    >>> from kitnet.training.schedules import LinearLR
    >>> schedule = LinearLR(0.5, total_iters=4)
    >>> [schedule(step) for step in range(6)]
    [0.5, 0.625, 0.75, 0.875, 1.0, 1.0]
    """

    start_factor: float = 1.0 / 3
    end_factor: float = 1.0
    total_iters: int = 5

    def __post_init__(self) -> None:
        gate_number(self.start_factor, "start_factor", 0.0, 1.0)
        gate_number(self.end_factor, "end_factor", 0.0, 1.0)
        one_int(self.total_iters, "total_iters")

    def __call__(self, step: int, lr: float = 1.0) -> float:
        way = self.end_factor - self.start_factor
        return lr * (self.start_factor + way * min(self.total_iters, step) / self.total_iters)


@dataclass(frozen=True)
class ExponentialLR(Schedule):
    """``gamma`` times as much at every step.

    >>> from kitnet.training.schedules import ExponentialLR
    >>> ExponentialLR(0.5)(3)
    0.125
    """

    gamma: float

    def __post_init__(self) -> None:
        gate_number(self.gamma, "gamma", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * power(self.gamma, step)


@dataclass(frozen=True)
class PolynomialLR(Schedule):
    """(1 - step / total_iters) ** power, down to 0 at step ``total_iters``, where it stays.

    >>> from kitnet.training.schedules import PolynomialLR
    >>> schedule = PolynomialLR(total_iters=4, power=2.0)
    >>> [schedule(step) for step in (0, 2, 4, 5)]
    [1.0, 0.25, 0.0, 0.0]
    """

    total_iters: int = 5
    power: float = 1.0

    def __post_init__(self) -> None:
        one_int(self.total_iters, "total_iters")
        gate_number(self.power, "power", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        left = 1 - min(self.total_iters, step) / self.total_iters
        return lr * float(left**self.power)
