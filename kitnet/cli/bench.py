"""``kitnet bench``: how fast the kernels are here, in seconds, not minutes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import _backend
from .text import table


def add(commands: Any) -> None:
    p = commands.add_parser("bench", help="a short self-benchmark of the kernels")
    p.add_argument("--seconds", type=float, default=0.2, help="time to spend on each row (default 0.2)")
    p.set_defaults(run=run)


def _cases() -> Iterator[tuple[str, str, Callable[[], Any], float, float]]:
    """Name, shapes, the call, its floating-point operations, and the bytes it must move."""
    from .. import functional as F

    rng = np.random.default_rng(0)

    def array(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    x, w, b = array(8, 64, 28, 28), array(64, 64, 3, 3), array(64)
    y = F.conv2d(x, w, b, padding=1)
    dense = 2 * w.size * 8 * 28 * 28
    shapes = "8x64x28x28, 3x3"
    yield "conv2d", shapes, lambda: F.conv2d(x, w, b, padding=1), dense, 0
    yield "conv2d_backward", shapes, lambda: F.conv2d_backward(y, x, w, padding=1), 2 * dense, 0

    first, u = array(32, 1, 28, 28), array(6, 1, 5, 5)
    yield "conv2d", "32x1x28x28, 5x5", lambda: F.conv2d(first, u, padding=2), 2 * u.size * 32 * 28 * 28, 0

    rows, v = array(128, 512), array(256, 512)
    yield "linear", "128x512, 256", lambda: F.linear(rows, v), 2 * 128 * v.size, 0

    pooled, index = F.max_pool2d(x, 2, return_indices=True)
    moved = x.nbytes + pooled.nbytes
    yield "max_pool2d", "8x64x28x28, 2x2", lambda: F.max_pool2d(x, 2), 0, moved
    yield (
        "max_pool2d_backward",
        "8x64x28x28, 2x2",
        lambda: F.max_pool2d_backward(pooled, index, x.shape),
        0,
        moved + index.nbytes,
    )
    yield "avg_pool2d", "8x64x28x28, 2x2", lambda: F.avg_pool2d(x, 2), 0, moved
    yield "relu", "8x64x28x28", lambda: F.relu(x), 0, 2 * x.nbytes
    yield "im2col", shapes, lambda: F.im2col(x, 3, padding=1), 0, 10 * x.nbytes


def best_time(call: Callable[[], Any], seconds: float) -> float:
    """The shortest of as many calls as ``seconds`` hold, and at least three."""
    best, end, calls = float("inf"), time.perf_counter() + seconds, 0
    while calls < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best, calls = min(best, time.perf_counter() - start), calls + 1
    return best


def run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.seconds <= 60:
        raise ValueError(f"--seconds: expected a number from 0 to 60, got {arguments.seconds}")
    isa = f", {_backend.compiled.isa()}" if _backend.compiled and _backend.backend() == "cython" else ""
    print(f"float32, backend {_backend.backend()}{isa}, {_backend.n_threads()} threads")
    rows = [("kernel", "shapes", "ms", "GFLOP/s", "GB/s")]
    for name, shapes, call, operations, moved in _cases():
        elapsed = best_time(call, arguments.seconds)
        rows.append(
            (
                name,
                shapes,
                f"{1e3 * elapsed:.3f}",
                f"{operations / elapsed / 1e9:.1f}" if operations else "",
                f"{moved / elapsed / 1e9:.1f}" if moved else "",
            )
        )
    print(table(rows, align="<<"))
    return 0
