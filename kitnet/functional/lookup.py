"""Embedding, which looks rows up, and the bilinear form of two vectors.

NumPy makes the pairs of a bilinear form: that is not where a convolutional network spends its time.
"""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate, gate_int, gate_weight
from .._backend import kernels, n_threads
from .._geometry import one_int
from ._moves import take_rows
from .linear import linear, linear_backward


def embedding(x: Array, weight: Array, padding_idx: int | None = None) -> Array:
    """Row x of a table for each of any number of integers: (...,) to (..., D).

    Parameters
    ----------
    x
        Integers of any shape, from 0 to K - 1.
    weight
        The table (K, D), float32 or float64.
    padding_idx
        A row that gets no gradient (negative: from the end). It is looked up like any other.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Bengio et al., "A neural probabilistic language model" (2003), the matrix C.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.embedding(np.array([2, 0]), np.array([[1.0, 2], [3, 4], [5, 6]]))
    array([[5., 6.],
           [1., 2.]])
    """
    weight = gate(weight, "weight", 2)
    _padding(padding_idx, len(weight))
    x = gate_int(x, "x", below=len(weight))
    y = empty((*x.shape, weight.shape[1]), weight.dtype)
    if x.size:  # no rows at all would be all of them
        take_rows(weight[None], x.reshape(-1), y.reshape(1, x.size, weight.shape[1]))
    return y


def embedding_backward(dy: Array, x: Array, num_embeddings: int, padding_idx: int | None = None) -> Array:
    """The gradient dw (num_embeddings, D) of ``embedding``: each dy added to the row that it came from.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.embedding_backward(np.array([[1.0], [2.0], [4.0]]), np.array([2, 0, 2]), 3)
    array([[2.],
           [0.],
           [5.]])
    """
    k = one_int(num_embeddings, "num_embeddings")
    padding = _padding(padding_idx, k)
    x = gate_int(x, "x", below=k)
    dy = gate(dy, "dy", x.ndim + 1)
    dy = gate(dy, "dy", shape=(*x.shape, dy.shape[-1]))
    dw = empty((k, dy.shape[-1]), dy.dtype, "num_embeddings")
    kernels().embedding_backward(dy.reshape(x.size, dy.shape[-1]), x.reshape(-1), dw, n_threads())
    if padding is not None:
        dw[padding] = 0
    return dw


def _padding(padding_idx: int | None, k: int) -> int | None:
    """``padding_idx`` counted from the front."""
    return None if padding_idx is None else one_int(padding_idx, "padding_idx", -k, k - 1) % k


def _pairs(x1: Array, x2: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """The checked arguments of ``bilinear``, and the products of all pairs of features, a row a sample."""
    x1 = gate(x1, "x1")
    x2 = gate(x2, "x2", dtype=x1.dtype)
    weight = gate_weight(weight, "weight", 3, x1.dtype)
    x1 = gate(x1, "x1", shape=(*x1.shape[:-1], weight.shape[1]))
    x2 = gate(x2, "x2", shape=(*x1.shape[:-1], weight.shape[2]))
    with np.errstate(all="ignore"):
        pairs = x1[..., :, None] * x2[..., None, :]
    cells = weight.shape[1] * weight.shape[2]
    return x1, x2, weight.reshape(-1, cells), pairs.reshape(*x1.shape[:-1], cells)


def bilinear(x1: Array, x2: Array, weight: Array, bias: Array | None = None) -> Array:
    """y_k = x1^T weight_k x2 + bias_k: every output is a weighted sum of products of two inputs.

    Parameters
    ----------
    x1, x2
        (..., I) and (..., J), float32 or float64, with the same axes in front.
    weight
        (K, I, J)
    bias
        (K,), or None.

    Returns
    -------
    y
        (..., K). On the way the I J products of each sample are in memory.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape or dtype does not fit.

    Source: Tenenbaum and Freeman, "Separating style and content with bilinear models" (2000).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.bilinear(np.array([[2.0, 3.0]]), np.array([[5.0]]), np.array([[[1.0], [10.0]]]))
    array([[160.]])
    """
    _, _, weight, pairs = _pairs(x1, x2, weight)
    return linear(pairs, weight, bias)


def bilinear_backward(dy: Array, x1: Array, x2: Array, weight: Array) -> tuple[Array, Array, Array, Array]:
    """The gradients dx1, dx2, dw and db of ``bilinear``, given that of its output.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x1, x2, weight = np.array([[2.0, 3.0]]), np.array([[5.0]]), np.array([[[1.0], [10.0]]])
    >>> F.bilinear_backward(np.array([[1.0]]), x1, x2, weight)
    (array([[ 5., 50.]]), array([[32.]]), array([[[10.],
            [15.]]]), array([1.]))
    """
    x1, x2, flat, pairs = _pairs(x1, x2, weight)
    dpairs, dw, db = linear_backward(dy, pairs, flat)
    assert dpairs is not None
    dpairs = dpairs.reshape(*x1.shape, x2.shape[-1])
    with np.errstate(all="ignore"):
        dx1 = np.einsum("...ij,...j->...i", dpairs, x2)
        dx2 = np.einsum("...ij,...i->...j", dpairs, x1)
    return dx1, dx2, dw.reshape(weight.shape), db
