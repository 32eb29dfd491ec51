"""Dropout: chance is drawn once, as a mask; the rest is a product.

Source: Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import Array, empty, float_type, gate, gate_number
from .._backend import kernels, n_threads
from .._geometry import per_axis


def dropout_mask(
    shape: Sequence[int], p: float = 0.5, *, rng: np.random.Generator, dtype: Any = np.float32
) -> Array:
    """A mask for ``dropout``: each element 0 with probability ``p``, else 1 / (1 - p), so that means stay.

    ``p`` is from 0 to 1 (all dropped), ``dtype`` float32 or float64. ValueError or TypeError for anything
    else.

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
