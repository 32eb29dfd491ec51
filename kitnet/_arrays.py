"""The argument gate in front of every kernel, and the arrays that results live in."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from . import _backend
from ._geometry import product

Array: TypeAlias = np.ndarray

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_ABSENT = {(dtype, ndim): np.empty((0,) * ndim, dtype) for dtype in FLOATS for ndim in range(1, 6)}


def float_type(dtype: Any) -> np.dtype:
    """``dtype`` as float32 or float64; TypeError for any other, and for None (NumPy's float64)."""
    with suppress(TypeError):
        if dtype is not None and np.dtype(dtype) in FLOATS:
            return np.dtype(dtype)
    raise TypeError(f"dtype: expected float32 or float64, got {dtype!r}")


def _as_ndarray(x: Any, name: str) -> Array:
    if not isinstance(x, np.ndarray):
        raise TypeError(f"{name}: expected a NumPy array, got {type(x).__name__}")
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected a plain array, got a masked array (fill it: {name}.filled(value))")
    return np.asarray(x)


def _check_shape(
    x: Array, name: str, ndim: int | tuple[int, ...] | None, shape: Sequence[int] | None
) -> None:
    if shape is not None:
        if x.shape != tuple(shape):
            raise ValueError(f"{name}: expected shape {tuple(shape)}, got {x.shape}")
    elif ndim is None:
        if x.ndim == 0:
            raise ValueError(f"{name}: expected at least 1 dimension, got a 0-d array")
    elif x.ndim != ndim and not (isinstance(ndim, tuple) and x.ndim in ndim):
        expected = " or ".join(map(str, ndim if isinstance(ndim, tuple) else (ndim,)))
        raise ValueError(f"{name}: expected {expected} dimensions, got shape {x.shape}")


def _plain(x: Array) -> Array:
    """C-contiguous and aligned: ``x`` itself where it is so already."""
    flags = x.flags
    return x if flags.c_contiguous and flags.aligned else np.require(x, requirements=("C", "A"))


def _check_float(x: Any, name: str, dtype: np.dtype | None) -> Array:
    if type(x) is not np.ndarray:
        x = _as_ndarray(x, name)
    if x.dtype not in FLOATS:
        raise TypeError(
            f"{name}: expected float32 or float64, got {x.dtype} (convert it: {name}.astype(np.float32))"
        )
    if dtype is not None and x.dtype != dtype:
        raise TypeError(f"{name}: expected {dtype}, the dtype of the other arrays, got {x.dtype}")
    return x


def gate(
    x: Any,
    name: str,
    ndim: int | tuple[int, ...] | None = None,
    dtype: np.dtype | None = None,
    shape: Sequence[int] | None = None,
) -> Array:
    """``x`` as a kernel may read it: float32 or float64, native, aligned and C-contiguous.

    Nothing is converted silently but the layout.

    Raises
    ------
    TypeError
        If ``x`` is no plain NumPy array, or not of ``dtype`` (if given) or float32/float64.
    ValueError
        If ``x`` has not ``shape``, or else not ``ndim`` dimensions (None: at least one).
    """
    x = _check_float(x, name, dtype)
    _check_shape(x, name, ndim, shape)
    return _plain(x)


def gate_batch(
    x: Any, name: str, ndim: int | tuple[int, ...] | None = None, dtype: np.dtype | None = None
) -> Array:
    """``gate`` for a batch (N, C, ...): only N may be 0."""
    x = gate(x, name, ndim, dtype)
    if 0 in x.shape[1:]:
        raise ValueError(
            f"{name}: expected sizes of at least 1 (only the batch may be 0), got shape {x.shape}"
        )
    return x


def gate_weight(x: Any, name: str, ndim: int, dtype: np.dtype) -> Array:
    """``gate`` for weights, which are never empty."""
    x = gate(x, name, ndim, dtype)
    if 0 in x.shape:
        raise ValueError(f"{name}: expected sizes of at least 1, got shape {x.shape}")
    return x


def gate_inplace(x: Any, name: str, dtype: np.dtype | None = None, size: int | None = None) -> Array:
    """``x`` viewed as 1-D, for a kernel that writes it: what ``gate`` would have to copy is refused."""
    x = _check_float(x, name, dtype)
    _check_shape(x, name, None, None)
    flags = x.flags
    if not (flags.writeable and flags.c_contiguous and flags.aligned):
        kind = "read-only" if not flags.writeable else "strided or unaligned"
        raise ValueError(f"{name}: expected a writeable, C-contiguous, aligned array, got a {kind} one")
    if size is not None and x.size != size:
        raise ValueError(f"{name}: expected {size} elements, got shape {x.shape}")
    return x.reshape(-1)


def gate_int(
    x: Any,
    name: str,
    dtype: Any = np.int64,
    ndim: int | tuple[int, ...] | None = None,
    shape: Sequence[int] | None = None,
    below: int | None = None,
) -> Array:
    """``x`` as an array of the integer type ``dtype`` (None: its own), with every value in ``[0, below)``
    if that is given.

    Any integer type is taken: indices and labels change their type without changing their meaning.
    """
    x = _as_ndarray(x, name)
    if x.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers, got {x.dtype}")
    _check_shape(x, name, ndim, shape)
    if below is not None and not all_below(x, below):
        raise ValueError(f"{name}: expected values from 0 to {below - 1}, got {x.min()} to {x.max()}")
    return _plain(x if dtype is None else x.astype(dtype, copy=False))


def all_below(x: Array, below: int) -> bool:
    """Whether every value of an integer array is in ``[0, below)``.

    In one pass where the sign bit can tell: read as unsigned, a negative value is at least half the range.
    """
    if not x.size:
        return True
    half = 1 << (8 * x.dtype.itemsize - 1)
    if below <= half and x.dtype.isnative:
        return int(x.view(f"u{x.dtype.itemsize}").max()) < below
    return int(x.min()) >= 0 and int(x.max()) < below


def gate_number(value: Any, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """``value``, a real number from ``least`` to ``most``, as a float; NaN is never taken."""
    if type(value) is float and least <= value <= most:  # the usual case
        return value
    if type(value) is not int and (isinstance(value, bool) or not isinstance(value, Real)):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # an int beyond all floats
        number = math.nan
    if not least <= number <= most:
        raise ValueError(f"{name}: expected a number from {least:g} to {most:g}, got {value!r}")
    return number


def gate_positive(value: Any, name: str) -> float:
    """``value``, a real number above 0, as a float."""
    number = gate_number(value, name)
    if number <= 0:
        raise ValueError(f"{name}: expected a number above 0, got {value!r}")
    return number


def gate_clip(clip: Any) -> tuple[float, float]:
    """The bounds of a fused activation; (-inf, inf), which changes nothing, for None."""
    if clip is None:
        return -math.inf, math.inf
    if not isinstance(clip, (tuple, list)) or len(clip) != 2:
        raise TypeError(f"clip: expected None or (low, high), got {clip!r}")
    low = gate_number(clip[0], "clip")
    return low, gate_number(clip[1], "clip", low)


def optional(x: Any, name: str, dtype: np.dtype, shape: Sequence[int]) -> Array:
    """``gate`` for an argument that may be None, which kernels know as an array of size 0."""
    return _ABSENT[dtype, len(shape)] if x is None else gate(x, name, dtype=dtype, shape=shape)


def checked_size(shape: Sequence[int], itemsize: int, name: str = "result") -> int:
    """The bytes of an array of ``shape``; ValueError where no array can be so large."""
    size = product(shape) * itemsize
    if size > sys.maxsize:
        raise ValueError(f"{name}: expected a result that fits in memory, got one of shape {tuple(shape)}")
    return size


def empty(shape: Sequence[int], dtype: Any, name: str = "result") -> Array:
    """A new C-contiguous array with arbitrary content, from the pool where the compiled kernels are active.

    ``name`` is the argument to blame where the array would not fit in memory.
    """
    shape, dtype = tuple(shape), np.dtype(dtype)
    return _backend.allocate(shape, dtype, checked_size(shape, dtype.itemsize, name))


def maker(shape: tuple[int, ...], dtype: np.dtype, name: str = "result") -> Callable[[], Array]:
    """``empty`` as a function of nothing, checked but once."""
    return partial(_backend.allocate, shape, dtype, checked_size(shape, dtype.itemsize, name))


def zeros(shape: Sequence[int], dtype: Any) -> Array:
    """``empty``, filled with zeros."""
    array = empty(shape, dtype)
    array.fill(0)
    return array
