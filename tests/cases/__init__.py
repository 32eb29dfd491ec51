"""One list of configurations. It drives parity, threads, instruction sets, gradients, layouts, benchmarks.

A row names a family (see ``families``) and its sizes; a new feature is a new row, in the module of its theme.
``BENCH`` has the same kinds of rows at the sizes of real networks; tests do not run them.
"""

from families import Case

from . import (
    columns,
    convolution,
    dense,
    elements,
    loss,
    moves,
    normalization,
    optim,
    pooling,
    transposed,
    vectors,
)
from .convolution import WINOGRAD

__all__ = ["BENCH", "CASES", "WINOGRAD"]

_THEMES = (
    columns,
    convolution,
    dense,
    elements,
    loss,
    moves,
    normalization,
    optim,
    pooling,
    transposed,
    vectors,
)

CASES: list[Case] = [row for theme in _THEMES for row in theme.CASES]
BENCH: list[Case] = [row for theme in _THEMES for row in theme.BENCH]
