"""What the layers with a weight and a bias share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import init
from .._arrays import Array, float_type
from .base import Layer
from .parameter import Parameter


def start(shape: tuple[int, ...], fan_in: int, dtype: Any, rng: np.random.Generator) -> Parameter:
    """PyTorch's start for weights and biases: uniform on +-1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)
    return Parameter(init.uniform(shape, rng, -bound, bound, dtype))


class Weighted(Layer):
    """A layer with a ``weight``, a ``bias`` or None, and their ``dtype``."""

    def _set_weights(
        self,
        shape: tuple[int, ...],
        fan_in: int,
        bias_shape: tuple[int, ...] | None,
        dtype: Any,
        rng: np.random.Generator | None,
    ) -> None:
        """Both at their ``start``; None: no bias."""
        self.dtype = float_type(dtype)
        rng = np.random.default_rng() if rng is None else rng
        self.weight = start(shape, fan_in, self.dtype, rng)
        self.bias: Parameter | None = None
        if bias_shape is not None:
            self.bias = start(bias_shape, fan_in, self.dtype, rng)

    def _bias_data(self) -> Array | None:
        return None if self.bias is None else self.bias.data

    def _accumulate(self, dw: Array, db: Array) -> None:
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)

    def config(self) -> dict[str, Any]:
        return super().config() | {"bias": self.bias is not None}
