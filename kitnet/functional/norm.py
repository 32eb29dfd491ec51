"""Batch normalisation: with given statistics (inference), and with those of the batch (training).

No function writes the running statistics: ``batch_norm_train`` returns the batch's, and the layer averages
them.

Source: Ioffe and Szegedy, "Batch normalization: accelerating deep network training by reducing internal
covariate shift" (2015).
"""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate, gate_batch, gate_clip, gate_number
from .._backend import kernels, n_threads
from .._geometry import product


def _planes(x: Array) -> Array:
    """``x`` as (N, C, P)."""
    return x.reshape(*x.shape[:2], product(x.shape[2:]))


def _gate_x(x: Array) -> Array:
    return gate_batch(x, "x", (2, 3, 4, 5))


def _gate_channels(value: Array, name: str, like: Array) -> Array:
    """``value``, one number a channel as in the checked ``like`` (C,)."""
    return gate(value, name, dtype=like.dtype, shape=like.shape)


def _gate_statistics(mean: Array, var: Array, names: tuple[str, str], x: Array) -> tuple[Array, Array]:
    mean = gate(mean, names[0], dtype=x.dtype, shape=x.shape[1:2])
    return mean, _gate_channels(var, names[1], mean)


def _inverse_deviation(var: Array, eps: float) -> Array:
    return 1 / np.sqrt(var + gate_number(eps, "eps", 0.0))


@np.errstate(all="ignore")  # NaN and infinities go their way
def _affine(
    mean: Array, var: Array, weight: Array | None, bias: Array | None, eps: float, prefix: str = ""
) -> tuple[Array, Array]:
    """The scale and the shift (C,) that are (x - mean) / sqrt(var + eps) * weight + bias."""
    scale = _inverse_deviation(var, eps)
    if weight is not None:
        scale *= _gate_channels(weight, prefix + "weight", var)
    shift = -mean * scale
    if bias is not None:
        shift += _gate_channels(bias, prefix + "bias", var)
    return scale, shift


def _apply(x: Array, scale: Array, shift: Array, clip: tuple[float, float] | None = None) -> Array:
    y = empty(x.shape, x.dtype)
    kernels().batchnorm_forward(_planes(x), scale, shift, _planes(y), *gate_clip(clip), n_threads())
    return y


@np.errstate(all="ignore")
def _gradients(
    dy: Array, x: Array, mean: Array, var: Array, weight: Array | None, eps: float
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) where mean and var are those of x."""
    invstd = _inverse_deviation(var, eps)
    gamma = np.ones_like(var) if weight is None else _gate_channels(weight, "weight", var)
    dx, dweight, dbias = empty(x.shape, x.dtype), empty(var.shape, x.dtype), empty(var.shape, x.dtype)
    kernels().batchnorm_backward(
        _planes(dy), _planes(x), mean, invstd, gamma, _planes(dx), dweight, dbias, n_threads()
    )
    return dx, dweight, dbias


def _check_samples(x: Array) -> None:
    if product(x.shape) <= x.shape[1]:
        raise ValueError(
            f"x: expected at least 2 values a channel, to take statistics of, got shape {x.shape}"
        )


def batch_norm(
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
    clip: tuple[float, float] | None = None,
) -> Array:
    """(x - mean) / sqrt(var + eps) * weight + bias, with statistics that are given: the form for inference.

    Parameters
    ----------
    x
        (N, C) or (N, C, *spatial), up to three axes, float32 or float64; only N may be 0.
    running_mean, running_var
        (C,), of the dtype of x. A variance below -eps gives NaN.
    weight, bias
        (C,) or None: 1 and 0.
    eps
        Keeps the divisor away from 0; at least 0.
    clip
        Bounds (low, high) of an activation fused into the result: ``(0, math.inf)`` is ReLU. NaN stays NaN.

    Returns
    -------
    y
        Of the shape of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Ioffe and Szegedy (2015). PyTorch's ``training`` and ``momentum``, which write the running
    statistics, are ``batch_norm_train`` and the layer's business here.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.batch_norm(np.array([[5.0]]), np.array([1.0]), np.array([4.0]), eps=0.0)
    array([[2.]])
    """
    x = _gate_x(x)
    mean, var = _gate_statistics(running_mean, running_var, ("running_mean", "running_var"), x)
    return _apply(x, *_affine(mean, var, weight, bias, eps), clip)


def batch_norm_backward(
    dy: Array,
    x: Array,
    running_mean: Array,
    running_var: Array,
    weight: Array | None = None,
    *,
    eps: float = 1e-5,
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``batch_norm``, whose statistics are constants (frozen layers).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.batch_norm_backward(np.array([[3.0]]), np.array([[5.0]]), np.array([1.0]), np.array([4.0]), eps=0.0)
    (array([[1.5]]), array([6.]), array([3.]))
    """
    x = _gate_x(x)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    mean, var = _gate_statistics(running_mean, running_var, ("running_mean", "running_var"), x)
    _, dweight, dbias = _gradients(dy, x, mean, var, weight, eps)
    scale, _ = _affine(mean, var, weight, None, eps)
    return _apply(dy, scale, np.zeros_like(scale)), dweight, dbias


def batch_norm_train(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    *,
    eps: float = 1e-5,
    clip: tuple[float, float] | None = None,
) -> tuple[Array, Array, Array]:
    """``batch_norm`` with the batch's own statistics, which it returns too: the form for training.

    Parameters
    ----------
    x
        (N, C) or (N, C, *spatial), with at least two values a channel.
    weight, bias, eps, clip
        As for ``batch_norm``.

    Returns
    -------
    y, mean, var
        y of the shape of x; the mean and the biased variance (divided by the M values a channel) are (C,).
        For the running average PyTorch takes the unbiased variance, var M / (M - 1).

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit; also if a channel has fewer than two
        values.

    Source: Ioffe and Szegedy (2015), algorithm 1.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.batch_norm_train(np.array([[1.0], [5.0]]), eps=0.0)
    (array([[-1.],
           [ 1.]]), array([3.]), array([4.]))
    """
    x = _gate_x(x)
    _check_samples(x)
    mean, var = empty(x.shape[1:2], x.dtype), empty(x.shape[1:2], x.dtype)
    kernels().batchnorm_statistics(_planes(x), mean, var, n_threads())
    return _apply(x, *_affine(mean, var, weight, bias, eps), clip), mean, var


def batch_norm_train_backward(
    dy: Array, x: Array, mean: Array, var: Array, weight: Array | None = None, *, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """The gradients (dx, dweight, dbias) of ``batch_norm_train``, through the batch's statistics too.

    Parameters
    ----------
    dy
        The gradient of y (where ``clip`` was used: of what it was applied to), of the shape of x.
    x, weight, eps
        As they were passed to ``batch_norm_train``.
    mean, var
        As it returned them.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, dy = np.array([[0.0], [2.0], [4.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> _, mean, var = F.batch_norm_train(x)
    >>> dx, dweight, dbias = F.batch_norm_train_backward(dy, x, mean, var)
    >>> bool(abs(dx.sum()) < 1e-12), dbias
    (True, array([1.]))
    """
    x = _gate_x(x)
    _check_samples(x)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    mean, var = _gate_statistics(mean, var, ("mean", "var"), x)
    return _gradients(dy, x, mean, var, weight, eps)


def fold_batch_norm(
    weight: Array,
    bias: Array | None,
    running_mean: Array,
    running_var: Array,
    norm_weight: Array | None = None,
    norm_bias: Array | None = None,
    *,
    eps: float = 1e-5,
) -> tuple[Array, Array]:
    """The (weight, bias) of the one convolution that equals a convolution with ``batch_norm`` behind it.

    Parameters
    ----------
    weight, bias
        The convolution's (or dense layer's): (K, ...), and (K,) or None.
    running_mean, running_var, norm_weight, norm_bias, eps
        The batch norm's, as ``batch_norm`` takes them: (K,), or None for the last two.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference" (2018), section 3.2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.fold_batch_norm(np.array([[3.0]]), None, np.array([1.0]), np.array([4.0]), eps=0.0)
    (array([[1.5]]), array([-0.5]))
    """
    weight = gate(weight, "weight")
    mean = gate(running_mean, "running_mean", dtype=weight.dtype, shape=weight.shape[:1])
    var = _gate_channels(running_var, "running_var", mean)
    scale, shift = _affine(mean, var, norm_weight, norm_bias, eps, "norm_")
    with np.errstate(all="ignore"):
        if bias is not None:
            shift += _gate_channels(bias, "bias", mean) * scale
        return weight * scale.reshape(-1, *(1,) * (weight.ndim - 1)), shift
