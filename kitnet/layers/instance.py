"""Normalisation of each channel of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import functional as F
from .._arrays import Array, float_type, gate_batch, gate_number
from .._geometry import one_int, product
from .base import Pullback
from .norm import TracksStatistics
from .rownorm import RowNorm


class InstanceNorm(TracksStatistics, RowNorm):
    """What ``InstanceNorm1d``, ``InstanceNorm2d`` and ``InstanceNorm3d`` share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        dtype: Any = np.float32,
    ) -> None:
        self.num_features = one_int(num_features, "num_features")
        self.eps = gate_number(eps, "eps", 0.0)
        self.momentum: float = gate_number(momentum, "momentum", 0.0, 1.0)
        self.affine = bool(affine)
        self._set_weights((self.num_features,), self.affine, True, dtype)
        self._set_tracking(bool(track_running_stats), float_type(dtype))

    def __call__(self, x: Array) -> Array:
        x, (weight, bias) = self._gate(x), self._data()
        if self.track_running_stats:
            return F.batch_norm(x, *self._running(), weight, bias, eps=self.eps)
        y, *_ = F.instance_norm(x, weight, bias, eps=self.eps, return_statistics=True)
        return y

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        x, (weight, bias) = self._gate(x), self._data()
        y, mean, rstd = F.instance_norm(x, weight, bias, eps=self.eps, return_statistics=True)
        if self.track_running_stats and len(x):
            self._track_instances(mean, rstd, product(x.shape[2:]))

        def pullback(dy: Array) -> Array | None:
            dx, dw, db = F.instance_norm_backward(dy, x, mean, rstd, weight)
            self._accumulate(dw, db)
            return dx if input_grad else None

        return y, pullback

    @np.errstate(all="ignore")
    def _track_instances(self, mean: Array, rstd: Array, count: int) -> None:
        """The running statistics take the means over the samples, of the variance in its unbiased form."""
        var = np.maximum(1.0 / rstd.astype(np.float64) ** 2 - self.eps, 0.0)
        unbiased = (var * (count / (count - 1))).mean(axis=0).astype(self.dtype)
        self._track(mean.mean(axis=0, dtype=np.float64).astype(self.dtype), unbiased)

    def _gate(self, x: Array) -> Array:
        x = gate_batch(x, "x", self.ndims)
        if x.shape[1] != self.num_features:
            raise ValueError(f"x: expected {self.num_features} channels, got {x.shape[1]}")
        return x


class InstanceNorm1d(InstanceNorm):
    """Normalisation of each channel of each signal (N, C, L); see ``InstanceNorm2d``.

    >>> import numpy as np
    >>> from kitnet.layers import InstanceNorm1d
    >>> InstanceNorm1d(1, dtype=np.float64)(np.array([[[1.0, 3.0]], [[10.0, 30.0]]])).round(3)
    array([[[-1.,  1.]],
    <BLANKLINE>
           [[-1.,  1.]]])
    """

    ndims = (3,)


class InstanceNorm2d(InstanceNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of each channel of each image.

    Shapes: (N, num_features, H, W) -> the same, with at least two pixels; ``weight`` (ones at first),
    ``bias`` (zeros), ``running_mean`` and ``running_var`` are (num_features,), where they are asked for.

    Parameters
    ----------
    num_features
        C.
    eps
        Keeps the divisor away from 0; at least 0.
    momentum
        The share of the newest batch in the running statistics, from 0 to 1.
    affine
        True for ``weight`` and ``bias``; else both are None.
    track_running_stats
        True for running statistics, of the samples' means and unbiased variances: inference takes them
        instead of the image's own.
    dtype
        float32 or float64: that of the parameters and so of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance normalization: the missing ingredient for fast
    stylization" (2016); names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import InstanceNorm2d
    >>> y = InstanceNorm2d(3)(np.random.default_rng(0).normal(5, 2, (2, 3, 8, 8)).astype(np.float32))
    >>> bool(abs(y.mean(axis=(2, 3))).max() < 1e-5)
    True
    """

    ndims = (4,)


class InstanceNorm3d(InstanceNorm):
    """Normalisation of each channel of each volume (N, C, D, H, W); see ``InstanceNorm2d``.

    >>> from kitnet.layers import InstanceNorm3d
    >>> InstanceNorm3d(4).out_shape((2, 4, 5, 6, 7))
    (2, 4, 5, 6, 7)
    """

    ndims = (5,)
