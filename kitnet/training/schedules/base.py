"""What a schedule is, and those that are functions of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..._arrays import gate_number


class Schedule:
    """The base of every schedule: a subclass defines ``__call__``, and ``momentum`` if it moves that, too.

    >>> from kitnet.training.schedules import Schedule
    >>> class Inverse(Schedule):
    ...     def __call__(self, step, lr=1.0):
    ...         return lr / (1 + step)
    >>> Inverse()(3, 0.1)
    0.025
    """

    def __call__(self, step: int, lr: float = 1.0) -> float:
        """The rate of the step after ``step`` others, of an optimizer whose own rate is ``lr``."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines __call__")

    def momentum(self, step: int) -> float | None:
        """The momentum (or beta1) of that step; None to leave it alone."""
        return None


def as_schedule(schedule: Any, name: str = "schedule") -> Schedule:
    """``schedule`` itself; ``LambdaLR`` for a plain function, ``Constant`` for None.

    >>> from kitnet.training.schedules import as_schedule
    >>> as_schedule(lambda step: 0.5**step)(2, 0.1)
    0.025
    """
    if schedule is None:
        return Constant()
    if isinstance(schedule, Schedule):
        return schedule
    if not callable(schedule) or isinstance(schedule, type):
        raise TypeError(f"{name}: expected a schedule or a function of the number of steps, got {schedule!r}")
    return LambdaLR(schedule)


@dataclass(frozen=True)
class Constant(Schedule):
    """The same factor at every step.

    >>> from kitnet.training.schedules import Constant
    >>> Constant()(1000), Constant(0.5)(1000, 0.1)
    (1.0, 0.05)
    """

    factor: float = 1.0

    def __post_init__(self) -> None:
        gate_number(self.factor, "factor", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * self.factor


@dataclass(frozen=True)
class LambdaLR(Schedule):
    """The factor that a function makes of the number of steps.

    >>> from kitnet.training.schedules import LambdaLR
    >>> LambdaLR(lambda step: 0.5**step)(2, 0.1)
    0.025
    """

    lr_lambda: Callable[[int], float]

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return lr * self.lr_lambda(step)


@dataclass(frozen=True)
class MultiplicativeLR(Schedule):
    """The product of a function's values at all steps from 1 to this one.

    >>> from kitnet.training.schedules import MultiplicativeLR
    >>> schedule = MultiplicativeLR(lambda step: 1 / step)
    >>> [schedule(step) for step in (0, 1, 2, 4)]
    [1.0, 1.0, 0.5, 0.041666666666666664]
    """

    lr_lambda: Callable[[int], float]
    _reached: list[Any] = field(default_factory=lambda: [0, 1.0], init=False, repr=False, compare=False)
    """The last step, and its product: steps come one after the other. The value depends on the step alone."""

    def __call__(self, step: int, lr: float = 1.0) -> float:
        reached, product = self._reached if self._reached[0] <= step else (0, 1.0)
        for i in range(reached + 1, step + 1):
            product *= self.lr_lambda(i)
        self._reached[:] = step, product
        return lr * product
