"""Dropout: noise in training, nothing in inference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array, gate, gate_batch, gate_number
from .._geometry import checked_shape
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

    _op: ClassVar[Any] = staticmethod(F.dropout)
    _op_backward: ClassVar[Any] = staticmethod(F.dropout_backward)

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | None = None) -> None:
        self.p = gate_number(p, "p", 0.0, 1.0)
        self.rng = np.random.default_rng(None if rng is None else rng.integers(2**63))

    def __call__(self, x: Array) -> Array:
        return gate(x, "x")

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = self(x)
        mask, extra = self._mask(x)
        y = self._op(x, mask, *extra)
        return y, (lambda dy: self._op_backward(dy, mask, *extra)) if input_grad else no_gradient

    def _mask(self, x: Array) -> tuple[Array, tuple[float, ...]]:
        """The chance of this step, and what else the function takes."""
        return F.dropout_mask(x.shape, self.p, rng=self.rng, dtype=x.dtype), ()


class _ChannelDropout(Dropout):
    ndim: ClassVar[int]

    def __call__(self, x: Array) -> Array:
        return gate_batch(x, "x", self.ndim + 2)

    def _mask(self, x: Array) -> tuple[Array, tuple[float, ...]]:
        return F.dropout_mask(x.shape[:2], self.p, rng=self.rng, dtype=x.dtype), ()

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return checked_shape(in_shape, self.ndim + 2, "in_shape")


class Dropout1d(_ChannelDropout):
    """Dropout of whole channels of signals (N, C, L); see ``Dropout2d``.

    >>> import numpy as np
    >>> from kitnet.layers import Dropout1d
    >>> y, _ = Dropout1d().vjp(np.ones((1, 8, 5)))
    >>> bool((y == y[:, :, :1]).all())
    True
    """

    ndim = 1
    _op = staticmethod(F.dropout1d)
    _op_backward = staticmethod(F.dropout1d_backward)


class Dropout2d(_ChannelDropout):
    """In training sets whole channels to 0 with probability p, and scales the others by 1 / (1 - p).

    Shapes: (N, C, H, W) -> the same.

    Parameters
    ----------
    p, rng
        As for ``Dropout``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Tompson et al., "Efficient object localization using convolutional networks" (2015), section 3.2.

    >>> import numpy as np
    >>> from kitnet.layers import Dropout2d
    >>> y, _ = Dropout2d().vjp(np.ones((1, 8, 5, 5)))
    >>> bool((y == y[:, :, :1, :1]).all())
    True
    """

    ndim = 2
    _op = staticmethod(F.dropout2d)
    _op_backward = staticmethod(F.dropout2d_backward)


class Dropout3d(_ChannelDropout):
    """Dropout of whole channels of volumes (N, C, D, H, W); see ``Dropout2d``.

    >>> import numpy as np
    >>> from kitnet.layers import Dropout3d
    >>> y, _ = Dropout3d().vjp(np.ones((1, 8, 5, 5, 5)))
    >>> bool((y == y[:, :, :1, :1, :1]).all())
    True
    """

    ndim = 3
    _op = staticmethod(F.dropout3d)
    _op_backward = staticmethod(F.dropout3d_backward)


class AlphaDropout(Dropout):
    """Dropout for networks with SELU: it keeps a mean of 0 and a variance of 1.

    In training sets each element to SELU's lowest value with probability p, and then scales and moves all.

    Shapes: any -> the same.

    Parameters
    ----------
    p, rng
        As for ``Dropout``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017), section "New dropout technique".

    >>> import numpy as np
    >>> from kitnet.layers import AlphaDropout
    >>> y, _ = AlphaDropout(0.3).vjp(np.random.default_rng(0).normal(size=100_000))
    >>> bool(abs(y.mean()) < 0.02), bool(abs(y.var() - 1) < 0.02)
    (True, True)
    """

    _op = staticmethod(F.alpha_dropout)
    _op_backward = staticmethod(F.alpha_dropout_backward)

    def _mask(self, x: Array) -> tuple[Array, tuple[float, ...]]:
        return super()._mask(x)[0], (self.p,)


class StochasticDepth(Dropout):
    """In training drops a whole branch: sets samples to 0 with probability p, and scales by 1 / (1 - p).

    It stands at the end of the branch of a residual block.

    Shapes: any -> the same.

    Parameters
    ----------
    p
        Probability of a zero, from 0 to 1.
    mode
        ``"row"``: each sample by itself; ``"batch"``: all samples together.
    rng
        As for ``Dropout``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Huang et al., "Deep networks with stochastic depth" (2016).

    >>> import numpy as np
    >>> from kitnet.layers import StochasticDepth
    >>> y, _ = StochasticDepth(0.5, "row").vjp(np.ones((100, 3)))
    >>> np.unique(y.sum(1))
    array([0., 6.])
    """

    _op = staticmethod(F.stochastic_depth)
    _op_backward = staticmethod(F.stochastic_depth_backward)

    def __init__(self, p: float, mode: str, *, rng: np.random.Generator | None = None) -> None:
        super().__init__(p, rng=rng)
        if mode not in ("row", "batch"):
            raise ValueError(f"mode: expected 'row' or 'batch', got {mode!r}")
        self.mode = mode

    def _mask(self, x: Array) -> tuple[Array, tuple[float, ...]]:
        draws = len(x) if self.mode == "row" else 1
        mask = F.dropout_mask((draws,), self.p, rng=self.rng, dtype=x.dtype)
        return mask if self.mode == "row" else mask.repeat(len(x)), ()
