"""Arrays with a structure: orthogonal ones, identities, and ones of mostly zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import gate_number
from .._backend import kernels, n_threads
from .._geometry import one_int, product
from .plain import make

BLOCK = 32


def orthogonal(
    shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0, dtype: Any = np.float32
) -> np.ndarray:
    """A random matrix (K, C \\* prod(kernel)) whose rows, or columns if fewer, are orthonormal.

    Each such matrix is as likely as any other. Times ``gain``.

    Raises
    ------
    ValueError
        If ``shape`` has fewer than two axes.

    >>> import numpy as np
    >>> from kitnet import init
    >>> w = init.orthogonal((2, 3), np.random.default_rng(0))
    >>> (w @ w.T).round(3) + 0
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    gain = gate_number(gain, "gain")
    _check_axes(shape, at_least=2)

    def values(shape: tuple[int, ...]) -> np.ndarray:
        matrix = rng.normal(size=(shape[0], product(shape[1:])))
        tall = matrix.shape[0] > matrix.shape[1]
        rows = _orthonormal_rows(np.ascontiguousarray(matrix.T if tall else matrix))
        return gain * (rows.T if tall else rows).reshape(shape)

    return make(shape, dtype, values)


def _orthonormal_rows(q: np.ndarray) -> np.ndarray:
    """The rows of ``q``, in place, made orthonormal by Gram and Schmidt: by blocks, and each block twice.

    LAPACK's bits depend on the number of its threads; these do not.
    """
    for start in range(0, len(q) if q.size else 0, BLOCK):
        block, done = q[start : start + BLOCK], q[:start]
        shares, bias, along = np.empty((len(block), start)), np.empty(0), np.empty_like(block)
        for _ in range(2):
            if start:
                kernels().linear_forward(block, done, bias, shares, -math.inf, math.inf, n_threads())
                kernels().linear_backward_data(shares, done, along, n_threads())
                block -= along
            for i, row in enumerate(block):
                row -= np.einsum("i,ij->j", np.einsum("ij,j->i", block[:i], row), block[:i])
                row /= math.sqrt(np.einsum("i,i->", row, row))
    return q


def eye(shape: Sequence[int], dtype: Any = np.float32) -> np.ndarray:
    """The identity matrix, cut or filled up with zeros to ``shape``: a linear layer that changes nothing.

    Raises
    ------
    ValueError
        If ``shape`` has not two axes.

    >>> from kitnet import init
    >>> init.eye((2, 3))
    array([[1., 0., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    _check_axes(shape, exactly=(2,))
    return make(shape, dtype, lambda s: np.eye(s[0], s[1]))


def dirac(shape: Sequence[int], groups: int = 1, dtype: Any = np.float32) -> np.ndarray:
    """Filters (K, C, \\*kernel) that hand on channel i as channel i, in each of ``groups``.

    They are 1 at their centres: a convolution that changes nothing, as far as there are channels.

    Raises
    ------
    ValueError
        If ``shape`` has not 3 to 5 axes, or K is no multiple of ``groups``.

    >>> from kitnet import init
    >>> init.dirac((2, 1, 3), groups=2)[:, 0]
    array([[0., 1., 0.],
           [0., 1., 0.]], dtype=float32)
    """
    _check_axes(shape, exactly=(3, 4, 5))
    groups = one_int(groups, "groups")
    if shape[0] % groups:
        raise ValueError(f"groups: expected a divisor of {shape[0]}, the filters of shape, got {groups}")

    def values(shape: tuple[int, ...]) -> np.ndarray:
        filters = np.zeros(shape)
        own = np.arange(shape[0]) % (shape[0] // groups or 1)
        kept = np.flatnonzero(own < shape[1])
        centre = 0
        for size in shape[2:]:
            centre = centre * size + size // 2
        if filters.size:
            filters.reshape(*shape[:2], -1)[kept, own[kept], centre] = 1
        return filters

    return make(shape, dtype, values)


def sparse(
    shape: Sequence[int],
    rng: np.random.Generator,
    sparsity: float,
    std: float = 0.01,
    dtype: Any = np.float32,
) -> np.ndarray:
    """A normal matrix in which the share ``sparsity`` of each column, rounded up, is 0, at random places.

    Raises
    ------
    ValueError
        If ``shape`` has not two axes, or ``sparsity`` is not from 0 to 1.

    >>> import numpy as np
    >>> from kitnet import init
    >>> (init.sparse((5, 3), np.random.default_rng(0), 0.5) == 0).sum(axis=0)
    array([3, 3, 3])
    """
    _check_axes(shape, exactly=(2,))
    sparsity, std = gate_number(sparsity, "sparsity", 0.0, 1.0), gate_number(std, "std", 0.0)

    def values(shape: tuple[int, ...]) -> np.ndarray:
        matrix = rng.normal(0.0, std, shape)
        places = rng.random(shape).argsort(axis=0)[: math.ceil(sparsity * shape[0])]
        np.put_along_axis(matrix, places, 0.0, axis=0)
        return matrix

    return make(shape, dtype, values)


def _check_axes(shape: Sequence[int], at_least: int = 0, exactly: tuple[int, ...] = ()) -> None:
    if len(shape) < at_least:
        raise ValueError(f"shape: expected at least {at_least} dimensions, got {tuple(shape)}")
    if exactly and len(shape) not in exactly:
        raise ValueError(f"shape: expected {' or '.join(map(str, exactly))} dimensions, got {tuple(shape)}")
