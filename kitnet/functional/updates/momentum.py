"""Steps along the gradient, or along its running mean."""

from __future__ import annotations

from ..._arrays import Array, gate, gate_inplace, gate_number
from ..._backend import kernels, n_threads
from .gates import apart, fractions, gate_state, not_negative, scale


def sgd_step(
    param: Array,
    grad: Array,
    velocity: Array | None = None,
    lr: float = 1e-3,
    momentum: float = 0.0,
    dampening: float = 0.0,
    weight_decay: float = 0.0,
    nesterov: bool = False,
    maximize: bool = False,
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
    maximize
        Step along the gradient instead of against it: g = weight_decay param - grad.

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
    lr, momentum = not_negative(lr=lr, momentum=momentum)
    dampening, weight_decay = not_negative(dampening=dampening, weight_decay=weight_decay)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError(
            f"nesterov: expected momentum above 0 and dampening 0 with it, got {momentum:g} and {dampening:g}"
        )
    if momentum and velocity is None:
        raise ValueError(f"velocity: expected an array, as momentum is {momentum:g}, got None")
    arrays = gate_state(param, grad, {"velocity": velocity if momentum else None})
    rest = (momentum, 1 - dampening, lr, bool(nesterov), n_threads())
    kernels().sgd_step(*arrays, scale(maximize), weight_decay, *rest)


def asgd_step(
    param: Array,
    grad: Array,
    average: Array,
    eta: float = 1e-2,
    mu: float = 1.0,
    lambd: float = 1e-4,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of averaged stochastic gradient descent, written into ``param`` and ``average``.

    g = grad + weight_decay param; param = (1 - lambd eta) param - eta g; average = average + mu (param -
    average).

    Parameters
    ----------
    param, grad, weight_decay, maximize
        As ``sgd_step`` has them.
    average
        As large as param; changed.
    eta, lambd
        The rate of this step and the decay, at least 0.
    mu
        The share of this step's param in the average, from 0 to 1; 1 starts it anew.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992), in PyTorch's
    form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, average = np.array([1.0]), np.array([2.0])
    >>> F.asgd_step(param, np.array([1.0]), average, eta=0.5, mu=0.5, lambd=0.0)
    >>> param, average
    (array([0.5]), array([1.25]))
    """
    eta, lambd, weight_decay = not_negative(eta=eta, lambd=lambd, weight_decay=weight_decay)
    mu = gate_number(mu, "mu", 0.0, 1.0)
    arrays = gate_state(param, grad, average=average)
    kernels().asgd_step(*arrays, scale(maximize), weight_decay, 1 - lambd * eta, eta, mu, n_threads())


def lion_step(
    param: Array,
    grad: Array,
    m: Array,
    lr: float = 1e-4,
    beta1: float = 0.9,
    beta2: float = 0.99,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of Lion, written into ``param`` and ``m``: every element moves by lr.

    param = (1 - lr weight_decay) param - lr sign(beta1 m + (1 - beta1) grad); m = beta2 m + (1 - beta2) grad.

    Parameters
    ----------
    param, grad, lr, weight_decay, maximize
        As ``sgd_step`` has them.
    m
        A running mean of grad, as large as param, zeros at first; changed.
    beta1, beta2
        From 0 to below 1.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Chen et al., "Symbolic discovery of optimization algorithms" (2023), algorithm 2.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m = np.array([1.0, 1.0]), np.zeros(2)
    >>> F.lion_step(param, np.array([0.01, -100.0]), m, lr=0.25)
    >>> param
    array([0.75, 1.25])
    """
    lr, weight_decay = not_negative(lr=lr, weight_decay=weight_decay)
    beta1, beta2 = fractions(beta1=beta1, beta2=beta2)
    arrays = gate_state(param, grad, m=m)
    kernels().lion_step(*arrays, scale(maximize), 1 - lr * weight_decay, beta1, beta2, lr, n_threads())


def average_step(average: Array, param: Array, weight: float) -> None:
    """Take ``param`` into a running average: average = average + weight (param - average), in place.

    Parameters
    ----------
    average
        Float32 or float64 of any shape, C-contiguous and writeable; changed.
    param
        Of the same shape and dtype.
    weight
        The share of ``param``, from 0 to 1: 1 - decay for an exponential average, 1 / n for the mean of n.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging" (1992); Izmailov et
    al., "Averaging weights leads to wider optima and better generalization" (2018).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> average = np.array([1.0])
    >>> F.average_step(average, np.array([2.0]), weight=0.25)
    >>> average
    array([1.25])
    """
    flat = gate_inplace(average, "average")
    newest = gate(param, "param", dtype=flat.dtype, shape=average.shape).reshape(-1)
    apart({"average": flat, "param": newest})
    kernels().average_step(flat, newest, gate_number(weight, "weight", 0.0, 1.0), n_threads())
