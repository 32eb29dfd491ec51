"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def table(rows: Sequence[Sequence[Any]], align: str = "") -> str:
    """Rows of cells in columns; ``align`` has ``<`` or ``>`` for each column (right, unless it says left).

    >>> print(table([["kernel", "ms"], ["conv2d", 1.5]], align="<>"))
      kernel   ms
      conv2d  1.5
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    sides = align.ljust(len(widths), ">")
    return "\n".join(
        "".join(
            f"  {cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)
        ).rstrip()
        for row in cells
    )


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
