"""Dropout: chance is drawn once, as a mask; the rest is a product.

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import Array, empty, float_type, gate, gate_batch, gate_number
from .._backend import kernels, n_threads
from .._geometry import per_axis, product


def dropout_mask(
    shape: Sequence[int], p: float = 0.5, *, rng: np.random.Generator, dtype: Any = np.float32
) -> Array:
    """A mask for ``dropout``: each element 0 with probability ``p``, else 1 / (1 - p), so that means stay.

    ``p`` is from 0 to 1 (all dropped), ``dtype`` float32 or float64. ValueError or TypeError for anything
    else.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014),
    section 10: scaled up in training, so that inference needs nothing.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout_mask((4,), 0.5, rng=np.random.default_rng(0))
    array([2., 2., 2., 0.], dtype=float32)
    """
    p = gate_number(p, "p", 0.0, 1.0)
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: expected a numpy.random.Generator, got {type(rng).__name__}")
    kind = float_type(dtype)
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"shape: expected a tuple of ints, got {shape!r}")
    mask: Array = empty(per_axis(shape, len(shape), "shape", least=0), kind, "shape")
    rng.random(out=mask, dtype=kind.type)
    np.greater_equal(mask, p, out=mask)
    mask *= 1 / (1 - p) if p < 1 else 0
    return mask


def dropout(x: Array, mask: Array) -> Array:
    """x mask, element by element, with a mask from ``dropout_mask`` of the shape and dtype of x.

    Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout(np.array([3.0, 4.0]), np.array([0.0, 2.0]))
    array([0., 8.])
    """
    x = gate(x, "x")
    mask = gate(mask, "mask", dtype=x.dtype, shape=x.shape)
    y = empty(x.shape, x.dtype)
    kernels().multiply(x.reshape(-1), mask.reshape(-1), y.reshape(-1), n_threads())
    return y


def dropout_backward(dy: Array, mask: Array) -> Array:
    """The gradient dx of ``dropout``, given that of its output: dy mask.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    array([0., 2.])
    """
    mask = gate(mask, "mask")
    return dropout(gate(dy, "dy", dtype=mask.dtype, shape=mask.shape), mask)


def _scaled(x: Array, name: str, mask: Array, axes: int, ndim: int | tuple[int, ...] | None) -> Array:
    """x times a mask that has the first ``axes`` axes of x: see ``scale_channels``, whose kernel this is."""
    x = gate_batch(x, name, ndim) if ndim else gate(x, name)
    mask = gate(mask, "mask", dtype=x.dtype, shape=x.shape[:axes])
    y = empty(x.shape, x.dtype)
    rows = (1, mask.size, product(x.shape[axes:]))
    shift = np.zeros(mask.size, x.dtype)
    kernels().batchnorm_forward(
        x.reshape(rows), mask.reshape(-1), shift, y.reshape(rows), -np.inf, np.inf, n_threads()
    )
    return y


def dropout1d(x: Array, mask: Array) -> Array:
    """Whole channels of signals (N, C, L) by a ``mask`` (N, C); see ``dropout2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout1d(np.ones((1, 2, 2)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(x, "x", mask, 2, 3)


def dropout1d_backward(dy: Array, mask: Array) -> Array:
    """The gradient dx of ``dropout1d``, given that of its output: dy by the same mask.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout1d_backward(np.ones((1, 2, 2)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(dy, "dy", mask, 2, 3)


def dropout2d(x: Array, mask: Array) -> Array:
    """Whole channels of images (N, C, H, W) by a ``mask`` (N, C) from ``dropout_mask``.

    Neighbours in a feature map say much the same, so that dropping single ones hides little. ValueError or
    TypeError for what does not fit.

    Source: Tompson et al., "Efficient object localization using convolutional networks" (2015), section 3.2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout2d(np.ones((1, 2, 2, 1)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(x, "x", mask, 2, 4)


def dropout2d_backward(dy: Array, mask: Array) -> Array:
    """The gradient dx of ``dropout2d``, given that of its output: dy by the same mask.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout2d_backward(np.ones((1, 2, 2, 1)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(dy, "dy", mask, 2, 4)


def dropout3d(x: Array, mask: Array) -> Array:
    """Whole channels of volumes (N, C, D, H, W) by a ``mask`` (N, C); see ``dropout2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout3d(np.ones((1, 2, 2, 1, 1)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(x, "x", mask, 2, 5)


def dropout3d_backward(dy: Array, mask: Array) -> Array:
    """The gradient dx of ``dropout3d``, given that of its output: dy by the same mask.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.dropout3d_backward(np.ones((1, 2, 2, 1, 1)), np.array([[0.0, 2.0]])).reshape(-1)
    array([0., 0., 2., 2.])
    """
    return _scaled(dy, "dy", mask, 2, 5)


def stochastic_depth(x: Array, mask: Array) -> Array:
    """Whole samples of x (N, ...) by a ``mask`` (N,) from ``dropout_mask``: a branch sometimes left out.

    ValueError or TypeError for what does not fit.

    Source: Huang et al., "Deep networks with stochastic depth" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.stochastic_depth(np.ones((2, 2)), np.array([0.0, 2.0]))
    array([[0., 0.],
           [2., 2.]])
    """
    return _scaled(x, "x", mask, 1, None)


def stochastic_depth_backward(dy: Array, mask: Array) -> Array:
    """The gradient dx of ``stochastic_depth``, given that of its output: dy by the same mask.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.stochastic_depth_backward(np.ones((2, 1)), np.array([0.0, 2.0]))
    array([[0.],
           [2.]])
    """
    return _scaled(dy, "dy", mask, 1, None)


SATURATION = -1.7580993408473766
"""What SELU tends to at minus infinity, -scale * alpha: what alpha dropout puts for a dropped element."""


def _alpha(p: float) -> tuple[float, float]:
    """The factor and the offset that keep mean 0 and variance 1; both are 0 if all is dropped."""
    p = gate_number(p, "p", 0.0, 1.0)
    if p == 1:
        return 0.0, 0.0
    factor = ((1 - p) * (1 + p * SATURATION**2)) ** -0.5
    return factor, -factor * p * SATURATION


def _line(x: Array, slope: float, offset: float) -> Array:
    """slope x + offset, as ``_scaled`` does it."""
    y, one = empty(x.shape, x.dtype), np.ones(1, x.dtype)
    flat = (1, 1, x.size)
    kernels().batchnorm_forward(
        x.reshape(flat), slope * one, offset * one, y.reshape(flat), -np.inf, np.inf, n_threads()
    )
    return y


def alpha_dropout(x: Array, mask: Array, p: float = 0.5) -> Array:
    """Dropout that keeps a mean of 0 and a variance of 1: what is dropped becomes SELU's lowest value.

    Parameters
    ----------
    x
        Any shape, float32 or float64.
    mask
        From ``dropout_mask`` with the same ``p``, of the shape and dtype of x.
    p
        Probability of a drop, from 0 to 1.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017), section "New dropout technique".

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.alpha_dropout(np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    array([-0.7792,  1.6656])
    """
    factor, offset = _alpha(p)
    x = gate(x, "x")
    keep = factor * (1 - p)
    y = dropout(_line(x, keep, -keep * SATURATION), mask)  # of what exceeds the lowest value
    return _line(y, 1.0, factor * SATURATION + offset)


def alpha_dropout_backward(dy: Array, mask: Array, p: float = 0.5) -> Array:
    """The gradient dx of ``alpha_dropout``, given that of its output: dy by the mask and a factor.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.alpha_dropout_backward(np.array([1.0, 1.0]), np.array([0.0, 2.0]))
    array([0.    , 0.8864])
    """
    factor, _ = _alpha(p)
    return _line(dropout_backward(dy, mask), factor * (1 - p), 0.0)
