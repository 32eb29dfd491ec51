"""The rows of ``compare.py``, as data: what is computed, at which size, and what it is judged by.

A row names an operation (``op``), the pass that is timed (``pass_``) and the operation's parameters; the
workers know operations, never rows. Adding a row is one line here. Sizes are those of the networks people
run (VGG, ResNet, AlexNet, MobileNet, ResNeXt, C3D, WaveNet, LeNet, CIFAR models), plus a seeded sample of
shapes that nobody tuned for.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

FORWARD, BACKWARD, BOTH, STEP = "forward", "backward", "forward+backward", "step"

SAMPLE_SEED = 20160323
SAMPLE_PER_KIND = 8


@dataclass(frozen=True)
class Row:
    """One line of the comparison."""

    group: str
    label: str
    op: str
    pass_: str
    params: dict[str, Any]

    @property
    def key(self) -> str:
        """``group/label``: what ``--rows`` matches, and the row's name in the results."""
        return f"{self.group}/{self.label}"

    def message(self) -> dict[str, Any]:
        """The row as the workers receive it."""
        return asdict(self)


@dataclass(frozen=True)
class Target:
    """What a set of groups is judged by: ratios (time of ``peer`` / time of kitnet) of its rows.

    ``peer`` is a column of the table, or ``better``: the faster of PyTorch's two memory formats, row by row.
    ``decile`` is what nine rows of ten reach. ``rows`` narrows the groups to labels that start with it.
    """

    groups: tuple[str, ...]
    peer: str
    geomean: float | None = None
    worst: float | None = None
    decile: float | None = None
    rows: str = ""

    @property
    def title(self) -> str:
        """The groups, and the rows of them if not all."""
        return ", ".join(self.groups) + (f" ({self.rows.strip()})" if self.rows else "")


# ---------------------------------------------------------------------------------------- convolutions


@dataclass(frozen=True)
class Conv:
    """A convolution: input shape ``(n, c, *spatial)``, ``k`` output channels."""

    x: tuple[int, ...]
    k: int
    kernel: tuple[int, ...]
    stride: int = 1
    padding: tuple[int, ...] = ()
    dilation: int = 1
    groups: int = 1

    def params(self) -> dict[str, Any]:
        ndim = len(self.kernel)
        return {
            "x": self.x,
            "k": self.k,
            "kernel": self.kernel,
            "stride": (self.stride,) * ndim,
            "padding": self.padding or (0,) * ndim,
            "dilation": (self.dilation,) * ndim,
            "groups": self.groups,
        }

    @property
    def out(self) -> tuple[int, ...]:
        pads = self.padding or (0,) * len(self.kernel)
        return tuple(
            (size + 2 * p - self.dilation * (kernel - 1) - 1) // self.stride + 1
            for size, kernel, p in zip(self.x[2:], self.kernel, pads, strict=True)
        )

    @property
    def flops(self) -> int:
        """Of the forward pass, counted directly."""
        return 2 * self.x[0] * self.k * prod(self.out) * (self.x[1] // self.groups) * prod(self.kernel)

    @property
    def label(self) -> str:
        text = f"{_times(self.x)} -> {self.k}, {_times(self.kernel)}"
        text += f"/{self.stride}" if self.stride > 1 else ""
        same = len(set(self.padding)) == 1
        text += f" p{_times(self.padding[:1] if same else self.padding)}" if any(self.padding) else ""
        text += f" d{self.dilation}" if self.dilation > 1 else ""
        return text + (f" g{self.groups}" if self.groups > 1 else "")


def _times(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))


def conv(
    n: int, c: int, size: int, k: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> Conv:
    """A square 2-D convolution, padded to keep the size (before the stride), as networks pad."""
    pad = dilation * (kernel - 1) // 2
    return Conv((n, c, size, size), k, (kernel,) * 2, stride, (pad,) * 2, dilation, groups)


def conv_nd(x: Sequence[int], k: int, kernel: int, stride: int = 1, dilation: int = 1) -> Conv:
    """A 1-D or 3-D convolution, padded like ``conv``."""
    ndim = len(x) - 2
    return Conv(tuple(x), k, (kernel,) * ndim, stride, (dilation * (kernel - 1) // 2,) * ndim, dilation)


THREES = [
    # VGG
    conv(4, 64, 224, 64, 3),
    conv(1, 64, 224, 64, 3),
    conv(4, 64, 112, 128, 3),
    conv(4, 128, 112, 128, 3),
    conv(4, 256, 56, 256, 3),
    conv(1, 256, 56, 256, 3),
    conv(4, 512, 28, 512, 3),
    conv(4, 512, 14, 512, 3),
    conv(1, 512, 14, 512, 3),
    # ResNet
    conv(8, 64, 56, 64, 3),
    conv(1, 64, 56, 64, 3),
    conv(8, 128, 28, 128, 3),
    conv(8, 256, 14, 256, 3),
    conv(8, 512, 7, 512, 3),
    conv(1, 512, 7, 512, 3),
    # CIFAR
    conv(32, 64, 32, 64, 3),
    conv(1, 64, 32, 64, 3),
    conv(32, 64, 32, 128, 3),
    conv(32, 128, 16, 128, 3),
    conv(1, 128, 16, 128, 3),
    conv(32, 256, 8, 256, 3),
    conv(32, 512, 4, 512, 3),
]

OTHERS: dict[str, list[Conv]] = {
    "1x1": [
        conv(8, 256, 56, 64, 1),
        conv(1, 256, 56, 64, 1),
        conv(8, 64, 56, 256, 1),
        conv(8, 512, 28, 128, 1),
        conv(8, 1024, 14, 256, 1),
        conv(1, 96, 56, 24, 1),
        conv(8, 256, 56, 512, 1, stride=2),
    ],
    "5x5": [conv(32, 64, 14, 64, 5), conv(32, 16, 28, 32, 5), conv(8, 96, 27, 256, 5)],
    "7x7/2": [conv(8, 3, 224, 64, 7, stride=2), conv(1, 3, 224, 64, 7, stride=2)],
    "3x3/2": [
        conv(8, 64, 56, 128, 3, stride=2),
        conv(8, 128, 28, 256, 3, stride=2),
        conv(32, 64, 32, 128, 3, stride=2),
    ],
    "3x3 dilated": [conv(4, 64, 56, 64, 3, dilation=2)],
    "first layer": [
        conv(32, 3, 32, 64, 3),
        conv(4, 3, 224, 64, 3),
        conv(8, 3, 224, 32, 3, stride=2),
        Conv((8, 3, 224, 224), 64, (11, 11), 4, (2, 2)),
    ],
    "LeNet": [
        conv(32, 1, 28, 6, 5),
        conv(1, 1, 28, 6, 5),
        Conv((32, 6, 14, 14), 16, (5, 5)),
        Conv((1, 6, 14, 14), 16, (5, 5)),
        conv(32, 1, 8, 16, 3),
    ],
    "depthwise": [
        conv(8, 32, 112, 32, 3, groups=32),
        conv(8, 96, 112, 96, 3, stride=2, groups=96),
        conv(8, 384, 14, 384, 3, groups=384),
        conv(1, 384, 14, 384, 3, groups=384),
        conv(8, 240, 28, 240, 5, groups=240),
    ],
    "grouped": [
        conv(8, 128, 56, 128, 3, groups=32),
        conv(8, 512, 14, 512, 3, groups=32),
        conv(8, 96, 27, 256, 5, groups=2),
    ],
    "1-D": [
        conv_nd((32, 64, 1024), 64, 3),
        conv_nd((8, 256, 512), 256, 5),
        conv_nd((32, 1, 4096), 32, 9, stride=2),
        Conv((8, 64, 2048), 64, (2,), 1, (2,), 4),
    ],
    "3-D": [
        conv_nd((2, 3, 16, 112, 112), 32, 3),
        conv_nd((2, 64, 8, 28, 28), 64, 3),
        conv_nd((2, 128, 4, 14, 14), 256, 3),
    ],
}


def _sampled(rng: random.Random, kind: str) -> Conv:
    """One random convolution of a kind, whatever its cost."""
    narrow, wide = rng.randint(1, 12), rng.randint(13, 300)
    c, k = rng.choice((narrow, wide)), rng.choice((rng.randint(1, 12), rng.randint(13, 300)))
    n, size = rng.choice((1, 2, 5, 8, 16, 32)), rng.randint(5, 120)
    spatial = (size, rng.randint(5, 120))
    if kind == "3x3":
        return Conv((n, c, *spatial), k, (3, 3), 1, (rng.randint(0, 2),) * 2)
    if kind == "1x1":
        return Conv((n, c, *spatial), k, (1, 1), rng.choice((1, 1, 2)))
    if kind == "any kernel":
        kernel = rng.randint(1, 9), rng.randint(1, 9)
        return Conv((n, c, *spatial), k, kernel, rng.randint(1, 3), (kernel[0] // 2, kernel[1] // 2))
    if kind == "dilated":
        kernel, dilation = (rng.randint(2, 4),) * 2, rng.randint(2, 3)
        return Conv((n, c, *spatial), k, kernel, 1, (dilation,) * 2, dilation)
    if kind == "depthwise":
        c, kernel = rng.randint(8, 400), (rng.choice((3, 3, 5, 7)),) * 2
        return Conv(
            (n, c, *spatial),
            c * rng.choice((1, 1, 2)),
            kernel,
            rng.randint(1, 2),
            (kernel[0] // 2,) * 2,
            1,
            c,
        )
    if kind == "grouped":
        groups = rng.choice((2, 3, 4, 8, 16))
        c, k = groups * rng.randint(1, 24), groups * rng.randint(1, 24)
        return Conv((n, c, *spatial), k, (3, 3), rng.randint(1, 2), (1, 1), 1, groups)
    if kind == "1-D":
        kernel1 = rng.randint(1, 15)
        return Conv((n, c, rng.randint(20, 4000)), k, (kernel1,), rng.randint(1, 3), (kernel1 // 2,), 1)
    if kind == "3-D":
        kernel3 = (rng.choice((1, 3, 3)), 3, 3)
        volume = rng.randint(3, 16), rng.randint(6, 40), rng.randint(6, 40)
        return Conv((n, c, *volume), k, kernel3, rng.randint(1, 2), tuple(size // 2 for size in kernel3))
    raise ValueError(f"kind: expected a kind of convolution, got {kind!r}")


SAMPLED_KINDS = ("3x3", "1x1", "any kernel", "dilated", "depthwise", "grouped", "1-D", "3-D")


def sample(seed: int = SAMPLE_SEED, per_kind: int = SAMPLE_PER_KIND) -> Iterator[Conv]:
    """Seeded random shapes: ``per_kind`` of each kind, 1 MFLOP to 2 GFLOP, at most 40 MB an array."""
    for kind in SAMPLED_KINDS:
        rng, found = random.Random(f"{seed} {kind}"), 0
        while found < per_kind:
            shape = _sampled(rng, kind)
            fits = min(shape.out, default=0) >= 1 and 1e6 <= shape.flops <= 2e9
            largest = max(prod(shape.x), shape.x[0] * shape.k * prod(shape.out)) if fits else 0
            if fits and largest <= 10_000_000:
                found += 1
                yield shape


def _conv_rows(group: str, shapes: Iterable[Conv], prefix: str = "") -> Iterator[Row]:
    for shape in shapes:
        for pass_ in (FORWARD, BACKWARD):
            yield Row(f"{group} {pass_}", prefix + shape.label, "conv", pass_, shape.params())


# ------------------------------------------------------------------------------------- everything else

ACTIVATION_SIZES = ((32, 64, 56, 56), (32, 128, 28, 28))
WINDOWS = ({"kernel": 2, "stride": 2, "padding": 0}, {"kernel": 3, "stride": 2, "padding": 1})


def _window_label(window: dict[str, int]) -> str:
    pad = f" p{window['padding']}" if window["padding"] else ""
    return f"{window['kernel']}x{window['kernel']}/{window['stride']}{pad}"


def _matrix_rows() -> Iterator[Row]:
    shapes = ((32, 64, 28, 28), (8, 64, 56, 56), (4, 3, 224, 224))
    for x in shapes:
        for window in ({"kernel": 3, "stride": 1, "padding": 1}, {"kernel": 5, "stride": 2, "padding": 2}):
            for op in ("im2col", "unfold", "col2im", "fold"):
                yield Row(
                    "matrix", f"{op} {_times(x)}, {_window_label(window)}", op, FORWARD, {"x": x, **window}
                )


def _layer_rows() -> Iterator[Row]:
    for x in ACTIVATION_SIZES:
        for op in ("max_pool", "avg_pool"):
            for window in WINDOWS:
                yield Row("pool", f"{op} {_times(x)}, {_window_label(window)}", op, BOTH, {"x": x, **window})
        yield Row("norm", f"batch_norm training {_times(x)}", "batch_norm", BOTH, {"x": x})
        yield Row("activation", f"relu {_times(x)}", "relu", BOTH, {"x": x})
    for mode, align in (("bilinear", False), ("nearest", None)):
        params = {"x": (32, 64, 28, 28), "scale": 2, "mode": mode, "align_corners": align}
        yield Row("resize", f"{mode} x2 {_times(params['x'])}", "resize", BOTH, params)
    for m, c in ((128, 1000), (8192, 100), (100_352, 21)):
        yield Row("loss", f"softmax cross-entropy {m}x{c}", "cross_entropy", BOTH, {"x": (m, c)})


def _linear_rows() -> Iterator[Row]:
    for n, c, k in ((1, 512, 1000), (32, 512, 1000), (32, 400, 120), (128, 1024, 1024), (32, 4096, 4096)):
        for pass_ in (FORWARD, BACKWARD):
            yield Row(f"linear {pass_}", f"{n}x{c} -> {k}", "linear", pass_, {"x": (n, c), "k": k})


def _network_rows() -> Iterator[Row]:
    for n in (1, 32, 128):
        yield Row("lenet training", f"batch {n}", "lenet", STEP, {"batch": n})
    for n in (1, 32):
        yield Row("lenet inference", f"batch {n}", "lenet", FORWARD, {"batch": n})
    yield Row("optimizer", "adam 10,000,000 parameters", "adam", STEP, {"size": 10_000_000})


def _article_rows() -> Iterator[Row]:
    """LeNet's layers at a usual batch, and a wider layer; the loops take time by the square of the size."""
    shapes = (conv(32, 1, 28, 6, 5), Conv((32, 6, 14, 14), 16, (5, 5)), conv(8, 16, 28, 32, 3))
    for shape in shapes:
        yield Row("article", f"convolution {shape.label}", "article_conv", BOTH, shape.params())
    for pass_ in (FORWARD, BACKWARD):
        yield Row("article alone", f"{pass_} {shapes[0].label}", "article_conv", pass_, shapes[0].params())


def all_rows() -> list[Row]:
    """Every row, in the order of the report."""
    rows = [*_network_rows(), *_matrix_rows(), *_layer_rows(), *_linear_rows()]
    rows += _conv_rows("conv 3x3", THREES)
    for kind, shapes in OTHERS.items():
        rows += _conv_rows("conv others", shapes, f"{kind}: ")
    rows += _conv_rows("conv sample", sample())
    rows += _article_rows()
    return rows


TARGETS = [
    Target(("lenet training",), "better", worst=1.5, rows="batch 32"),
    Target(("lenet training",), "better", worst=1.0),
    Target(("lenet inference",), "onnxruntime", worst=1.0),
    Target(("optimizer",), "torch", worst=2.0),
    Target(("matrix",), "torch", worst=2.0),
    Target(("pool",), "torch", worst=3.0),
    Target(("pool",), "torch_cl", worst=1.0),
    Target(("norm",), "torch", worst=1.5),
    Target(("pool", "norm", "activation", "loss"), "torch", geomean=2.0),
    Target(("pool", "norm", "activation", "loss"), "better", geomean=1.2, worst=0.9),
    Target(("linear forward",), "torch", geomean=1.0),
    Target(("linear backward",), "torch", geomean=1.0),
    Target(("conv 3x3 forward",), "better", geomean=2.0, worst=1.5),
    Target(("conv 3x3 backward",), "better", geomean=2.0, worst=1.2),
    Target(("conv 3x3 forward", "conv 3x3 backward"), "torch", geomean=2.0),
    Target(("conv others forward",), "better", geomean=1.1, worst=0.9),
    Target(("conv others backward",), "better", geomean=1.1, worst=0.9),
    Target(("conv others forward", "conv others backward"), "torch", geomean=1.5, worst=1.0),
    Target(("conv sample forward",), "better", geomean=1.1, decile=0.9),
    Target(("conv sample backward",), "better", geomean=1.1, decile=0.9),
    Target(("conv sample forward", "conv sample backward"), "torch", geomean=1.5),
    Target(("article",), "article", worst=1000.0),
]
