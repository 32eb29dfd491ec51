"""Learning-rate schedules: functions from the number of steps taken to a factor of the learning rate.

An optimizer takes any such function as its ``schedule``; these are the usual ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Schedule: TypeAlias = "Callable[[int], float]"


def _at_least(value: float, least: float, name: str) -> None:
    if not value >= least:
        raise ValueError(f"{name}: expected at least {least}, got {value!r}")


@dataclass(frozen=True)
class Constant:
    """The same factor at every step.

    >>> from kitnet.training.schedules import Constant
    >>> Constant()(1000)
    1.0
    """

    factor: float = 1.0

    def __call__(self, step: int) -> float:
        return self.factor


@dataclass(frozen=True)
class Step:
    """``gamma`` times less every ``size`` steps: gamma ** (step // size), as PyTorch's StepLR.

    >>> from kitnet.training.schedules import Step
    >>> schedule = Step(size=100, gamma=0.5)
    >>> [schedule(step) for step in (0, 99, 100, 200)]
    [1.0, 1.0, 0.5, 0.25]
    """

    size: int
    gamma: float = 0.1

    def __post_init__(self) -> None:
        _at_least(self.size, 1, "size")
        _at_least(self.gamma, 0, "gamma")

    def __call__(self, step: int) -> float:
        return float(self.gamma ** (step // self.size))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine wave from 1 to ``floor`` at step ``steps``, after a linear rise over ``warmup`` steps.

    The factor stays at ``floor`` afterwards. (Loshchilov and Hutter, "SGDR", 2017; without restarts.)

    >>> from kitnet.training.schedules import Cosine
    >>> schedule = Cosine(steps=100, warmup=10)
    >>> [round(schedule(step), 3) for step in (0, 9, 10, 55, 100, 1000)]
    [0.1, 1.0, 1.0, 0.5, 0.0, 0.0]
    """

    steps: int
    warmup: int = 0
    floor: float = 0.0

    def __post_init__(self) -> None:
        _at_least(self.warmup, 0, "warmup")
        _at_least(self.steps, self.warmup + 1, "steps")

    def __call__(self, step: int) -> float:
        if step < self.warmup:
            return (step + 1) / self.warmup
        progress = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2
