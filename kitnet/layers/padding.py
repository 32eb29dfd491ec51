"""Borders around signals, images and volumes, as layers of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from .. import functional as F
from .._arrays import Array, gate, gate_batch, gate_number
from .._geometry import LARGEST, bordered, checked_shape, per_axis
from .base import Layer, Pullback, no_gradient


class Padding(Layer):
    """What all padding layers share: a border over ``ndim`` spatial axes."""

    ndim: ClassVar[int]
    mode: ClassVar[str] = "constant"
    value: float = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        least = -LARGEST if self.mode == "constant" else 0
        self.padding = per_axis(padding, 2 * self.ndim, "padding", least=least)

    def __call__(self, x: Array) -> Array:
        return F.pad(gate_batch(x, "x", (self.ndim + 2, self.ndim + 1)), self.padding, self.mode, self.value)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y, shape = self(x), x.shape
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: F.pad_backward(gate(dy, "dy", dtype=y.dtype), shape, self.padding, self.mode)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, (self.ndim + 2, self.ndim + 1), "in_shape")
        pairs = list(zip(self.padding[::2], self.padding[1::2], strict=True))[::-1]
        return *shape[: -self.ndim], *bordered(shape[-self.ndim :], pairs, self.mode, "in_shape")


class ConstantPadding(Padding):
    """What ``ConstantPad1d``, ``ConstantPad2d`` and ``ConstantPad3d`` share."""

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = gate_number(value, "value")


class ZeroPad1d(Padding):
    """A border of zeros around signals (N, C, L); see ``ZeroPad2d``.

    >>> import numpy as np
    >>> from kitnet.layers import ZeroPad1d
    >>> ZeroPad1d((1, 2))(np.array([[[1.0, 2, 3]]]))
    array([[[0., 1., 2., 3., 0., 0.]]])
    """

    ndim = 1


class ZeroPad2d(Padding):
    """A border of zeros around images.

    Shapes: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    Parameters
    ----------
    padding
        The width of the border: an int, or (left, right, top, bottom). Negative ones cut.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> from kitnet.layers import ZeroPad2d
    >>> ZeroPad2d((1, 2, 0, 3)).out_shape((8, 3, 10, 10))
    (8, 3, 13, 13)
    """

    ndim = 2


class ZeroPad3d(Padding):
    """A border of zeros around volumes (N, C, D, H, W); see ``ZeroPad2d``.

    >>> from kitnet.layers import ZeroPad3d
    >>> ZeroPad3d(1).out_shape((2, 1, 4, 5, 6))
    (2, 1, 6, 7, 8)
    """

    ndim = 3


class ConstantPad1d(ConstantPadding):
    """A border of ``value`` around signals (N, C, L); see ``ConstantPad2d``.

    >>> import numpy as np
    >>> from kitnet.layers import ConstantPad1d
    >>> ConstantPad1d((1, 2), 9)(np.array([[[1.0, 2, 3]]]))
    array([[[9., 1., 2., 3., 9., 9.]]])
    """

    ndim = 1


class ConstantPad2d(ConstantPadding):
    """A border of ``value`` around images.

    Shapes: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    Parameters
    ----------
    padding
        The width of the border: an int, or (left, right, top, bottom). Negative ones cut.
    value
        What the border holds.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import ConstantPad2d
    >>> ConstantPad2d((1, 0, 0, 1), 9)(np.ones((1, 1, 1, 2)))
    array([[[[9., 1., 1.],
             [9., 9., 9.]]]])
    """

    ndim = 2


class ConstantPad3d(ConstantPadding):
    """A border of ``value`` around volumes (N, C, D, H, W); see ``ConstantPad2d``.

    >>> from kitnet.layers import ConstantPad3d
    >>> ConstantPad3d(1, 0.5).out_shape((2, 1, 4, 5, 6))
    (2, 1, 6, 7, 8)
    """

    ndim = 3


class ReflectionPad1d(Padding):
    """A border of mirror images around signals (N, C, L); see ``ReflectionPad2d``.

    >>> import numpy as np
    >>> from kitnet.layers import ReflectionPad1d
    >>> ReflectionPad1d((1, 2))(np.array([[[1.0, 2, 3]]]))
    array([[[2., 1., 2., 3., 2., 1.]]])
    """

    ndim = 1
    mode = "reflect"


class ReflectionPad2d(Padding):
    """A border of mirror images around images.

    Shapes: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    Parameters
    ----------
    padding
        The width of the border: an int, or (left, right, top, bottom); smaller than the
        image, whose first and last cells are not repeated.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import ReflectionPad2d
    >>> ReflectionPad2d((1, 0, 0, 1))(np.array([[[[1.0, 2], [3, 4]]]]))
    array([[[[2., 1., 2.],
             [4., 3., 4.],
             [2., 1., 2.]]]])
    """

    ndim = 2
    mode = "reflect"


class ReflectionPad3d(Padding):
    """A border of mirror images around volumes (N, C, D, H, W); see ``ReflectionPad2d``.

    >>> from kitnet.layers import ReflectionPad3d
    >>> ReflectionPad3d(1).out_shape((2, 1, 4, 5, 6))
    (2, 1, 6, 7, 8)
    """

    ndim = 3
    mode = "reflect"


class ReplicationPad1d(Padding):
    """A border of the cells of the edge around signals (N, C, L); see ``ReplicationPad2d``.

    >>> import numpy as np
    >>> from kitnet.layers import ReplicationPad1d
    >>> ReplicationPad1d((1, 2))(np.array([[[1.0, 2, 3]]]))
    array([[[1., 1., 2., 3., 3., 3.]]])
    """

    ndim = 1
    mode = "replicate"


class ReplicationPad2d(Padding):
    """A border of the cells of the edge around images.

    Shapes: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    Parameters
    ----------
    padding
        The width of the border: an int, or (left, right, top, bottom).

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import ReplicationPad2d
    >>> ReplicationPad2d((1, 0, 0, 1))(np.array([[[[1.0, 2], [3, 4]]]]))
    array([[[[1., 1., 2.],
             [3., 3., 4.],
             [3., 3., 4.]]]])
    """

    ndim = 2
    mode = "replicate"


class ReplicationPad3d(Padding):
    """A border of the cells of the edge around volumes (N, C, D, H, W); see ``ReplicationPad2d``.

    >>> from kitnet.layers import ReplicationPad3d
    >>> ReplicationPad3d(1).out_shape((2, 1, 4, 5, 6))
    (2, 1, 6, 7, 8)
    """

    ndim = 3
    mode = "replicate"


class CircularPad1d(Padding):
    """A border of what is at the other end around signals (N, C, L); see ``CircularPad2d``.

    >>> import numpy as np
    >>> from kitnet.layers import CircularPad1d
    >>> CircularPad1d((1, 2))(np.array([[[1.0, 2, 3]]]))
    array([[[3., 1., 2., 3., 1., 2.]]])
    """

    ndim = 1
    mode = "circular"


class CircularPad2d(Padding):
    """A border of what is at the other end around images.

    Shapes: (N, C, H, W) -> (N, C, top + H + bottom, left + W + right).

    Parameters
    ----------
    padding
        The width of the border: an int, or (left, right, top, bottom); at most the size
        of the image.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import CircularPad2d
    >>> CircularPad2d((1, 0, 0, 1))(np.array([[[[1.0, 2], [3, 4]]]]))
    array([[[[2., 1., 2.],
             [4., 3., 4.],
             [2., 1., 2.]]]])
    """

    ndim = 2
    mode = "circular"


class CircularPad3d(Padding):
    """A border of what is at the other end around volumes (N, C, D, H, W); see ``CircularPad2d``.

    >>> from kitnet.layers import CircularPad3d
    >>> CircularPad3d(1).out_shape((2, 1, 4, 5, 6))
    (2, 1, 6, 7, 8)
    """

    ndim = 3
    mode = "circular"
