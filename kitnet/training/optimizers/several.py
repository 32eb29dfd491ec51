"""Several optimizers as one, each for some of the parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from .base import Optimizer


class Several(Optimizer):
    """Several optimizers of one model as one: each trains the parameters that its ``params`` name.

    Parameters
    ----------
    optimizers
        Made for the same model; no parameter belongs to two of them.

    Attributes
    ----------
    optimizers
        They themselves, with their options. ``param_groups`` are the groups of all.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import AdamW, Muon, Several
    >>> model = Linear(3, 2)
    >>> optimizer = Several([Muon(model, lr=0.02), AdamW(model, params="bias")])
    >>> optimizer.step()
    >>> [group.names for group in optimizer.param_groups]
    [['weight'], ['bias']]
    """

    def __init__(self, optimizers: Iterable[Optimizer]) -> None:
        self.optimizers = list(optimizers)
        for one in self.optimizers:
            if not isinstance(one, Optimizer):
                raise TypeError(f"optimizers: expected optimizers, got {type(one).__name__}")
        if not self.optimizers:
            raise ValueError("optimizers: expected at least 1, got none")
        first = self.optimizers[0]
        if any(one.data is not first.data for one in self.optimizers):
            raise ValueError("optimizers: expected all of them to be of one model, got several")
        self.data, self.grad = first.data, first.grad
        self.param_groups = [group for one in self.optimizers for group in one.param_groups]
        names = Counter(name for group in self.param_groups for name in group.names)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"optimizers: expected no parameter in two of them, got {', '.join(twice)}")

    @property
    def steps(self) -> int:  # type: ignore[override]
        """The number of steps taken."""
        return self.optimizers[0].steps

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None if closure is None else closure()
        for one in self.optimizers:
            one.step()
        return loss

    def state(self) -> dict[str, Any]:
        return {
            "class": type(self).__name__,
            "optimizers": {str(i): one.state() for i, one in enumerate(self.optimizers)},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.check_state(state)
        for i, one in enumerate(self.optimizers):
            one.load_state(state["optimizers"][str(i)])

    def check_state(self, state: dict[str, Any]) -> None:
        if (found := state.get("class")) != type(self).__name__:
            raise ValueError(f"optimizer: expected the state of {type(self).__name__}, got that of {found}")
        if len(state["optimizers"]) != len(self.optimizers):
            raise ValueError(
                f"optimizer: expected the states of {len(self.optimizers)}, got {len(state['optimizers'])}"
            )
        for i, one in enumerate(self.optimizers):
            one.check_state(state["optimizers"][str(i)])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.optimizers})"
