"""Normalisation of each sample by itself: over its last axes, or over groups of its channels.

No statistics of a batch, so training and inference are the same function.

Sources: Ba, Kiros and Hinton, "Layer normalization" (2016); Ulyanov, Vedaldi and Lempitsky, "Instance
normalization: the missing ingredient for fast stylization" (2016); Wu and He, "Group normalization" (2018);
Zhang and Sennrich, "Root mean square layer normalization" (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from .._arrays import Array, empty, gate, gate_batch, gate_number
from .._backend import kernels, n_threads
from .._geometry import axis_sizes, one_int, product

_IMAGES = (2, 3, 4, 5)

Gradients: TypeAlias = "tuple[Array, Array | None, Array | None]"
Shape: TypeAlias = tuple[int, ...]
View: TypeAlias = tuple[int, int, int]


def _gate_rows(x: Any, normalized_shape: int | Sequence[int]) -> tuple[Array, Shape]:
    """``x``, whose last axes are ``normalized_shape``; and that as a tuple."""
    shape = axis_sizes(normalized_shape, "normalized_shape")
    x = gate_batch(x, "x")
    if x.shape[x.ndim - len(shape) :] != shape:
        raise ValueError(f"x: expected last axes {shape}, as normalized_shape says, got shape {x.shape}")
    return x, shape


def _gate_groups(x: Any, num_groups: int) -> tuple[Array, int]:
    x = gate_batch(x, "x", _IMAGES)
    groups = one_int(num_groups, "num_groups")
    if x.shape[1] % groups:
        raise ValueError(f"num_groups: expected a divisor of the {x.shape[1]} channels, got {groups}")
    return x, groups


def _gate_instances(x: Any) -> Array:
    x = gate_batch(x, "x", _IMAGES[1:])
    if product(x.shape[2:]) == 1:
        raise ValueError(f"x: expected at least 2 values a channel of a sample, got shape {x.shape}")
    return x


def _gate_weights(weight: Any, bias: Any, shape: Shape, dtype: np.dtype) -> tuple[Array | None, Array | None]:
    """Both, or neither: the kernel knows no half."""
    if weight is None and bias is None:
        return None, None
    weight = np.ones(shape, dtype) if weight is None else gate(weight, "weight", dtype=dtype, shape=shape)
    bias = np.zeros(shape, dtype) if bias is None else gate(bias, "bias", dtype=dtype, shape=shape)
    return weight, bias


def _flat(weight: Array | None, dtype: np.dtype) -> Array:
    return np.empty(0, dtype) if weight is None else weight.reshape(-1)


def _forward(
    x: Array,
    view: View,
    lead: Shape,
    weights: tuple[Array | None, Array | None],
    eps: float,
    centred: bool = True,
) -> tuple[Array, Array, Array]:
    """y, and mean and rstd of shape ``lead``, for x seen as ``view`` (N, C, P)."""
    groups = product(lead) // view[0] if view[0] else 1
    y, rstd = empty(x.shape, x.dtype), empty((view[0], groups), x.dtype)
    mean = empty(rstd.shape if centred else (0, 0), x.dtype)
    gamma, beta = (_flat(weight, x.dtype) for weight in weights)
    kernels().rownorm_forward(
        x.reshape(view), gamma, beta, y.reshape(view), mean, rstd, gate_number(eps, "eps", 0.0), n_threads()
    )
    return y, mean.reshape(lead) if centred else mean, rstd.reshape(lead)


def _backward(
    dy: Any,
    x: Array,
    view: View,
    lead: Shape,
    statistics: tuple[Any, Any],
    weight: Any,
    weight_shape: Shape,
    centred: bool = True,
) -> Gradients:
    dtype = x.dtype
    dy = gate(dy, "dy", dtype=dtype, shape=x.shape)
    groups = product(lead) // view[0] if view[0] else 1
    mean, rstd = statistics
    rstd = gate(rstd, "rstd", dtype=dtype, shape=lead).reshape(view[0], groups)
    centre = np.empty((0, 0), dtype)
    if centred:
        centre = gate(mean, "mean", dtype=dtype, shape=lead).reshape(view[0], groups)
    if weight is not None:
        weight = gate(weight, "weight", dtype=dtype, shape=weight_shape)
    gamma = _flat(weight, dtype)
    dx, dweight, dbias = empty(x.shape, dtype), empty(gamma.shape, dtype), empty(gamma.shape, dtype)
    kernels().rownorm_backward(
        dy.reshape(view), x.reshape(view), centre, rstd, gamma, dx.reshape(view), dweight, dbias, n_threads()
    )
    if weight is None:
        return dx, None, None
    return dx, dweight.reshape(weight_shape), dbias.reshape(weight_shape)


def _by_shape(x: Array, shape: Shape) -> tuple[View, Shape]:
    lead = x.shape[: x.ndim - len(shape)]
    return (product(lead), product(shape), 1), lead


def _by_channel(x: Array, groups: int) -> tuple[View, Shape]:
    return (x.shape[0], x.shape[1], product(x.shape[2:])), (x.shape[0], groups)


def layer_norm(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    return_statistics: bool = False,
) -> Array | tuple[Array, Array, Array]:
    """(x - mean) / sqrt(var + eps) * weight + bias, with mean and variance over the last axes.

    Parameters
    ----------
    x
        (*lead, *normalized_shape), float32 or float64.
    normalized_shape
        The sizes of the axes that are normalised together; an int for the last one alone.
    weight, bias
        Of ``normalized_shape`` and the dtype of x; None: 1 and 0.
    eps
        Keeps the divisor away from 0; at least 0.
    return_statistics
        Whether to return what ``layer_norm_backward`` takes, too.

    Returns
    -------
    y, or y, mean, rstd
        y of the shape of x; mean and rstd = 1 / sqrt(var + eps), with the biased variance, of shape lead.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Ba, Kiros and Hinton (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.layer_norm(np.array([[1.0, 3.0], [5.0, 5.0]]), 2, eps=1e-12).round(6)
    array([[-1.,  1.],
           [ 0.,  0.]])
    """
    x, shape = _gate_rows(x, normalized_shape)
    weights = _gate_weights(weight, bias, shape, x.dtype)
    found = _forward(x, *_by_shape(x, shape), weights, eps)
    return found if return_statistics else found[0]


def layer_norm_backward(
    dy: Array,
    x: Array,
    normalized_shape: int | Sequence[int],
    mean: Array,
    rstd: Array,
    weight: Array | None = None,
) -> Gradients:
    """The gradients (dx, dweight, dbias) of ``layer_norm``; the last two are None where ``weight`` is.

    Parameters
    ----------
    dy
        The gradient of y, of the shape of x.
    x, normalized_shape, weight
        As they were passed to ``layer_norm``. Where that had a bias alone, a weight of ones.
    mean, rstd
        As it returned them.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, weight = np.array([[1.0, 3.0]]), np.array([2.0, 2.0])
    >>> _, mean, rstd = F.layer_norm(x, 2, weight, eps=0.0, return_statistics=True)
    >>> F.layer_norm_backward(np.array([[1.0, 0.0]]), x, 2, mean, rstd, weight)
    (array([[0., 0.]]), array([-1.,  0.]), array([1., 0.]))
    """
    x, shape = _gate_rows(x, normalized_shape)
    return _backward(dy, x, *_by_shape(x, shape), (mean, rstd), weight, shape)


def group_norm(
    x: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    return_statistics: bool = False,
) -> Array | tuple[Array, Array, Array]:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of a group of channels.

    Parameters
    ----------
    x
        (N, C) or (N, C, *spatial), up to three axes, float32 or float64; only N may be 0.
    num_groups
        G, a divisor of C: neighbouring channels form a group.
    weight, bias
        (C,), of the dtype of x; None: 1 and 0.
    eps, return_statistics
        As for ``layer_norm``.

    Returns
    -------
    y, or y, mean, rstd
        y of the shape of x; mean and rstd (N, G).

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Wu and He (2018).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.group_norm(np.array([[1.0, 3.0, 10.0, 30.0]]), 2, eps=0.0)
    array([[-1.,  1., -1.,  1.]])
    """
    x, groups = _gate_groups(x, num_groups)
    weights = _gate_weights(weight, bias, x.shape[1:2], x.dtype)
    found = _forward(x, *_by_channel(x, groups), weights, eps)
    return found if return_statistics else found[0]


def group_norm_backward(
    dy: Array, x: Array, num_groups: int, mean: Array, rstd: Array, weight: Array | None = None
) -> Gradients:
    """The gradients (dx, dweight, dbias) of ``group_norm``; arguments as for ``layer_norm_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[1.0, 3.0, 10.0, 30.0]])
    >>> _, mean, rstd = F.group_norm(x, 2, eps=0.0, return_statistics=True)
    >>> F.group_norm_backward(np.ones((1, 4)), x, 2, mean, rstd)[0]
    array([[0., 0., 0., 0.]])
    """
    x, groups = _gate_groups(x, num_groups)
    return _backward(dy, x, *_by_channel(x, groups), (mean, rstd), weight, x.shape[1:2])


def instance_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
    return_statistics: bool = False,
) -> Array | tuple[Array, Array, Array]:
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of a sample's channel.

    Parameters
    ----------
    x
        (N, C, *spatial), up to three axes, with at least two values a channel; only N may be 0.
    weight, bias, eps, return_statistics
        As for ``group_norm``.

    Returns
    -------
    y, or y, mean, rstd
        y of the shape of x; mean and rstd (N, C).

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Ulyanov, Vedaldi and Lempitsky (2016). PyTorch's form with running statistics is ``batch_norm``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.instance_norm(np.array([[[1.0, 3.0], [10.0, 30.0]]]), eps=0.0)
    array([[[-1.,  1.],
            [-1.,  1.]]])
    """
    x = _gate_instances(x)
    weights = _gate_weights(weight, bias, x.shape[1:2], x.dtype)
    found = _forward(x, *_by_channel(x, x.shape[1]), weights, eps)
    return found if return_statistics else found[0]


def instance_norm_backward(
    dy: Array, x: Array, mean: Array, rstd: Array, weight: Array | None = None
) -> Gradients:
    """The gradients (dx, dweight, dbias) of ``instance_norm``; arguments as for ``layer_norm_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[[1.0, 3.0]]])
    >>> _, mean, rstd = F.instance_norm(x, eps=0.0, return_statistics=True)
    >>> F.instance_norm_backward(np.ones((1, 1, 2)), x, mean, rstd, np.ones(1))
    (array([[[0., 0.]]]), array([0.]), array([2.]))
    """
    x = _gate_instances(x)
    return _backward(dy, x, *_by_channel(x, x.shape[1]), (mean, rstd), weight, x.shape[1:2])


def rms_norm(
    x: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    eps: float | None = None,
    *,
    return_statistics: bool = False,
) -> Array | tuple[Array, Array]:
    """x / sqrt(mean of x^2 + eps) * weight, with the mean over the last axes.

    Parameters
    ----------
    x, normalized_shape, weight
        As for ``layer_norm``.
    eps
        At least 0; None: the spacing of the dtype's numbers at 1.
    return_statistics
        Whether to return what ``rms_norm_backward`` takes, too.

    Returns
    -------
    y, or y, rstd
        y of the shape of x; rstd = 1 / sqrt(mean of x^2 + eps) of shape lead.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Zhang and Sennrich (2019).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.rms_norm(np.array([[1.0, 7.0]]), 2, eps=0.0)
    array([[0.2, 1.4]])
    """
    x, shape = _gate_rows(x, normalized_shape)
    weights = _gate_weights(weight, None, shape, x.dtype)
    least = float(np.finfo(x.dtype).eps) if eps is None else eps
    y, _, rstd = _forward(x, *_by_shape(x, shape), weights, least, centred=False)
    return (y, rstd) if return_statistics else y


def rms_norm_backward(
    dy: Array,
    x: Array,
    normalized_shape: int | Sequence[int],
    rstd: Array,
    weight: Array | None = None,
) -> tuple[Array, Array | None]:
    """The gradients (dx, dweight) of ``rms_norm``; arguments as for ``layer_norm_backward``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x = np.array([[1.0, 7.0]])
    >>> _, rstd = F.rms_norm(x, 2, eps=0.0, return_statistics=True)
    >>> F.rms_norm_backward(x, x, 2, rstd, np.ones(2))[1]
    array([0.2, 9.8])
    """
    x, shape = _gate_rows(x, normalized_shape)
    return _backward(dy, x, *_by_shape(x, shape), (None, rstd), weight, shape, centred=False)[:2]
