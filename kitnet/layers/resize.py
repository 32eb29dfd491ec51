"""Layers that change the size of images, or take them apart into windows and put them together again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import functional as F
from .._arrays import Array, gate, gate_batch
from .._geometry import Padding, Size, checked_shape, per_axis, product
from ..functional.interpolate import MODES, interpolate_mode, resized, targets
from .base import Layer, Pullback, no_gradient
from .windowed import Windowed


class Upsample(Layer):
    """x at another size, larger or smaller: ``kitnet.functional.interpolate`` as a layer.

    Shapes: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> (N, C, *sizes).

    Parameters
    ----------
    size, scale_factor, mode, align_corners, recompute_scale_factor
        As for ``kitnet.functional.interpolate``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), with slope -0.75.

    >>> import numpy as np
    >>> from kitnet.layers import Upsample
    >>> Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]]))
    array([[[1., 1., 2., 2.]]])
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        self.mode = interpolate_mode(mode, align_corners)
        given: Any = scale_factor if size is None else size
        several = isinstance(given, (tuple, list))
        sizes, factors = targets(size, scale_factor, recompute_scale_factor, len(given) if several else 1)
        self.size = sizes if several or sizes is None else sizes[0]
        self.scale_factor = factors if several or factors is None else factors[0]
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def _arguments(self) -> tuple[Any, ...]:
        return self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor

    def __call__(self, x: Array) -> Array:
        return F.interpolate(x, *self._arguments())

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        arguments, y = self._arguments(), self(x)
        shape = x.shape
        return y, (lambda dy: F.interpolate_backward(dy, shape, *arguments)) if input_grad else no_gradient

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, MODES[self.mode], "in_shape")
        size, _ = resized(shape, self.size, self.scale_factor, self.mode, self.recompute_scale_factor)
        return shape[:2] + size


def _alone(layer: Layer, x: Array, input_grad: bool) -> tuple[Array, Pullback]:
    """``layer.vjp`` of a sample by itself, as a batch of one."""
    ys, pullback = layer.vjp(gate_batch(x[None], "x"), input_grad=input_grad)
    y = ys[0]
    if not input_grad:
        return y, no_gradient
    return y, lambda dy: pullback(gate(dy, "dy", dtype=y.dtype, shape=y.shape)[None])[0]


class Unfold(Windowed):
    """The windows of images as the columns of a matrix a sample: ``kitnet.functional.unfold`` as a layer.

    Shapes: (N, C, H, W) -> (N, C kh kw, OH OW); (C, H, W), a sample by itself, -> (C kh kw, OH OW).

    Parameters
    ----------
    kernel_size, dilation, padding, stride
        As for ``kitnet.functional.unfold``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 5, in PyTorch's layout.

    >>> import numpy as np
    >>> from kitnet.layers import Unfold
    >>> Unfold(2)(np.arange(6.0).reshape(1, 1, 2, 3))[0]
    array([[0., 1.],
           [1., 2.],
           [3., 4.],
           [4., 5.]])
    """

    ndim = 2
    pooling = False

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Padding = 0, stride: Size = 1) -> None:
        self._set_window(kernel_size, stride, padding, dilation)

    def __call__(self, x: Array) -> Array:
        x = gate(x, "x", (4, 3))
        if x.ndim == 3:
            return _alone(self, x, False)[0]
        return F.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = gate(x, "x", (4, 3))
        if x.ndim == 3:
            return _alone(self, x, input_grad)
        window = self.kernel_size, self.dilation, self.padding, self.stride
        y, size = self(x), x.shape[2:]
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: F.unfold_backward(gate(dy, "dy", dtype=y.dtype, shape=y.shape), size, *window)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        if len(in_shape) == 3:
            return self.out_shape((1, *in_shape))[1:]
        n, c, *places = super().out_shape(in_shape)
        return n, c * product(self.kernel_size), product(places)


class Fold(Windowed):
    """Windows added up where they were in the images: ``kitnet.functional.fold`` as a layer.

    Shapes: (N, C kh kw, L) -> (N, C, *output_size), for L windows; (C kh kw, L), a sample by itself, -> (C,
    *output_size).

    Parameters
    ----------
    output_size, kernel_size, dilation, padding, stride
        As for ``kitnet.functional.fold``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 5: "converting back accumulates".

    >>> import numpy as np
    >>> from kitnet.layers import Fold
    >>> Fold((2, 3), 2)(np.ones((1, 4, 2)))
    array([[[[1., 2., 1.],
             [1., 2., 1.]]]])
    """

    ndim = 2
    pooling = False

    def __init__(
        self,
        output_size: Size,
        kernel_size: Size,
        dilation: Size = 1,
        padding: Padding = 0,
        stride: Size = 1,
    ) -> None:
        self.output_size = per_axis(output_size, 2, "output_size")
        self._set_window(kernel_size, stride, padding, dilation)
        self._places = self.window(self.output_size, "output_size").out_size

    def __call__(self, x: Array) -> Array:
        x = gate(x, "x", (3, 2))
        if x.ndim == 2:
            return _alone(self, x, False)[0]
        return F.fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = gate(x, "x", (3, 2))
        if x.ndim == 2:
            return _alone(self, x, input_grad)
        window = self.kernel_size, self.dilation, self.padding, self.stride
        y = self(x)
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: F.fold_backward(gate(dy, "dy", dtype=y.dtype, shape=y.shape), *window)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        *front, rows, places = checked_shape(in_shape, (3, 2), "in_shape")
        cells, windows = product(self.kernel_size), product(self._places)
        if rows % cells or places != windows:
            raise ValueError(
                f"in_shape: expected (N, a multiple of {cells}, {windows}), got {tuple(in_shape)}"
            )
        return (*front, rows // cells, *self.output_size)
