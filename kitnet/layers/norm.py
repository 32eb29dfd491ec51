"""Normalisation of each channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .. import init
from .._arrays import Array, float_type, gate_batch, gate_number
from .._geometry import checked_shape, one_int
from .base import Layer, Pullback
from .fused import AbsorbsClip, Bounds
from .parameter import Parameter


class TracksStatistics(Layer):
    """A layer with ``num_features`` channels and, if it wants them, their running statistics."""

    ndims: ClassVar[tuple[int, ...]]
    num_features: int
    momentum: float | None

    def _set_tracking(self, track: bool, dtype: np.dtype) -> None:
        self.track_running_stats = track
        shape = (self.num_features,)
        self.running_mean = init.zeros(shape, dtype) if track else None
        self.running_var = init.ones(shape, dtype) if track else None
        self.num_batches_tracked = np.zeros((), np.int64) if track else None

    def _running(self) -> tuple[Array, Array]:
        assert self.running_mean is not None
        assert self.running_var is not None
        return self.running_mean, self.running_var

    def reset_running_stats(self) -> None:
        """Start the running statistics afresh, in place: as if no batch had been seen."""
        if self.track_running_stats:
            mean, var = self._running()
            mean.fill(0)
            var.fill(1)
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.fill(0)

    def _track(self, mean: Array, unbiased_var: Array) -> None:
        """Take the statistics of a batch into the running ones, in place."""
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        factor = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        for running, batch in zip(self._running(), (mean, unbiased_var), strict=True):
            running *= 1 - factor
            running += batch * factor

    def own_buffers(self) -> dict[str, Array]:
        names = ("running_mean", "running_var", "num_batches_tracked") if self.track_running_stats else ()
        return {name: getattr(self, name) for name in names}

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        shape = checked_shape(in_shape, self.ndims, "in_shape")
        if shape[1] != self.num_features:
            raise ValueError(f"in_shape: expected {self.num_features} channels, got {shape[1]}")
        return shape


class BatchNorm(TracksStatistics, AbsorbsClip):
    """What ``BatchNorm1d``, ``BatchNorm2d`` and ``BatchNorm3d`` share."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        frozen: bool = False,
        dtype: Any = np.float32,
    ) -> None:
        self.num_features = one_int(num_features, "num_features")
        self.eps = gate_number(eps, "eps", 0.0)
        self.momentum = None if momentum is None else gate_number(momentum, "momentum", 0.0, 1.0)
        self.affine = bool(affine)
        self.dtype = float_type(dtype)
        shape = (self.num_features,)
        self.weight = Parameter(init.ones(shape, self.dtype)) if affine else None
        self.bias = Parameter(init.zeros(shape, self.dtype)) if affine else None
        self._set_tracking(bool(track_running_stats), self.dtype)
        self.frozen = bool(frozen)
        if self.frozen and not self.track_running_stats:
            raise ValueError("frozen: expected track_running_stats with it, got track_running_stats=False")

    def _affine(self) -> tuple[Array | None, Array | None]:
        if self.weight is None or self.bias is None:
            return None, None
        return self.weight.data, self.bias.data

    def __call__(self, x: Array, *, clip: Bounds | None = None) -> Array:
        x = gate_batch(x, "x", self.ndims)
        if not self.track_running_stats:
            return F.batch_norm_train(x, *self._affine(), eps=self.eps, clip=clip)[0]
        return F.batch_norm(x, *self._running(), *self._affine(), eps=self.eps, clip=clip)

    def vjp(self, x: Array, *, input_grad: bool = True, clip: Bounds | None = None) -> tuple[Array, Pullback]:
        x = gate_batch(x, "x", self.ndims)
        weight, bias = self._affine()
        backward: Callable[..., tuple[Array, Array, Array]]
        if self.frozen:
            y, (mean, var), backward = self(x, clip=clip), self._running(), F.batch_norm_backward
        else:
            y, mean, var = F.batch_norm_train(x, weight, bias, eps=self.eps, clip=clip)
            backward = F.batch_norm_train_backward
            if self.track_running_stats:
                count = x.size // x.shape[1]
                self._track(mean, var * (count / (count - 1)))

        def pullback(dy: Array) -> Array | None:
            dx, dw, db = backward(dy, x, mean, var, weight, eps=self.eps)
            if self.weight is not None and self.bias is not None:
                self.weight.accumulate(dw)
                self.bias.accumulate(db)
            return dx if input_grad else None

        return y, pullback

    def fold(self, weight: Array, bias: Array | None) -> tuple[Array, Array]:
        """The weight and bias of the convolution that does what one with these and then this norm do."""
        return F.fold_batch_norm(weight, bias, *self._running(), *self._affine(), eps=self.eps)


class BatchNorm1d(BatchNorm):
    """Normalisation of each feature (N, C), or of each channel of signals (N, C, L); see ``BatchNorm2d``.

    >>> import numpy as np
    >>> from kitnet.layers import BatchNorm1d
    >>> BatchNorm1d(1, eps=0.0, dtype=np.float64).vjp(np.array([[1.0], [5.0]]))[0]
    array([[-1.],
           [ 1.]])
    """

    ndims = (2, 3)


class BatchNorm2d(BatchNorm):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel of images.

    Training (``vjp``) takes mean and variance of the batch, and moves the running ones a little towards them
    (the variance in its unbiased form); inference (``layer(x)``) takes the running ones, so that a result
    does not depend on the batch it is in.

    Shapes: (N, num_features, H, W) -> the same; ``weight`` (ones at first), ``bias`` (zeros),
    ``running_mean`` and ``running_var`` are (num_features,).

    Parameters
    ----------
    num_features
        C.
    eps
        Keeps the divisor away from 0; at least 0.
    momentum
        The share of the newest batch in the running statistics, from 0 to 1; None: all batches count the
        same.
    affine
        False for no ``weight`` and no ``bias``: both are None.
    track_running_stats
        False for no running statistics: inference takes those of its batch, too, so that a sample's result
        depends on the others.
    frozen
        True for training with the running statistics, which then stay as they are: fine-tuning with small
        batches. May be changed at any time.
    dtype
        float32 or float64: that of the parameters and so of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit; in training also if a channel has fewer than two values.

    Source: Ioffe and Szegedy 2015; names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import BatchNorm2d
    >>> norm = BatchNorm2d(3)
    >>> x = np.random.default_rng(0).normal(5, 2, (8, 3, 4, 4)).astype(np.float32)
    >>> y, pullback = norm.vjp(x)
    >>> bool(abs(y.mean()) < 1e-5), bool(abs(y.std() - 1) < 1e-4)
    (True, True)
    """

    ndims = (4,)


class BatchNorm3d(BatchNorm):
    """Normalisation of each channel of volumes (N, C, D, H, W); see ``BatchNorm2d``.

    >>> from kitnet.layers import BatchNorm3d
    >>> BatchNorm3d(4).out_shape((2, 4, 5, 6, 7))
    (2, 4, 5, 6, 7)
    """

    ndims = (5,)
