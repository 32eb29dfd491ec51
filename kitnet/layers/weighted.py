"""What the layers with a weight and a bias share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import init
from .._arrays import Array, float_type
from .base import Layer
from .parameter import Parameter


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
        """PyTorch's start for such layers: both uniform on +-1 / sqrt(fan_in); None: no bias."""
        self.dtype = float_type(dtype)
        rng = np.random.default_rng() if rng is None else rng
        bound = 1 / math.sqrt(fan_in)
        self.weight = Parameter(init.uniform(shape, rng, -bound, bound, self.dtype))
        self.bias: Parameter | None = None
        if bias_shape is not None:
            self.bias = Parameter(init.uniform(bias_shape, rng, -bound, bound, self.dtype))

    def _bias_data(self) -> Array | None:
        return None if self.bias is None else self.bias.data

    def _accumulate(self, dw: Array, db: Array) -> None:
        self.weight.accumulate(dw)
        if self.bias is not None:
            self.bias.accumulate(db)

    def config(self) -> dict[str, Any]:
        return super().config() | {"bias": self.bias is not None}
