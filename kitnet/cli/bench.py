"""``kitnet bench``: how fast the kernels are here, in seconds, not minutes; or one convolution, explained."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import _backend
from .._text import table


def add(commands: Any) -> None:
    p = commands.add_parser("bench", help="a short self-benchmark of the kernels")
    p.add_argument("--seconds", type=float, default=0.2, help="time to spend on each row (default 0.2)")
    conv = p.add_argument_group(
        "one convolution",
        "which algorithm it runs by and why, and how near it comes to what the machine can do",
    )
    conv.add_argument("--conv", metavar="SHAPE", help="of the input: 8x64x56x56")
    conv.add_argument("--weight", metavar="SHAPE", help="of the kernels: 64x64x3x3")
    for name, what in (
        ("stride", "1 or 2x1"),
        ("padding", "1, 1x0, valid, same or same_lower"),
        ("dilation", "1"),
    ):
        conv.add_argument(f"--{name}", metavar="SIZES", help=f"{what}, as for conv2d")
    conv.add_argument("--groups", type=int, metavar="N", help="as for conv2d")
    conv.add_argument("--dtype", help="float32 (default) or float64")
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


_SETTINGS = ("stride", "padding", "dilation", "groups", "dtype")


def _sizes(text: str, name: str) -> int | tuple[int, ...]:
    """``8x64x56x56`` as a tuple, ``1`` as an int."""
    try:
        sizes = tuple(map(int, text.split("x")))
    except ValueError:
        raise ValueError(f"--{name}: expected sizes like 2 or 8x64x56x56, got {text!r}") from None
    return sizes if len(sizes) > 1 else sizes[0]


def _explained(arguments: argparse.Namespace) -> Any:
    """The report on the convolution that the arguments describe."""
    from ..explain import explain_conv

    for name in ("conv", "weight"):
        if getattr(arguments, name) is None:
            raise ValueError(f"--{name}: expected a shape: one convolution needs both --conv and --weight")
    settings = {name: value for name in _SETTINGS if (value := getattr(arguments, name)) is not None}
    for name in {"stride", "padding", "dilation"} & settings.keys():
        if name != "padding" or not settings[name].isidentifier():  # no name of a rule
            settings[name] = _sizes(settings[name], name)
    shapes: Any = [_sizes(arguments.conv, "conv"), _sizes(arguments.weight, "weight")]
    try:
        return explain_conv(*shapes, **settings, measure=True, seconds=arguments.seconds)
    except (ValueError, TypeError) as error:
        text = str(error).replace("x_shape", "--conv").replace("weight_shape", "--weight")
        raise type(error)(text) from None


def run(arguments: argparse.Namespace) -> int:
    if not 0 <= arguments.seconds <= 60:
        raise ValueError(f"--seconds: expected a number from 0 to 60, got {arguments.seconds}")
    if any(getattr(arguments, name) is not None for name in ("conv", "weight", *_SETTINGS)):
        print(_explained(arguments))
        return 0
    from ..explain import best_time

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
