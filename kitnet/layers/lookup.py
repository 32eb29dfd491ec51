"""Layers whose input is no single array of floats: indices, or two arrays. Call them, or their ``vjp``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .. import init
from .._arrays import Array, float_type
from .._geometry import one_int
from .base import Layer, Pullback
from .parameter import Parameter
from .weighted import Weighted


class Embedding(Layer):
    """A row of a table for each index: integers of any shape (...,) -> (..., embedding_dim).

    ``weight`` (num_embeddings, embedding_dim) starts normal with mean 0 and deviation 1, as in PyTorch, the
    row ``padding_idx`` at 0. The pullback returns None: indices have no gradient.

    Parameters
    ----------
    num_embeddings, embedding_dim
        The rows of the table, and their length.
    padding_idx
        A row that starts at 0 and gets no gradient; negative: from the end.
    dtype
        float32 or float64: that of the table.
    rng
        What the start values are drawn from; None: a fresh, unseeded generator.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Bengio et al., "A neural probabilistic language model" (2003), the matrix C.

    >>> import numpy as np
    >>> from kitnet.layers import Embedding
    >>> Embedding(10, 3, padding_idx=0)(np.array([[0, 4]]))[0, 0]
    array([0., 0., 0.], dtype=float32)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        k = self.num_embeddings = one_int(num_embeddings, "num_embeddings")
        self.embedding_dim = one_int(embedding_dim, "embedding_dim")
        self.padding_idx = None if padding_idx is None else one_int(padding_idx, "padding_idx", -k, k - 1) % k
        self.dtype = float_type(dtype)
        rng = np.random.default_rng() if rng is None else rng
        self.weight = Parameter(init.normal((k, self.embedding_dim), rng, dtype=self.dtype))
        if self.padding_idx is not None and not init.placing():
            self.weight.data[self.padding_idx] = 0

    def __call__(self, x: Array) -> Array:
        return F.embedding(x, self.weight.data, self.padding_idx)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> None:
            self.weight.accumulate(F.embedding_backward(dy, x, self.num_embeddings, self.padding_idx))

        return self(x), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return (*in_shape, self.embedding_dim)


class Bilinear(Weighted):
    """y_k = x1^T W_k x2 + b_k: ``layer(x1, x2)``, whose pullback returns (dx1, dx2).

    Shapes: (..., in1_features) and (..., in2_features) -> (..., out_features); ``weight`` (out_features,
    in1_features, in2_features), ``bias`` (out_features,) or None. Both start uniform on
    +-1 / sqrt(in1_features), as in PyTorch.

    Parameters
    ----------
    in1_features, in2_features, out_features
        Sizes of the last axis.
    bias
        False for no b.
    dtype, rng
        As for ``Linear``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Tenenbaum and Freeman, "Separating style and content with bilinear models" (2000).

    >>> import numpy as np
    >>> from kitnet.layers import Bilinear
    >>> Bilinear(4, 3, 2)(np.ones((5, 4), np.float32), np.ones((5, 3), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.in1_features = one_int(in1_features, "in1_features")
        self.in2_features = one_int(in2_features, "in2_features")
        self.out_features = one_int(out_features, "out_features")
        shape = self.out_features, self.in1_features, self.in2_features
        self._set_weights(shape, self.in1_features, shape[:1] if bias else None, dtype, rng)

    def __call__(self, x1: Array, x2: Array) -> Array:  # type: ignore[override]
        return F.bilinear(x1, x2, self.weight.data, self._bias_data())

    def vjp(  # type: ignore[override]
        self, x1: Array, x2: Array, *, input_grad: bool = True
    ) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> tuple[Array, Array] | None:
            dx1, dx2, dw, db = F.bilinear_backward(dy, x1, x2, self.weight.data)
            self._accumulate(dw, db)
            return (dx1, dx2) if input_grad else None

        return self(x1, x2), pullback

    def out_shape(self, in_shape: Sequence[int], in2_shape: Sequence[int] | None = None) -> tuple[int, ...]:
        """The shape of the output for an x1 of ``in_shape``; that of x2 is not looked at."""
        if len(in_shape) == 0 or in_shape[-1] != self.in1_features:
            raise ValueError(
                f"in_shape: expected {self.in1_features} features on the last axis, got {tuple(in_shape)}"
            )
        return (*in_shape[:-1], self.out_features)
