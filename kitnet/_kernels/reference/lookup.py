"""Rows of a table by their numbers (Bengio et al. 2003): the way back."""

from __future__ import annotations

import numpy as np

from ._windows import Array, ieee, wide


@ieee
def embedding_backward(dy: Array, x: Array, dw: Array, n_threads: int) -> None:
    """dw (K, D) = for each row the sum of those dy (M, D) whose x (M,) is its number"""
    total = np.zeros(dw.shape)
    np.add.at(total, x, wide(dy))
    dw[...] = total
