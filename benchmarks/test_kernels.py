"""pytest-benchmark over the ``BENCH`` rows of ``tests/cases/``: every kernel at the sizes of real networks.

    make bench                                                      all rows; JSON in benchmarks/results/
    pytest benchmarks --benchmark-group-by=func                     one table
    pytest benchmarks -k 'maxpool and float32' --benchmark-only     some rows
    pytest benchmarks --benchmark-autosave --benchmark-compare      against the run before

Kernels run on the active backend (``KITNET_BACKEND``) and on ``KITNET_NUM_THREADS`` threads, into arrays that
were allocated before, so the figures are those of the kernels alone.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from cases import BENCH, CASES
from families import DTYPES, Call, Case

from kitnet import _backend


def kernel_names(family: type[Case]) -> list[str]:
    """The kernels of a family, from its first (small) row."""
    return list(next(row for row in CASES if type(row) is family).calls(DTYPES[0]))


PARAMETERS = [
    pytest.param(row, kernel, dtype, id=f"{kernel}-{dtype}-{row.id}")
    for row in BENCH
    for dtype in DTYPES
    for kernel in kernel_names(type(row))
]
"""Those that share their arrays next to each other."""


@lru_cache(maxsize=1)
def calls(row: Case, dtype: np.dtype) -> dict[str, Call]:
    """The calls of the row at hand."""
    return row.calls(dtype)


@pytest.mark.parametrize(("row", "kernel", "dtype"), PARAMETERS)
def test_kernel(benchmark: Any, row: Case, kernel: str, dtype: np.dtype) -> None:
    """Time one kernel on one row."""
    call = calls(row, dtype)[kernel]
    outputs = {name: np.zeros(shape, kind) for name, (shape, kind) in call.outputs.items()}
    updated = {name: array.copy() for name, array in call.updated.items()}
    arrays = call.inputs | outputs | updated
    benchmark.group = kernel
    benchmark.extra_info["backend"] = _backend.backend()
    benchmark.extra_info["threads"] = _backend.n_threads()
    benchmark.extra_info["bytes"] = sum(array.nbytes for array in arrays.values())
    benchmark.extra_info["dtype"] = str(dtype)
    benchmark(getattr(_backend.kernels(), kernel), **arrays, **call.scalars, n_threads=_backend.n_threads())
    assert all(math.isfinite(float(array.flat[0])) for array in outputs.values() if array.size)
