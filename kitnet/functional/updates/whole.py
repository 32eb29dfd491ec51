"""Steps that look at a parameter as a whole: at its norm, its rows and columns, or its singular values."""

from __future__ import annotations

import math

import numpy as np

from ..._arrays import Array, empty, gate_number
from ..._backend import kernels, n_threads
from ..._geometry import one_int
from .gates import fractions, gate_state, move, norm, not_negative, scale

Triple = tuple[float, float, float]


def lars_step(
    param: Array,
    grad: Array,
    velocity: Array,
    lr: float = 1e-3,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    trust_coefficient: float = 1e-3,
    adapt: bool = True,
    maximize: bool = False,
) -> None:
    """One step of layer-wise adaptive rate scaling, written into ``param`` and ``velocity``.

    velocity = momentum velocity + lr r (grad + weight_decay param); param = param - velocity, where r =
    trust_coefficient \\|param\\| / (\\|grad\\| + weight_decay \\|param\\|), or 1 where either norm is 0.

    Parameters
    ----------
    param
        One parameter: float32 or float64 of any shape, C-contiguous and writeable; changed.
    grad
        The gradient, of the same shape and dtype.
    velocity
        As large as param, zeros at first; changed.
    lr, momentum, weight_decay, trust_coefficient
        At least 0.
    adapt
        False for r = 1, as is usual for biases and norms: plain gradient descent with momentum.
    maximize
        Step along the gradient instead of against it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: You, Gitman and Ginsburg, "Large batch training of convolutional networks" (2017), algorithm 1.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, velocity = np.array([3.0, 4.0]), np.zeros(2)
    >>> F.lars_step(param, np.array([0.0, 100.0]), velocity, lr=0.5, trust_coefficient=0.1)
    >>> param
    array([3.  , 3.75])
    """
    lr, momentum = not_negative(lr=lr, momentum=momentum)
    weight_decay, trust = not_negative(weight_decay=weight_decay, trust_coefficient=trust_coefficient)
    arrays = gate_state(param, grad, velocity=velocity)
    rate = lr
    if adapt:
        size = norm(arrays[0])
        slope = norm(arrays[1]) + weight_decay * size
        rate *= trust * size / slope if size > 0 and slope > 0 else 1.0
    kernels().sgd_step(*arrays, scale(maximize), weight_decay, momentum, rate, 1.0, False, n_threads())


def lamb_step(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    step: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    adapt: bool = True,
    maximize: bool = False,
) -> None:
    """One step of LAMB, layer-wise adaptive Adam, written into ``param``, ``m`` and ``v``.

    m and v as in ``adam_step``; d = m' / (sqrt(v') + eps) + weight_decay param; param = param - lr r d, where
    r = \\|param\\| / \\|d\\|, or 1 where either norm is 0.

    Parameters
    ----------
    param
        One parameter: float32 or float64 of any shape, C-contiguous and writeable; changed.
    grad, m, v, step, lr, beta1, beta2, eps, weight_decay, maximize
        As ``adam_step`` has them.
    adapt
        False for r = 1, as is usual for biases and norms.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: You et al., "Large batch optimization for deep learning: training BERT in 76 minutes" (2020),
    algorithm 2, with no bounds on the norm of param.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, v = np.array([3.0, 4.0]), np.zeros(2), np.zeros(2)
    >>> F.lamb_step(param, np.array([0.0, 100.0]), m, v, step=1, lr=0.1)
    >>> param.round(3)
    array([3. , 3.5])
    """
    step = one_int(step, "step")
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = fractions(beta1=beta1, beta2=beta2)
    flat, slope, m, v = gate_state(param, grad, m=m, v=v)
    direction = empty(flat.shape, flat.dtype)
    corrections = (1 / (1 - beta1**step), 1 / math.sqrt(1 - beta2**step))
    kernels().lamb_direction(
        flat,
        slope,
        m,
        v,
        direction,
        scale(maximize),
        weight_decay,
        beta1,
        beta2,
        *corrections,
        eps,
        n_threads(),
    )
    size, length = (norm(flat), norm(direction)) if adapt else (0.0, 0.0)
    move(flat, direction, lr * size / length if size > 0 and length > 0 else lr)


def muon_step(
    param: Array,
    grad: Array,
    velocity: Array,
    lr: float = 1e-3,
    weight_decay: float = 0.1,
    momentum: float = 0.95,
    nesterov: bool = True,
    ns_coefficients: Triple = (3.4445, -4.775, 2.0315),
    eps: float = 1e-7,
    ns_steps: int = 5,
    adjust_lr_fn: str | None = None,
) -> None:
    """One step of Muon on a matrix, written into ``param`` and ``velocity``.

    velocity = momentum velocity + (1 - momentum) grad; u is velocity, or, if ``nesterov``, momentum velocity
    + (1 - momentum) grad. o is u with all its singular values brought near to 1, by ``ns_steps``
    Newton-Schulz steps x = a x + (b x x^T + c (x x^T)^2) x from u / \\|u\\|. param = (1 - lr weight_decay)
    param - lr f o, where f is sqrt(max(1, rows / columns)) or, for "match_rms_adamw", 0.2 sqrt(max(rows,
    columns)).

    Parameters
    ----------
    param
        A matrix: float32 or float64 of two axes, C-contiguous and writeable; changed.
    grad
        The gradient, of the same shape and dtype.
    velocity
        As large as param, zeros at first; changed.
    lr, weight_decay, eps
        At least 0. ``eps`` bounds the norm that u is divided by from below.
    momentum
        From 0 to 1.
    ns_coefficients, ns_steps
        (a, b, c), and how often: 0 to 99.
    adjust_lr_fn
        None or "original" for the first f, "match_rms_adamw" for the second.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); Liu et al., "Muon
    is scalable for LLM training" (2025). PyTorch rounds the Newton-Schulz steps to bfloat16, which is not
    done here.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, velocity = np.zeros((2, 2)), np.zeros((2, 2))
    >>> F.muon_step(param, np.diag([3.0, -0.5]), velocity, lr=1.0)
    >>> param.round(1)
    array([[-0.7,  0. ],
           [ 0. ,  1. ]])
    """
    lr, weight_decay, eps = not_negative(lr=lr, weight_decay=weight_decay, eps=eps)
    momentum = gate_number(momentum, "momentum", 0.0, 1.0)
    a, b, c = (gate_number(value, "ns_coefficients") for value in ns_coefficients)
    ns_steps = one_int(ns_steps, "ns_steps", 0, 99)
    flat, slope, speed = gate_state(param, grad, velocity=velocity)
    if param.ndim != 2:
        raise ValueError(f"param: expected 2 dimensions, got shape {param.shape}")
    factor = _muon_factor(adjust_lr_fn, *param.shape)
    kernels().average_step(speed, slope, 1 - momentum, n_threads())
    direction = speed.copy()
    if nesterov:
        kernels().average_step(direction, slope, 1 - momentum, n_threads())
    if param.size:
        direction = _newton_schulz(direction.reshape(param.shape), (a, b, c), ns_steps, eps)
    if weight_decay:
        flat *= 1 - lr * weight_decay
    move(flat, direction, lr * factor)


def _muon_factor(adjust_lr_fn: str | None, rows: int, columns: int) -> float:
    """What makes updates of matrices of any shape equally large."""
    if adjust_lr_fn == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    if adjust_lr_fn not in (None, "original"):
        raise ValueError(
            f"adjust_lr_fn: expected None, 'original' or 'match_rms_adamw', got {adjust_lr_fn!r}"
        )
    return math.sqrt(max(1.0, rows / max(columns, 1)))


@np.errstate(all="ignore")
def _newton_schulz(u: Array, coefficients: Triple, steps: int, eps: float) -> Array:
    """u over its norm, its singular values s moved ``steps`` times to a s + b s^3 + c s^5."""
    tall = u.shape[0] > u.shape[1]
    x = np.ascontiguousarray(u.T) if tall else u
    x = x / x.dtype.type(max(norm(x), eps))
    a, b, c = coefficients
    gram, square = (empty((x.shape[0],) * 2, x.dtype) for _ in range(2))
    bias, product = gram[:0, 0], empty(x.shape, x.dtype)
    for _ in range(steps):
        kernels().linear_forward(x, x, bias, gram, -math.inf, math.inf, n_threads())  # x x^T
        kernels().linear_forward(
            gram, gram, bias, square, -math.inf, math.inf, n_threads()
        )  # it is symmetric
        square *= c
        square += b * gram
        kernels().linear_backward_data(square, x, product, n_threads())  # square x
        x *= a
        x += product
    return np.ascontiguousarray(x.T) if tall else x
