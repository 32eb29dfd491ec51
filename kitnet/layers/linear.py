"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array
from .._geometry import one_int
from ..functional._prepared import Prepared
from ..functional.linear import prepare_linear
from .base import Pullback
from .fused import AbsorbsClip, Bounds
from .weighted import Weighted


class Linear(AbsorbsClip, Weighted):
    """y = x W^T + b: every output is a weighted sum of all inputs.

    Shapes: (..., in_features) -> (..., out_features); ``weight`` (out_features, in_features), ``bias``
    (out_features,) or None. Both start uniform on +-1 / sqrt(in_features), as in PyTorch.

    Parameters
    ----------
    in_features, out_features
        Sizes of the last axis.
    bias
        False for no b.
    dtype
        float32 or float64: that of the parameters and so of x.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 2, where such a layer from 7 inputs to 5 outputs takes 35 weights.

    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> layer = Linear(7, 5, bias=False)
    >>> layer.weight.size
    35
    >>> layer(np.ones((2, 7), np.float32)).shape
    (2, 5)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in_features = one_int(in_features, "in_features")
        self.out_features = one_int(out_features, "out_features")
        shape = self.out_features, self.in_features
        self._set_weights(shape, self.in_features, shape[:1] if bias else None, dtype, rng)

    def __call__(self, x: Array, *, clip: Bounds | None = None) -> Array:
        return F.linear(x, self.weight.data, self._bias_data(), clip=clip)

    def prepare(
        self, shape: tuple[int, ...], dtype: np.dtype, *, clip: Bounds | None = None
    ) -> Prepared | None:
        return prepare_linear(shape, dtype, self.weight.data, self._bias_data(), clip)

    def vjp(self, x: Array, *, input_grad: bool = True, clip: Bounds | None = None) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            dx, dw, db = F.linear_backward(dy, x, self.weight.data, input_grad=input_grad)
            self._accumulate(dw, db)
            return dx

        return self(x, clip=clip), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        if len(in_shape) == 0 or in_shape[-1] != self.in_features:
            raise ValueError(
                f"in_shape: expected {self.in_features} features on the last axis, got {tuple(in_shape)}"
            )
        return (*in_shape[:-1], self.out_features)
