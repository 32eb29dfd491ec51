"""Pooling to a size that is asked for, whatever the size of the input, and back by remembered indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .. import functional as F
from .._arrays import Array, gate_batch, gate_number
from .._geometry import Ints, Size, checked_shape, per_axis
from ..functional.adaptive import adaptive_size, resolved
from ..functional.unpool import unpooled
from .base import Layer, Pullback, no_gradient


def _parted(in_shape: Sequence[int], ndim: int) -> tuple[Any, ...]:
    """N and C, or C alone for a sample by itself, and the spatial sizes."""
    if len(in_shape) == ndim + 1:
        return _parted((1, *in_shape), ndim)[1:]
    n, c, *size = checked_shape(in_shape, ndim + 2, "in_shape")
    return n, c, tuple(size)


class _Adaptive(Layer):
    ndim: ClassVar[int]
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(self, output_size: Any) -> None:
        self.output_size = adaptive_size(output_size, self.ndim)

    def __call__(self, x: Array) -> Array:
        y: Array = self._op(x, self.output_size)
        return y

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        *front, size = _parted(in_shape, self.ndim)
        return (*front, *resolved(self.output_size, size))


class _AdaptiveAvgPool(_Adaptive):
    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y, shape, size = self(x), x.shape, self.output_size
        return y, (lambda dy: self._op_backward(dy, shape, size)) if input_grad else no_gradient


class _AdaptiveMaxPool(_Adaptive):
    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        if not input_grad:
            return self(x), no_gradient
        y, indices = self._op(x, self.output_size, return_indices=True)
        shape = x.shape
        return y, lambda dy: self._op_backward(dy, indices, shape)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows that cover signals (N, C, L) evenly; see ``AdaptiveAvgPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveAvgPool1d
    >>> AdaptiveAvgPool1d(2)(np.array([[[1.0, 3, 5]]]))
    array([[[2., 4.]]])
    """

    ndim = 1
    _op = staticmethod(F.adaptive_avg_pool1d)
    _op_backward = staticmethod(F.adaptive_avg_pool1d_backward)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that cover images evenly: the same output for images of any size.

    Shapes: (N, C, H, W) -> (N, C, *output_size).

    Parameters
    ----------
    output_size
        As for ``kitnet.functional.adaptive_avg_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: He et al., "Spatial pyramid pooling in deep convolutional networks for visual recognition" (2014).

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveAvgPool2d
    >>> AdaptiveAvgPool2d((1, None))(np.arange(6.0).reshape(1, 1, 2, 3))
    array([[[[1.5, 2.5, 3.5]]]])
    """

    ndim = 2
    _op = staticmethod(F.adaptive_avg_pool2d)
    _op_backward = staticmethod(F.adaptive_avg_pool2d_backward)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of windows that cover volumes (N, C, D, H, W) evenly; see ``AdaptiveAvgPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveAvgPool3d
    >>> AdaptiveAvgPool3d(1)(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[[3.5]]]]])
    """

    ndim = 3
    _op = staticmethod(F.adaptive_avg_pool3d)
    _op_backward = staticmethod(F.adaptive_avg_pool3d_backward)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of windows that cover signals (N, C, L) evenly; see ``AdaptiveMaxPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveMaxPool1d
    >>> AdaptiveMaxPool1d(2)(np.array([[[1.0, 3, 5]]]))
    array([[[3., 5.]]])
    """

    ndim = 1
    _op = staticmethod(F.adaptive_max_pool1d)
    _op_backward = staticmethod(F.adaptive_max_pool1d_backward)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of windows that cover images evenly: the same output for images of any size.

    Shapes: (N, C, H, W) -> (N, C, *output_size).

    Parameters
    ----------
    output_size
        As for ``kitnet.functional.adaptive_max_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: He et al., "Spatial pyramid pooling in deep convolutional networks for visual recognition" (2014).

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveMaxPool2d
    >>> AdaptiveMaxPool2d((1, None))(np.arange(6.0).reshape(1, 1, 2, 3))
    array([[[[3., 4., 5.]]]])
    """

    ndim = 2
    _op = staticmethod(F.adaptive_max_pool2d)
    _op_backward = staticmethod(F.adaptive_max_pool2d_backward)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The maxima of windows that cover volumes (N, C, D, H, W) evenly; see ``AdaptiveMaxPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AdaptiveMaxPool3d
    >>> AdaptiveMaxPool3d(1)(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[[7.]]]]])
    """

    ndim = 3
    _op = staticmethod(F.adaptive_max_pool3d)
    _op_backward = staticmethod(F.adaptive_max_pool3d_backward)


class _Global(Layer):
    def _axes(self, shape: Sequence[int]) -> tuple[str, Ints]:
        """The end of the name of the function for so many axes, and the window: all of them."""
        return f"{len(shape) - 2}d", tuple(shape[2:])

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, (3, 4, 5), "in_shape")
        return shape[:2] + (1,) * (len(shape) - 2)


class GlobalAvgPool(_Global):
    """The mean of each channel: what stands between the feature maps and the classes in most networks.

    Shapes: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> (N, C, 1, ...).

    Source: Lin et al., "Network in network" (2013), section 3.2. ONNX's GlobalAveragePool.

    >>> import numpy as np
    >>> from kitnet.layers import GlobalAvgPool
    >>> GlobalAvgPool()(np.arange(8.0).reshape(1, 2, 2, 2)).reshape(-1)
    array([1.5, 5.5])
    """

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = gate_batch(x, "x", (3, 4, 5))
        axes, window = self._axes(x.shape)
        shape, backward = x.shape, getattr(F, f"avg_pool{axes}_backward")
        y = getattr(F, f"avg_pool{axes}")(x, window)
        return y, (lambda dy: backward(dy, shape, window)) if input_grad else no_gradient


class GlobalMaxPool(_Global):
    """The largest value of each channel; the first of equals has the gradient.

    Shapes: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> (N, C, 1, ...).

    Source: ONNX's GlobalMaxPool.

    >>> import numpy as np
    >>> from kitnet.layers import GlobalMaxPool
    >>> GlobalMaxPool()(np.arange(8.0).reshape(1, 2, 2, 2)).reshape(-1)
    array([3., 7.])
    """

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x = gate_batch(x, "x", (3, 4, 5))
        axes, window = self._axes(x.shape)
        op, backward = getattr(F, f"max_pool{axes}"), getattr(F, f"max_pool{axes}_backward")
        if not input_grad:
            return op(x, window), no_gradient
        y, indices = op(x, window, return_indices=True)
        shape = x.shape
        return y, lambda dy: backward(dy, indices, shape)


class GlobalLpPool(_Global):
    """The p-norm (sum |x|^p)^(1/p) of each channel.

    Shapes: (N, C, L), (N, C, H, W) or (N, C, D, H, W) -> (N, C, 1, ...).

    Parameters
    ----------
    norm_type
        p, at least 1, or inf.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: ONNX's GlobalLpPool.

    >>> import numpy as np
    >>> from kitnet.layers import GlobalLpPool
    >>> GlobalLpPool()(np.array([[[3.0, 0, -4]]]))
    array([[[5.]]])
    """

    def __init__(self, norm_type: float = 2.0) -> None:
        self.norm_type = gate_number(norm_type, "norm_type", 1.0)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x, p = gate_batch(x, "x", (3, 4, 5)), self.norm_type
        axes, window = self._axes(x.shape)
        backward = getattr(F, f"lp_pool{axes}_backward")
        y = getattr(F, f"lp_pool{axes}")(x, p, window)
        return y, (lambda dy: backward(dy, x, y, p, window)) if input_grad else no_gradient


class _MaxUnpool(Layer):
    ndim: ClassVar[int]
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size = per_axis(kernel_size, self.ndim, "kernel_size")
        self.stride = self.kernel_size if stride is None else per_axis(stride, self.ndim, "stride")
        self.padding = per_axis(padding, self.ndim, "padding", least=0)

    def __call__(  # type: ignore[override]
        self, x: Array, indices: Array, output_size: Sequence[int] | None = None
    ) -> Array:
        return self.vjp(x, indices, output_size, input_grad=False)[0]

    def vjp(  # type: ignore[override]
        self, x: Array, indices: Array, output_size: Sequence[int] | None = None, *, input_grad: bool = True
    ) -> tuple[Array, Pullback]:
        arguments = self.kernel_size, self.stride, self.padding, output_size
        y = self._op(x, indices, *arguments)
        return y, (lambda dy: self._op_backward(dy, indices, *arguments)) if input_grad else no_gradient

    def out_shape(
        self,
        in_shape: Sequence[int],
        indices_shape: Sequence[int] | None = None,
        output_size: Sequence[int] | None = None,
    ) -> tuple[int, ...]:
        """The shape of the output for an x of ``in_shape``, which is also that of the indices."""
        *front, size = _parted(in_shape, self.ndim)
        return (*front, *unpooled(size, self.kernel_size, self.stride, self.padding, output_size))


class MaxUnpool1d(_MaxUnpool):
    """Max pooling of signals (N, C, L) undone in part; see ``MaxUnpool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> from kitnet.layers import MaxUnpool1d
    >>> y, indices = F.max_pool1d(np.array([[[1.0, 5, 4, 3]]]), 2, return_indices=True)
    >>> MaxUnpool1d(2)(y, indices)
    array([[[0., 5., 4., 0.]]])
    """

    ndim = 1
    _op = staticmethod(F.max_unpool1d)
    _op_backward = staticmethod(F.max_unpool1d_backward)


class MaxUnpool2d(_MaxUnpool):
    """Max pooling undone in part: each maximum where it was, and zeros elsewhere.

    It takes (x, indices) and maybe ``output_size``, so it fits no ``Sequential``: call it, or its ``vjp``.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Parameters
    ----------
    kernel_size, stride, padding
        As for ``kitnet.functional.max_unpool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2013), section 2.1.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> from kitnet.layers import MaxUnpool2d
    >>> y, indices = F.max_pool2d(np.array([[[[1.0, 5], [4, 3]]]]), 2, return_indices=True)
    >>> MaxUnpool2d(2)(y, indices)
    array([[[[0., 5.],
             [0., 0.]]]])
    """

    ndim = 2
    _op = staticmethod(F.max_unpool2d)
    _op_backward = staticmethod(F.max_unpool2d_backward)


class MaxUnpool3d(_MaxUnpool):
    """Max pooling of volumes (N, C, D, H, W) undone in part; see ``MaxUnpool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> from kitnet.layers import MaxUnpool3d
    >>> y, indices = F.max_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 2, return_indices=True)
    >>> MaxUnpool3d(2)(y, indices).reshape(-1)
    array([0., 0., 0., 0., 0., 0., 0., 7.])
    """

    ndim = 3
    _op = staticmethod(F.max_unpool3d)
    _op_backward = staticmethod(F.max_unpool3d_backward)
