"""Why a convolution runs the way it does, and how near that is to the limits of the machine.

The kernels themselves are asked what they would do (``conv_algorithm``): here are only the words for it, and
the clocks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from . import _backend
from ._arrays import checked_size, empty, float_type, gate_number, optional
from ._geometry import Padding, Size, Window, checked_shape, lift
from ._text import table
from .functional.conv import conv_window

PASSES = {
    "forward": "conv_forward",
    "backward data": "conv_backward_data",
    "backward weight": "conv_backward_weight",
}
BANDWIDTH_BYTES = 1 << 26
"""The size of each of the two arrays on which the bandwidth of memory is measured."""
LIMIT_SECONDS = 0.1
"""How long to measure each limit of the machine."""

_WHY_NOT = {
    "double": "Winograd's algorithm is for float32 alone",
    "shape": "Winograd's algorithm is for stride 1, columns dilated by 1, 2 or 4 (by any for the gradient of "
    "the weights), and kernels that pieces of 3x3 or 2x2 fit",
    "switched off": "set_config(winograd='never')",
    "few channels": "{has} channels or filters in a group, and Winograd's algorithm pays from {needs} on",
    "few products": "{has} pairs of a channel and a filter, and Winograd's algorithm pays from {needs} on",
    "many terms": "{has} terms a sum, and for a kernel in pieces Winograd's algorithm pays up to {needs}",
    "few tiles": "{has} tiles of 4x4 in the batch, and Winograd's algorithm pays from {needs} on",
    "ragged": "tiles of 4x4 would compute {has} pixels, and Winograd's algorithm pays up to {needs}",
    "one channel": "each filter reads one channel, with {has} filters a channel: more than {needs}",
}
_FITS = "pieces of 3x3 or 2x2, stride 1, channels enough"
_WHY = {
    "depthwise": "each filter reads one channel, with {has} filters a channel: up to {needs}",
    "direct, 1x1": "kernels of one element with stride 1 make it one product of matrices",
    "winograd": f"{_FITS}; {{has}} tiles of 4x4 in the batch, at least {{needs}}",
    "winograd, by tiles": f"{_FITS}; the transformed filters, {{has}} bytes, stay near: up to {{needs}}",
    "winograd, by filters": f"{_FITS}; the transformed filters, {{has}} bytes, would not stay near "
    "(up to {needs}), so a few are made at a time, for many tiles",
}
_LANES = {
    "unasked": "",
    "short rows": "; rows of {has} pixels are too short for filters in the lanes, which pay from {needs} on",
    "few weights": "; {has} weights are too few for filters in the lanes, which pay from {needs} on",
    "filled lanes": "; filters in the lanes, and those left empty, cost {has} a row, and pay up to {needs}",
}
_PACKED = "; between so few outputs the lattice would be mostly waste, so each tap has its own row"


@dataclass(frozen=True)
class PassReport:
    """One of the three passes of a convolution: what it does, and what that costs."""

    algorithm: str
    """``"winograd, by tiles"``, ``"winograd, by filters"``, ``"winograd"`` (of the weights), ``"depthwise"``,
    ``"direct"``, ``"direct, filters in lanes"``, ``"direct, packed"``, ``"direct, 1x1"``; ``"reference"`` on
    the NumPy backend."""
    why: str
    """What decided."""
    flops: int
    """Floating-point operations of the definition, a multiply-add being two; Winograd's needs fewer."""
    nbytes: int
    """Bytes of the arrays read and written, each once."""
    workspace: int | None
    """Bytes of scratch memory, for all threads; None on the NumPy backend, which does not say."""
    seconds: float | None = None
    """The shortest time that was measured; None where nothing was."""
    peak_share: float | None = None
    """``flops`` a second, of what multiply-adds on registers reach; above 1 where Winograd saves enough."""
    bandwidth_share: float | None = None
    """``nbytes`` a second, of what a copy in memory reaches; above 1 where the caches hold the arrays."""

    @property
    def intensity(self) -> float:
        """Operations a byte."""
        return self.flops / self.nbytes


@dataclass(frozen=True, repr=False)
class ConvReport:
    """What ``explain_conv`` found; ``print`` it, or read its fields."""

    title: str
    y_shape: tuple[int, ...]
    forward: PassReport
    backward_data: PassReport
    backward_weight: PassReport
    peak: float | None = None
    """Floating-point operations a second of multiply-adds on registers, on all threads; measured."""
    bandwidth: float | None = None
    """Bytes a second of a copy in memory, read and written ones counted, on all threads; measured."""

    def __str__(self) -> str:
        passes = dict(zip(PASSES, (self.forward, self.backward_data, self.backward_weight), strict=True))
        measured = self.forward.seconds is not None
        rows = [["pass", "algorithm", "GFLOP", "MB", "FLOP/byte", "scratch MB"]]
        rows[0] += ["ms", "GFLOP/s", "of peak", "GB/s", "of memory"] if measured else []
        rows += ([name, *_cells(report)] for name, report in passes.items())
        limits = []
        if self.peak and self.bandwidth:
            limits = [
                f"peak {self.peak / 1e9:.0f} GFLOP/s, memory {self.bandwidth / 1e9:.1f} GB/s: "
                f"below {self.peak / self.bandwidth:.0f} FLOP/byte memory is the limit"
            ]
        reasons = [f"  {name}: {report.why}" for name, report in passes.items()]
        return "\n".join([self.title, table(rows, align="<<"), *limits, *reasons])

    __repr__ = __str__


def _cells(report: PassReport) -> list[str]:
    """A line of the table."""
    scratch = "" if report.workspace is None else f"{report.workspace / 1e6:.2f}"
    cells = [report.algorithm, f"{report.flops / 1e9:.3g}", f"{report.nbytes / 1e6:.3g}"]
    cells += [f"{report.intensity:.1f}", scratch]
    if report.seconds is not None:
        shares = [
            "" if share is None else f"{100 * share:.0f} %"
            for share in (report.peak_share, report.bandwidth_share)
        ]
        cells += [f"{1e3 * report.seconds:.3f}", f"{report.flops / report.seconds / 1e9:.1f}", shares[0]]
        cells += [f"{report.nbytes / report.seconds / 1e9:.1f}", shares[1]]
    return cells


def explain_conv(
    x_shape: Sequence[int],
    weight_shape: Sequence[int],
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
    dtype: Any = np.float32,
    *,
    measure: bool = False,
    seconds: float = 0.2,
) -> ConvReport:
    """How a convolution of these shapes runs here, forward and in both directions of backward, and why.

    Parameters
    ----------
    x_shape
        The shape of the input: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
    weight_shape
        The shape of the kernels: (K, C / groups, kh, kw), or as many sizes of a kernel as x has.
    stride, padding, dilation, groups
        As for ``functional.conv2d``.
    dtype
        float32 or float64.
    measure
        Also run the three passes, on noise and into memory of their own, and compare them with what the
        machine can do: the most multiply-adds a second that the micro-kernels reach on registers, and the
        bytes a second of a copy of 64 MB, both measured there and then on as many threads.
    seconds
        How long to run each pass for that.

    Returns
    -------
    report
        ``forward``, ``backward_data`` and ``backward_weight``, each with its algorithm, the reason for it,
        operations, bytes of the arrays and of scratch memory, and times where measured; ``print(report)``
        shows all as a table. The algorithm follows from the shape of a sample, the dtype and the settings,
        never from the batch or the threads. The NumPy backend has one, ``"reference"``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source of the two limits: Williams, Waterman and Patterson, "Roofline: an insightful visual performance
    model for multicore architectures" (2009).

    >>> import kitnet
    >>> report = kitnet.explain_conv((8, 64, 56, 56), (128, 64, 3, 3), stride=2, padding=1)
    >>> report.y_shape, report.forward.flops, report.forward.nbytes
    ((8, 128, 28, 28), 924844032, 9928704)
    >>> report.forward.algorithm in ("direct, filters in lanes", "reference")
    True
    """
    dtype = float_type(dtype)
    x = checked_shape(x_shape, (3, 4, 5), "x_shape")
    weight = checked_shape(weight_shape, len(x), "weight_shape")
    for name, shape in (("x_shape", x), ("weight_shape", weight)):
        if 0 in shape:
            raise ValueError(f"{name}: expected sizes of at least 1, got {shape}")
    window, groups = conv_window(
        x, weight, stride, padding, dilation, groups, names=("x_shape", "weight_shape")
    )
    problem = _Problem(x, weight, window, groups, dtype)
    for name, shape in (("x_shape", x), ("weight_shape", weight), ("padding", problem.y)):
        checked_size(shape, dtype.itemsize, name)
    forward, backward_data, backward_weight = map(problem.report, PASSES.values())
    report = ConvReport(problem.title, problem.y, forward, backward_data, backward_weight)
    return problem.measured(report, gate_number(seconds, "seconds", 0, 60)) if measure else report


@dataclass(frozen=True)
class _Problem:
    """A convolution of known shapes."""

    x: tuple[int, ...]
    weight: tuple[int, ...]
    window: Window
    groups: int
    dtype: np.dtype

    @property
    def y(self) -> tuple[int, ...]:
        return (self.x[0], self.weight[0], *self.window.out_size)

    @property
    def title(self) -> str:
        """Shapes, settings and what it runs on."""
        window = self.window
        pads = [
            f"{a}" if a == b else f"{a}+{b}" for a, b in zip(window.pad_before, window.pad_after, strict=True)
        ]
        shapes = f"{_times(self.x)}, weights {_times(self.weight)} -> {_times(self.y)}"
        moves = f"stride {_times(window.stride)}, padding {_times(pads)}, dilation {_times(window.dilation)}"
        isa = [compiled.isa()] if (compiled := _compiled()) else []
        where = [str(self.dtype), f"backend {_backend.backend()}", *isa, f"{_threads()} threads"]
        return f"{shapes}\n{moves}, groups {self.groups}; {', '.join(where)}"

    def report(self, kernel: str) -> PassReport:
        """What ``kernel`` would do."""
        flops = 2 * math.prod(self.y) * math.prod(self.weight[1:])
        nbytes = sum(map(math.prod, (self.x, self.weight, self.y))) * self.dtype.itemsize
        if (compiled := _compiled()) is None:
            return PassReport("reference", "the NumPy backend has one way", flops, nbytes, None)
        algorithm, answer, lanes, workspace = compiled.conv_algorithm(
            kernel,
            *((*shape[:2], *(1,) * (5 - len(shape)), *shape[2:]) for shape in (self.x, self.weight, self.y)),
            *self.window.geometry,
            self.groups,
            _threads(),
            self.dtype == np.float32,
        )
        why = _say(_WHY.get(algorithm) or _WHY_NOT[answer[0]], answer) + _say(_LANES[lanes[0]], lanes)
        return PassReport(
            algorithm, why + _PACKED * (algorithm == "direct, packed"), flops, nbytes, workspace
        )

    def calls(self) -> list[Callable[[], None]]:
        """The passes, ready to run."""
        rng = np.random.default_rng(0)
        x, weight, dy = (rng.standard_normal(shape, self.dtype) for shape in (self.x, self.weight, self.y))
        y, dx, dweight = (empty(array.shape, self.dtype) for array in (dy, x, weight))
        none, dbias = np.empty(0, self.dtype), np.empty(len(weight), self.dtype)
        rest, run = (*self.window.geometry, self.groups, _threads()), _backend.kernels()
        clip = -math.inf, math.inf
        x, weight, dy, y, dx, dweight = map(lift, (x, weight, dy, y, dx, dweight))
        return [
            lambda: run.conv_forward(
                x, weight, none, optional(None, "residual", self.dtype, y.shape), y, *clip, *rest
            ),
            lambda: run.conv_backward_data(dy, weight, none, dx, *clip, *rest),
            lambda: run.conv_backward_weight(dy, x, dweight, dbias, *rest),
        ]

    def measured(self, report: ConvReport, seconds: float) -> ConvReport:
        """The report with times, and beside them the limits of the machine."""
        passes, peak, bandwidth = (report.forward, report.backward_data, report.backward_weight), None, None
        if compiled := _compiled():
            peak, bandwidth = _limits(compiled.isa(), _threads(), self.dtype)
        times = [best_time(call, seconds) for call in self.calls()]
        forward, backward_data, backward_weight = (
            replace(
                one,
                seconds=elapsed,
                peak_share=one.flops / elapsed / peak if peak else None,
                bandwidth_share=one.nbytes / elapsed / bandwidth if bandwidth else None,
            )
            for one, elapsed in zip(passes, times, strict=True)
        )
        return ConvReport(
            report.title, report.y_shape, forward, backward_data, backward_weight, peak, bandwidth
        )


def _compiled() -> ModuleType | None:
    """The compiled kernels, if they are the active ones."""
    return _backend.compiled if _backend.backend() == "cython" else None


def _threads() -> int:
    return _backend.n_threads() if _compiled() else 1


def _say(sentence: str, answer: tuple[str, int, int]) -> str:
    """With the numbers that decided."""
    return sentence.format(has=f"{answer[1]:,}", needs=f"{answer[2]:,}")


def _times(sizes: Sequence[Any]) -> str:
    return "x".join(map(str, sizes))


def best_time(call: Callable[[], Any], seconds: float) -> float:
    """The shortest of as many calls as ``seconds`` hold, and at least three."""
    best, end, calls = float("inf"), time.perf_counter() + seconds, 0
    while calls < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best, calls = min(best, time.perf_counter() - start), calls + 1
    return best


@lru_cache
def _limits(isa: str, threads: int, dtype: np.dtype) -> tuple[float, float]:
    """Floating-point operations a second on registers, and bytes a second of a copy, on so many threads."""
    compiled = _backend.compiled
    assert compiled is not None
    single, repeats = dtype == np.float32, 1000
    operations = compiled.mac_peak(repeats, threads, single)
    peak = operations / best_time(lambda: compiled.mac_peak(repeats, threads, single), LIMIT_SECONDS)
    x = np.ones(BANDWIDTH_BYTES // dtype.itemsize, dtype)
    y = np.empty_like(x)
    copy = best_time(lambda: compiled.activation_forward("relu", x, y, 0.0, 0.0, threads), LIMIT_SECONDS)
    return peak, 2 * BANDWIDTH_BYTES / copy
