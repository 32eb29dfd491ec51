"""Inference prepared: what a call spends on checks and geometry, spent once for all inputs of one shape.

Where a network is small, that is most of the time. So the second call for a shape, dtype and backend, if
nothing changed since the first, prepares all layers that can be, and calls after it run them at once.
Threads, instruction set and settings of kernels are looked at in each call, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._arrays import FLOATS, Array
from .._backend import backend, n_threads
from ..layers._changes import Mark, last_change
from ..layers.base import Layer

_OURS = ("kitnet.layers.", "kitnet.models.")

MOST_KEPT = 16
"""Shapes that are kept; with one more all begin anew."""


class Chain(NamedTuple):
    """Layers one after the other, for inputs of one shape."""

    since: Mark
    """What has changed later than that is not in it."""
    steps: tuple[Callable[[Array, int], Array], ...] | None
    """None: a first call was seen. Empty: layers have to be called as they are."""
    shape: tuple[int, ...]
    """That of the output."""


class PreparedCalls:
    """The chains of a container's layers."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._chains: dict[Any, Chain] = {}

    def __call__(self, x: Array) -> Array | None:
        """The output for x, or None where nothing is prepared."""
        if type(x) is not np.ndarray:
            return None
        key = x.shape, x.dtype, backend()
        chain = self._chains.get(key)
        if chain is None or chain.steps is None or chain.since is not last_change():
            chain = self._prepare(key, chain)
        flags = x.flags
        if not chain.steps or not (flags.c_contiguous and flags.aligned):
            return None
        threads = n_threads()
        for step in chain.steps:
            x = step(x, threads)
        return x if x.shape == chain.shape else x.reshape(chain.shape)

    def _prepare(self, key: Any, seen: Chain | None) -> Chain:
        now = last_change()
        if seen is None or seen.since is not now:
            # What is out of date would keep arrays alive that nobody else has.
            if len(self._chains) >= MOST_KEPT or any(c.since is not now for c in [*self._chains.values()]):
                self._chains = {}
            chain = Chain(now, None, ())
        else:
            chain = Chain(now, *self._steps(*key[:2]))
        self._chains[key] = chain
        return chain

    def _steps(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """Those of a chain, and its output's shape."""
        steps: list[Callable[[Array, int], Array]] = []
        if dtype not in FLOATS or not shape or 0 in shape[1:] or not all(map(_is_known, self._layers)):
            return (), ()
        try:
            for layer in self._layers:
                prepared = layer.prepare(shape, dtype)
                run, shape = prepared or (_plainly(layer, shape), layer.out_shape(shape))
                steps.append(run)
        except (ValueError, TypeError):  # the layers say what is wrong
            return (), ()
        return tuple(steps), shape

    def __reduce__(self) -> Any:
        """Copies begin anew."""
        return PreparedCalls, (self._layers,)


def _is_known(layer: Layer) -> bool:
    """Whether nobody has made a subclass that does something else, and weights are read where they are."""
    return all(type(module).__module__.startswith(_OURS) for module in layer.modules()) and all(
        parameter.data.flags.c_contiguous and parameter.data.flags.aligned for parameter in layer.parameters()
    )


def _plainly(layer: Layer, shape: tuple[int, ...]) -> Callable[[Array, int], Array]:
    """A layer that cannot be prepared."""
    return lambda x, n_threads: layer(x if x.shape == shape else x.reshape(shape))
