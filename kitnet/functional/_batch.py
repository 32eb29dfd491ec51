"""A sample by itself, for functions that see a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np

Op = TypeVar("Op", bound=Callable[..., Any])


def _axes(value: Any) -> int:
    """The axes of an array, or of the array of this shape; -1 for anything else."""
    if isinstance(value, np.ndarray):
        return value.ndim
    return len(value) if isinstance(value, (tuple, list)) else -1


def _batch(value: Any, axes: int) -> Any:
    """An array of so many axes, or the shape of one, with the axis of the batch in front; else ``value``."""
    if _axes(value) != axes:
        return value
    if isinstance(value, np.ndarray):
        return value[None]
    return [1, *value] if isinstance(value, list) else (1, *value)


def takes_one_sample(arguments: int, results: int = 1) -> Callable[[Op], Op]:
    """Let ``op(ndim, ...)`` take a sample without the axis of the batch.

    The first ``arguments`` behind ndim are arrays or shapes of arrays, the last of them that of the input.
    Where it has ndim + 1 axes, they get the axis that they lack, and the first ``results`` lose it.
    """

    def decorate(op: Op) -> Op:
        @wraps(op)
        def either(ndim: int, *given: Any) -> Any:
            if _axes(given[arguments - 1]) != ndim + 1:
                return op(ndim, *given)
            batch = (_batch(value, ndim + 1) for value in given[:arguments])
            found = op(ndim, *batch, *given[arguments:])
            if not isinstance(found, tuple):
                return found[0]
            return *(r if r is None else r[0] for r in found[:results]), *found[results:]

        return cast(Op, either)

    return decorate
