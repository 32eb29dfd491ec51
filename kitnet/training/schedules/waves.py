"""Schedules that go up and down: cosines, with and without restarts, and cycles of rate and momentum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..._arrays import gate_number
from ..._geometry import one_int
from .base import Schedule
from .decay import power


def one_of(value: str, name: str, allowed: tuple[str, ...]) -> None:
    """ValueError where ``value`` is not allowed."""
    if value not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(map(repr, allowed))}, got {value!r}")


def half_wave(start: float, end: float, progress: float) -> float:
    """From ``start`` at 0 to ``end`` at 1 along half a cosine wave."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class Cosine(Schedule):
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
        one_int(self.warmup, "warmup", 0)
        one_int(self.steps, "steps", self.warmup + 1)
        gate_number(self.floor, "floor", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        if step < self.warmup:
            return lr * (step + 1) / self.warmup
        progress = min(1.0, (step - self.warmup) / (self.steps - self.warmup))
        return lr * half_wave(1.0, self.floor, progress)


@dataclass(frozen=True)
class CosineAnnealingLR(Schedule):
    """A cosine wave from the rate down to ``eta_min`` (a rate, not a factor) at step ``T_max``, and up again.

    >>> from kitnet.training.schedules import CosineAnnealingLR
    >>> schedule = CosineAnnealingLR(10, eta_min=0.1)
    >>> [round(schedule(step, 0.5), 3) for step in (0, 5, 10, 15, 20)]
    [0.5, 0.3, 0.1, 0.3, 0.5]
    """

    T_max: int
    eta_min: float = 0.0

    def __post_init__(self) -> None:
        one_int(self.T_max, "T_max")
        gate_number(self.eta_min, "eta_min", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return half_wave(lr, self.eta_min, step / self.T_max)


@dataclass(frozen=True)
class CosineAnnealingWarmRestarts(Schedule):
    """Half a cosine wave from the rate to ``eta_min`` over ``T_0`` steps, again and again.

    Each is ``T_mult`` times as long as the one before. (Loshchilov and Hutter, "SGDR", 2017.)

    >>> from kitnet.training.schedules import CosineAnnealingWarmRestarts
    >>> schedule = CosineAnnealingWarmRestarts(10, T_mult=2)
    >>> [round(schedule(step), 3) for step in (0, 5, 10, 20, 30)]
    [1.0, 0.5, 1.0, 0.5, 1.0]
    """

    T_0: int
    T_mult: int = 1
    eta_min: float = 0.0

    def __post_init__(self) -> None:
        one_int(self.T_0, "T_0")
        one_int(self.T_mult, "T_mult")
        gate_number(self.eta_min, "eta_min", 0.0)

    def __call__(self, step: int, lr: float = 1.0) -> float:
        length = self.T_0
        if self.T_mult == 1:
            step %= length
        while step >= length:
            step -= length
            length *= self.T_mult
        return half_wave(lr, self.eta_min, step / length)


@dataclass(frozen=True)
class CyclicLR(Schedule):
    """Up from ``base_lr`` to ``max_lr`` and down again, along straight lines, again and again.

    The optimizer's own ``lr`` has no say. The height of a cycle is halved from each to the next by mode
    "triangular2", and multiplied by ``gamma`` at each step by "exp_range"; or ``scale_fn`` says what it is
    multiplied by, as a function of the number of the cycle, from 1, or of the step (``scale_mode``
    "iterations"). With ``cycle_momentum`` the momentum (beta1, where there are betas) goes the other way.
    (Smith, "Cyclical learning rates for training neural networks", 2017.)

    >>> from kitnet.training.schedules import CyclicLR
    >>> schedule = CyclicLR(0.25, 1.25, step_size_up=2, mode="triangular2")
    >>> [schedule(step) for step in range(8)]
    [0.25, 0.75, 1.25, 0.75, 0.25, 0.5, 0.75, 0.5]
    >>> round(schedule.momentum(2), 3)
    0.8
    """

    base_lr: float
    max_lr: float
    step_size_up: int = 2000
    step_size_down: int | None = None
    mode: str = "triangular"
    gamma: float = 1.0
    scale_fn: Callable[[float], float] | None = None
    scale_mode: str = "cycle"
    cycle_momentum: bool = True
    base_momentum: float = 0.8
    max_momentum: float = 0.9

    def __post_init__(self) -> None:
        for name in ("base_lr", "max_lr", "gamma", "base_momentum", "max_momentum"):
            gate_number(getattr(self, name), name, 0.0)
        one_int(self.step_size_up, "step_size_up")
        if self.step_size_down is not None:
            one_int(self.step_size_down, "step_size_down")
        one_of(self.mode, "mode", ("triangular", "triangular2", "exp_range"))
        one_of(self.scale_mode, "scale_mode", ("cycle", "iterations"))

    def _height(self, step: int) -> float:
        """Of the place in the cycle, from 0 to 1, times the height of the cycle."""
        up, down = self.step_size_up, self.step_size_down or self.step_size_up
        cycle, at = divmod(step, up + down)
        height = at / up if at <= up else (up + down - at) / down
        if self.scale_fn is not None:
            return height * self.scale_fn(1 + cycle if self.scale_mode == "cycle" else step)
        if self.mode == "triangular2":
            return height * power(0.5, cycle)
        return height * power(self.gamma, step) if self.mode == "exp_range" else height

    def __call__(self, step: int, lr: float = 1.0) -> float:
        return self.base_lr + (self.max_lr - self.base_lr) * self._height(step)

    def momentum(self, step: int) -> float | None:
        if not self.cycle_momentum:
            return None
        return self.max_momentum - (self.max_momentum - self.base_momentum) * self._height(step)


@dataclass(frozen=True)
class OneCycleLR(Schedule):
    """One cycle over the whole training: up to ``max_lr``, and down to far below where it began.

    From max_lr / div_factor up over the share ``pct_start`` of all steps, then down to max_lr / div_factor
    / final_div_factor, where it stays; with ``three_phase`` down in as many steps as up, and then to the
    end. The optimizer's own ``lr`` has no say. With ``cycle_momentum`` the momentum (beta1, where there are
    betas) goes the other way. ``anneal_strategy`` is "cos" or "linear". (Smith and Topin,
    "Super-convergence", 2018.)

    >>> from kitnet.training.schedules import OneCycleLR
    >>> schedule = OneCycleLR(1.0, total_steps=11, pct_start=0.5, div_factor=2.0, anneal_strategy="linear")
    >>> [round(schedule(step), 3) for step in (0, 4, 10, 99)]
    [0.5, 0.944, 0.0, 0.0]
    >>> round(schedule.momentum(0), 3)
    0.95
    """

    max_lr: float
    total_steps: int | None = None
    epochs: int | None = None
    steps_per_epoch: int | None = None
    pct_start: float = 0.3
    anneal_strategy: str = "cos"
    cycle_momentum: bool = True
    base_momentum: float = 0.85
    max_momentum: float = 0.95
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    three_phase: bool = False

    def __post_init__(self) -> None:
        if self.total_steps is None:
            if self.epochs is None or self.steps_per_epoch is None:
                raise ValueError("total_steps: expected an int, or epochs and steps_per_epoch, got None")
            steps = one_int(self.epochs, "epochs") * one_int(self.steps_per_epoch, "steps_per_epoch")
            object.__setattr__(self, "total_steps", steps)
        one_int(self.total_steps, "total_steps")
        gate_number(self.pct_start, "pct_start", 0.0, 1.0)
        one_of(self.anneal_strategy, "anneal_strategy", ("cos", "linear"))
        for name in ("max_lr", "base_momentum", "max_momentum"):
            gate_number(getattr(self, name), name, 0.0)
        for name in ("div_factor", "final_div_factor"):
            gate_number(getattr(self, name), name, math.nextafter(0, 1))

    def _between(self, step: int, points: tuple[float, ...]) -> float:
        """The value at ``step`` on the way along ``points``: two lead up, one or two down."""
        assert self.total_steps is not None
        last = self.total_steps - 1
        top = self.pct_start * self.total_steps - 1
        ends = (top, 2 * top, last) if self.three_phase else (top, last)
        begin, phase = 0.0, 0
        while phase < len(ends) - 1 and step > ends[phase]:
            begin, phase = ends[phase], phase + 1
        length = ends[phase] - begin
        progress = min(1.0, (step - begin) / length) if length > 0 else 1.0
        start, end = points[phase], points[phase + 1]
        if self.anneal_strategy == "cos":
            return half_wave(start, end, progress)
        return (end - start) * progress + start

    def __call__(self, step: int, lr: float = 1.0) -> float:
        first = self.max_lr / self.div_factor
        final = first / self.final_div_factor
        points = (first, self.max_lr, first, final) if self.three_phase else (first, self.max_lr, final)
        return self._between(step, points)

    def momentum(self, step: int) -> float | None:
        if not self.cycle_momentum:
            return None
        low, high = self.base_momentum, self.max_momentum
        return self._between(step, (high, low, high, high))
