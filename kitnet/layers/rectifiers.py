"""Rectifiers: x where it is positive, something else where it is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .. import init as start
from .._arrays import Array, float_type, gate_number, gate_positive
from .._geometry import one_int
from .activation import Activation
from .base import Pullback
from .parameter import Parameter


class Clipping(Activation):
    """An activation that cuts off at two bounds: a layer before it may do that on the way to memory."""

    _from_output = True

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest output."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines bounds")


class ReLU(Clipping):
    """max(x, 0) of each element; a NaN stays a NaN.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import ReLU
    >>> ReLU()(np.array([-1, 2], np.float32))
    array([0., 2.], dtype=float32)
    """

    _op = staticmethod(F.relu)
    _op_backward = staticmethod(F.relu_backward)

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf


class ReLU6(Clipping):
    """min(max(x, 0), 6) of each element (Krizhevsky 2010); a NaN stays a NaN.

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import ReLU6
    >>> ReLU6()(np.array([-1.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """

    _op = staticmethod(F.relu6)
    _op_backward = staticmethod(F.relu6_backward)

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 6.0


class Hardtanh(Clipping):
    """x, but not below ``min_val`` and not above ``max_val`` (Collobert 2004); a NaN stays a NaN.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Hardtanh
    >>> Hardtanh()(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """

    _op = staticmethod(F.hardtanh)
    _op_backward = staticmethod(F.hardtanh_backward)
    _names = ("min_val", "max_val")

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        self.min_val = gate_number(min_val, "min_val")
        self.max_val = gate_number(max_val, "max_val", self.min_val)

    @property
    def bounds(self) -> tuple[float, float]:
        return self.min_val, self.max_val


class Threshold(Activation):
    """x where it is above ``threshold``, else ``value``.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Threshold
    >>> Threshold(0.5, 20.0)(np.array([-1.0, 2.0]))
    array([20.,  2.])
    """

    _op = staticmethod(F.threshold)
    _names = ("threshold", "value")

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold = gate_number(threshold, "threshold")
        self.value = gate_number(value, "value")

    def gradient(self, dy: Array, at: Array) -> Array:
        return F.threshold_backward(dy, at, self.threshold)


class LeakyReLU(Activation):
    """x where it is positive, ``negative_slope`` x where it is not (Maas, Hannun and Ng 2013).

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import LeakyReLU
    >>> LeakyReLU(0.1)(np.array([-1.0, 2.0]))
    array([-0.1,  2. ])
    """

    _op = staticmethod(F.leaky_relu)
    _op_backward = staticmethod(F.leaky_relu_backward)
    _names = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = gate_number(negative_slope, "negative_slope")


class PReLU(Activation):
    """x where it is positive, x times a weight that is learned where it is not.

    Shapes: any -> the same with one weight, else (N, num_parameters, ...); ``weight`` (num_parameters,).

    Parameters
    ----------
    num_parameters
        1, or the number of channels.
    init
        What the weights start from.
    dtype
        float32 or float64: that of the weights and so of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: He et al., "Delving deep into rectifiers" (2015); names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import PReLU
    >>> PReLU(dtype=np.float64)(np.array([-1.0, 2.0]))
    array([-0.25,  2.  ])
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = np.float32) -> None:
        self.num_parameters = one_int(num_parameters, "num_parameters")
        self.init = gate_number(init, "init")
        self.dtype = float_type(dtype)
        self.weight = Parameter(start.constant((self.num_parameters,), self.init, self.dtype))

    def __call__(self, x: Array) -> Array:
        return F.prelu(x, self.weight.data)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            dx, dweight = F.prelu_backward(dy, x, self.weight.data)
            self.weight.accumulate(dweight)
            return dx if input_grad else None

        return self(x), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = tuple(in_shape)
        if self.num_parameters > 1 and shape[1:2] != (self.num_parameters,):
            raise ValueError(f"in_shape: expected {self.num_parameters} channels, got {shape}")
        return shape


class ELU(Activation):
    """x where it is positive, ``alpha`` (exp(x) - 1) where it is not.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Clevert, Unterthiner and Hochreiter 2016.

    >>> import numpy as np
    >>> from kitnet.layers import ELU
    >>> ELU()(np.array([-1.0, 2.0])).round(4)
    array([-0.6321,  2.    ])
    """

    _op = staticmethod(F.elu)
    _op_backward = staticmethod(F.elu_backward)
    _names = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = gate_number(alpha, "alpha")


class CELU(Activation):
    """x where it is positive, ``alpha`` (exp(x / alpha) - 1) where it is not: smooth for any alpha above 0.

    Shapes: any -> the same.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Barron, "Continuously differentiable exponential linear units" (2017).

    >>> import numpy as np
    >>> from kitnet.layers import CELU
    >>> CELU(2.0)(np.array([-1.0, 2.0])).round(4)
    array([-0.7869,  2.    ])
    """

    _op = staticmethod(F.celu)
    _op_backward = staticmethod(F.celu_backward)
    _names = ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = gate_positive(alpha, "alpha")


class SELU(Activation):
    """1.0507 elu(x, 1.6733), with more digits: keeps mean 0 and variance 1 through layers.

    Shapes: any -> the same.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017).

    >>> import numpy as np
    >>> from kitnet.layers import SELU
    >>> SELU()(np.array([-1.0, 2.0])).round(4)
    array([-1.1113,  2.1014])
    """

    _op = staticmethod(F.selu)
    _op_backward = staticmethod(F.selu_backward)
