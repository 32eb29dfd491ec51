"""What a row of ``layer_cases`` and ``container_cases`` is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kitnet.layers import Layer
from kitnet.models import Sequential

Shape = tuple[int, ...]


@dataclass(frozen=True)
class LayerCase:
    """A layer as ``make(dtype, rng)``, and an input shape it takes."""

    make: Callable[[np.dtype, np.random.Generator], Layer]
    shape: Shape
    whole_batch: bool = False
    """Inference takes statistics of its batch, too."""

    def layer(self, dtype=np.float64, seed: int = 0) -> Layer:
        """The layer, with no parameter and no running statistic at a start value that hides mistakes."""
        rng = np.random.default_rng(seed)
        layer = self.make(np.dtype(dtype), rng)
        for name, array in layer.buffers().items():
            array[...] = 7 if array.dtype.kind == "i" else rng.uniform(0.5, 2.0, array.shape)
            assert name
        for parameter in layer.parameters():
            parameter.data = (parameter.data + rng.normal(0.05, 0.1, parameter.shape)).astype(dtype)
        return layer

    def x(self, dtype=np.float64, n: int | None = None, seed: int = 1) -> np.ndarray:
        shape = self.shape if n is None else (n, *self.shape[1:])
        return np.random.default_rng(seed).normal(size=shape).astype(dtype)

    @property
    def id(self) -> str:
        layer = self.layer()
        if isinstance(layer, Sequential):
            return "-".join(type(child).__name__ for child in layer.children())
        return repr(layer)

    @property
    def statistics(self) -> bool:
        """Whether training takes statistics of the batch, which then cannot be empty."""
        return bool(self.layer().buffers()) or self.whole_batch
