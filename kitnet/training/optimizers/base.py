"""What every optimizer is: groups of parameters with their options, state in flat arrays, and a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ..._arrays import gate_number
from ...layers import Layer
from ..schedules import Schedule, as_schedule
from .groups import Group, lay_out, make_groups

Check: TypeAlias = "Callable[[Any, str], Any]"
Rate: TypeAlias = "Schedule | Callable[[int], float] | None"

BELOW_1 = float(np.nextafter(1, 0))


def number(least: float = -math.inf, most: float = math.inf) -> Check:
    """The check of an option that is a number from ``least`` to ``most``."""
    return lambda value, name: gate_number(value, name, least, most)


def switch(value: Any, name: str) -> bool:
    """The check of an option that is on or off."""
    return bool(value)


def numbers(*checks: Check) -> Check:
    """The check of an option that is a tuple of numbers."""

    def check(values: Any, name: str) -> tuple[Any, ...]:
        if not isinstance(values, (tuple, list)) or len(values) != len(checks):
            raise TypeError(f"{name}: expected {len(checks)} numbers, got {values!r}")
        return tuple(one(value, name) for one, value in zip(checks, values, strict=True))

    return check


not_negative, fraction = number(0), number(0, BELOW_1)
fractions = numbers(fraction, fraction)


class Optimizer:
    """The base of every optimizer: parameters and gradients as one array each, options by groups, and a step.

    A subclass names its options, each with a check, in ``hyper``, and its state arrays, zero at the start, in
    ``slots``; hands the options to this constructor; and defines ``_update``, which is called once a step for
    each group. It finds the options in the group, and views of the arrays in the runs of the group.

    Parameters
    ----------
    model
        The model to train. Its parameters move into one flat array (``model.flatten_parameters()``).
    lr
        The learning rate; the attribute may be changed between steps. ``last_lr`` is what the last step used.
    schedule
        What makes the rate of a step of ``lr`` and the number of steps taken: see
        ``kitnet.training.schedules``. A plain function makes a factor of the number of steps.
    params
        What to train. None: all parameters. Else names, patterns of names ("*.bias"), ``Parameter``
        objects, layers, or lists of these; or groups, as PyTorch has them: a list of dicts with such
        ``"params"`` and options that differ from the others', ``"lr"`` and ``"schedule"`` among them. A
        parameter belongs to the first group that names it, and is left alone if none does.

    Attributes
    ----------
    param_groups
        The groups: ``optimizer.param_groups[0]["lr"] = 0.1``.
    steps
        The number of steps taken.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def _update(self, group, lr):
    ...         for run in group.runs:
    ...             run.data -= lr * np.sign(run.grad)
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = SignDescent(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[1000.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar[Mapping[str, Check]] = {}
    slots: tuple[str, ...] = ()
    apart: ClassVar[bool] = False
    """Whether steps look at one parameter at a time, in its own shape."""

    lr: float
    schedule: Schedule

    def __init__(
        self, model: Layer, lr: float, schedule: Rate = None, params: Any = None, **options: Any
    ) -> None:
        if not isinstance(model, Layer):
            raise TypeError(f"model: expected a kitnet layer or model, got {type(model).__name__}")
        self.options = ("lr", "schedule", *self.hyper)
        for name, value in {"lr": lr, "schedule": schedule, **options}.items():
            setattr(self, name, self.checked(name, value))
        self.param_groups = make_groups(self, model, params)
        for group in self.param_groups:
            self._schedule(group, 0)
            self._check(group)
        model.flatten_parameters()
        data, grad = model.flat_data, model.flat_grad
        assert data is not None
        assert grad is not None
        self.data, self.grad = data, grad
        self.steps = 0
        self._make_slots(model)

    def checked(self, name: str, value: Any) -> Any:
        """The value of an option as it is kept; TypeError or ValueError where it is none."""
        if name == "lr":
            return gate_number(value, name, 0)
        if name == "schedule":
            return as_schedule(value)
        if name not in self.hyper:
            raise ValueError(f"params: expected options among {', '.join(self.options)}, got {name!r}")
        return self.hyper[name](value, name)

    def _check(self, group: Group) -> None:
        """ValueError where options of a group do not go together."""

    def _make_slots(self, model: Layer) -> None:
        """State arrays, flat ones, and their views in the runs."""
        runs = lay_out(self, model, self.apart)
        for slot in self.slots:
            shapes = [self._slot_shape(slot, run.shape) for run in runs]
            ends = np.cumsum([0, *map(math.prod, shapes)]).tolist()
            flat = np.zeros(ends[-1], self.data.dtype)
            setattr(self, slot, flat)
            for run, shape, start, end in zip(runs, shapes, ends[:-1], ends[1:], strict=True):
                setattr(run, slot, flat[start:end].reshape(shape))

    def _slot_shape(self, slot: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of a slot for a run of ``shape``."""
        return shape

    # Steps

    @property
    def last_lr(self) -> float:
        """The rate of the first group in the last step."""
        return self.param_groups[0].last_lr

    def _schedule(self, group: Group, step: int) -> float:
        """The rate of a step; the schedule's momentum, if it has one, becomes the group's own."""
        schedule: Schedule = group["schedule"]
        momentum = schedule.momentum(step)
        if momentum is not None:
            if "betas" in self.hyper:
                group["betas"] = (momentum, *group["betas"][1:])
            elif "momentum" in self.hyper:
                group["momentum"] = momentum
            else:
                raise ValueError(
                    f"schedule: expected one without a momentum (cycle_momentum=False), as "
                    f"{type(self).__name__} has none, got {schedule}"
                )
        group.last_lr = schedule(step, group["lr"])
        return group.last_lr

    def _update(self, group: Group, lr: float) -> None:
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines _update")

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self.grad.fill(0)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Change all parameters once, by their gradients.

        ``closure``, if there is one, is called first: it computes the gradients anew, and returns the loss,
        which is returned then.
        """
        loss = None if closure is None else closure()
        taken = self.steps
        self.steps += 1
        for group in self.param_groups:
            self._update(group, self._schedule(group, taken))
        return loss

    # State

    def state(self) -> dict[str, Any]:
        """All that the next steps depend on, but for the parameters and the schedules (functions)."""
        return {
            "class": type(self).__name__,
            "steps": self.steps,
            **{name: getattr(self, name) for name in self.options if name != "schedule"},
            "groups": [
                {
                    "params": group.names,
                    "own": {name: value for name, value in group.own.items() if name != "schedule"},
                    "memory": dict(group.memory),
                }
                for group in self.param_groups
            ],
            **{slot: getattr(self, slot).copy() for slot in self.slots},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimizer or of other parameters; nothing changes then.
        """
        self.check_state(state)
        self.steps = state["steps"]
        for name in self.options:
            if name != "schedule":
                setattr(self, name, self.checked(name, state[name]))
        for group, saved in zip(self.param_groups, state["groups"], strict=True):
            schedule = {name: value for name, value in group.own.items() if name == "schedule"}
            group.own = schedule | {name: self.checked(name, value) for name, value in saved["own"].items()}
            group.memory = dict(saved["memory"])
        for slot in self.slots:
            getattr(self, slot)[...] = state[slot]

    def _names(self) -> set[str]:
        """What a state holds."""
        return {"class", "steps", "groups", *self.options, *self.slots} - {"schedule"}

    def check_state(self, state: dict[str, Any]) -> None:
        """ValueError if ``load_state`` cannot take ``state``."""
        if (found := state.get("class")) != type(self).__name__:
            raise ValueError(f"optimizer: expected the state of {type(self).__name__}, got that of {found}")
        if set(state) != (expected := self._names()):
            raise ValueError(f"optimizer: expected a state with {sorted(expected)}, got {sorted(state)}")
        for name in self.options:
            if name != "schedule":
                self.checked(name, state[name])
        members = [group["params"] for group in state["groups"]]
        if members != (mine := [group.names for group in self.param_groups]):
            raise ValueError(f"optimizer: expected groups of {mine}, got {members}")
        for group in state["groups"]:
            for name, value in group["own"].items():
                self.checked(name, value)
        for slot in self.slots:
            shape, saved_shape = getattr(self, slot).shape, np.shape(state[slot])
            if shape != saved_shape:
                raise ValueError(f"optimizer: expected {slot} of shape {shape}, got {saved_shape}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options if name != "schedule")
        return f"{type(self).__name__}({shown})"
