"""Unpooling: each number back to where max pooling found it, and zeros elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._arrays import Array, checked_size, empty, gate, gate_batch, gate_int
from .._backend import kernels, n_threads
from .._geometry import Ints, Size, per_axis, product
from ._batch import takes_one_sample
from .maxpool import plane_size


def unpooled(
    in_size: Ints, kernel_size: Size, stride: Size | None, padding: Size, output_size: Sequence[int] | None
) -> Ints:
    """The sizes before pooling: (in - 1) stride - 2 padding + kernel, or as ``output_size`` says, nearby."""
    n = len(in_size)
    kernel, pad = per_axis(kernel_size, n, "kernel_size"), per_axis(padding, n, "padding", least=0)
    step = kernel if stride is None else per_axis(stride, n, "stride")
    sizes = zip(in_size, kernel, step, pad, strict=True)
    default = tuple((size - 1) * s - 2 * p + k for size, k, s, p in sizes)
    if output_size is None:
        if min(default) < 1:
            raise ValueError(f"padding: expected one that leaves a size of at least 1, got {padding!r}")
        return default
    if not isinstance(output_size, (tuple, list)):
        raise TypeError(f"output_size: expected {n} ints, got {output_size!r}")
    out = per_axis(output_size[2:] if len(output_size) == n + 2 else output_size, n, "output_size")
    if any(abs(a - b) >= s for a, b, s in zip(out, default, step, strict=True)):
        raise ValueError(
            f"output_size: expected sizes nearer than the stride {step} to {default}, got {output_size!r}"
        )
    return out


def _planes(array: Array) -> Array:
    """All planes of all samples: (N C, size)."""
    return array.reshape(array.shape[0] * array.shape[1], product(array.shape[2:]))


@takes_one_sample(2)
def _max_unpool(
    ndim: int,
    x: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Array:
    x = gate_batch(x, "x", ndim + 2)
    out = unpooled(x.shape[2:], kernel_size, stride, padding, output_size)
    shape = x.shape[:2] + out
    checked_size(shape, x.dtype.itemsize, "kernel_size")
    indices = gate_int(indices, "indices", np.int32, shape=x.shape, below=plane_size(shape, "kernel_size"))
    y = empty(shape, x.dtype)
    kernels().unpool_forward(_planes(x), _planes(indices), _planes(y), n_threads())
    return y


@takes_one_sample(2)
def _max_unpool_backward(
    ndim: int,
    dy: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None,
    padding: Size,
    output_size: Sequence[int] | None,
) -> Array:
    indices = gate_int(indices, "indices", None, ndim + 2)
    if 0 in indices.shape[1:]:
        raise ValueError(
            f"indices: expected sizes of at least 1 (only the batch may be 0), got shape {indices.shape}"
        )
    out = unpooled(indices.shape[2:], kernel_size, stride, padding, output_size)
    dy = gate(dy, "dy", shape=indices.shape[:2] + out)
    indices = gate_int(indices, "indices", np.int32, below=plane_size(dy.shape, "kernel_size"))
    dx = empty(indices.shape, dy.dtype)
    kernels().unpool_backward(_planes(dy), _planes(indices), _planes(dx), n_threads())
    return dx


def max_unpool1d(
    x: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Signals (N, C, L) as they were before ``max_pool1d``, but for zeros; see ``max_unpool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> y, indices = F.max_pool1d(np.array([[[1.0, 5, 4, 3]]]), 2, return_indices=True)
    >>> F.max_unpool1d(y, indices, 2)
    array([[[0., 5., 4., 0.]]])
    """
    return _max_unpool(1, x, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    x: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """The inverse of ``max_pool2d`` in part: each maximum where it was, and 0 elsewhere.

    Parameters
    ----------
    x
        Pooled images (N, C, H, W), float32 or float64; only N may be 0. Or one image (C, H, W).
    indices
        From ``max_pool2d(..., return_indices=True)``: integers of the shape of x, offsets in a plane of the
        result. Where two are the same, one of their numbers stays.
    kernel_size, stride, padding
        As they were passed to ``max_pool2d``: an int, or one per axis.
    output_size
        The sizes of the result, or its shape, where they are not (H - 1) stride - 2 padding + kernel;
        less than a stride away.

    Returns
    -------
    y
        (N, C, OH, OW)

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2013), section 2.1.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> y, indices = F.max_pool2d(np.array([[[[1.0, 5], [4, 3]]]]), 2, return_indices=True)
    >>> F.max_unpool2d(y, indices, 2)
    array([[[[0., 5.],
             [0., 0.]]]])
    """
    return _max_unpool(2, x, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    x: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """Volumes (N, C, D, H, W) as they were before ``max_pool3d``, but for zeros; see ``max_unpool2d``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_unpool3d(np.full((1, 1, 1, 1, 1), 9.0), np.full((1, 1, 1, 1, 1), 2), (1, 2, 2))
    array([[[[[0., 0.],
              [9., 0.]]]]])
    """
    return _max_unpool(3, x, indices, kernel_size, stride, padding, output_size)


def max_unpool1d_backward(
    dy: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """The gradient dx (N, C, L) of ``max_unpool1d``: dy where the numbers went.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_unpool1d_backward(np.array([[[1.0, 2, 3, 4]]]), np.array([[[1, 2]]]), 2)
    array([[[2., 3.]]])
    """
    return _max_unpool_backward(1, dy, indices, kernel_size, stride, padding, output_size)


def max_unpool2d_backward(
    dy: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """The gradient dx of ``max_unpool2d``: dy (N, C, OH, OW) where the numbers went, of the shape of indices.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_unpool2d_backward(np.array([[[[1.0, 2], [3, 4]]]]), np.array([[[[2]]]]), 2)
    array([[[[3.]]]])
    """
    return _max_unpool_backward(2, dy, indices, kernel_size, stride, padding, output_size)


def max_unpool3d_backward(
    dy: Array,
    indices: Array,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Array:
    """The gradient dx (N, C, D, H, W) of ``max_unpool3d``: dy where the numbers went.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.max_unpool3d_backward(np.ones((1, 1, 1, 2, 2)), np.full((1, 1, 1, 1, 1), 2), (1, 2, 2))
    array([[[[[1.]]]]])
    """
    return _max_unpool_backward(3, dy, indices, kernel_size, stride, padding, output_size)
