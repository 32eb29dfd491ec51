"""Optimizers that go along the gradient, or along its running mean."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ... import functional as F
from ...layers import Layer
from .base import Optimizer, Rate, fractions, not_negative, switch
from .groups import Group


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov momentum and weight decay (PyTorch's formulas).

    g = grad + weight_decay param; v = momentum v + (1 - dampening) g; param -= lr v (or lr (g + momentum v),
    if ``nesterov``). In the first step v = g.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    momentum, dampening, weight_decay
        Numbers of 0 or more.
    nesterov
        Look ahead; needs a momentum, and no dampening.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
    2013.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = SGD(model, lr=0.5)
    >>> model.weight.accumulate(np.array([[0.5]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar = {
        "momentum": not_negative,
        "dampening": not_negative,
        "weight_decay": not_negative,
        "nesterov": switch,
        "maximize": switch,
    }
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool
    maximize: bool
    momentum_buffer: np.ndarray | None = None

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model,
            lr,
            schedule,
            params,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def _check(self, group: Group) -> None:
        if group["momentum"]:
            self.slots = ("momentum_buffer",)
        group.memory["moving"] = False
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"nesterov: expected a momentum and no dampening, got {group['momentum']} and "
                f"{group['dampening']}"
            )

    def _update(self, group: Group, lr: float) -> None:
        momentum, memory = group["momentum"], group.memory
        dampening = group["dampening"] if memory["moving"] else 0.0  # the first velocity is the gradient
        memory["moving"] = memory["moving"] or momentum > 0
        rest = (group["weight_decay"], group["nesterov"], group["maximize"])
        for run in group.runs:
            velocity = run.momentum_buffer if momentum and self.slots else None
            F.sgd_step(run.data, run.grad, velocity, lr, momentum, dampening, *rest)


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (PyTorch's formulas): the mean of where it was is in ``ax``.

    g = grad + weight_decay param; param = (1 - lambd eta) param - eta g; eta, lr at first, becomes lr / (1
    + lambd lr t)^alpha after step t. ``ax`` is param until step ``t0``, and from then on the mean over the
    steps.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    lambd, alpha
        The decay and the power in the rate.
    t0
        The step from which on to average.
    weight_decay
        A number of 0 or more.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", 1992.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import ASGD
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = ASGD(model, lr=0.5, lambd=0.0, t0=0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     model.weight.accumulate(np.array([[0.5]], np.float32))
    ...     optimizer.step()
    >>> model.weight.data, optimizer.ax
    (array([[0.25]], dtype=float32), array([0.375], dtype=float32))
    """

    hyper: ClassVar = {
        "lambd": not_negative,
        "alpha": not_negative,
        "t0": not_negative,
        "weight_decay": not_negative,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("ax",)
    ax: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
        maximize: bool = False,
        *,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model,
            lr,
            schedule,
            params,
            lambd=lambd,
            alpha=alpha,
            t0=t0,
            weight_decay=weight_decay,
            maximize=maximize,
        )
        for group in self.param_groups:
            group.memory.update(eta=None, mu=1.0)

    def _update(self, group: Group, lr: float) -> None:
        memory, lambd, t0 = group.memory, group["lambd"], group["t0"]
        eta = lr if memory["eta"] is None else memory["eta"]
        rest = (eta, memory["mu"], lambd, group["weight_decay"], group["maximize"])
        for run in group.runs:
            F.asgd_step(run.data, run.grad, run.ax, *rest)
        memory["eta"] = lr / (1 + lambd * lr * self.steps) ** group["alpha"]
        memory["mu"] = 1 / max(1.0, self.steps - t0)


class Lion(Optimizer):
    """Lion: every parameter moves by lr, in the direction of a running mean's sign.

    param = (1 - lr weight_decay) param - lr sign(beta1 m + (1 - beta1) grad); m = beta2 m + (1 - beta2)
    grad. Its rates are 3 to 10 times smaller than Adam's, its weight decay larger by as much.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas
        How much of the mean is in the step, and how slowly the mean follows, each from 0 to below 1.
    weight_decay
        Shrinks the parameters by lr weight_decay a step.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Lion
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Lion(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[0.001]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar = {"betas": fractions, "weight_decay": not_negative, "maximize": switch}
    slots: tuple[str, ...] = ("exp_avg",)
    exp_avg: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model, lr, schedule, params, betas=betas, weight_decay=weight_decay, maximize=maximize
        )

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, *group["betas"], group["weight_decay"], group["maximize"])
        for run in group.runs:
            F.lion_step(run.data, run.grad, run.exp_avg, *rest)
