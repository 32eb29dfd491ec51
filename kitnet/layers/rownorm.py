"""Normalisation of each sample by itself, over its last axes or over groups of its channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import functional as F
from .. import init
from .._arrays import Array, float_type, gate_batch, gate_number
from .._geometry import axis_sizes, checked_shape, one_int
from .base import Layer, Pullback
from .parameter import Parameter


class RowNorm(Layer):
    """What the norms of this file share: a weight, a bias, and their gradients."""

    weight: Parameter | None = None
    bias: Parameter | None = None

    def _set_weights(self, shape: tuple[int, ...], weight: bool, bias: bool, dtype: Any) -> None:
        self.dtype = float_type(dtype)
        self.weight = Parameter(init.ones(shape, self.dtype)) if weight else None
        self.bias = Parameter(init.zeros(shape, self.dtype)) if weight and bias else None

    def _data(self) -> tuple[Array | None, Array | None]:
        return (
            None if self.weight is None else self.weight.data,
            None if self.bias is None else self.bias.data,
        )

    def _accumulate(self, dw: Array | None, db: Array | None) -> None:
        if self.weight is not None and dw is not None:
            self.weight.accumulate(dw)
        if self.bias is not None and db is not None:
            self.bias.accumulate(db)


def _last_axes(in_shape: Sequence[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """``in_shape``, if it ends with ``shape``."""
    start = max(len(in_shape) - len(shape), 0)
    if tuple(in_shape[start:]) != shape:
        raise ValueError(f"in_shape: expected last axes {shape}, got {tuple(in_shape)}")
    return tuple(in_shape)


class LayerNorm(RowNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias, with mean and variance over the last axes.

    Shapes: (*lead, *normalized_shape) -> the same; ``weight`` (ones at first) and ``bias`` (zeros) are of
    ``normalized_shape``.

    Parameters
    ----------
    normalized_shape
        The sizes of the axes that are normalised together; an int for the last one alone.
    eps
        Keeps the divisor away from 0; at least 0.
    elementwise_affine
        False for no ``weight`` and no ``bias``: both are None.
    bias
        False for no ``bias``.
    dtype
        float32 or float64: that of the parameters and so of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Ba, Kiros and Hinton, "Layer normalization" (2016); names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import LayerNorm
    >>> LayerNorm(2)(np.array([[1, 3], [10, 30]], np.float32)).round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    whole_in_repr = frozenset({"normalized_shape"})

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.normalized_shape = axis_sizes(normalized_shape, "normalized_shape")
        self.eps = gate_number(eps, "eps", 0.0)
        self.elementwise_affine = bool(elementwise_affine)
        self._set_weights(self.normalized_shape, self.elementwise_affine, bias, dtype)

    def __call__(self, x: Array) -> Array:
        y, *_ = F.layer_norm(x, self.normalized_shape, *self._data(), self.eps, return_statistics=True)
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        shape, (weight, bias) = self.normalized_shape, self._data()
        y, mean, rstd = F.layer_norm(x, shape, weight, bias, self.eps, return_statistics=True)

        def pullback(dy: Array) -> Array | None:
            dx, dw, db = F.layer_norm_backward(dy, x, shape, mean, rstd, weight)
            self._accumulate(dw, db)
            return dx if input_grad else None

        return y, pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return _last_axes(in_shape, self.normalized_shape)

    def config(self) -> dict[str, Any]:
        return super().config() | {"bias": self.bias is not None or not self.elementwise_affine}


class RMSNorm(RowNorm):
    """x / sqrt(mean of x^2 + eps) * weight, with the mean over the last axes; see ``LayerNorm``.

    ``eps=None`` is the spacing of the dtype's numbers at 1. There is no bias.

    Source: Zhang and Sennrich, "Root mean square layer normalization" (2019); the names are
    PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import RMSNorm
    >>> RMSNorm(2)(np.array([[1, 7]], np.float32)).round(3)
    array([[0.2, 1.4]], dtype=float32)
    """

    whole_in_repr = frozenset({"normalized_shape"})

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.normalized_shape = axis_sizes(normalized_shape, "normalized_shape")
        self.eps = None if eps is None else gate_number(eps, "eps", 0.0)
        self.elementwise_affine = bool(elementwise_affine)
        self._set_weights(self.normalized_shape, self.elementwise_affine, False, dtype)

    def __call__(self, x: Array) -> Array:
        y, _ = F.rms_norm(x, self.normalized_shape, self._data()[0], self.eps, return_statistics=True)
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        shape, weight = self.normalized_shape, self._data()[0]
        y, rstd = F.rms_norm(x, shape, weight, self.eps, return_statistics=True)

        def pullback(dy: Array) -> Array | None:
            dx, dw = F.rms_norm_backward(dy, x, shape, rstd, weight)
            self._accumulate(dw, None)
            return dx if input_grad else None

        return y, pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return _last_axes(in_shape, self.normalized_shape)


class GroupNorm(RowNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of a group of channels of a sample.

    Shapes: (N, num_channels) or (N, num_channels, *spatial) -> the same; ``weight`` (ones at first) and
    ``bias`` (zeros) are (num_channels,).

    Parameters
    ----------
    num_groups
        A divisor of ``num_channels``: neighbouring channels form a group.
    num_channels
        C.
    eps
        Keeps the divisor away from 0; at least 0.
    affine
        False for no ``weight`` and no ``bias``: both are None.
    dtype
        float32 or float64: that of the parameters and so of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Wu and He, "Group normalization" (2018); names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import GroupNorm
    >>> GroupNorm(2, 4)(np.array([[1, 3, 10, 30]], np.float32)).round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.num_groups = one_int(num_groups, "num_groups")
        self.num_channels = one_int(num_channels, "num_channels")
        if self.num_channels % self.num_groups:
            raise ValueError(f"num_groups: expected a divisor of {num_channels} channels, got {num_groups}")
        self.eps = gate_number(eps, "eps", 0.0)
        self.affine = bool(affine)
        self._set_weights((self.num_channels,), self.affine, True, dtype)

    def __call__(self, x: Array) -> Array:
        x = self._gate(x)
        y, *_ = F.group_norm(x, self.num_groups, *self._data(), self.eps, return_statistics=True)
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x, groups, (weight, bias) = self._gate(x), self.num_groups, self._data()
        y, mean, rstd = F.group_norm(x, groups, weight, bias, self.eps, return_statistics=True)

        def pullback(dy: Array) -> Array | None:
            dx, dw, db = F.group_norm_backward(dy, x, groups, mean, rstd, weight)
            self._accumulate(dw, db)
            return dx if input_grad else None

        return y, pullback

    def _gate(self, x: Array) -> Array:
        x = gate_batch(x, "x", (2, 3, 4, 5))
        if x.shape[1] != self.num_channels:
            raise ValueError(f"x: expected {self.num_channels} channels, got {x.shape[1]}")
        return x

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, (2, 3, 4, 5), "in_shape")
        if shape[1] != self.num_channels:
            raise ValueError(f"in_shape: expected {self.num_channels} channels, got {shape[1]}")
        return shape
