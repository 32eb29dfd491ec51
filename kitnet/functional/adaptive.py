"""Adaptive pooling: so many windows as the output has cells, which cover the input evenly.

Window j of OW over W cells goes from floor(j W / OW) to ceil((j + 1) W / OW). Where OW divides W that is
plain pooling, on its kernels. Else windows differ in size and may overlap: means take the lists of each axis
(``_lists``), and maxima plain pooling of a copy in which windows are alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .._arrays import Array, gate, gate_batch
from .._geometry import Ints, checked_shape, one_int
from ._batch import takes_one_sample
from ._lists import Lists, lists_of, resample
from .avgpool import (
    avg_pool1d,
    avg_pool1d_backward,
    avg_pool2d,
    avg_pool2d_backward,
    avg_pool3d,
    avg_pool3d_backward,
)
from .maxpool import (
    max_pool1d,
    max_pool1d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_pool3d,
    max_pool3d_backward,
    plane_size,
)

_AVG = {3: avg_pool1d, 4: avg_pool2d, 5: avg_pool3d}
_AVG_BACKWARD = {3: avg_pool1d_backward, 4: avg_pool2d_backward, 5: avg_pool3d_backward}
_MAX: dict[int, Any] = {3: max_pool1d, 4: max_pool2d, 5: max_pool3d}


def adaptive_size(output_size: Any, ndim: int) -> tuple[int | None, ...]:
    """``output_size``, an int or None, or one of them per axis, as one per axis."""
    items = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * ndim
    if len(items) != ndim:
        raise ValueError(f"output_size: expected an int, None, or {ndim} of them, got {output_size!r}")
    return tuple(None if item is None else one_int(item, "output_size") for item in items)


def resolved(output_size: Any, in_size: Ints) -> Ints:
    """The sizes of the output, those of the input where None stands."""
    wanted = adaptive_size(output_size, len(in_size))
    return tuple(size if item is None else item for size, item in zip(in_size, wanted, strict=True))


def _even(in_size: Ints, out: Ints) -> Ints | None:
    """The kernel, and stride, where all windows are alike and side by side."""
    if any(size % m for size, m in zip(in_size, out, strict=True)):
        return None
    return tuple(size // m for size, m in zip(in_size, out, strict=True))


def _bounds(size: int, out: int) -> tuple[Array, Array]:
    """Where each window begins, and ends."""
    j = np.arange(out, dtype=np.int64)
    return j * size // out, -(-(j + 1) * size // out)


@lru_cache(maxsize=256)
def _axis(size: int, out: int, dtype: np.dtype, backward: bool) -> Lists:
    """The lists of the means along an axis."""
    start, stop = _bounds(size, out)
    count = stop - start
    result = np.repeat(np.arange(out), count)
    before = np.repeat(np.cumsum(count) - count, count)
    cell = np.arange(len(result)) - before + start[result]
    return lists_of(result, cell, 1 / count[result], (size, out), dtype, backward)


def adaptive_avg_pool(x: Array, output_size: Any) -> Array:
    """``adaptive_avg_pool1d``, ``2d`` or ``3d``, by the axes of x, which was checked."""
    out = resolved(output_size, x.shape[2:])
    if kernel := _even(x.shape[2:], out):
        return _AVG[x.ndim](x, kernel)
    axes = [_axis(size, m, x.dtype, False) for size, m in zip(x.shape[2:], out, strict=True)]
    return resample(x, axes, (*x.shape[:2], *out), "output_size")


def adaptive_avg_pool_backward(dy: Array, shape: Ints, output_size: Any) -> Array:
    """The gradient of ``adaptive_avg_pool``, for a ``shape`` that was checked."""
    out = resolved(output_size, shape[2:])
    dy = gate(dy, "dy", shape=(*shape[:2], *out))
    if kernel := _even(shape[2:], out):
        return _AVG_BACKWARD[len(shape)](dy, shape, kernel)
    axes = [_axis(size, m, dy.dtype, True) for size, m in zip(shape[2:], out, strict=True)]
    return resample(dy, axes, shape, "input_shape")


@lru_cache(maxsize=256)
def _evened(size: int, out: int, dtype: np.dtype) -> tuple[int, Array, Lists]:
    """The windows of an axis as if they were alike and side by side: their size, the cells in them, and the
    lists that copy those. A smaller window has its last cell twice, which changes no maximum, nor the first.
    """
    start, stop = _bounds(size, out)
    kernel = int((stop - start).max())
    cells = np.minimum(start[:, None] + np.arange(kernel), stop[:, None] - 1).reshape(-1)
    places = np.arange(len(cells))
    return kernel, cells, lists_of(places, cells, np.ones(len(cells)), (size, len(cells)), dtype, False)


@takes_one_sample(1, results=2)
def _adaptive_max_pool(ndim: int, x: Array, output_size: Any, return_indices: bool) -> Any:
    x = gate_batch(x, "x", ndim + 2)
    out = resolved(output_size, x.shape[2:])
    if kernel := _even(x.shape[2:], out):
        return _MAX[x.ndim](x, kernel, return_indices=return_indices)
    plane_size(x.shape, "x")
    axes = [_evened(size, m, x.dtype) for size, m in zip(x.shape[2:], out, strict=True)]
    shape = (*x.shape[:2], *(len(cells) for _, cells, _ in axes))
    plane_size(shape, "output_size")
    even = resample(x, [lists for _, _, lists in axes], shape, "output_size")
    found = _MAX[x.ndim](even, tuple(kernel for kernel, _, _ in axes), return_indices=return_indices)
    if not return_indices:
        return found
    y, indices = found
    origin = np.ravel_multi_index(np.ix_(*(cells for _, cells, _ in axes)), x.shape[2:])
    return y, origin.reshape(-1).astype(indices.dtype)[indices]


@takes_one_sample(1)
def _adaptive_avg_pool(ndim: int, x: Array, output_size: Any) -> Array:
    return adaptive_avg_pool(gate_batch(x, "x", ndim + 2), output_size)


@takes_one_sample(2)
def _adaptive_avg_pool_backward(ndim: int, dy: Array, input_shape: Ints, output_size: Any) -> Array:
    return adaptive_avg_pool_backward(dy, checked_shape(input_shape, ndim + 2, "input_shape"), output_size)


def adaptive_avg_pool1d(x: Array, output_size: Any) -> Array:
    """The means of ``output_size`` windows of signals (N, C, L); see ``adaptive_avg_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool1d(np.array([[[1.0, 2, 3, 4, 5]]]), 3)
    array([[[1.5, 3. , 4.5]]])
    """
    return _adaptive_avg_pool(1, x, output_size)


def adaptive_avg_pool2d(x: Array, output_size: Any) -> Array:
    """The means of windows that cover images (N, C, H, W) evenly: y is (N, C, *output_size) for any H and W.

    Parameters
    ----------
    x
        Images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W).
    output_size
        The windows along each axis: an int, or one per axis; None for as many as the axis has cells. More
        windows than cells repeat cells.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: He et al., "Spatial pyramid pooling in deep convolutional networks for visual recognition" (2014),
    whose bins from floor(j H / OH) to ceil((j + 1) H / OH) these are.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool2d(np.arange(12.0).reshape(1, 1, 3, 4), (2, 2))
    array([[[[2.5, 4.5],
             [6.5, 8.5]]]])
    """
    return _adaptive_avg_pool(2, x, output_size)


def adaptive_avg_pool3d(x: Array, output_size: Any) -> Array:
    """The means of windows that cover volumes (N, C, D, H, W) evenly; see ``adaptive_avg_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 1)
    array([[[[[3.5]]]]])
    """
    return _adaptive_avg_pool(3, x, output_size)


def adaptive_avg_pool1d_backward(dy: Array, input_shape: Ints, output_size: Any) -> Array:
    """The gradient dx (N, C, L) of ``adaptive_avg_pool1d``; see ``adaptive_avg_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool1d_backward(np.array([[[2.0, 3, 4]]]), (1, 1, 5), 3)
    array([[[1., 2., 1., 3., 2.]]])
    """
    return _adaptive_avg_pool_backward(1, dy, input_shape, output_size)


def adaptive_avg_pool2d_backward(dy: Array, input_shape: Ints, output_size: Any) -> Array:
    """The gradient dx of ``adaptive_avg_pool2d``: each dy shared out among the cells of its window.

    ``input_shape`` is the shape (N, C, H, W) of x. ValueError or TypeError for what does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool2d_backward(np.array([[[[8.0]]]]), (1, 1, 2, 2), 1)
    array([[[[2., 2.],
             [2., 2.]]]])
    """
    return _adaptive_avg_pool_backward(2, dy, input_shape, output_size)


def adaptive_avg_pool3d_backward(dy: Array, input_shape: Ints, output_size: Any) -> Array:
    """The gradient dx (N, C, D, H, W) of ``adaptive_avg_pool3d``; see ``adaptive_avg_pool2d_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_avg_pool3d_backward(np.full((1, 1, 1, 1, 1), 8.0), (1, 1, 1, 2, 2), 1).reshape(-1)
    array([2., 2., 2., 2.])
    """
    return _adaptive_avg_pool_backward(3, dy, input_shape, output_size)


def adaptive_max_pool1d(x: Array, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of ``output_size`` windows of signals (N, C, L); see ``adaptive_max_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_max_pool1d(np.array([[[1.0, 5, 2, 4, 3]]]), 3)
    array([[[5., 5., 4.]]])
    """
    return _adaptive_max_pool(1, x, output_size, return_indices)


def adaptive_max_pool2d(x: Array, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of windows that cover images (N, C, H, W) evenly: y is (N, C, *output_size) for any H and W.

    The first of equals wins; NaN is larger than everything.

    Parameters
    ----------
    x, output_size
        As for ``adaptive_avg_pool2d``, which has the windows.
    return_indices
        Return (y, indices), where the indices, int32, are the maxima's offsets in their plane, h W + w.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: He et al. (2014), as for ``adaptive_avg_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_max_pool2d(np.arange(12.0).reshape(1, 1, 3, 4), (2, None), return_indices=True)
    (array([[[[ 4.,  5.,  6.,  7.],
             [ 8.,  9., 10., 11.]]]]), array([[[[ 4,  5,  6,  7],
             [ 8,  9, 10, 11]]]], dtype=int32))
    """
    return _adaptive_max_pool(2, x, output_size, return_indices)


def adaptive_max_pool3d(x: Array, output_size: Any, return_indices: bool = False) -> Any:
    """The maxima of windows that cover volumes (N, C, D, H, W) evenly; see ``adaptive_max_pool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.adaptive_max_pool3d(np.arange(8.0).reshape(1, 1, 2, 2, 2), 1)
    array([[[[[7.]]]]])
    """
    return _adaptive_max_pool(3, x, output_size, return_indices)


adaptive_max_pool1d_backward = max_pool1d_backward
adaptive_max_pool2d_backward = max_pool2d_backward
adaptive_max_pool3d_backward = max_pool3d_backward
