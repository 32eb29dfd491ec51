"""Normalisation of a channel by its neighbours."""

from __future__ import annotations

from collections.abc import Sequence

from .. import functional as F
from .._arrays import Array, gate_number
from .._geometry import checked_shape, one_int
from .base import Layer, Pullback


class LocalResponseNorm(Layer):
    """x / (k + alpha / size * sum of x^2 over ``size`` neighbouring channels) ^ beta

    Shapes: (N, C, *spatial), up to three axes -> the same.

    Parameters
    ----------
    size, alpha, beta, k
        As for ``kitnet.functional.local_response_norm``.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks" (2012), section 3.3; names and defaults are PyTorch's.

    >>> import numpy as np
    >>> from kitnet.layers import LocalResponseNorm
    >>> LocalResponseNorm(1, alpha=3.0, beta=0.5)(np.array([[[1.0, 0.0]]]))
    array([[[0.5, 0. ]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        self.size = one_int(size, "size")
        self.alpha = gate_number(alpha, "alpha")
        self.beta = gate_number(beta, "beta")
        self.k = gate_number(k, "k")

    def __call__(self, x: Array) -> Array:
        return F.local_response_norm(x, self.size, self.alpha, self.beta, self.k)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        def pullback(dy: Array) -> Array | None:
            if not input_grad:
                return None
            return F.local_response_norm_backward(dy, x, self.size, self.alpha, self.beta, self.k)

        return self(x), pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return checked_shape(in_shape, (3, 4, 5), "in_shape")
