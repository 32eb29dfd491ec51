"""Steps whose length each parameter finds for itself, from the size or the sign of its own gradients."""

from __future__ import annotations

from ..._arrays import Array, gate_number
from ..._backend import kernels, n_threads
from ..._geometry import one_int
from .gates import BELOW_1, gate_state, not_negative, scale


def adagrad_step(
    param: Array,
    grad: Array,
    total: Array,
    step: int,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    weight_decay: float = 0.0,
    eps: float = 1e-10,
    maximize: bool = False,
) -> None:
    """One step of Adagrad, written into ``param`` and ``total``.

    g = grad + weight_decay param; total = total + g^2; param = param - lr' g / (sqrt(total) + eps), where
    lr' = lr / (1 + (step - 1) lr_decay).

    Parameters
    ----------
    param, grad, weight_decay, maximize
        As ``sgd_step`` has them.
    total
        As large as param, zeros at first, or any values of at least 0; changed.
    step
        The number of this step, from 1.
    lr, lr_decay, eps
        At least 0.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization" (2011), in PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, total = np.array([1.0]), np.array([9.0])
    >>> F.adagrad_step(param, np.array([4.0]), total, step=1, lr=0.5)
    >>> param.round(6), total
    (array([0.6]), array([25.]))
    """
    step = one_int(step, "step")
    lr, lr_decay, weight_decay, eps = not_negative(
        lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps
    )
    arrays = gate_state(param, grad, {"mean": None, "velocity": None}, total=total)
    rate = lr / (1 + (step - 1) * lr_decay)
    kernels().rmsprop_step(*arrays, scale(maximize), weight_decay, 1.0, 1.0, eps, 0.0, rate, n_threads())


def rmsprop_step(
    param: Array,
    grad: Array,
    square: Array,
    mean: Array | None = None,
    velocity: Array | None = None,
    lr: float = 1e-2,
    alpha: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of RMSprop, written into ``param`` and its state; centered if there is a ``mean``.

    g = grad + weight_decay param; square = alpha square + (1 - alpha) g^2; s = g / (sqrt(square) + eps);
    param = param - lr s. With ``mean``: mean = alpha mean + (1 - alpha) g, and square - mean^2 takes the
    place of square in s. With momentum: velocity = momentum velocity + s takes the place of s.

    Parameters
    ----------
    param, grad, weight_decay, maximize
        As ``sgd_step`` has them.
    square, mean, velocity
        As large as param, zeros at first; changed. ``velocity`` may be None without momentum.
    lr, eps, momentum
        At least 0.
    alpha
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5 (2012); Graves,
    "Generating sequences with recurrent neural networks" (2013), in PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, square = np.array([1.0]), np.zeros(1)
    >>> F.rmsprop_step(param, np.array([4.0]), square, lr=0.25, alpha=0.75)
    >>> param.round(6), square
    (array([0.5]), array([4.]))
    """
    lr, eps, weight_decay, momentum = not_negative(
        lr=lr, eps=eps, weight_decay=weight_decay, momentum=momentum
    )
    alpha = gate_number(alpha, "alpha", 0.0, 1.0)
    if momentum and velocity is None:
        raise ValueError(f"velocity: expected an array, as momentum is {momentum:g}, got None")
    arrays = gate_state(
        param, grad, {"mean": mean, "velocity": velocity if momentum else None}, square=square
    )
    rest = (alpha, 1 - alpha, eps, momentum, lr, n_threads())
    kernels().rmsprop_step(*arrays, scale(maximize), weight_decay, *rest)


def adadelta_step(
    param: Array,
    grad: Array,
    square: Array,
    change: Array,
    lr: float = 1.0,
    rho: float = 0.9,
    eps: float = 1e-6,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of Adadelta, written into ``param``, ``square`` and ``change``.

    g = grad + weight_decay param; square = rho square + (1 - rho) g^2; s = sqrt((change + eps) / (square +
    eps)) g; change = rho change + (1 - rho) s^2; param = param - lr s.

    Parameters
    ----------
    param, grad, weight_decay, maximize
        As ``sgd_step`` has them.
    square, change
        As large as param, zeros at first; changed.
    lr, eps
        At least 0.
    rho
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Zeiler, "ADADELTA: an adaptive learning rate method" (2012).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, square, change = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.adadelta_step(param, np.array([2.0]), square, change, rho=0.5, eps=1.0)
    >>> param.round(3), square, change.round(3)
    (array([-0.155]), array([2.]), array([0.667]))
    """
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    rho = gate_number(rho, "rho", 0.0, 1.0)
    arrays = gate_state(param, grad, square=square, change=change)
    kernels().adadelta_step(*arrays, scale(maximize), weight_decay, rho, eps, lr, n_threads())


def rprop_step(
    param: Array,
    grad: Array,
    previous: Array,
    size: Array,
    shrink: float = 0.5,
    grow: float = 1.2,
    least: float = 1e-6,
    most: float = 50.0,
    maximize: bool = False,
) -> None:
    """One step of resilient propagation, written into ``param``, ``previous`` and ``size``.

    Where grad has the sign of the step before, the size of the step grows; where it has the other sign, the
    size shrinks and grad counts as 0. param = param - size sign(grad); previous = grad.

    Parameters
    ----------
    param, grad, maximize
        As ``sgd_step`` has them.
    previous
        The gradient of the step before, as large as param, zeros at first; changed.
    size
        The size of each parameter's step, as large as param; changed.
    shrink, grow
        The factors: from 0 to below 1, and at least 1.
    least, most
        The bounds of ``size``, at least 0.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP
    algorithm" (1993), in PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, previous, size = np.array([1.0, 1.0]), np.array([1.0, -1.0]), np.array([0.5, 0.5])
    >>> F.rprop_step(param, np.array([0.1, 0.1]), previous, size)
    >>> param, size
    (array([0.4, 1. ]), array([0.6 , 0.25]))
    """
    shrink = gate_number(shrink, "shrink", 0.0, BELOW_1)
    grow, least = gate_number(grow, "grow", 1.0), gate_number(least, "least", 0.0)
    most = gate_number(most, "most", least)
    arrays = gate_state(param, grad, previous=previous, size=size)
    kernels().rprop_step(*arrays, scale(maximize), shrink, grow, least, most, n_threads())
