"""Convolutions: plain, transposed, deformable, and the sums of windows that they are made of."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ... import layers
from ..._arrays import Array, gate, gate_batch
from ..._geometry import Window, one_int
from ...layers import Layer
from ...layers.conv_transpose import ConvTranspose as TransposedLayer
from ...layers.weighted import Weighted
from ..node import Node, Rule, whole
from ._windows import axes_of, pairs_of, window_of


def _kernel(node: Node, weight: Array) -> tuple[int, ...]:
    """The kernel's sizes, which the attribute must not contradict."""
    kernel = weight.shape[2:]
    if node.integers("kernel_shape") not in (None, kernel):
        raise ValueError(f"kernel_shape: expected {kernel}, the weights' sizes")
    return kernel


def conv(node: Node, weight: Array, bias: Array | None = None) -> Layer:
    kind = getattr(layers, f"Conv{axes_of(node, weight.ndim - 2)}")
    groups = node.integer("group", 1)
    kernel = _kernel(node, weight)
    more = {"groups": groups, "bias": bias is not None, "dtype": weight.dtype}
    more |= window_of(node, len(kernel))
    channels = weight.shape[1] * groups, weight.shape[0]
    return node.fill(lambda: kind(*channels, kernel, **more), weight=weight, bias=bias)


def conv_transpose(node: Node, weight: Array, bias: Array | None = None) -> Layer:
    kind = getattr(layers, f"ConvTranspose{axes_of(node, weight.ndim - 2)}")
    groups = node.integer("group", 1)
    kernel = _kernel(node, weight)
    size = node.integers("output_shape", len(kernel))
    more = {"groups": groups, "bias": bias is not None, "dtype": weight.dtype}
    more |= window_of(node, len(kernel))
    extra = node.integers("output_padding", len(kernel)) or 0
    more["output_padding"] = extra if size is None else 0  # the output's shape says it all
    upper = more["padding"] == "same"
    if size is not None:
        more["padding"] = 0
    channels = weight.shape[0], weight.shape[1] * groups
    layer = node.fill(lambda: kind(*channels, kernel, **more), weight=weight, bias=bias)
    return layer if size is None else ConvTransposeTo(layer, size, upper)


class ConvTransposeTo(Layer):
    """A transposed convolution to an output of a given size: its padding follows from that of the input.

    What is too much is cut off at both ends, an odd cell of it in front, or, with ``upper``, behind; what is
    missing is added behind.
    """

    def __init__(self, conv: TransposedLayer, output_size: Sequence[int], upper: bool = False) -> None:
        self.conv = conv
        self.output_size = tuple(output_size)
        self.upper = upper

    def _padded(self, in_size: Sequence[int]) -> Layer:
        conv = copy.copy(self.conv)
        spare = [a - b for a, b in zip(conv.out_size(in_size, "x"), self.output_size, strict=True)]
        halves = [(max(n, 0) // 2, max(n, 0) - max(n, 0) // 2) for n in spare]
        conv.padding = tuple(half if self.upper else half[::-1] for half in halves)
        conv.output_padding = tuple(max(-n, 0) for n in spare)
        return conv

    def __call__(self, x: Array) -> Array:
        return self._padded(x.shape[2:])(x)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        return self._padded(x.shape[2:]).vjp(x, input_grad=input_grad)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self._padded(in_shape[2:]).out_shape(in_shape)


def col2im(node: Node, image: Array, block: Array) -> Layer:
    image_size, kernel = whole(image, "image_shape"), whole(block, "block_shape")
    return Col2Im(image_size, kernel, **window_of(node, len(kernel)))


class Col2Im(Layer):
    """Windows of one to three axes added up where they were; ``Fold`` has two."""

    def __init__(
        self, output_size: Sequence[int], kernel_size: Any, stride: Any, padding: Any, dilation: Any
    ) -> None:
        self.output_size = tuple(output_size)
        self.window = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
        }
        self.cells = int(np.prod(Window.of(self.output_size, **self.window).kernel))

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Any]:
        y = F.fold(x, self.output_size, **self.window)
        return y, lambda dy: F.fold_backward(dy, **self.window)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return (in_shape[0], in_shape[1] // self.cells, *self.output_size)

    def config(self) -> dict[str, Any]:
        return {"output_size": list(self.output_size), **self.window}


def deform_conv(node: Node, weight: Array, bias: Array | None = None) -> Layer:
    if weight.ndim != 4:
        node.refuse("two spatial axes", weight.ndim - 2)
    groups, offset_groups = node.integer("group", 1), node.integer("offset_group", 1)
    _kernel(node, weight)
    strides, dilations = node.integers("strides", 2) or (1, 1), node.integers("dilations", 2) or (1, 1)
    pads = pairs_of(node.integers("pads", 4)) or ((0, 0), (0, 0))
    kwargs: dict[str, Any] = {"groups": groups, "offset_groups": offset_groups, "bias": bias is not None}

    def make() -> DeformConv2d:
        return DeformConv2d(weight.shape, strides, pads, dilations, dtype=weight.dtype, **kwargs)

    return node.fill(make, weight=weight, bias=bias)


class DeformConv2d(Weighted):
    """A convolution whose taps are displaced, each by an offset of its own for each place of the output.

    Takes images (N, C, H, W), offsets (N, offset_groups kh kw 2, OH, OW) and maybe a mask (N, offset_groups
    kh kw, OH, OW), which the taps are multiplied with. Between the pixels values are bilinear, outside 0. In
    NumPy: few networks have it.

    Source: Zhu et al., "Deformable ConvNets v2: more deformable, better results" (2018).
    """

    def __init__(
        self,
        shape: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[tuple[int, int]],
        dilation: Sequence[int],
        *,
        groups: int = 1,
        offset_groups: int = 1,
        bias: bool = True,
        dtype: Any = np.float32,
    ) -> None:
        self.shape, self.stride, self.padding = tuple(shape), tuple(stride), tuple(padding)
        self.dilation = tuple(dilation)
        self.groups, self.offset_groups = one_int(groups, "groups"), one_int(offset_groups, "offset_groups")
        fan_in = int(np.prod(shape[1:]))
        self._set_weights(self.shape, fan_in, self.shape[:1] if bias else None, dtype, None)

    def _window(self, in_size: Sequence[int]) -> Window:
        return Window.of(in_size, self.shape[2:], self.stride, self.padding, self.dilation)

    def vjp(  # type: ignore[override]
        self, x: Array, offset: Array, mask: Array | None = None, *, input_grad: bool = True
    ) -> tuple[Array, Any]:
        x = gate_batch(x, "x", 4, self.dtype)
        (n, c, *_), out = x.shape, self._window(x.shape[2:]).out_size
        taps = self.shape[2] * self.shape[3]
        g, k = self.offset_groups, taps * out[0] * out[1]
        offset = gate(offset, "offset", dtype=self.dtype, shape=(n, 2 * g * taps, *out))
        if mask is not None:
            mask = gate(mask, "mask", dtype=self.dtype, shape=(n, g * taps, *out))
        if c != self.shape[1] * self.groups or c % g:
            raise ValueError(f"x: expected {self.shape[1] * self.groups} channels, got {c}")
        places = np.reshape(offset, (n, g, taps, 2, *out)) + self._grid(out)
        scale = 1 if mask is None else np.reshape(mask, (n, g, 1, k))
        values, sample_back = bilinear(
            x.reshape(n, g, c // g, *x.shape[2:]), places[:, :, :, 0], places[:, :, :, 1]
        )
        columns = (values * scale).reshape(n, self.groups, c // self.groups, taps, -1)
        weight = self.weight.data.reshape(self.groups, -1, c // self.groups, taps)
        y = np.einsum("ngctl,goct->ngol", columns, weight).reshape(n, -1, *out)
        if self.bias is not None:
            y += self.bias.data[:, None, None]

        def pullback(dy: Array) -> tuple[Array | None, ...]:
            rows = dy.reshape(n, self.groups, -1, out[0] * out[1])
            dw = np.einsum("ngctl,ngol->goct", columns, rows).reshape(self.weight.shape)
            self._accumulate(dw, dy.sum(axis=(0, 2, 3)))
            dcolumns = np.einsum("ngol,goct->ngctl", rows, weight).reshape(values.shape)
            dx, dv, dh = sample_back(dcolumns * scale)
            doffset = np.stack([grad.reshape(n, g, taps, *out) for grad in (dv, dh)], axis=3)
            dxs = dx.reshape(x.shape), doffset.reshape(offset.shape)
            return dxs if mask is None else (*dxs, (dcolumns * values).sum(axis=2).reshape(mask.shape))

        return y, pullback

    def __call__(self, *xs: Array) -> Array:
        return self.vjp(*xs, input_grad=False)[0]

    def _grid(self, out: Sequence[int]) -> Array:
        """Where the taps would be without offsets: (taps, 2, OH, OW)."""
        axes = []
        for axis in (0, 1):
            starts = np.arange(out[axis]) * self.stride[axis] - self.padding[axis][0]
            axes.append(np.arange(self.shape[2 + axis])[:, None] * self.dilation[axis] + starts)
        kh, kw, oh, ow = *self.shape[2:], *out
        rows = np.broadcast_to(axes[0][:, None, :, None], (kh, kw, oh, ow))
        columns = np.broadcast_to(axes[1][None, :, None, :], (kh, kw, oh, ow))
        return np.stack([rows, columns], axis=2).reshape(kh * kw, 2, oh, ow).astype(self.dtype)

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        n, _, *in_size = in_shapes[0]
        return (n, self.shape[0], *self._window(in_size).out_size)


@np.errstate(all="ignore")  # NaN and infinities go their way
def bilinear(x: Array, rows: Array, columns: Array) -> tuple[Array, Any]:
    """The values of images (N, G, C, H, W) at places (N, G, ...), 0 outside, as (N, G, C, places).

    With them comes the function from their gradient to those of x, rows and columns.
    """
    (n, g, c, h, w), shape = x.shape, rows.shape[:2]
    v, u = rows.reshape(*shape, 1, -1), columns.reshape(*shape, 1, -1)
    top, left = np.floor(v), np.floor(u)
    planes = x.reshape(n, g, c, h * w)
    total = np.zeros((n, g, c, v.shape[-1]), x.dtype)
    corners = []
    for down in (0, 1):
        for right in (0, 1):
            i, j = top + down, left + right
            inside = (i >= 0) & (i < h) & (j >= 0) & (j < w)
            at = np.where(inside, i * w + j, 0).astype(np.int64)
            value = np.where(inside, np.take_along_axis(planes, at, axis=3), 0)
            across, along = 1 - np.abs(v - i), 1 - np.abs(u - j)
            total += value * (across * along)
            signs = 2 * down - 1, 2 * right - 1  # of the weights' slopes
            corners.append((at, inside, value, across, along, signs))

    def back(dy: Array) -> tuple[Array, Array, Array]:
        dx = np.zeros_like(planes)
        dv, du = np.zeros(v.shape, x.dtype), np.zeros(u.shape, x.dtype)
        which = np.ix_(range(n), range(g), range(c), range(1))[:3]
        for at, inside, value, across, along, signs in corners:
            share = np.where(inside, dy * (across * along), 0)
            np.add.at(dx, (*which, np.broadcast_to(at, share.shape)), share)
            dv += (dy * value).sum(axis=2, keepdims=True) * along * signs[0]
            du += (dy * value).sum(axis=2, keepdims=True) * across * signs[1]
        return dx, dv, du

    return total, back


RULES = {
    "Conv": Rule(conv),
    "ConvTranspose": Rule(conv_transpose),
    "Col2Im": Rule(col2im),
    "DeformConv": Rule(deform_conv, flows=(0, 2, 4)),
}
