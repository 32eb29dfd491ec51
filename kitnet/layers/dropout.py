"""Dropout: noise in training, nothing in inference."""

from __future__ import annotations

import numpy as np

from .. import functional as F
from .._arrays import Array, gate, gate_number
from .activation import SameShape
from .base import Pullback, no_gradient


class Dropout(SameShape):
    """In training sets each element to 0 with probability p, and scales the others by 1 / (1 - p).

    The scale keeps every element's mean, so that inference needs none. ``layer(x)`` returns x itself.

    Shapes: any -> the same.

    Parameters
    ----------
    p
        Probability of a zero, from 0 to 1.
    rng
        What the seed of the layer's own generator, ``layer.rng``, is drawn from; None: an unseeded one.
        Training that is to be resumed bit for bit saves ``layer.rng.bit_generator.state``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Srivastava et al. 2014, in the inverted form that PyTorch has.

    >>> import numpy as np
    >>> from kitnet.layers import Dropout
    >>> layer = Dropout(0.5, rng=np.random.default_rng(1))
    >>> y, pullback = layer.vjp(np.ones(1000))
    >>> np.unique(y)
    array([0., 2.])
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = gate_number(p, "p", 0.0, 1.0)
        self.rng = np.random.default_rng(None if rng is None else rng.integers(2**63))

    def __call__(self, x: Array) -> Array:
        return gate(x, "x")

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = gate(x, "x")
        mask = F.dropout_mask(x.shape, self.p, rng=self.rng, dtype=x.dtype)
        return F.dropout(x, mask), (lambda dy: F.dropout_backward(dy, mask)) if input_grad else no_gradient
