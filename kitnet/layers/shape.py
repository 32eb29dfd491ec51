"""Layers that only change the shape, or the places of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import Array, gate
from .._geometry import checked_shape, one_int, per_axis, product
from ..functional._prepared import Prepared
from .base import MOST_AXES, Layer, Pullback, no_gradient


class _Reshape(Layer):
    """A layer whose output is a view of its input, of the shape that ``out_shape`` says."""

    def __call__(self, x: Array) -> Array:
        x = gate(x, "x")
        return x.reshape(self.out_shape(x.shape))

    def prepare(self, shape: tuple[int, ...], dtype: np.dtype) -> Prepared | None:
        out = self.out_shape(shape)
        return Prepared(lambda x, n_threads: x.reshape(out), out)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        y = self(x)
        in_shape, out_shape = x.shape, y.shape
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: gate(dy, "dy", dtype=y.dtype, shape=out_shape).reshape(in_shape)


class Flatten(_Reshape):
    """Joins the axes from ``start_dim`` to ``end_dim`` to one: images to the rows of a dense layer.

    No number moves: the result is a view of x.

    Shapes: (N, C, H, W) -> (N, C * H * W) by default.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Flatten
    >>> Flatten()(np.zeros((2, 3, 4, 4))).shape
    (2, 48)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = one_int(start_dim, "start_dim", least=-MOST_AXES, most=MOST_AXES)
        self.end_dim = one_int(end_dim, "end_dim", least=-MOST_AXES, most=MOST_AXES)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape, n = tuple(in_shape), len(in_shape)
        start, end = self.start_dim + n * (self.start_dim < 0), self.end_dim + n * (self.end_dim < 0)
        if not 0 <= start <= end < n:
            raise ValueError(
                f"in_shape: expected axes {self.start_dim} to {self.end_dim} in this order, got {shape}"
            )
        return (*shape[:start], product(shape[start : end + 1]), *shape[end + 1 :])


class Unflatten(_Reshape):
    """Splits the axis ``dim`` into several: the inverse of ``Flatten``.

    No number moves: the result is a view of x.

    Shapes: (N, C * H * W) -> (N, C, H, W), for example.

    Parameters
    ----------
    dim
        The axis that is split; negative: from the end.
    unflattened_size
        The sizes that it is split into; one of them may be -1, and follows from the others.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> import numpy as np
    >>> from kitnet.layers import Unflatten
    >>> Unflatten(1, (3, -1, 4))(np.zeros((2, 48))).shape
    (2, 3, 4, 4)
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        self.dim = one_int(dim, "dim", least=-MOST_AXES, most=MOST_AXES)
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(f"unflattened_size: expected a tuple of ints, got {unflattened_size!r}")
        sizes = per_axis(unflattened_size, len(unflattened_size), "unflattened_size", least=-1)
        if not sizes or 0 in sizes or sizes.count(-1) > 1:
            raise ValueError(
                f"unflattened_size: expected positive ints and at most one -1, got {unflattened_size!r}"
            )
        self.unflattened_size = sizes

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape, n = tuple(in_shape), len(in_shape)
        if not -n <= self.dim < n:
            raise ValueError(f"in_shape: expected an axis {self.dim}, got {shape}")
        axis = self.dim % n
        known = product([size for size in self.unflattened_size if size > 0])
        if shape[axis] != known if -1 not in self.unflattened_size else shape[axis] % known:
            multiple = "a multiple of " if -1 in self.unflattened_size else ""
            raise ValueError(f"in_shape: expected {multiple}{known} along axis {self.dim}, got {shape}")
        sizes = tuple(size if size > 0 else shape[axis] // known for size in self.unflattened_size)
        return (*shape[:axis], *sizes, *shape[axis + 1 :])


class _Shuffle(Layer):
    """A layer whose output has the numbers of its input in other places; one argument says where."""

    argument: ClassVar[str]
    _op: ClassVar[Any]
    _op_backward: ClassVar[Any]

    def __call__(self, x: Array) -> Array:
        y: Array = self._op(x, getattr(self, self.argument))
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        how, y = getattr(self, self.argument), self(x)
        if not input_grad:
            return y, no_gradient
        return y, lambda dy: self._op_backward(gate(dy, "dy", dtype=y.dtype, shape=y.shape), how)


class PixelShuffle(_Shuffle):
    """Channels to the cells of larger images: (N, C r r, H, W) -> (N, C, H r, W r).

    Parameters
    ----------
    upscale_factor
        r

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network" (2016).

    >>> import numpy as np
    >>> from kitnet.layers import PixelShuffle
    >>> PixelShuffle(2)(np.arange(4.0).reshape(1, 4, 1, 1))
    array([[[[0., 1.],
             [2., 3.]]]])
    """

    argument = "upscale_factor"
    _op = staticmethod(F.pixel_shuffle)
    _op_backward = staticmethod(F.pixel_shuffle_backward)

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = one_int(upscale_factor, "upscale_factor")

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n, c, h, w = checked_shape(in_shape, 4, "in_shape")
        r = self.upscale_factor
        if c % (r * r):
            raise ValueError(f"in_shape: expected a multiple of {r * r} channels, got {tuple(in_shape)}")
        return n, c // (r * r), h * r, w * r


class PixelUnshuffle(_Shuffle):
    """Cells to the channels of smaller images: (N, C, H r, W r) -> (N, C r r, H, W); see ``PixelShuffle``.

    >>> import numpy as np
    >>> from kitnet.layers import PixelUnshuffle
    >>> PixelUnshuffle(2)(np.arange(4.0).reshape(1, 1, 2, 2)).shape
    (1, 4, 1, 1)
    """

    argument = "downscale_factor"
    _op = staticmethod(F.pixel_unshuffle)
    _op_backward = staticmethod(F.pixel_unshuffle_backward)

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = one_int(downscale_factor, "downscale_factor")

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        n, c, h, w = checked_shape(in_shape, 4, "in_shape")
        r = self.downscale_factor
        if h % r or w % r:
            raise ValueError(f"in_shape: expected sizes that are multiples of {r}, got {tuple(in_shape)}")
        return n, c * r * r, h // r, w // r


class ChannelShuffle(_Shuffle):
    """Deals the channels out again, so that the groups of the next grouped convolution read all of them.

    Shapes: (N, C, *spatial) -> the same.

    Parameters
    ----------
    groups
        The groups that the channels are in, of equal size.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for mobile devices"
    (2017).

    >>> import numpy as np
    >>> from kitnet.layers import ChannelShuffle
    >>> ChannelShuffle(2)(np.arange(6.0).reshape(1, 6, 1)).reshape(-1)
    array([0., 3., 1., 4., 2., 5.])
    """

    argument = "groups"
    _op = staticmethod(F.channel_shuffle)
    _op_backward = staticmethod(F.channel_shuffle_backward)

    def __init__(self, groups: int) -> None:
        self.groups = one_int(groups, "groups")

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, (3, 4, 5), "in_shape")
        if shape[1] % self.groups:
            raise ValueError(f"in_shape: expected a multiple of {self.groups} channels, got {shape}")
        return shape
