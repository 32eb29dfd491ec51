"""L-BFGS: a quasi-Newton method for whole batches, with a line search for the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np

from ..._geometry import one_int
from ...functional.updates.gates import inner, move
from ...layers import Layer
from .base import Optimizer, Rate, not_negative
from .groups import Group


class Point(NamedTuple):
    """What is known at the step ``t`` along a direction: the loss, its gradient, and the slope."""

    t: float
    loss: float
    grad: np.ndarray
    slope: float


def interpolate(a: Point, b: Point, low: float, high: float) -> float:
    """The minimum within bounds of the cubic that has both points' losses and slopes; else the middle."""
    if a.t > b.t:
        a, b = b, a
    middle = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = middle**2 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    root = math.sqrt(square)
    at = b.t - (b.t - a.t) * ((b.slope + root - middle) / (b.slope - a.slope + 2 * root))
    return min(max(at, low), high)


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, reach: float, most: int
) -> tuple[Point, int]:
    """A point that has fallen enough (c1 = 1e-4) and is flat enough (c2 = 0.9), and how many were looked at.

    First steps grow until they bracket such a point, then the bracket shrinks around it. ``reach`` is the
    largest element of the direction. (Nocedal and Wright, "Numerical optimization", 2006, algorithms 3.5
    and 3.6.)
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + 1e-4 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -0.9 * start.slope

    before, point, looks, rounds = start, evaluate(t), 1, 0
    bracket, done = [start, point], False
    while rounds < most:
        if too_high(point) or (rounds > 1 and point.loss >= before.loss):
            bracket = [before, point]
            break
        if flat(point):
            return point, looks
        if point.slope >= 0:
            bracket = [before, point]
            break
        t = interpolate(before, point, point.t + 0.01 * (point.t - before.t), 10 * point.t)
        before, point = point, evaluate(t)
        bracket, looks, rounds = [start, point], looks + 1, rounds + 1

    stuck = False
    low, high = sorted((0, 1), key=lambda i: bracket[i].loss)
    while not done and rounds < most and abs(bracket[1].t - bracket[0].t) * reach >= 1e-9:
        least, largest = sorted((bracket[0].t, bracket[1].t))
        t = interpolate(bracket[0], bracket[1], least, largest)
        margin = 0.1 * (largest - least)
        near = min(largest - t, t - least) < margin
        if near and (stuck or t >= largest or t <= least):
            t = largest - margin if abs(t - largest) < abs(t - least) else least + margin
            near = False
        stuck = near
        point, looks, rounds = evaluate(t), looks + 1, rounds + 1
        if too_high(point) or point.loss >= bracket[low].loss:
            bracket[high] = point
            low, high = sorted((0, 1), key=lambda i: bracket[i].loss)
        else:
            done = flat(point)
            if not done and point.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = point
    return bracket[low], looks


def _optional_count(value: Any, name: str) -> int | None:
    return None if value is None else one_int(value, name)


def _line_search(value: Any, name: str) -> str | None:
    if value not in (None, "strong_wolfe"):
        raise ValueError(f"{name}: expected None or 'strong_wolfe', got {value!r}")
    return value


class LBFGS(Optimizer):
    """L-BFGS (PyTorch's algorithm): steps by the inverse of a curvature that is learned from past steps.

    For whole batches and no dropout: it relies on the loss being the same function at each call.
    ``step(closure)`` calls the closure, which computes the gradients anew and returns the loss, several
    times.

    Parameters
    ----------
    model, schedule, params
        As ``Optimizer`` has them; all parameters in one group.
    lr
        The length of a step, or the first that the line search tries.
    max_iter
        Steps in a call of ``step``.
    max_eval
        Calls of the closure in a call of ``step``, about; None for 5/4 of max_iter.
    tolerance_grad, tolerance_change
        Stop where no gradient, or no change, is larger.
    history_size
        How many steps to remember: each takes the memory of two models.
    line_search_fn
        None, or "strong_wolfe".

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Liu and Nocedal, "On the limited memory BFGS method for large scale optimization", 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import LBFGS
    >>> model = Linear(2, 1, bias=False, dtype=np.float64)
    >>> goal = np.array([[3.0, -1.0]])
    >>> optimizer = LBFGS(model, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     model.weight.accumulate(4 * (model.weight.data - goal) ** 3)
    ...     return float(((model.weight.data - goal) ** 4).sum())
    >>> loss = optimizer.step(closure)
    >>> bool(closure() < 1e-6)
    True
    """

    hyper: ClassVar = {
        "max_iter": one_int,
        "max_eval": _optional_count,
        "tolerance_grad": not_negative,
        "tolerance_change": not_negative,
        "history_size": one_int,
        "line_search_fn": _line_search,
    }
    slots: tuple[str, ...] = ("d", "prev_flat_grad")
    d: np.ndarray
    prev_flat_grad: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
        *,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model,
            lr,
            schedule,
            params,
            max_iter=max_iter,
            max_eval=max_eval,
            tolerance_grad=tolerance_grad,
            tolerance_change=tolerance_change,
            history_size=history_size,
            line_search_fn=line_search_fn,
        )
        self.old_dirs: list[np.ndarray] = []
        self.old_stps: list[np.ndarray] = []
        self.param_groups[0].memory.update(func_evals=0, n_iter=0, t=0.0, H_diag=1.0, prev_loss=0.0, ro=[])

    def _check(self, group: Group) -> None:
        if len(self.param_groups) != 1:
            raise ValueError(f"params: expected one group, got {len(self.param_groups)}")

    def _flat_grad(self) -> np.ndarray:
        """A copy of the gradients of all that is trained."""
        return np.concatenate([run.grad for run in self.param_groups[0].runs])

    def _advance(self, t: float, direction: np.ndarray) -> None:
        """Parameters += t direction"""
        start = 0
        for run in self.param_groups[0].runs:
            move(run.data, direction[start : start + run.data.size], -t)
            start += run.data.size

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Up to ``max_iter`` steps; the loss before the first, which the first call of ``closure`` returned.

        Raises
        ------
        TypeError
            If there is no closure.
        """
        if closure is None:
            raise TypeError("closure: expected a function that makes gradients and returns a loss, got None")
        with np.errstate(all="ignore"):
            return self._step(closure)

    def _step(self, closure: Callable[[], float]) -> float:
        (group,) = self.param_groups
        memory, tolerance = group.memory, group["tolerance_change"]
        most = group["max_eval"] or group["max_iter"] * 5 // 4
        lr = self._schedule(group, self.steps)
        self.steps += 1
        first = loss = float(closure())
        grad = self._flat_grad()
        calls = 1
        for iteration in range(1, group["max_iter"] + 1):
            if np.abs(grad).max(initial=0) <= group["tolerance_grad"]:
                break
            memory["n_iter"] += 1
            self._learn(grad, memory, group["history_size"])
            self.prev_flat_grad[...] = grad
            memory["prev_loss"] = loss
            t = lr
            if memory["n_iter"] == 1:
                t *= min(1.0, 1 / float(np.abs(grad).sum(dtype=np.float64)))
            memory["t"] = t
            slope = inner(grad, self.d)
            if slope > -tolerance:
                break
            looks = 0
            if group["line_search_fn"] is not None:
                start = Point(0.0, loss, grad, slope)
                point, looks = self._search(closure, start, t, most - calls)
                loss, grad, t = point.loss, point.grad, point.t
                memory["t"] = t
            self._advance(t, self.d)
            if group["line_search_fn"] is None and iteration < group["max_iter"]:
                loss, looks = float(closure()), 1
                grad = self._flat_grad()
            calls += looks
            reach = float(np.abs(self.d).max(initial=0)) * abs(t)
            if calls >= most or reach <= tolerance or abs(loss - memory["prev_loss"]) < tolerance:
                break
        memory["func_evals"] += calls
        return first

    def _learn(self, grad: np.ndarray, memory: dict[str, Any], most: int) -> None:
        """Take the last step into the history, and make the next direction of it."""
        if memory["n_iter"] == 1:
            self.old_dirs, self.old_stps, memory["ro"], memory["H_diag"] = [], [], [], 1.0
        else:
            change, way = grad - self.prev_flat_grad, self.d * self.d.dtype.type(memory["t"])
            curvature = inner(change, way)
            if curvature > 1e-10:
                self.old_dirs = [*self.old_dirs, change][-most:]
                self.old_stps = [*self.old_stps, way][-most:]
                memory["ro"] = [*memory["ro"], 1 / curvature][-most:]
                memory["H_diag"] = curvature / inner(change, change)
        direction = -grad
        shares = []
        for change, way, ro in reversed(list(zip(self.old_dirs, self.old_stps, memory["ro"], strict=True))):
            shares.append(inner(way, direction) * ro)
            move(direction, change, shares[-1])
        direction *= direction.dtype.type(memory["H_diag"])
        for change, way, ro in zip(self.old_dirs, self.old_stps, memory["ro"], strict=True):
            move(direction, way, inner(change, direction) * ro - shares.pop())
        self.d[...] = direction

    def _search(self, closure: Callable[[], float], start: Point, t: float, most: int) -> tuple[Point, int]:
        """The line search along ``d`` from the parameters as they are, which it leaves there."""
        runs = self.param_groups[0].runs
        origin = [run.data.copy() for run in runs]

        def evaluate(t: float) -> Point:
            self._advance(t, self.d)
            loss = float(closure())
            grad = self._flat_grad()
            for run, values in zip(runs, origin, strict=True):
                run.data[...] = values
            return Point(t, loss, grad, inner(grad, self.d))

        reach = float(np.abs(self.d).max(initial=0))
        return strong_wolfe(evaluate, start, t, reach, most)

    def _history(self) -> dict[str, list[np.ndarray]]:
        return {"old_dirs": self.old_dirs, "old_stps": self.old_stps}

    def state(self) -> dict[str, Any]:
        return super().state() | {
            name: np.array(arrays, self.data.dtype).reshape(len(arrays), self.d.size)
            for name, arrays in self._history().items()
        }

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        for name, arrays in self._history().items():
            arrays[:] = [row.copy() for row in state[name]]

    def _names(self) -> set[str]:
        return super()._names() | set(self._history())

    def check_state(self, state: dict[str, Any]) -> None:
        super().check_state(state)
        shape = (len(state["groups"][0]["memory"]["ro"]), self.d.size)
        for name in self._history():
            if np.shape(state[name]) != shape:
                raise ValueError(f"optimizer: expected {name} of shape {shape}, got {np.shape(state[name])}")
