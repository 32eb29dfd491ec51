"""Convolutions, pools, borders, resizing and shuffles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from parity.row import INF, Maker, Row

Theirs = Callable[..., Any]

SIZES = {1: (9,), 2: (7, 8), 3: (4, 5, 6)}
ALL = ("x", "weight", "bias")
WINDOW = {"kernel_size": 3, "stride": 2, "padding": 1}
DIMENSIONS = (1, 2, 3)


def image(ndim: int, channels: int = 4, n: int = 2) -> tuple[int, ...]:
    return (n, channels, *SIZES[ndim])


# ---- what PyTorch has not, in what it has


def _bordered(ndim: int, *pad: int) -> Callable[[Any], Theirs]:
    """A convolution of a border that is not the same on both sides."""

    def make(functional: Any) -> Theirs:
        conv = getattr(functional, f"conv{ndim}d")
        return lambda x, weight, bias, **moves: conv(functional.pad(x, pad), weight, bias, **moves)

    return make


def _local(functional: Any) -> Theirs:
    """A locally connected layer: windows as views, and a sum of products."""

    def local(x: Any, weight: Any, bias: Any, stride: int, padding: int, dilation: int) -> Any:
        import torch

        n = x.ndim - 2
        x = functional.pad(x, (padding,) * 2 * n)
        for axis, size in enumerate(weight.shape[n + 2 :]):
            x = x.unfold(2 + axis, dilation * (size - 1) + 1, stride)[..., ::dilation]
        places, taps = "ijk"[:n], "uvw"[:n]
        return torch.einsum(f"nc{places}{taps},{places}mc{taps}->nm{places}", x, weight) + bias

    return local


def _sum_pool(ndim: int) -> Callable[[Any], Theirs]:
    """A mean, times the cells of a window."""

    def make(functional: Any) -> Theirs:
        mean = getattr(functional, f"avg_pool{ndim}d")
        return lambda x, kernel_size, **moves: mean(x, kernel_size, **moves) * kernel_size**ndim

    return make


def _lp_pool(ndim: int) -> Callable[[Any], Theirs]:
    """PyTorch's forgets the sign of x where p is odd, and knows neither padding nor infinity."""

    def make(functional: Any) -> Theirs:
        def pool(x: Any, norm_type: float, kernel_size: int, stride: int, padding: int = 0) -> Any:
            x = functional.pad(x.abs(), (padding,) * 2 * ndim)
            if norm_type == INF:
                return getattr(functional, f"max_pool{ndim}d")(x, kernel_size, stride)
            mean = getattr(functional, f"avg_pool{ndim}d")(x**norm_type, kernel_size, stride)
            return (mean * kernel_size**ndim) ** (1 / norm_type)

        return pool

    return make


def _matrix(functional: Any) -> Theirs:
    """im2col: unfold with a window a row."""
    return lambda x, **window: functional.unfold(x, **window).transpose(1, 2).flatten(0, 1)


def _image(functional: Any) -> Theirs:
    def col2im(cols: Any, input_shape: tuple[int, ...], **window: Any) -> Any:
        cols = cols.reshape(input_shape[0], -1, cols.shape[1]).transpose(1, 2)
        return functional.fold(cols, input_shape[2:], **window)

    return col2im


# ---- rows


def _conv(ndim: int) -> list[Row]:
    weight = (6, 2, *(3, 2, 3)[:ndim])
    inputs = {"x": image(ndim), "weight": weight, "bias": (6,)}
    turned = {"x": image(ndim), "weight": (4, 3, *weight[2:]), "bias": (6,)}
    border = {"padding": ((1, 0), (2, 1), (0, 1))[:ndim]}
    local = {"x": (2, 3, *(6, 5, 4)[:ndim]), "weight": (*(6, 5, 4)[:ndim], 2, 3, *(3,) * ndim)}
    sparse = {"stride": 2, "padding": 2, "dilation": 2}
    places = tuple((s - 1) // 2 + 1 for s in (6, 5, 4)[:ndim])
    return [
        Row(f"conv{ndim}d", inputs, {"stride": 2, "padding": 1, "groups": 2}, gradients=ALL),
        Row(f"conv{ndim}d", inputs, {"groups": 2, "padding": 2, "dilation": 2}, gradients=ALL),
        Row(f"conv{ndim}d", inputs, {"groups": 2, "padding": "same"}, gradients=ALL),
        Row(f"conv{ndim}d", inputs, {"groups": 2, **border}, gradients=ALL, torch_options={"groups": 2},
            torch=_bordered(ndim, *(cells for pair in reversed(border["padding"]) for cells in pair))),
        Row(f"conv_transpose{ndim}d", turned, {"stride": 2, "padding": 1, "groups": 2}, gradients=ALL),
        Row(f"conv_transpose{ndim}d", turned, gradients=ALL,
            options={"stride": 3, "output_padding": 2, "groups": 2, "dilation": 2}),
        Row(f"locally_connected{ndim}d", {**local, "bias": (2, *local["weight"][:ndim])},
            {"stride": 1, "padding": 1, "dilation": 1}, torch=_local, gradients=ALL),
        Row(f"locally_connected{ndim}d",
            {"x": local["x"], "weight": (*places, *local["weight"][ndim:]), "bias": (2, *places)},
            sparse, torch=_local, gradients=ALL),
    ]  # fmt: skip


def _places(ndim: int) -> Maker:
    """For each maximum of windows of 2 side by side a cell of its window."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> np.ndarray:
        size, index = (3, 4, 2)[:ndim], 0
        for axis, grid in enumerate(np.meshgrid(*map(np.arange, size), indexing="ij")):
            index = 2 * size[axis] * index + 2 * grid + rng.integers(0, 2, (2, 4, *size))
        return index

    return make


def _pool(ndim: int) -> list[Row]:
    x, indices = {"x": image(ndim)}, ("y", "indices")
    unpooled = {"x": (2, 4, *(3, 4, 2)[:ndim]), "indices": _places(ndim)}
    dilated = {"kernel_size": 2, "dilation": 2, "stride": 1}
    larger = tuple(2 * s + 1 for s in (3, 4, 2)[:ndim])
    return [
        *(
            Row(f"max_pool{ndim}d", x, {**window, "return_indices": True},
                torch_options=window, returns=indices)
            for window in (WINDOW, dilated, {**WINDOW, "ceil_mode": True})
        ),
        Row(f"avg_pool{ndim}d", x, {**WINDOW, "count_include_pad": False}),
        Row(f"avg_pool{ndim}d", x, {"kernel_size": 2, "stride": 3, "ceil_mode": True}),
        Row(f"avg_pool{ndim}d", x, {**WINDOW, "ceil_mode": True}),
        *([Row(f"avg_pool{ndim}d", x, {**WINDOW, "divisor_override": 5})] if ndim > 1 else []),
        Row(f"sum_pool{ndim}d", x, WINDOW, torch=_sum_pool(ndim)),
        Row(f"lp_pool{ndim}d", x, {"norm_type": 2, "kernel_size": 2}),
        *(Row(f"lp_pool{ndim}d", x, {"norm_type": p, **WINDOW}, torch=_lp_pool(ndim)) for p in (1.5, 3, INF)),
        *(Row(f"adaptive_avg_pool{ndim}d", x, {"output_size": size}) for size in (1, (3, 4, 2)[:ndim])),
        *(
            Row(f"adaptive_max_pool{ndim}d", x, {"output_size": size, "return_indices": True},
                torch_options={"output_size": size}, returns=indices)
            for size in (1, (3, 4, 2)[:ndim])
        ),
        Row(f"max_unpool{ndim}d", unpooled, {"kernel_size": 2}),
        Row(f"max_unpool{ndim}d", unpooled, {"kernel_size": 2, "output_size": larger}),
    ]  # fmt: skip


MODES = {1: ("nearest", "nearest-exact", "linear", "area"),
         2: ("nearest", "nearest-exact", "bilinear", "bicubic", "area"),
         3: ("nearest", "nearest-exact", "trilinear", "area")}  # fmt: skip


def _interpolate(ndim: int) -> list[Row]:
    rows = []
    for mode in MODES[ndim]:
        corners = [{}] if "near" in mode or mode == "area" else [{"align_corners": a} for a in (False, True)]
        sizes: list[dict[str, Any]] = [
            {"size": (5, 11, 3)[:ndim]},
            {"scale_factor": 2.0},
            {"scale_factor": (2.3, 0.7, 1.5)[:ndim]},
            {"scale_factor": (2.3, 0.7, 1.5)[:ndim], "recompute_scale_factor": True},
        ]
        rows += [
            Row("interpolate", {"x": image(ndim)}, {"mode": mode, **size, **c})
            for size in sizes
            for c in corners
        ]
    return rows


def _pad(ndim: int) -> list[Row]:
    pads = (2, 1, 0, 3, 1, 1)[: 2 * ndim]
    rows = [
        Row("pad", {"x": image(ndim)}, {"pad": pads, "mode": m}) for m in ("reflect", "replicate", "circular")
    ]
    return [*rows, Row("pad", {"x": image(ndim)}, {"pad": (-1, 2, *pads[2:]), "value": 0.5})]


WINDOWS = [
    *(row for rows in (_conv, _pool, _interpolate, _pad) for ndim in DIMENSIONS for row in rows(ndim)),
    Row("linear", {"x": (5, 7), "weight": (3, 7), "bias": (3,)}, gradients=ALL),
    Row("unfold", {"x": image(2)}, {"kernel_size": 3, "dilation": 2, "padding": 1, "stride": 2},
        delta="cols", known={"output_size": SIZES[2]}),
    Row("fold", {"cols": (2, 16, 42)}, {"output_size": (7, 8), "kernel_size": 2}, delta="x"),
    Row("im2col", {"x": image(2)}, {"kernel_size": (3, 2), "dilation": 2, "padding": 1, "stride": 2},
        delta="cols", torch=_matrix),
    Row("col2im", {"cols": (84, 16)}, {"input_shape": (2, 4, 7, 8), "kernel_size": 2},
        delta="x", torch=_image),
    Row("pixel_shuffle", {"x": (2, 8, 3, 4)}, {"upscale_factor": 2}),
    Row("pixel_unshuffle", {"x": (2, 2, 6, 3)}, {"downscale_factor": 3}),
    Row("channel_shuffle", {"x": (2, 6, 3, 2)}, {"groups": 2}),
    Row("scale_channels", {"x": image(2), "scale": (2, 4), "shift": (2, 4)},
        gradients=("x", "scale", "shift"),
        torch=lambda f: lambda x, scale, shift: x * scale[..., None, None] + shift[..., None, None]),
]  # fmt: skip
