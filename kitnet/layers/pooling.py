"""Pooling, the article's sub-sampling: one number for each window, of each channel by itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array, gate_number
from .._geometry import Padding, Size, one_int
from ..functional._prepared import Prepared
from ..functional.maxpool import prepare_max_pool
from .base import Pullback, no_gradient
from .windowed import Windowed


class _MaxPool(Windowed):
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
    ) -> None:
        self._set_window(kernel_size, stride, padding, dilation, ceil_mode)

    def __call__(self, x: Array) -> Array:
        return self._op(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)

    def prepare(self, shape: tuple[int, ...], dtype: np.dtype) -> Prepared | None:
        if len(shape) != self.ndim + 2:
            return None
        window = self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        return prepare_max_pool(self.ndim, shape, dtype, *window)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        if not input_grad:
            return self(x), no_gradient
        y, indices = self._op(
            x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, return_indices=True
        )
        shape = x.shape
        return y, lambda dy: self._op_backward(dy, indices, shape)


class MaxPool1d(_MaxPool):
    """The largest value of each window of signals (N, C, L); see ``MaxPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import MaxPool1d
    >>> MaxPool1d(2)(np.array([[[1.0, 5, 2, 3]]]))
    array([[[5., 3.]]])
    """

    ndim = 1
    _op = staticmethod(F.max_pool1d)
    _op_backward = staticmethod(F.max_pool1d_backward)


class MaxPool2d(_MaxPool):
    """The largest value of each window: sharp features, wherever in the window they are.

    The gradient goes back to the largest element; the first of equals wins, and NaN is larger than
    everything.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode
        As for ``kitnet.functional.max_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 4.

    >>> import numpy as np
    >>> from kitnet.layers import MaxPool2d
    >>> MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """

    ndim = 2
    _op = staticmethod(F.max_pool2d)
    _op_backward = staticmethod(F.max_pool2d_backward)


class MaxPool3d(_MaxPool):
    """The largest value of each window of volumes (N, C, D, H, W); see ``MaxPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import MaxPool3d
    >>> MaxPool3d(2)(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[[7.]]]]])
    """

    ndim = 3
    _op = staticmethod(F.max_pool3d)
    _op_backward = staticmethod(F.max_pool3d_backward)


class _AvgPool(Windowed):
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._set_window(kernel_size, stride, padding, ceil_mode=ceil_mode)
        self.count_include_pad = bool(count_include_pad)
        self.divisor_override = (
            None if divisor_override is None else one_int(divisor_override, "divisor_override")
        )

    def _arguments(self) -> tuple[Any, ...]:
        window = self.kernel_size, self.stride, self.padding, self.ceil_mode
        return *window, self.count_include_pad, self.divisor_override

    def __call__(self, x: Array) -> Array:
        return self._op(x, *self._arguments())

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        arguments = self._arguments()
        y, shape = self._op(x, *arguments), x.shape
        return y, (lambda dy: self._op_backward(dy, shape, *arguments)) if input_grad else no_gradient


class AvgPool1d(_AvgPool):
    """The mean of each window of signals (N, C, L); see ``AvgPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AvgPool1d
    >>> AvgPool1d(2)(np.array([[[1.0, 5, 2, 4]]]))
    array([[[3., 3.]]])
    """

    ndim = 1
    _op = staticmethod(F.avg_pool1d)
    _op_backward = staticmethod(F.avg_pool1d_backward)


class AvgPool2d(_AvgPool):
    """The mean of each window: a convolution with constant weights, the article's mean pooling.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        As for ``kitnet.functional.avg_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 4.

    >>> import numpy as np
    >>> from kitnet.layers import AvgPool2d
    >>> AvgPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4))
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """

    ndim = 2
    _op = staticmethod(F.avg_pool2d)
    _op_backward = staticmethod(F.avg_pool2d_backward)


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes (N, C, D, H, W); see ``AvgPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import AvgPool3d
    >>> AvgPool3d(2)(np.arange(8.0).reshape(1, 1, 2, 2, 2))
    array([[[[[3.5]]]]])
    """

    ndim = 3
    _op = staticmethod(F.avg_pool3d)
    _op_backward = staticmethod(F.avg_pool3d_backward)


class _SumPool(_AvgPool):
    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Padding = 0, ceil_mode: bool = False
    ) -> None:
        self._set_window(kernel_size, stride, padding, ceil_mode=ceil_mode)

    def _arguments(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.ceil_mode


class SumPool1d(_SumPool):
    """The sum of each window of signals (N, C, L); see ``SumPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import SumPool1d
    >>> SumPool1d(2)(np.array([[[1.0, 5, 2, 4]]]))
    array([[[6., 6.]]])
    """

    ndim = 1
    _op = staticmethod(F.sum_pool1d)
    _op_backward = staticmethod(F.sum_pool1d_backward)


class SumPool2d(_SumPool):
    """The sum of each window: average pooling without the division.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode
        As for ``kitnet.functional.sum_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 4, as a step of L2 pooling.

    >>> import numpy as np
    >>> from kitnet.layers import SumPool2d
    >>> SumPool2d(2)(np.ones((1, 1, 2, 2)))
    array([[[[4.]]]])
    """

    ndim = 2
    _op = staticmethod(F.sum_pool2d)
    _op_backward = staticmethod(F.sum_pool2d_backward)


class SumPool3d(_SumPool):
    """The sum of each window of volumes (N, C, D, H, W); see ``SumPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import SumPool3d
    >>> SumPool3d(2)(np.ones((1, 1, 2, 2, 2)))
    array([[[[[8.]]]]])
    """

    ndim = 3
    _op = staticmethod(F.sum_pool3d)
    _op_backward = staticmethod(F.sum_pool3d_backward)


class _LpPool(Windowed):
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        ceil_mode: bool = False,
        *,
        padding: Padding = 0,
        dilation: Size = 1,
    ) -> None:
        self.norm_type = gate_number(norm_type, "norm_type", 1.0)
        self._set_window(kernel_size, stride, padding, dilation, ceil_mode)

    def _arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        window = self.norm_type, self.kernel_size, self.stride, self.ceil_mode
        return window, {"padding": self.padding, "dilation": self.dilation}

    def __call__(self, x: Array) -> Array:
        arguments, keywords = self._arguments()
        return self._op(x, *arguments, **keywords)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        arguments, keywords = self._arguments()
        y = self._op(x, *arguments, **keywords)
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: self._op_backward(dy, x, y, *arguments, **keywords)


class LPPool1d(_LpPool):
    """The p-norm of each window of signals (N, C, L); see ``LPPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import LPPool1d
    >>> LPPool1d(2, 2)(np.array([[[3.0, -4, 0, 0]]]))
    array([[[5., 0.]]])
    """

    ndim = 1
    _op = staticmethod(F.lp_pool1d)
    _op_backward = staticmethod(F.lp_pool1d_backward)


class LPPool2d(_LpPool):
    """The p-norm (sum |x|^p)^(1/p) of each window; p = 2 is the article's L2 pooling.

    Shapes: (N, C, H, W) -> (N, C, OH, OW).

    Parameters
    ----------
    norm_type, kernel_size, stride, ceil_mode, padding, dilation
        As for ``kitnet.functional.lp_pool2d``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, section 4: square, sum pooling, root.

    >>> import numpy as np
    >>> from kitnet.layers import LPPool2d
    >>> LPPool2d(2, 2)(np.array([[[[3.0, 0], [0, -4]]]]))
    array([[[[5.]]]])
    """

    ndim = 2
    _op = staticmethod(F.lp_pool2d)
    _op_backward = staticmethod(F.lp_pool2d_backward)


class LPPool3d(_LpPool):
    """The p-norm of each window of volumes (N, C, D, H, W); see ``LPPool2d``.

    >>> import numpy as np
    >>> from kitnet.layers import LPPool3d
    >>> LPPool3d(1, 2)(-np.ones((1, 1, 2, 2, 2)))
    array([[[[[8.]]]]])
    """

    ndim = 3
    _op = staticmethod(F.lp_pool3d)
    _op_backward = staticmethod(F.lp_pool3d_backward)
