"""Functions whose checks and geometry are done, once for all arrays of one shape and dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .._arrays import Array


class Prepared(NamedTuple):
    """What is left of a function once it knows the shape and dtype of x, and its other arguments.

    It holds those arrays themselves, so that what is written to them is seen. It holds for the backend that
    was active when it was made.
    """

    run: Callable[..., Array]
    """``run(x, n_threads)`` for a C-contiguous x of that shape; x and the result may have unit axes more, as
    kernels take them."""
    shape: tuple[int, ...]
    """That of the result."""
