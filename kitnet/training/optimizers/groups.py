"""Parameter groups: which parameters an optimizer trains, and with which options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping
from fnmatch import fnmatchcase
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...layers import Layer, Parameter

if TYPE_CHECKING:
    from .base import Optimizer


class Run(SimpleNamespace):
    """Parameters of one group that lie side by side: views of the flat arrays, and of the optimizer's slots.

    ``data`` and ``grad``, and an attribute for each slot, have one axis; for an optimizer that looks at
    parameters as a whole, a run is one parameter, and they have its shape. ``names`` are those of the
    parameters.

    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD
    >>> (run,) = SGD(Linear(2, 3), momentum=0.9).param_groups[0].runs
    >>> run.names, run.data.shape, run.momentum_buffer.shape
    (['weight', 'bias'], (9,), (9,))
    """

    data: np.ndarray
    grad: np.ndarray
    names: list[str]
    shape: tuple[int, ...]


class Group(MutableMapping[str, Any]):
    """The options of some parameters, by name: the group's own, and the optimizer's for all others.

    ``group["lr"] = 0.1`` gives the group a value of its own, ``del group["lr"]`` takes it away again.
    ``group["params"]`` are the ``Parameter`` objects, ``names`` their names, ``runs`` where they lie,
    ``optimizer`` whose they are, ``last_lr`` what the last step used, and ``memory`` holds numbers that steps
    hand on to each other.

    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD
    >>> optimizer = SGD(Linear(2, 3), lr=0.5, params=[{"params": "bias", "lr": 0.1}, {"params": "*"}])
    >>> bias, rest = optimizer.param_groups
    >>> bias.names, bias["lr"], rest.names, rest["lr"]
    (['bias'], 0.1, ['weight'], 0.5)
    """

    def __init__(self, optimizer: Optimizer, members: dict[str, Parameter], own: dict[str, Any]) -> None:
        self.optimizer = optimizer
        self._members = members
        self.own: dict[str, Any] = {}
        self.runs: list[Run] = []
        self.memory: dict[str, Any] = {}
        self.last_lr = 0.0
        for name, value in own.items():
            self[name] = value

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def __getitem__(self, name: str) -> Any:
        if name == "params":
            return list(self._members.values())
        if name in self.own:
            return self.own[name]
        if name not in self.optimizer.options:
            raise KeyError(name)
        return getattr(self.optimizer, name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.own[name] = self.optimizer.checked(name, value)

    def __delitem__(self, name: str) -> None:
        del self.own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("params", *self.optimizer.options))

    def __len__(self) -> int:
        return 1 + len(self.optimizer.options)

    def __repr__(self) -> str:
        return f"Group({self.names}, {self.own})"


def _named(which: Any, named: dict[str, Parameter]) -> list[str]:
    """The names of the parameters that ``which`` stands for."""
    if isinstance(which, str):
        found = [name for name in named if fnmatchcase(name, which)]
        if not found:
            raise ValueError(f"params: expected the name of a parameter, or a pattern, got {which!r}")
        return found
    if isinstance(which, (Parameter, Layer)):
        wanted = {id(p) for p in (which.parameters() if isinstance(which, Layer) else [which])}
        found = [name for name, parameter in named.items() if id(parameter) in wanted]
        if len(found) < len(wanted):
            raise ValueError(f"params: expected parameters of the model, got those of another: {which}")
        return found
    if isinstance(which, Iterable) and not isinstance(which, (dict, np.ndarray)):
        return [name for one in which for name in _named(one, named)]
    raise TypeError(f"params: expected names, parameters, layers or lists of them, got {which!r}")


def make_groups(optimizer: Optimizer, model: Layer, params: Any) -> list[Group]:
    """The groups that ``params`` describes: a parameter belongs to the first one that names it."""
    named = dict(model.named_parameters())
    if params is None:
        return [Group(optimizer, named, {})]
    if isinstance(params, dict):
        params = [params]
    elif isinstance(params, Iterable) and not isinstance(params, (str, Parameter, Layer)):
        params = list(params)
    described = isinstance(params, list) and any(isinstance(one, dict) for one in params)
    groups, free = [], dict(named)
    for own in params if described else [{"params": params}]:
        if not isinstance(own, dict) or "params" not in own:
            raise TypeError(f"params: expected dicts with 'params' in all groups or in none, got {own!r}")
        names = [name for name in dict.fromkeys(_named(own["params"], named)) if name in free]
        if not names:
            raise ValueError(f"params: expected parameters in each group, got none left for {own!r}")
        members = {name: free.pop(name) for name in named if name in names}
        groups.append(Group(optimizer, members, {k: v for k, v in own.items() if k != "params"}))
    return groups


def lay_out(optimizer: Optimizer, model: Layer, apart: bool) -> list[Run]:
    """The runs of all groups, in the order of the flat arrays, each given to its group.

    Parameters side by side are one run if they belong to one group and are not to be looked at ``apart``.
    """
    owners = {name: group for group in optimizer.param_groups for name in group.names}
    runs: list[Run] = []
    start, last, end = 0, None, 0
    for name, parameter in model.named_parameters():
        start, end = end, end + parameter.size
        if (owner := owners.get(name)) is None:
            last = None
            continue
        if owner is last and not apart:
            run = runs[-1]
            run.names.append(name)
            run.shape = (run.shape[0] + parameter.size,)
        else:
            shape = parameter.shape if apart else (parameter.size,)
            run = Run(names=[name], shape=shape, start=start)
            runs.append(run)
            owner.runs.append(run)
        run.data, run.grad = (
            flat[run.start : end].reshape(run.shape) for flat in (optimizer.data, optimizer.grad)
        )
        last = owner
    return runs
