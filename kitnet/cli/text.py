"""A confusion matrix for the terminal."""

from __future__ import annotations

import numpy as np

from .._text import table


def confusion(matrix: np.ndarray) -> str:
    """A confusion matrix; zeros are dots, so that mistakes stand out.

    >>> print(confusion(np.array([[12, 1], [0, 9]])))
          0  1
      0  12  1
      1   ·  9
    """
    classes = range(len(matrix))
    rows = [[name, *(n or "·" for n in row)] for name, row in zip(classes, matrix.tolist(), strict=True)]
    return table([["", *classes], *rows])
