"""Kernels flush denormal numbers, which would cost a hundred times as much, and nobody else notices.

How much time that saves is measured by ``benchmarks/compare.py --rows denormal``; here is what it rests on.
"""

import ctypes
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from cases import CASES
from families import DTYPES, Case, Conv

from kitnet import _backend

compiled = _backend.compiled

pytestmark = [
    pytest.mark.skipif(compiled is None, reason="the compiled kernels were not built"),
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64", "aarch64", "arm64"), reason="no such mode known here"
    ),
]

HAS_FENV = sys.platform.startswith("linux") and platform.machine() == "x86_64"
FLUSH = 0x8040  # in MXCSR: results that are denormal become zero, operands count as zero

DENORMAL = {DTYPES[0]: 1e-39, DTYPES[1]: 1e-310}


def flushes() -> bool:
    """Whether arithmetic on denormal numbers gives zero in this thread."""
    results = {bool((np.full(64, tiny, dtype) * dtype.type(0.5)).any()) for dtype, tiny in DENORMAL.items()}
    assert len(results) == 1
    return not results.pop()


@contextmanager
def mode(flush: bool) -> Iterator[None]:
    """A block in which this thread flushes denormal numbers, or does not, by the C library's ``fesetenv``."""
    if not flush:
        yield
        return
    libm, before, changed = ctypes.CDLL("libm.so.6"), (ctypes.c_uint32 * 8)(), (ctypes.c_uint32 * 8)()
    libm.fegetenv(before)
    changed[:] = before[:]
    changed[7] |= FLUSH  # the last word of fenv_t is MXCSR
    libm.fesetenv(changed)
    try:
        yield
    finally:
        libm.fesetenv(before)


@pytest.mark.parametrize(
    "flush",
    [
        False,
        pytest.param(True, marks=pytest.mark.skipif(not HAS_FENV, reason="needs the x86-64 Linux fenv_t")),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_mode_of_the_caller_is_left_alone(case: Case, dtype: np.dtype, flush: bool):
    for call in case.calls(dtype).values():
        for n_threads in (1, 2):
            with mode(flush):
                assert flushes() == flush
                call.run(compiled, n_threads=n_threads)
                assert flushes() == flush, f"{call.kernel} changed the mode, {n_threads} threads"


WAYS = {
    "direct": Conv(x=(4, 24, 20, 20), k=20, kernel=5, padding=2),
    "strided": Conv(x=(4, 24, 20, 20), k=20, kernel=3, stride=2, padding=1),
    "1x1": Conv(x=(4, 64, 20, 20), k=20, kernel=1),
    "winograd by tiles": Conv(x=(4, 32, 20, 20), k=48, kernel=3, padding=1),
    "winograd by filters": Conv(x=(4, 130, 12, 12), k=130, kernel=3, padding=1),
    "depthwise": Conv(x=(4, 32, 30, 30), k=32, kernel=3, padding=1, groups=32),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", WAYS.values(), ids=WAYS.keys())
@pytest.mark.parametrize("factor", ["weight", "x", "dy"])
def test_denormal_factors_count_as_zero_in_every_thread(case: Conv, dtype: np.dtype, factor: str):
    """Products of numbers around 1 with denormal ones: a thread that did not flush would return denormals."""
    for call in case.calls(dtype).values():
        if factor not in call.inputs:
            continue
        tiny = np.full_like(call.inputs[factor], DENORMAL[dtype])
        call = call.given(
            **{factor: tiny} | ({"bias": np.zeros(case.k, dtype)} if case.forward == call.kernel else {})
        )
        for n_threads in (1, 2):
            for name, array in call.run(compiled, n_threads=n_threads).items():
                if name != "dbias":  # a sum of dy, in double precision
                    assert not array.any(), f"{call.kernel} {name}, {n_threads} threads"
