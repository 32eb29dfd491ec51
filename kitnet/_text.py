"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


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
