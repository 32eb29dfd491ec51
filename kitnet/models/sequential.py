"""Layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from .._arrays import Array
from ..layers.base import Layer, Pullback, no_gradient
from .prepared import PreparedCalls


class Sequential(Layer):
    """Layers one after the other, each on the output of the one before.

    Neighbours that can be computed together are: convolution, linear or batch norm with the ReLU after it,
    and in inference a convolution with the batch norm after it. That changes speed (and, for the batch norm,
    rounding), and nothing else. From the third call for inputs of one shape on, inference spares the layers'
    checks, until anything about any layer changes; that changes speed alone.

    Parameters
    ----------
    layers
        At least one layer or container. Names of parameters start with the place of their layer:
        ``"0.weight"``.
    fuse
        False: compute layer by layer. It may be changed later.

    Raises
    ------
    TypeError
        If an argument is no layer.
    ValueError
        If there are no layers.

    >>> import numpy as np
    >>> from kitnet.layers import Linear, ReLU
    >>> from kitnet.models import Sequential
    >>> model = Sequential(Linear(4, 8), ReLU(), Linear(8, 2))
    >>> model
    Sequential(
      (0): Linear(4, 8)
      (1): ReLU()
      (2): Linear(8, 2)
    )
    >>> model(np.zeros((5, 4), np.float32)).shape
    (5, 2)
    """

    def __init__(self, *layers: Layer, fuse: bool = True) -> None:
        self._fuse = bool(fuse)
        self._set_layers(layers)

    @property
    def fuse(self) -> bool:
        """Whether neighbours are computed together."""
        return self._fuse

    @fuse.setter
    def fuse(self, fuse: bool) -> None:
        self._fuse = bool(fuse)
        self._set_layers(self._layers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in order; to change: ``model[i] = layer``, ``append``, ``insert``, ``del``."""
        return self._layers

    def _set_layers(self, layers: Iterable[Layer]) -> None:
        """Take these layers, and plan how to compute them."""
        layers = tuple(layers)
        if not layers:
            raise ValueError("layers: expected at least one, got none")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"layers: expected layers, got {type(layer).__name__}")
        self._layers = layers
        # The plan is made here and not in a call, since calls may come from many threads at once.
        self._plan = _fused(layers) if self._fuse else layers
        self._prepared = PreparedCalls(self._plan)

    @property
    def adds(self) -> bool:
        return self._plan[-1].adds

    def __call__(self, x: Array, **end: Any) -> Array:
        if not end and (y := self._prepared(x)) is not None:
            return y
        for layer in self._plan[:-1]:
            x = layer(x)
        return self._plan[-1](x, **end)

    def vjp(self, x: Array, *, input_grad: bool = True, **end: Any) -> tuple[Array, Pullback]:
        pullbacks: list[Pullback] = []
        for i, layer in enumerate(self._plan):
            more = end if i + 1 == len(self._plan) else {}
            x, pullback = layer.vjp(x, input_grad=input_grad, **more)
            # Where nobody wants the input's gradient, gradients end at the first layer that has parameters.
            if input_grad or (input_grad := next(layer.parameters(), None) is not None):
                pullbacks.append(pullback)
        pullbacks.reverse()

        def pullback_all(dy: Array) -> Array | None:
            gradient: Any = dy
            for pullback in pullbacks:
                gradient = pullback(gradient)
            return gradient

        return x, pullback_all if pullbacks else no_gradient

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = tuple(in_shape)
        for i, layer in enumerate(self._layers):
            try:
                shape = layer.out_shape(shape)
            except ValueError as error:
                raise ValueError(f"in_shape: {layer!r} at {i} cannot take {shape}: {error}") from None
        return shape

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        return ((str(i), layer) for i, layer in enumerate(self._layers))

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    @overload
    def __getitem__(self, i: int) -> Layer: ...
    @overload
    def __getitem__(self, i: slice) -> Sequential: ...
    def __getitem__(self, i: int | slice) -> Layer:
        """The layer at ``i``; for a slice a new Sequential of the same layers, parameters shared."""
        if isinstance(i, slice):
            return Sequential(*self._layers[i], fuse=self._fuse)
        return self._layers[i]

    def __setitem__(self, i: int, layer: Layer) -> None:
        layers = list(self._layers)
        layers[i] = layer
        self._set_layers(layers)

    def __delitem__(self, i: int) -> None:
        layers = list(self._layers)
        del layers[i]
        self._set_layers(layers)

    def insert(self, i: int, layer: Layer) -> None:
        """Put ``layer`` before the one at ``i``."""
        self._set_layers([*self._layers[:i], layer, *self._layers[i:]])

    def append(self, layer: Layer) -> None:
        """Put ``layer`` at the end."""
        self._set_layers([*self._layers, layer])

    def __repr__(self) -> str:
        lines = [f"({i}): {layer!r}".replace("\n", "\n  ") for i, layer in enumerate(self._layers)]
        lines += [] if self._fuse else ["fuse=False"]
        return "\n  ".join(["Sequential(", *lines]) + "\n)"


def _fused(layers: Iterable[Layer]) -> tuple[Layer, ...]:
    """The layers, with neighbours joined wherever the first can absorb the second."""
    plan: list[Layer] = []
    for layer in layers:
        joined = plan[-1].absorb(layer) if plan else None
        if joined is None:
            plan.append(layer)
        else:
            plan[-1] = joined
    return tuple(plan)
