"""Weights whose direction and length are trained apart."""

from __future__ import annotations

import copy
from collections.abc import Sequence

from .. import functional as F
from .. import init
from .._arrays import Array
from .._geometry import one_int
from .base import Layer, Pullback
from .parameter import Parameter
from .weighted import Weighted


class WeightNorm(Layer):
    """A convolution or dense layer with the weight g v / |v|: direction v and length g are trained apart.

    ``layer.weight`` is v from now on, and ``g`` its lengths: at first those that it has, so that nothing
    changes. ``weight()`` is the product.

    Parameters
    ----------
    layer
        A layer with a weight and a bias or None: a convolution, ``Linear``, a locally connected one.
    dim
        The axis of the weight that keeps its own lengths; None: one length for all.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: Salimans and Kingma, "Weight normalization: a simple reparameterization to accelerate training of
    deep neural networks" (2016); PyTorch's ``torch.nn.utils.parametrizations.weight_norm``, whose
    ``original0`` and ``original1`` are ``g`` and ``layer.weight``.

    >>> import numpy as np
    >>> from kitnet.layers import Linear, WeightNorm
    >>> norm = WeightNorm(Linear(2, 1, bias=False))
    >>> norm.layer.weight.data, norm.g.data = np.array([[3, 4]], np.float32), np.array([[10]], np.float32)
    >>> norm(np.array([[1, 1]], np.float32))
    array([[14.]], dtype=float32)
    """

    def __init__(self, layer: Weighted, dim: int | None = 0) -> None:
        if not isinstance(layer, Weighted):
            raise TypeError(f"layer: expected a convolution or a dense layer, got {type(layer).__name__}")
        ndim = len(layer.weight.shape)
        self.dim = None if dim is None else one_int(dim, "dim", 0, ndim - 1)
        shape = tuple(size if axis == self.dim else 1 for axis, size in enumerate(layer.weight.shape))
        placing = init.placing()
        self.g = Parameter(
            init.ones(shape, layer.dtype) if placing else F.weight_norm(layer.weight.data, None, self.dim)
        )
        self.layer = layer

    def weight(self) -> Array:
        """The weight that the layer works with."""
        return F.weight_norm(self.layer.weight.data, self.g.data, self.dim)

    def _with_weight(self) -> Weighted:
        """The layer with that weight for its own; its bias is shared."""
        layer = copy.copy(self.layer)
        vars(layer)["weight"] = Parameter(self.weight())  # of a layer of this call: nothing has changed
        return layer

    def __call__(self, x: Array) -> Array:
        return self._with_weight()(x)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        layer = self._with_weight()
        y, layer_pullback = layer.vjp(x, input_grad=input_grad)

        def pullback(dy: Array) -> Array | None:
            layer.weight.zero_grad()
            dx: Array | None = layer_pullback(dy)
            v = self.layer.weight
            dv, dg = F.weight_norm_backward(layer.weight.grad, v.data, self.g.data, self.dim)
            v.accumulate(dv)
            self.g.accumulate(dg)
            return dx

        return y, pullback

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.layer.out_shape(in_shape)
