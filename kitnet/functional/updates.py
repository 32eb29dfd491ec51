"""Optimizer steps: the one family of functions that changes its arguments, in place.

They run over whole parameter arrays, best over a model's one flat array (``model.flat_data``,
``model.flat_grad``).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from .._arrays import Array, gate, gate_inplace, gate_number, optional
from .._backend import kernels, n_threads
from .._geometry import one_int

_BELOW_1 = float(np.nextafter(1, 0))


def _gate(param: Array, grad: Array, **state: Array) -> list[Array]:
    """The checked arrays of a step, 1-D: state is written in place, so no two may overlap."""
    flat = gate_inplace(param, "param")
    slope = gate(grad, "grad", dtype=flat.dtype, shape=param.shape).reshape(-1)
    rest = [gate_inplace(array, name, flat.dtype, flat.size) for name, array in state.items()]
    named = zip(("param", "grad", *state), (flat, slope, *rest), strict=True)
    for (first, a), (second, b) in combinations(named, 2):
        if np.may_share_memory(a, b):
            raise ValueError(f"{second}: expected memory of its own, got an array that overlaps {first}")
    return [flat, slope, *rest]


def sgd_step(
    param: Array,
    grad: Array,
    velocity: Array | None = None,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
) -> None:
    """One step of stochastic gradient descent, written into ``param`` and ``velocity``.

    g = grad + weight_decay param; v = momentum v + (1 - dampening) g; param = param - lr v, or, if
    ``nesterov``, param - lr (g + momentum v); without momentum param - lr g. With v = 0 and dampening 0 at
    first, that is PyTorch's first step.

    Parameters
    ----------
    param
        Float32 or float64 of any shape, C-contiguous and writeable; changed.
    grad
        The gradient, of the same shape and dtype.
    velocity
        As large as param, zeros at first; changed. None without momentum.
    lr, momentum, dampening, weight_decay
        At least 0.
    nesterov
        Looks ahead; needs momentum, and no dampening.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), in
    PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param = np.array([1.0, 2.0])
    >>> F.sgd_step(param, np.array([1.0, -1.0]), lr=0.5)
    >>> param
    array([0.5, 2.5])
    """
    lr, momentum = gate_number(lr, "lr", 0.0), gate_number(momentum, "momentum", 0.0)
    dampening = gate_number(dampening, "dampening", 0.0)
    weight_decay = gate_number(weight_decay, "weight_decay", 0.0)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError(
            f"nesterov: expected momentum above 0 and dampening 0 with it, got {momentum:g} and {dampening:g}"
        )
    if momentum and velocity is None:
        raise ValueError(f"velocity: expected an array, as momentum is {momentum:g}, got None")
    state = {"velocity": velocity} if momentum and velocity is not None else {}
    flat, slope, *rest = _gate(param, grad, **state)
    speed = rest[0] if rest else optional(None, "velocity", flat.dtype, (0,))
    kernels().sgd_step(flat, slope, speed, lr, momentum, dampening, weight_decay, bool(nesterov), n_threads())


def adam_step(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    step: int,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    decoupled: bool = False,
) -> None:
    """One step of Adam, written into ``param``, ``m`` and ``v``; AdamW if ``decoupled``.

    m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; param = param - lr m' / (sqrt(v') + eps),
    where m' = m / (1 - beta1^step) and v' = v / (1 - beta2^step).

    Parameters
    ----------
    param
        Float32 or float64 of any shape, C-contiguous and writeable; changed.
    grad
        The gradient g, of the same shape and dtype.
    m, v
        The running means of g and g^2, as large as param, zeros at first; changed.
    step
        The number of this step, from 1.
    lr, eps, weight_decay
        At least 0.
    beta1, beta2
        From 0 to below 1.
    decoupled
        Shrink param by the factor 1 - lr weight_decay, instead of adding weight_decay param to g.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015); Loshchilov and Hutter,
    "Decoupled weight decay regularization" (2019).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.adam_step(param, np.array([4.0]), m, v, step=1, lr=0.25)
    >>> param.round(6)
    array([0.75])
    """
    step = one_int(step, "step")
    lr, eps = gate_number(lr, "lr", 0.0), gate_number(eps, "eps", 0.0)
    beta1, beta2 = gate_number(beta1, "beta1", 0.0, _BELOW_1), gate_number(beta2, "beta2", 0.0, _BELOW_1)
    weight_decay = gate_number(weight_decay, "weight_decay", 0.0)
    arrays = _gate(param, grad, m=m, v=v)
    kernels().adam_step(*arrays, lr, beta1, beta2, eps, weight_decay, bool(decoupled), step, n_threads())
