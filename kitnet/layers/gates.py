"""Gates: x times something from 0 to 1 that x itself, or another x, decides."""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .activation import Activation
from .softmax import AlongAxis


class GELU(Activation):
    """x times the probability that a normal number is below x.

    ``approximate="tanh"`` takes x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 instead.

    Shapes: any -> the same.

    Raises
    ------
    ValueError
        If ``approximate`` is neither ``"none"`` nor ``"tanh"``.

    Source: Hendrycks and Gimpel, "Gaussian error linear units" (2016).

    >>> import numpy as np
    >>> from kitnet.layers import GELU
    >>> GELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    """

    _op = staticmethod(F.gelu)
    _op_backward = staticmethod(F.gelu_backward)
    _names = ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate: expected 'none' or 'tanh', got {approximate!r}")
        self.approximate = approximate


class SiLU(Activation):
    """x sigmoid(x) of each element, also known as swish (Elfwing, Uchibe and Doya 2018).

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import SiLU
    >>> SiLU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    """

    _op = staticmethod(F.silu)
    _op_backward = staticmethod(F.silu_backward)


class Mish(Activation):
    """x tanh(log(1 + exp(x))) of each element (Misra 2020).

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Mish
    >>> Mish()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.3034,  0.    ,  1.944 ])
    """

    _op = staticmethod(F.mish)
    _op_backward = staticmethod(F.mish_backward)


class Hardswish(Activation):
    """x min(max(x + 3, 0), 6) / 6 of each element: SiLU without an exponential (Howard et al. 2019).

    Shapes: any -> the same.

    >>> import numpy as np
    >>> from kitnet.layers import Hardswish
    >>> Hardswish()(np.array([-3.0, 1.5, 4.0]))
    array([-0.   ,  1.125,  4.   ])
    """

    _op = staticmethod(F.hardswish)
    _op_backward = staticmethod(F.hardswish_backward)


class GLU(AlongAxis):
    """The first half of x along the axis ``dim`` times the sigmoid of the second half.

    Shapes: any of even size along ``dim`` -> half of that.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Dauphin et al., "Language modeling with gated convolutional networks" (2017).

    >>> import numpy as np
    >>> from kitnet.layers import GLU
    >>> GLU()(np.array([[4.0, 6.0, 0.0, 1000.0]]))
    array([[2., 6.]])
    """

    _op = staticmethod(F.glu)
    _op_backward = staticmethod(F.glu_backward)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = tuple(in_shape)
        if not -len(shape) <= self.dim < len(shape) or shape[self.dim] % 2 or not shape[self.dim]:
            raise ValueError(f"in_shape: expected an even size along axis {self.dim}, got {shape}")
        axis = self.dim % len(shape)
        return (*shape[:axis], shape[axis] // 2, *shape[axis + 1 :])
