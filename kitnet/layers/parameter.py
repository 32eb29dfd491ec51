"""What training changes: arrays with a gradient."""

from __future__ import annotations

import numpy as np

from .. import init
from .._arrays import Array, gate
from .._backend import is_sealed, seal
from ..functional._elementwise import add_to
from ._changes import changed


class Parameter:
    """An array that training changes, and its gradient.

    >>> import numpy as np
    >>> from kitnet.layers import Parameter
    >>> p = Parameter(np.ones(2, np.float32))
    >>> p.accumulate(np.array([1, 2], np.float32))
    >>> p.grad
    array([1., 2.], dtype=float32)
    """

    __slots__ = ("_data", "_grad")

    def __init__(self, data: Array) -> None:
        if not init.placing():  # a stand-in must not be copied: it may claim any size
            data = np.require(gate(data, "data"), requirements="W")
        self._data = data
        self._grad: Array | None = None

    @property
    def data(self) -> Array:
        """The values. Assigning copies into the array that is there, which may be part of a flat one."""
        return self._data

    @data.setter
    def data(self, values: Array) -> None:
        values = gate(values, "data", dtype=self._data.dtype, shape=self._data.shape)
        if self.sealed:
            raise ValueError(
                "data: expected a parameter that may change, got a sealed one (unseal the model)"
            )
        self._data[...] = values

    @property
    def grad(self) -> Array:
        """The gradient that pullbacks have added up since ``zero_grad``; zeros before the first."""
        if self._grad is None:
            self._grad = np.zeros_like(self._data)
        return self._grad

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def size(self) -> int:
        return self._data.size

    def accumulate(self, gradient: Array) -> None:
        """Add ``gradient`` (of this shape) to ``grad``."""
        if self.sealed:
            raise ValueError(
                "gradient: expected a parameter that may change, got a sealed one (unseal the model)"
            )
        add_to(self.grad, np.asarray(gradient))

    def zero_grad(self) -> None:
        """Set the gradient to zero."""
        if self._grad is not None:
            self._grad.fill(0)

    @property
    def sealed(self) -> bool:
        """Whether the values cannot change: see ``Layer.seal``."""
        return is_sealed(self._data)

    def seal(self) -> None:
        """Live in a read-only copy of the values."""
        if not self.sealed:
            self.bind(seal(self._data), self._grad)

    def unseal(self) -> None:
        """Live in a copy of the values that may change."""
        if self.sealed:
            self.bind(self._data.copy(), self._grad)

    def bind(self, data: Array, grad: Array | None = None) -> None:
        """Live in these arrays (of the same shape and dtype) from now on; their content is taken as it is."""
        self._data, self._grad = data, grad
        changed()

    def lives_in(self, data: Array, grad: Array) -> bool:
        """Whether the values are part of the array ``data``, and the gradient is part of ``grad``."""
        return self._data.base is data and self._grad is not None and self._grad.base is grad

    def __repr__(self) -> str:
        return f"Parameter(shape={self.shape}, dtype={self.dtype})"
