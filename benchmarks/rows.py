"""The rows of ``compare.py``, as data: what is computed, at which size, and what it is judged by.

A row names an operation (``op``), the pass that is timed (``pass_``) and the operation's parameters; the
workers know operations, never rows. Adding a row is one line here. Sizes are those of the networks people
run (``conv_shapes.py``: VGG, ResNet, AlexNet, MobileNet, ResNeXt, C3D, WaveNet, LeNet, CIFAR models, DCGAN,
U-Net), plus a seeded sample of shapes that nobody tuned for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from conv_shapes import CIFAR, OTHERS, RESNET, VGG, Conv, conv, sample, times

FORWARD, BACKWARD, BOTH, STEP = "forward", "backward", "forward+backward", "step"


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


def _conv_rows(
    group: str, shapes: Iterable[Conv], prefix: str = "", op: str = "", **variant: Any
) -> Iterator[Row]:
    for shape in shapes:
        for pass_ in (FORWARD, BACKWARD):
            yield Row(
                f"{group} {pass_}", prefix + shape.label, op or shape.op, pass_, shape.params() | variant
            )


VARIED = [
    OTHERS[kind][0] for kind in ("1x1", "5x5", "7x7/2", "3x3/2", "3x3 dilated", "depthwise", "1-D", "3-D")
]


def _variant_rows() -> Iterator[Row]:
    """Where kitnet is compared with itself: in float32, and with weights that are no denormal numbers.

    float64 never takes Winograd's algorithm, so float32 does without it too.
    """
    yield from _conv_rows("float64", VARIED, op="conv_variant", dtype="float64")
    yield from _conv_rows("denormal weights", [*VARIED, RESNET[0]], op="conv_variant", scale=1e-39)


def scaling_rows() -> list[Row]:
    """The rows of ``scaling.py``."""
    return [*_conv_rows("VGG", VGG), *_conv_rows("ResNet", RESNET)]


ACTIVATIONS = ("relu", "leaky_relu", "hardswish", "sigmoid", "silu", "gelu")
ELEMENT_LOSSES = ("mse_loss", "huber_loss", "binary_cross_entropy_with_logits")
ACTIVATION_SIZES = ((32, 64, 56, 56), (32, 128, 28, 28))
MOVES: dict[str, dict[str, Any]] = {
    "pad by 1": {"pad": (1, 1, 1, 1), "mode": "constant"},
    "pad by 1, reflect": {"pad": (1, 1, 1, 1), "mode": "reflect"},
    "channel_shuffle by 4": {"groups": 4},
    "pixel_shuffle by 2": {"factor": 2},
    "add": {},
    "cat": {},
}
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
                    "matrix", f"{op} {times(x)}, {_window_label(window)}", op, FORWARD, {"x": x, **window}
                )


def _layer_rows() -> Iterator[Row]:
    for x in ACTIVATION_SIZES:
        for op in ("max_pool", "avg_pool"):
            for window in WINDOWS:
                yield Row("pool", f"{op} {times(x)}, {_window_label(window)}", op, BOTH, {"x": x, **window})
        for op in ("batch_norm", "layer_norm", "group_norm", "instance_norm"):
            yield Row("norm", f"{op} training {times(x)}", op, BOTH, {"x": x})
        yield Row("norm", f"local_response_norm {times(x)}", "local_response_norm", BOTH, {"x": x})
        for op in ACTIVATIONS:
            yield Row("activation", f"{op} {times(x)}", "activation", BOTH, {"x": x, "kind": op})
        for op in ELEMENT_LOSSES:
            yield Row("loss", f"{op} {times(x)}", "element_loss", BOTH, {"x": x, "kind": op})
        yield Row("softmax", f"softmax over channels {times(x)}", "softmax", BOTH, {"x": x, "axis": 1})
        for mode, align in (("bilinear", False), ("nearest", None), ("bicubic", False)):
            small = (*x[:2], *(size // 2 for size in x[2:]))
            params = {"x": small, "scale": 2, "mode": mode, "align_corners": align}
            yield Row("resize", f"{mode} x2 {times(small)}", "resize", BOTH, params)
        for what, how in MOVES.items():
            op = what.split()[0]
            pass_ = FORWARD if op in ("add", "cat") else BOTH  # the gradients of these are views in PyTorch
            yield Row("move", f"{what} {times(x)}", op, pass_, {"x": x} | how)
    for m, c in ((128, 1000), (8192, 100), (100_352, 21)):
        yield Row("loss", f"softmax cross-entropy {m}x{c}", "cross_entropy", BOTH, {"x": (m, c)})
    maps = ACTIVATION_SIZES[0]
    yield Row("loss", f"softmax cross-entropy {times(maps)}", "cross_entropy", BOTH, {"x": maps})
    for x in (maps, (100_352, 21)):
        yield Row("loss", f"nll_loss {times(x)}", "nll_loss", BOTH, {"x": x})
    yield Row("loss", f"dice_loss {times(maps)}", "dice_loss", BOTH, {"x": maps})
    for op in ("multi_margin_loss", "cosine_embedding_loss", "triplet_margin_loss"):
        yield Row("loss", f"{op} 1024x512", op, BOTH, {"x": (1024, 512)})
    smoothed = {"x": (128, 1000), "label_smoothing": 0.1}
    yield Row("loss", "softmax cross-entropy 128x1000, smoothed", "cross_entropy", BOTH, smoothed)


def _linear_rows() -> Iterator[Row]:
    for n, c, k in ((1, 512, 1000), (32, 512, 1000), (32, 400, 120), (128, 1024, 1024), (32, 4096, 4096)):
        for pass_ in (FORWARD, BACKWARD):
            yield Row(f"linear {pass_}", f"{n}x{c} -> {k}", "linear", pass_, {"x": (n, c), "k": k})


def _network_rows() -> Iterator[Row]:
    for n in (1, 32, 128):
        yield Row("lenet training", f"batch {n}", "lenet", STEP, {"batch": n})
    for n in (1, 32):
        yield Row("lenet inference", f"batch {n}", "lenet", FORWARD, {"batch": n})
    for call, fused in (("Adam(params)", False), ("Adam(params, fused=True)", True)):
        params = {"size": 10_000_000, "fused": fused}
        yield Row("optimizer", f"{call}, 10,000,000 parameters", "adam", STEP, params)


def _article_rows() -> Iterator[Row]:
    """LeNet's convolutions at a usual batch; by layer, and a wider one. The time of the loops, which copy all
    rows of the matrix for each new one, grows by the square of these rows, and so does the ratio."""
    lenet = (conv(32, 1, 28, 6, 5), Conv((32, 6, 14, 14), 16, (5, 5)))
    params = {"layers": [shape.params() for shape in lenet]}
    yield Row("article", "the two convolutions of LeNet, batch 32", "article_convs", BOTH, params)
    for shape in (*lenet, conv(8, 16, 28, 32, 3)):
        yield Row("article by layer", f"{BOTH} {shape.label}", "article_conv", BOTH, shape.params())
    for pass_ in (FORWARD, BACKWARD):
        yield Row("article by layer", f"{pass_} {lenet[0].label}", "article_conv", pass_, lenet[0].params())


def all_rows() -> list[Row]:
    """Every row, in the order of the report."""
    rows = [*_network_rows(), *_matrix_rows(), *_layer_rows(), *_linear_rows()]
    rows += _conv_rows("conv 3x3", VGG + RESNET + CIFAR)
    for kind, shapes in OTHERS.items():
        rows += _conv_rows("conv others", shapes, f"{kind}: ")
    rows += _conv_rows("conv sample", sample())
    rows += [*_article_rows(), *_variant_rows()]
    return rows


TARGETS = [
    Target(("lenet training",), "better", worst=1.5, rows="batch 32"),
    Target(("lenet training",), "better", worst=1.0),
    Target(("lenet inference",), "onnxruntime", worst=1.0),
    Target(("optimizer",), "torch", worst=2.0, rows="Adam(params)"),
    Target(("optimizer",), "torch", worst=0.9, rows="Adam(params, fused=True)"),
    Target(("matrix",), "torch", worst=2.0),
    Target(("pool",), "torch", worst=3.0),
    Target(("pool",), "torch_cl", worst=1.0),
    Target(("norm",), "torch", worst=1.5),
    Target(("pool", "norm", "activation", "loss", "resize"), "torch", geomean=2.0),
    Target(("pool", "norm", "activation", "loss", "resize"), "better", geomean=1.2, worst=0.9),
    Target(("softmax",), "better", worst=0.9),
    Target(("move",), "better", geomean=1.2, worst=0.9),
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
    Target(("float64 forward", "float64 backward"), "itself", worst=0.45),
    Target(("denormal weights forward", "denormal weights backward"), "itself", worst=1 / 1.1),
]

NOTES = {
    "optimizer": "PyTorch's Adam as it comes, and its fused one, which like kitnet's moves 28 bytes a "
    "parameter (four arrays read, three written): both run at the speed of memory.",
} | dict.fromkeys(
    ("float64 forward", "float64 backward"),
    "Against float32 without Winograd's algorithm, which float64 never takes: both compute the same sums.",
)
"""What the report says of a group."""
