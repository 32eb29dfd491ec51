"""Adam and its kin."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ... import functional as F
from ...functional.updates.adam import nadam_momentum
from ...layers import Layer
from .base import Optimizer, Rate, fractions, not_negative, switch
from .groups import Group


class Adam(Optimizer):
    """Adam (PyTorch's formulas): steps by the mean gradient over its root mean square, both running.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas
        How slowly the two running means follow, each from 0 to below 1.
    eps
        Added to the denominator.
    weight_decay
        Times the parameters, added to the gradients; see ``AdamW`` for the better form.
    amsgrad
        Divide by the largest mean square so far.
    maximize
        Go up instead of down.
    decoupled_weight_decay
        As ``AdamW`` has it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015; Reddi, Kale and Kumar, "On the
    convergence of Adam and beyond", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adam
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Adam(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[100.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar = {
        "betas": fractions,
        "eps": not_negative,
        "weight_decay": not_negative,
        "amsgrad": switch,
        "maximize": switch,
        "decoupled_weight_decay": switch,
    }
    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool
    maximize: bool
    decoupled_weight_decay: bool
    exp_avg: np.ndarray
    exp_avg_sq: np.ndarray
    max_exp_avg_sq: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model,
            lr,
            schedule,
            params,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def _check(self, group: Group) -> None:
        if group["amsgrad"]:
            self.slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def _update(self, group: Group, lr: float) -> None:
        beta1, beta2 = group["betas"]
        numbers = (self.steps, lr, beta1, beta2, group["eps"], group["weight_decay"])
        decoupled, maximize = group["decoupled_weight_decay"], group["maximize"]
        for run in group.runs:
            arrays = (run.data, run.grad, run.exp_avg, run.exp_avg_sq)
            largest = run.max_exp_avg_sq if group["amsgrad"] else None
            F.adam_step(*arrays, *numbers, decoupled=decoupled, max_v=largest, maximize=maximize)


class AdamW(Adam):
    """Adam with decoupled weight decay: parameters shrink by lr weight_decay a step, whatever the gradient.

    Parameters, errors and formulas are ``Adam``'s but for the decay, whose default is 0.01 as in PyTorch.

    Notes
    -----
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import AdamW
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> AdamW(model, lr=0.5, weight_decay=0.5).step()  # no gradient: only the decay
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
            schedule=schedule,
            params=params,
        )


class Adamax(Optimizer):
    """Adam on the infinity norm (PyTorch's formulas): the mean gradient over its largest size, fading.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas, eps, weight_decay, maximize
        As ``Adam`` has them; eps is added to the size of a gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, section 7.1.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adamax
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Adamax(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[100.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar = {
        "betas": fractions,
        "eps": not_negative,
        "weight_decay": not_negative,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("exp_avg", "exp_inf")
    exp_avg: np.ndarray
    exp_inf: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model, lr, schedule, params, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def _update(self, group: Group, lr: float) -> None:
        beta1, beta2 = group["betas"]
        numbers = (self.steps, lr, beta1, beta2, group["eps"], group["weight_decay"])
        for run in group.runs:
            arrays = (run.data, run.grad, run.exp_avg, run.exp_inf)
            F.adamax_step(*arrays, *numbers, maximize=group["maximize"])


class NAdam(Optimizer):
    """Adam with Nesterov momentum (PyTorch's formulas), a momentum that rises with the steps.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas, eps, weight_decay, decoupled_weight_decay, maximize
        As ``Adam`` has them.
    momentum_decay
        How fast the momentum rises.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Dozat, "Incorporating Nesterov momentum into Adam", 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import NAdam
    >>> model = Linear(1, 1, bias=False)
    >>> optimizer = NAdam(model)
    >>> optimizer
    NAdam(lr=0.002, betas=(0.9, 0.999), eps=1e-08, weight_decay=0.0, momentum_decay=0.004,
          decoupled_weight_decay=False, maximize=False)
    """

    hyper: ClassVar = {
        "betas": fractions,
        "eps": not_negative,
        "weight_decay": not_negative,
        "momentum_decay": not_negative,
        "decoupled_weight_decay": switch,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    exp_avg: np.ndarray
    exp_avg_sq: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.002,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
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
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )
        for group in self.param_groups:
            group.memory["mu_product"] = 1.0

    def _update(self, group: Group, lr: float) -> None:
        decay, rates = group["momentum_decay"], group["betas"]
        group.memory["mu_product"] *= nadam_momentum(rates[0], decay, self.steps)
        numbers = (self.steps, group.memory["mu_product"], lr, *rates, group["eps"], group["weight_decay"])
        rest = (*numbers, decay, group["decoupled_weight_decay"], group["maximize"])
        for run in group.runs:
            F.nadam_step(run.data, run.grad, run.exp_avg, run.exp_avg_sq, *rest)


class RAdam(Optimizer):
    """Rectified Adam (PyTorch's formulas): steps are shorter while the mean square is hardly known.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas, eps, weight_decay, decoupled_weight_decay, maximize
        As ``Adam`` has them.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Liu et al., "On the variance of the adaptive learning rate and beyond", 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import RAdam
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = RAdam(model, lr=0.5)
    >>> model.weight.accumulate(np.array([[0.5]], np.float32))
    >>> optimizer.step()  # the first steps go along the mean gradient
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar = {
        "betas": fractions,
        "eps": not_negative,
        "weight_decay": not_negative,
        "decoupled_weight_decay": switch,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    exp_avg: np.ndarray
    exp_avg_sq: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
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
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def _update(self, group: Group, lr: float) -> None:
        numbers = (self.steps, lr, *group["betas"], group["eps"], group["weight_decay"])
        rest = (*numbers, group["decoupled_weight_decay"], group["maximize"])
        for run in group.runs:
            F.radam_step(run.data, run.grad, run.exp_avg, run.exp_avg_sq, *rest)
