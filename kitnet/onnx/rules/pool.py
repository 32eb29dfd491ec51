"""Pooling: of windows, of everything, of regions, and its inverse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ... import layers
from ..._arrays import Array, gate_batch, gate_int
from ..._geometry import Window
from ...layers import Layer
from ...models import Sequential
from ..node import Node, Rule, whole
from ._windows import axes_of, pairs_of, window_of


def _arguments(node: Node) -> tuple[str, dict[str, Any]]:
    """The end of the layer's name, and its arguments, as all pooling over windows has them."""
    kernel = node.integers("kernel_shape")
    if kernel is None:
        raise ValueError("kernel_shape: expected the sizes of the window")
    ceil = node.flag("ceil_mode")
    return axes_of(node, len(kernel)), {
        "kernel_size": kernel,
        **window_of(node, len(kernel)),
        "ceil_mode": ceil,
    }


def _is_wide(arguments: dict[str, Any]) -> bool:
    """Whether the padding is more than half of the window, which kitnet's pooling does not take."""
    pads = arguments["padding"]
    if isinstance(pads, str) or not pads:
        return False
    largest = [max(pad) if isinstance(pad, tuple) else pad for pad in pads]
    sizes = zip(largest, arguments["kernel_size"], arguments["dilation"], strict=True)
    return any(2 * pad > d * (k - 1) + 1 for pad, k, d in sizes)


def _framed(node: Node, axes: str, arguments: dict[str, Any], value: float, make: Any) -> Layer:
    """``make``'s layer, whose padding, if it is wide, is a layer of its own."""
    if not _is_wide(arguments):
        return make(**arguments)
    if arguments["ceil_mode"]:
        node.refuse("padding of at most half the window together with ceil_mode", arguments["padding"])
    pairs = [pad if isinstance(pad, tuple) else (pad, pad) for pad in arguments["padding"]]
    flat = [cells for pair in reversed(pairs) for cells in pair]
    border = getattr(layers, f"ConstantPad{axes}")(flat, value)
    return Sequential(border, make(**{**arguments, "padding": 0}))


def average_pool(node: Node) -> Layer:
    axes, arguments = _arguments(node)
    count = node.flag("count_include_pad")
    if _is_wide(arguments) or set(arguments["dilation"]) != {1}:
        return WideAvgPool(**arguments, count_include_pad=count)
    del arguments["dilation"]
    return getattr(layers, f"AvgPool{axes}")(**arguments, count_include_pad=count)


class WideAvgPool(Layer):
    """Average pooling with dilation, or padding of any width: a convolution with ones, and a division."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        ceil_mode: bool = False,
        count_include_pad: bool = False,
    ) -> None:
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        self.dilation, self.ceil_mode, self.count_include_pad = dilation, ceil_mode, count_include_pad

    def _window(self, in_size: Sequence[int]) -> Window:
        return Window.of(
            in_size, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode
        )

    def _padding(self, window: Window) -> list[tuple[int, int]]:
        """The padding with which a convolution has as many windows as ``window``."""
        pads = []
        for size, k, s, low, d, out in zip(
            window.in_size, window.kernel, window.stride, window.pad_before, window.dilation, window.out_size,
            strict=True,
        ):  # fmt: skip
            pads.append((low, max((out - 1) * s + d * (k - 1) + 1 - size - low, 0)))
        return pads

    def _counts(self, window: Window, dtype: np.dtype) -> Array:
        """The cells that each window counts."""
        counts = np.ones(())
        for axis, out in enumerate(window.out_size):
            low, high = window.pads[axis] if self.count_include_pad else (0, 0)
            starts = np.arange(out) * window.stride[axis] - window.pad_before[axis]
            cells = starts[:, None] + np.arange(window.kernel[axis]) * window.dilation[axis]
            inside = ((cells >= -low) & (cells < window.in_size[axis] + high)).sum(axis=1)
            counts = counts[..., None] * np.maximum(inside, 1)
        return counts.astype(dtype)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        window = self._window(x.shape[2:])
        axes = f"{window.ndim}d"
        ones = np.ones((x.shape[1], 1, *window.kernel), x.dtype)
        moves = window.stride, self._padding(window), window.dilation, x.shape[1]
        counts = self._counts(window, x.dtype)
        y = getattr(F, f"conv{axes}")(x, ones, None, *moves) / counts
        backward = getattr(F, f"conv{axes}_backward")
        return y, lambda dy: backward(dy / counts, x, ones, *moves)[0]

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return (*in_shape[:2], *self._window(in_shape[2:]).out_size)


def max_pool(node: Node) -> Layer:
    axes, arguments = _arguments(node)
    by_column = node.flag("storage_order")
    if node.outputs > 1:
        if _is_wide(arguments):
            node.refuse("padding of at most half the window together with indices", arguments["padding"])
        return MaxPoolIndices(axes, by_column=by_column, **arguments)
    return _framed(node, axes, arguments, -math.inf, getattr(layers, f"MaxPool{axes}"))


class MaxPoolIndices(Layer):
    """Max pooling that also tells where: indices into the whole input, read as one row of numbers.

    With ``by_column`` each plane is read column by column.
    """

    def __init__(self, axes: str, *, by_column: bool = False, ceil_mode: bool = False, **window: Any) -> None:
        self.axes = axes
        self.by_column, self.ceil_mode, self.window = by_column, ceil_mode, window

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Any, Any]:
        pool, backward = (getattr(F, f"max_pool{self.axes}{end}") for end in ("", "_backward"))
        y, indices = pool(x, **self.window, ceil_mode=self.ceil_mode, return_indices=True)
        size = x.shape[2:]
        told = indices
        if self.by_column:
            places = np.unravel_index(indices, size)
            told = np.ravel_multi_index(places[::-1], size[::-1])
        planes = np.arange(math.prod(x.shape[:2])).reshape(x.shape[:2] + (1,) * (x.ndim - 2))
        told = (told + planes * math.prod(size)).astype(np.int64)
        return (y, told), lambda dy, _: backward(dy, indices, x.shape)

    def __call__(self, x: Array) -> Any:
        return self.vjp(x, input_grad=False)[0]

    def out_shape(self, in_shape: Sequence[int]) -> Any:
        window = Window.of(in_shape[2:], **self.window, ceil_mode=self.ceil_mode, pooling=True)
        shape = (*in_shape[:2], *window.out_size)
        return shape, shape

    def config(self) -> dict[str, Any]:
        return {"axes": self.axes, **self.window, "ceil_mode": self.ceil_mode, "by_column": self.by_column}


def lp_pool(node: Node) -> Layer:
    axes, arguments = _arguments(node)
    p = node.integer("p", 2)
    kind = getattr(layers, f"LPPool{axes}")
    return _framed(node, axes, arguments, 0.0, lambda **window: kind(p, **window))


def max_unpool(node: Node, output_shape: Array | None = None) -> Layer:
    kernel = node.integers("kernel_shape") or ()
    strides = node.integers("strides", len(kernel)) or (1,) * len(kernel)
    pairs = pairs_of(node.integers("pads", 2 * len(kernel))) or ((0, 0),) * len(kernel)
    if any(before != after for before, after in pairs):
        node.refuse("the same padding before and after", pairs)
    kind = getattr(layers, f"MaxUnpool{axes_of(node, len(kernel))}")
    size = None if output_shape is None else whole(output_shape, "output_shape")
    return MaxUnpool(kind(kernel, strides, tuple(before for before, _ in pairs)), size)


class MaxUnpool(Layer):
    """Max pooling undone with indices into all planes; a larger ``output_shape`` has zeros behind them."""

    def __init__(self, unpool: Any, output_shape: Sequence[int] | None = None) -> None:
        self.unpool = unpool
        self.output_shape = output_shape

    def _border(self, shape: Sequence[int]) -> list[int]:
        """What is to be added after each axis, in the order of ``pad``."""
        wanted = shape if self.output_shape is None else self.output_shape
        return [cells for a, b in zip(reversed(wanted), reversed(shape), strict=True) for cells in (0, a - b)]

    def vjp(  # type: ignore[override]
        self, x: Array, indices: Array, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        shape = self.unpool.out_shape(x.shape)
        plane = math.prod(shape[2:])
        starts = plane * np.arange(math.prod(shape[:2])).reshape(shape[:2] + (1,) * (x.ndim - 2))
        y, pullback = self.unpool.vjp(x, indices - starts, input_grad=input_grad)
        border = self._border(shape)
        if not any(border):
            return y, pullback
        return F.pad(y, border), lambda dy: pullback(F.pad_backward(dy, shape, border))

    def __call__(self, x: Array, indices: Array) -> Array:  # type: ignore[override]
        return self.vjp(x, indices, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        return tuple(self.output_shape or self.unpool.out_shape(in_shapes[0]))


def global_lp_pool(node: Node) -> Layer:
    return layers.GlobalLpPool(node.integer("p", 2))


def roi_align(node: Node) -> Layer:
    modes = ("half_pixel", "output_half_pixel") if node.version >= 16 else ("output_half_pixel",)
    return RoiAlign(
        (node.integer("output_height", 1), node.integer("output_width", 1)),
        node.integer("sampling_ratio", 0),
        node.number("spatial_scale", 1.0),
        half_pixel=node.text("coordinate_transformation_mode", *modes) == "half_pixel",
        largest=node.text("mode", "avg", "max") == "max",
    )


MOST_POINTS = 1 << 13
"""Along one axis of a region; a box from a damaged file must not ask for all memory."""


class RoiAlign(Layer):
    """The means, or the largest values, of the bins of regions: images, boxes and their images' numbers.

    (N, C, H, W), (R, 4) as x1, y1, x2, y2, and (R,) -> (R, C, *output_size). Each bin is sampled at a grid
    of points, bilinearly. In NumPy, region by region.

    Source: He et al., "Mask R-CNN" (2017), section 3; the largest value of a bin is the largest of its
    points' weighted corners, as ONNX has it.
    """

    def __init__(
        self,
        output_size: tuple[int, int],
        sampling_ratio: int = 0,
        spatial_scale: float = 1.0,
        *,
        half_pixel: bool = True,
        largest: bool = False,
    ) -> None:
        self.output_size = output_size
        self.sampling_ratio, self.spatial_scale = sampling_ratio, spatial_scale
        self.half_pixel, self.largest = half_pixel, largest

    def _points(self, low: float, high: float, axis: int, size: int) -> tuple[Array, Array, int]:
        """Along one axis of a region: (points, 2) neighbours and their weights; and the points of a bin."""
        shift, bins = 0.5 * self.half_pixel, self.output_size[axis]
        low, high = (edge * self.spatial_scale - shift for edge in (low, high))
        length = high - low if self.half_pixel else max(high - low, 1.0)
        count = self.sampling_ratio if self.sampling_ratio > 0 else max(math.ceil(length / bins), 0)
        if count * bins > MOST_POINTS:
            raise ValueError(f"rois: expected regions of at most {MOST_POINTS} points, got {count * bins}")
        at = low + (np.arange(bins * count) + 0.5) * (length / bins / max(count, 1))
        outside = (at < -1) | (at > size)
        at = np.clip(at, 0, size - 1)
        first = np.minimum(at.astype(np.int64), size - 1)
        weights = np.stack([1 - (at - first), at - first], axis=1)
        weights[outside] = 0
        return np.stack([first, np.minimum(first + 1, size - 1)], axis=1), weights, count

    def vjp(  # type: ignore[override]
        self, x: Array, rois: Array, batch_indices: Array, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        x = gate_batch(x, "x", 4)
        (n, c, h, w), (oh, ow) = x.shape, self.output_size
        batch_indices = gate_int(batch_indices, "batch_indices", ndim=1, below=n)
        if rois.shape != (len(batch_indices), 4) or not np.isfinite(rois).all():
            raise ValueError(f"rois: expected finite numbers ({len(batch_indices)}, 4), got {rois.shape}")
        y = np.zeros((len(rois), c, oh, ow), x.dtype)
        tape = []
        for r, (x1, y1, x2, y2) in enumerate(rois.tolist()):
            rows, rw, i = self._points(y1, y2, 0, h)
            columns, cw, j = self._points(x1, x2, 1, w)
            if not i or not j:  # an empty region has no points
                continue
            at = rows[:, :, None, None] * w + columns
            weights = (rw[:, :, None, None] * cw).astype(x.dtype)
            bins = oh, i * 2, ow, j * 2
            order = (0, 2, 1, 3)
            at = at.reshape(bins).transpose(order).reshape(oh, ow, -1)
            weights = weights.reshape(bins).transpose(order).reshape(oh, ow, -1)
            values = x[batch_indices[r]].reshape(c, -1)[:, at] * weights
            if self.largest:
                best = values.argmax(axis=-1)[..., None]
                y[r] = np.take_along_axis(values, best, axis=-1)[..., 0]
                tape.append((r, at, np.where(np.arange(at.shape[-1]) == best, weights, 0)))
            else:
                y[r] = values.sum(axis=-1) / (i * j)
                tape.append((r, at, weights / (i * j)))

        def pullback(dy: Array) -> tuple[Array, None, None]:
            dx = np.zeros_like(x)
            for r, at, weights in tape:
                plane = dx[batch_indices[r]].reshape(c, -1)
                share = np.broadcast_to(dy[r][..., None] * weights, (c, *at.shape))
                np.add.at(plane, (np.arange(c)[:, None, None, None], at), share)
            return dx, None, None

        return y, pullback

    def __call__(self, *xs: Array) -> Array:
        return self.vjp(*xs, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        return (in_shapes[1][0], in_shapes[0][1], *self.output_size)


RULES = {
    "AveragePool": Rule(average_pool),
    "GlobalAveragePool": Rule(lambda node: layers.GlobalAvgPool()),
    "GlobalLpPool": Rule(global_lp_pool),
    "GlobalMaxPool": Rule(lambda node: layers.GlobalMaxPool()),
    "LpPool": Rule(lp_pool),
    "MaxPool": Rule(max_pool, outputs=2),
    "MaxUnpool": Rule(max_unpool, flows=(0, 1)),
    "RoiAlign": Rule(roi_align, flows=None),
}
