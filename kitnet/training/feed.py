"""Batches of a data set as a model takes them, in buffers that are made once."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._arrays import empty
from .._geometry import one_int
from ..layers import Layer


def check_images(x: Any, name: str = "x") -> np.ndarray:
    """``x`` as ``fit``, ``evaluate`` and ``predict`` take it: any array of integers, bools or floats.

    Raises
    ------
    TypeError
        If it is no plain array, or of another type.
    """
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(x).__name__}")
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a plain array, got a masked array (fill it: {name}.filled(value))")
    if x.dtype.kind not in "biuf":
        raise TypeError(f"{name}: expected numbers, got {x.dtype}")
    if x.ndim < 2:
        raise ValueError(f"{name}: expected a batch of samples, got shape {x.shape}")
    return np.require(x, requirements=("C", "A"))


class Feed:
    """Batches of ``x``, converted to ``dtype``: values stay as they are, nothing is scaled.

    A batch is valid until the next is taken.
    """

    def __init__(self, x: np.ndarray, dtype: np.dtype, batch_size: int) -> None:
        shape = (min(batch_size, len(x)), *x.shape[1:])
        self._x = x
        self._same = x.dtype == dtype
        self._batch = empty(shape, dtype)
        self._raw = self._batch if self._same else np.empty(shape, x.dtype)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """The samples at ``indices``."""
        n = len(indices)
        # mode="clip" (all indices are in range) lets NumPy write straight to ``out``.
        np.take(self._x, indices, axis=0, out=self._raw[:n], mode="clip")
        return self._converted(self._raw[:n])

    def slice(self, start: int, stop: int) -> np.ndarray:
        """The samples from ``start`` up to ``stop``."""
        return self._converted(self._x[start:stop])

    def _converted(self, batch: np.ndarray) -> np.ndarray:
        if self._same:
            return batch
        converted = self._batch[: len(batch)]
        np.copyto(converted, batch, casting="unsafe")
        return converted


def predict(model: Layer, x: Any, batch_size: int = 256) -> np.ndarray:
    """``model(x)`` in batches, for ``x`` of any number type.

    Parameters
    ----------
    model
        A layer or model.
    x
        Samples (N, ...), converted to the model's type batch by batch, with values as they are.
    batch_size
        How many samples to take at once; the results do not depend on it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import ReLU
    >>> from kitnet.training import predict
    >>> predict(ReLU(), np.array([[-1, 2]]))
    array([[0., 2.]], dtype=float32)
    """
    x = check_images(x)
    batch_size = one_int(batch_size, "batch_size")
    dtype = next((parameter.dtype for parameter in model.parameters()), np.dtype(np.float32))
    feed = Feed(x, dtype, batch_size)
    result: np.ndarray | None = None
    for start in range(0, max(len(x), 1), batch_size):
        output = model(feed.slice(start, start + batch_size))
        if result is None:  # the first output tells shape and type
            result = np.empty((len(x), *output.shape[1:]), output.dtype)
        result[start : start + batch_size] = output
    assert result is not None
    return result
