"""Interpolation: signals, images and volumes at another size, each axis by itself."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from .._arrays import Array, gate, gate_batch, gate_number
from .._geometry import LARGEST, Ints, Size, checked_shape, per_axis
from ._lists import Lists, lists_of, resample
from .adaptive import adaptive_avg_pool, adaptive_avg_pool_backward

MODES = {
    "nearest": (3, 4, 5),
    "nearest-exact": (3, 4, 5),
    "linear": (3,),
    "bilinear": (4,),
    "bicubic": (4,),
    "trilinear": (5,),
    "area": (3, 4, 5),
}
"""The number of axes of x in each mode."""

CUBIC = -0.75
"""The slope of the cubic kernel at distance 1; Keys' own choice is -0.5."""


def interpolate_mode(mode: Any, align_corners: Any) -> str:
    """Check the two arguments that go together."""
    if not isinstance(mode, str) or mode not in MODES:
        kind = ValueError if isinstance(mode, str) else TypeError
        raise kind(f"mode: expected one of {', '.join(map(repr, MODES))}, got {mode!r}")
    if align_corners is not None and (mode.startswith("nearest") or mode == "area"):
        raise ValueError(f"align_corners: expected None with mode {mode!r}, got {align_corners!r}")
    return mode


def scales(scale_factor: Any, ndim: int) -> tuple[float, ...]:
    """A positive number, or one per axis, as one per axis."""
    items = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * ndim
    if len(items) != ndim:
        raise ValueError(f"scale_factor: expected a number or {ndim} numbers, got {scale_factor!r}")
    factors = tuple(gate_number(item, "scale_factor", 0.0) for item in items)
    if 0.0 in factors or math.inf in factors:
        raise ValueError(f"scale_factor: expected positive, finite numbers, got {scale_factor!r}")
    return factors


def targets(
    size: Size | None, scale_factor: Any, recompute_scale_factor: bool | None, ndim: int
) -> tuple[Ints | None, tuple[float, ...] | None]:
    """``size`` or ``scale_factor``, of which one is given, one per axis."""
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"size: expected either size or scale_factor, got {size!r} and scale_factor {scale_factor!r}"
        )
    if size is None:
        return None, scales(scale_factor, ndim)
    if recompute_scale_factor:
        raise ValueError("recompute_scale_factor: expected None or False with size, got True")
    return per_axis(size, ndim, "size"), None


def resized(
    shape: Ints, size: Size | None, scale_factor: Any, mode: str, recompute_scale_factor: bool | None
) -> tuple[Ints, tuple[float | None, ...]]:
    """The sizes of the result, and the factors that coordinates go by, or None for the ratio of the sizes."""
    if len(shape) not in MODES[mode]:
        expected = " or ".join(map(str, MODES[mode]))
        raise ValueError(
            f"mode: expected one for {len(shape)} dimensions, got {mode!r}, which is for {expected}"
        )
    in_size = shape[2:]
    sizes, factors = targets(size, scale_factor, recompute_scale_factor, len(in_size))
    if sizes is not None or factors is None:
        return sizes or (), (None,) * len(in_size)
    if any(not 1 <= s * f <= LARGEST for s, f in zip(in_size, factors, strict=True)):
        raise ValueError(
            f"scale_factor: expected sizes from 1 to {LARGEST}, got {scale_factor!r} times {in_size}"
        )
    sizes = tuple(math.floor(s * f) for s, f in zip(in_size, factors, strict=True))
    return sizes, (None,) * len(in_size) if recompute_scale_factor else factors


def _nearest(size: int, out: int, scale: float | None, exact: bool, dtype: np.dtype) -> Array:
    """The cell of each result, with the coordinates in the precision of the array, as PyTorch has them.

    A size that stays, or doubles, is exact whatever the factor it was rounded from: PyTorch's gradients do
    so always, its results in two dimensions up to a size.
    """
    real = dtype.type
    if not exact and out in (size, 2 * size):
        scale = None
    step = real(size) / real(out) if scale is None else real(1 / scale)
    place = (np.arange(out, dtype=dtype) + real(0.5 if exact else 0)) * step
    return np.minimum(np.floor(place).astype(np.int64), size - 1)[:, None]


def _cubic(t: Array) -> Array:
    """The weights of the cells at -1, 0, 1 and 2 for a place at t from 0 to 1."""
    near = [((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1 for d in (t, 1 - t)]
    far = [((CUBIC * d - 5 * CUBIC) * d + 8 * CUBIC) * d - 4 * CUBIC for d in (1 + t, 2 - t)]
    return np.stack([far[0], *near, far[1]], -1)


@lru_cache(maxsize=256)
def _axis(
    mode: str,
    size: int,
    out: int,
    scale: float | None,
    align_corners: bool,
    dtype: np.dtype,
    backward: bool,
) -> Lists:
    """The lists of one axis from ``size`` to ``out`` cells."""
    if mode.startswith("nearest"):
        cell = _nearest(size, out, scale, mode == "nearest-exact", dtype)
        weight = np.ones(cell.shape)
    else:
        j = np.arange(out, dtype=np.float64)
        if size == out and mode != "bicubic":  # whatever the factor it was rounded from
            place = j
        elif align_corners:
            place = j * ((size - 1) / (out - 1) if out > 1 else 0.0)
        else:
            place = (j + 0.5) * (size / out if scale is None else 1 / scale) - 0.5
        taps = np.arange(-1, 3) if mode == "bicubic" else np.arange(2)
        if mode != "bicubic":
            place = np.clip(place, 0, size - 1)
        first = np.floor(place)
        t = place - first
        weight = _cubic(t) if mode == "bicubic" else np.stack([1 - t, t], -1)
        cell = np.clip(first.astype(np.int64)[:, None] + taps, 0, size - 1)
    result = np.repeat(np.arange(out), cell.shape[1])
    return lists_of(result, cell.reshape(-1), weight.reshape(-1), (size, out), dtype, backward)


def interpolate(
    x: Array,
    size: Size | None = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Array:
    """x at another size: of each result, the nearest cell, or a weighted mean of the cells around its place.

    Parameters
    ----------
    x
        (N, C, L), (N, C, H, W) or (N, C, D, H, W), float32 or float64; only N may be 0.
    size
        The spatial sizes of the result, an int or one per axis; or else give
    scale_factor
        the factor of the sizes (which are rounded down), a number or one per axis.
    mode
        ``"nearest"``, ``"nearest-exact"`` (which rounds as other libraries do), ``"linear"`` (3-D),
        ``"bilinear"``, ``"bicubic"`` (4-D), ``"trilinear"`` (5-D) or ``"area"`` (``adaptive_avg_pool``).
    align_corners
        True: the centers of the first and the last cell stay where they are. False or None: the outer edges
        of these cells do. None for the nearest cell and areas, which know no such choice.
    recompute_scale_factor
        True: coordinates go by the ratio of the sizes, not by ``scale_factor``; they differ where the size
        was rounded.

    Returns
    -------
    y
        (N, C, *sizes)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), with slope -0.75.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.interpolate(np.array([[[0.0, 4.0]]]), scale_factor=2, mode="linear")
    array([[[0., 1., 3., 4.]]])
    """
    x = gate_batch(x, "x", (3, 4, 5))
    mode, align = interpolate_mode(mode, align_corners), bool(align_corners)
    out, factors = resized(x.shape, size, scale_factor, mode, recompute_scale_factor)
    if mode == "area":
        return adaptive_avg_pool(x, out)
    axes = [
        _axis(mode, n, m, f, align, x.dtype, False) for n, m, f in zip(x.shape[2:], out, factors, strict=True)
    ]
    return resample(x, axes, (*x.shape[:2], *out), "size" if scale_factor is None else "scale_factor")


def interpolate_backward(
    dy: Array,
    input_shape: tuple[int, ...],
    size: Size | None = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Array:
    """The gradient dx of ``interpolate``: its exact transpose, each dx a sum of what read this cell.

    ``input_shape`` is the shape of x; the other arguments and the errors are those of ``interpolate``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.interpolate_backward(np.array([[[1.0, 2, 3, 4]]]), (1, 1, 2), 4)
    array([[[3., 7.]]])
    """
    shape = checked_shape(input_shape, (3, 4, 5), "input_shape")
    mode, align = interpolate_mode(mode, align_corners), bool(align_corners)
    out, factors = resized(shape, size, scale_factor, mode, recompute_scale_factor)
    if mode == "area":
        return adaptive_avg_pool_backward(dy, shape, out)
    dy = gate(dy, "dy", shape=(*shape[:2], *out))
    axes = [
        _axis(mode, n, m, f, align, dy.dtype, True) for n, m, f in zip(shape[2:], out, factors, strict=True)
    ]
    return resample(dy, axes, shape, "input_shape")
