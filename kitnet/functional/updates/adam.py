"""Adam and its kin: steps by a running mean of the gradient over a running size of it."""

from __future__ import annotations

import math

from ..._arrays import Array
from ..._backend import kernels, n_threads
from ..._geometry import one_int
from .gates import fractions, gate_state, not_negative, scale


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
    max_v: Array | None = None,
    maximize: bool = False,
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
    max_v
        The largest v so far, as large as param, zeros at first, which takes the place of v in the step
        (AMSGrad); changed. None without.
    maximize
        Step along the gradient instead of against it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015); Loshchilov and Hutter,
    "Decoupled weight decay regularization" (2019); Reddi, Kale and Kumar, "On the convergence of Adam and
    beyond" (2018).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.adam_step(param, np.array([4.0]), m, v, step=1, lr=0.25)
    >>> param.round(6)
    array([0.75])
    """
    step = one_int(step, "step")
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = fractions(beta1=beta1, beta2=beta2)
    arrays = gate_state(param, grad, {"max_v": max_v}, m=m, v=v)
    shrinkage = _shrinkage(lr, weight_decay, decoupled)
    rate, root = lr / (1 - beta1**step), 1 / math.sqrt(1 - beta2**step)
    kernels().adam_step(*arrays, scale(maximize), *shrinkage, beta1, beta2, rate, 0.0, root, eps, n_threads())


def _shrinkage(lr: float, weight_decay: float, decoupled: bool) -> tuple[float, float]:
    """What of param is added to the gradient, and the factor that param itself is multiplied by."""
    return (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)


def nadam_step(
    param: Array,
    grad: Array,
    m: Array,
    v: Array,
    step: int,
    mu_product: float,
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    momentum_decay: float = 4e-3,
    decoupled: bool = False,
    maximize: bool = False,
) -> None:
    """One step of Adam with Nesterov momentum, written into ``param``, ``m`` and ``v``.

    m and v as in ``adam_step``; param = param - lr ((1 - mu) g / (1 - P) + mu_next m / (1 - P mu_next)) /
    (sqrt(v') + eps), where mu and mu_next are ``nadam_momentum`` at this step and the next, and P is the
    product of mu over all steps to this one.

    Parameters
    ----------
    param, grad, m, v, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize
        As ``adam_step`` has them.
    mu_product
        P, from 0 to below 1.
    momentum_decay
        How fast the momentum rises, at least 0.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Dozat, "Incorporating Nesterov momentum into Adam" (2016), in PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.nadam_step(param, np.array([4.0]), m, v, step=1, mu_product=0.45, lr=0.25)
    >>> param.round(3)
    array([0.736])
    """
    step = one_int(step, "step")
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    (momentum_decay,) = not_negative(momentum_decay=momentum_decay)
    beta1, beta2, mu_product = fractions(beta1=beta1, beta2=beta2, mu_product=mu_product)
    arrays = gate_state(param, grad, {"max_v": None}, m=m, v=v)
    shrinkage = _shrinkage(lr, weight_decay, decoupled)
    mu, mu_next = (nadam_momentum(beta1, momentum_decay, t) for t in (step, step + 1))
    rate, boost = lr * mu_next / (1 - mu_product * mu_next), lr * (1 - mu) / (1 - mu_product)
    root = 1 / math.sqrt(1 - beta2**step)
    kernels().adam_step(
        *arrays, scale(maximize), *shrinkage, beta1, beta2, rate, boost, root, eps, n_threads()
    )


def nadam_momentum(beta1: float, momentum_decay: float, step: int) -> float:
    """NAdam's momentum at a step: beta1 (1 - 0.96^(step momentum_decay) / 2)."""
    return beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


def radam_step(
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
    maximize: bool = False,
) -> None:
    """One step of rectified Adam, written into ``param``, ``m`` and ``v``.

    m, v, m' and v' as in ``adam_step``; param = param - lr m' while the variance of v is not yet known (the
    length rho of the running mean of g^2 is at most 5), then param - lr r m' / (sqrt(v') + eps'), where r
    makes up for what is still not known. (eps' is eps, divided like v.)

    Parameters
    ----------
    param, grad, m, v, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize
        As ``adam_step`` has them.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Liu et al., "On the variance of the adaptive learning rate and beyond" (2020), in PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, v = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.radam_step(param, np.array([0.5]), m, v, step=1, lr=0.5)
    >>> param
    array([0.75])
    """
    step = one_int(step, "step")
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = fractions(beta1=beta1, beta2=beta2)
    arrays = gate_state(param, grad, {"max_v": None}, m=m, v=v)
    shrinkage = _shrinkage(lr, weight_decay, decoupled)
    correction = 1 - beta2**step
    longest = 2 / (1 - beta2) - 1
    rho = longest - 2 * step * beta2**step / correction
    rate, root = lr / (1 - beta1**step), 1.0
    if rho > 5:
        rectified = (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho)
        rate *= math.sqrt(rectified * correction)
    else:
        root, eps = 0.0, 1.0  # the divisor is 1
    kernels().adam_step(*arrays, scale(maximize), *shrinkage, beta1, beta2, rate, 0.0, root, eps, n_threads())


def adamax_step(
    param: Array,
    grad: Array,
    m: Array,
    u: Array,
    step: int,
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of Adam on the infinity norm, written into ``param``, ``m`` and ``u``.

    g = grad + weight_decay param; m = beta1 m + (1 - beta1) g; u = max(beta2 u, \\|g\\| + eps); param =
    param - lr m / (1 - beta1^step) / u.

    Parameters
    ----------
    param, grad, m, step, lr, beta1, beta2, eps, weight_decay, maximize
        As ``adam_step`` has them.
    u
        As large as param, zeros at first; changed.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization" (2015), section 7.1, in PyTorch's
    form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, m, u = np.array([1.0]), np.zeros(1), np.zeros(1)
    >>> F.adamax_step(param, np.array([4.0]), m, u, step=1, lr=0.25)
    >>> param.round(6)
    array([0.75])
    """
    step = one_int(step, "step")
    lr, eps, weight_decay = not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
    beta1, beta2 = fractions(beta1=beta1, beta2=beta2)
    arrays = gate_state(param, grad, m=m, u=u)
    rate = lr / (1 - beta1**step)
    kernels().adamax_step(*arrays, scale(maximize), weight_decay, beta1, beta2, eps, rate, n_threads())
