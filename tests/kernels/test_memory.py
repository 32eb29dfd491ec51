"""Workspace is bounded by the caches, not by the problem."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kitnet import _backend

pytestmark = [
    pytest.mark.skipif(_backend.backend() != "cython", reason="not on the compiled kernels"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc"),
]

MB = 1 << 20
A_THREAD = 32 * MB
"""The most scratch memory for each thread, beside transformed weights."""
TRANSFORMED = 4
"""36 elements of a transformed kernel for 9 of its own."""

ROWS: dict[str, dict[str, Any]] = {
    "direct": {"x": (1, 128, 56, 56), "k": 128, "kernel": 3, "stride": 2, "padding": 1},
    "direct, many channels": {"x": (1, 1024, 14, 14), "k": 1024, "kernel": 3, "stride": 2, "padding": 1},
    "direct, wide": {"x": (1, 3, 512, 512), "k": 64, "kernel": 7, "stride": 2, "padding": 3},
    "direct, 1x1": {"x": (1, 1024, 28, 28), "k": 512, "kernel": 1},
    "direct, 3-D": {"x": (1, 16, 16, 56, 56), "k": 32, "kernel": 3, "padding": 1},
    "direct, batch": {"x": (256, 3, 32, 32), "k": 64, "kernel": 5, "padding": 2},
    "winograd, by tiles": {"x": (1, 64, 224, 224), "k": 64, "kernel": 3, "padding": 1},
    "winograd, by filters": {"x": (1, 512, 28, 28), "k": 512, "kernel": 3, "padding": 1},
    "winograd, 5x5": {"x": (1, 128, 56, 56), "k": 128, "kernel": 5, "padding": 2},
    "winograd, 3-D": {"x": (1, 128, 8, 56, 56), "k": 128, "kernel": 3, "padding": 1},
    "winograd, small images": {"x": (8, 512, 7, 7), "k": 512, "kernel": 3, "padding": 1},
    "depthwise": {"x": (1, 64, 224, 224), "k": 64, "kernel": 3, "padding": 1, "groups": 64},
}


def measure(threads: int, *rows: dict[str, Any]) -> dict[str, Any]:
    script = Path(__file__).with_name("memory.py")
    command = [sys.executable, script, str(threads), *map(json.dumps, rows)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_convolution_takes_little_beside_its_arrays(row: dict[str, Any], threads: int):
    found = measure(threads, row)
    most = threads * A_THREAD + TRANSFORMED * found["weight"]
    for kernel, taken in found["taken"].items():
        assert taken <= most, f"{kernel} took {taken / MB:.1f} MB"
    # The pool gives back between the passes, but not every byte; and threads have stacks.
    assert found["grown"] <= 1.5 * most


@pytest.mark.parametrize("threads", [1, 2])
def test_a_large_kernel_on_a_large_image_needs_hardly_more_than_both_arrays(threads: int):
    found = measure(threads)
    assert found["arrays"] <= found["grown"] <= 1.2 * found["arrays"]


def brief(nbytes: int) -> np.ndarray:
    return np.frombuffer(_backend.compiled.pooled(nbytes, brief=True), np.uint8)


def test_scratch_memory_of_one_call_does_not_overlap():
    _backend.compiled.empty_cache()
    for _ in range(3):  # blocks of the pool, then the arena
        arrays = [brief(n) for n in (100, 5000, 1 << 20, 64)]
        for i, array in enumerate(arrays):
            array.fill(i)
        assert [set(array.tolist()) for array in arrays] == [{0}, {1}, {2}, {3}]
        del array, arrays


def test_each_call_uses_the_same_scratch_memory():
    brief(1 << 20)  # so much is wanted from now on
    places = {brief(n).ctypes.data for n in (1 << 20, 1000, 1 << 16)}
    assert len(places) == 1
    held = brief(1000)
    assert held.ctypes.data in places
    assert brief(1000).ctypes.data not in places
