"""Optimizers in which each parameter finds the length of its steps from its own gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ... import functional as F
from ...layers import Layer
from .base import Optimizer, Rate, not_negative, number, numbers, switch
from .groups import Group


class Adagrad(Optimizer):
    """Adagrad (PyTorch's formulas): steps by the gradient over the root of the sum of all its squares.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    lr_decay
        The rate of step t is lr / (1 + (t - 1) lr_decay).
    weight_decay, eps
        As ``Adam`` has them.
    initial_accumulator_value
        Where the sums start.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    2011.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adagrad
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Adagrad(model, lr=0.5, initial_accumulator_value=9.0)
    >>> model.weight.accumulate(np.array([[4.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data, optimizer.sum
    (array([[0.6]], dtype=float32), array([25.], dtype=float32))
    """

    hyper: ClassVar = {
        "lr_decay": not_negative,
        "weight_decay": not_negative,
        "initial_accumulator_value": not_negative,
        "eps": not_negative,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("sum",)
    sum: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
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
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )
        for group in self.param_groups:
            for run in group.runs:
                run.sum.fill(group["initial_accumulator_value"])

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, group["lr_decay"], group["weight_decay"], group["eps"], group["maximize"])
        for run in group.runs:
            F.adagrad_step(run.data, run.grad, run.sum, self.steps, *rest)


class Adadelta(Optimizer):
    """Adadelta (PyTorch's formulas): the gradient, times the size of past steps over that of gradients.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them; lr is a factor of what the method finds.
    rho
        How slowly the two running mean squares follow, from 0 to 1.
    eps
        Added to both mean squares.
    weight_decay, maximize
        As ``Adam`` has them.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adadelta
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Adadelta(model, rho=0.5, eps=1.0)
    >>> model.weight.accumulate(np.array([[2.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data.round(3)
    array([[-0.155]], dtype=float32)
    """

    hyper: ClassVar = {
        "rho": number(0, 1),
        "eps": not_negative,
        "weight_decay": not_negative,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("square_avg", "acc_delta")
    square_avg: np.ndarray
    acc_delta: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(
            model, lr, schedule, params, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, group["rho"], group["eps"], group["weight_decay"], group["maximize"])
        for run in group.runs:
            F.adadelta_step(run.data, run.grad, run.square_avg, run.acc_delta, *rest)


class RMSprop(Optimizer):
    """RMSprop (PyTorch's formulas): steps by the gradient over its running root mean square.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    alpha
        How slowly the mean square follows, from 0 to 1.
    eps
        Added to the denominator.
    weight_decay
        Times the parameters, added to the gradients.
    momentum
        Of the steps; a number of 0 or more.
    centered
        Divide by the running standard deviation instead.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, 2012; centered: Graves,
    "Generating sequences with recurrent neural networks", 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import RMSprop
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = RMSprop(model, lr=0.25, alpha=0.75)
    >>> model.weight.accumulate(np.array([[4.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.5]], dtype=float32)
    """

    hyper: ClassVar = {
        "alpha": number(0, 1),
        "eps": not_negative,
        "weight_decay": not_negative,
        "momentum": not_negative,
        "centered": switch,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("square_avg",)
    square_avg: np.ndarray
    grad_avg: np.ndarray
    momentum_buffer: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
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
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def _check(self, group: Group) -> None:
        wanted = {"grad_avg": group["centered"], "momentum_buffer": group["momentum"]}
        self.slots += tuple(name for name, want in wanted.items() if want and name not in self.slots)

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, group["alpha"], group["eps"], group["weight_decay"], group["momentum"], group["maximize"])
        for run in group.runs:
            mean = run.grad_avg if group["centered"] else None
            velocity = run.momentum_buffer if group["momentum"] else None
            F.rmsprop_step(run.data, run.grad, run.square_avg, mean, velocity, *rest)


class Rprop(Optimizer):
    """Resilient propagation (PyTorch's formulas): steps by the gradient's sign, longer as long as that stays.

    For whole batches: the sign of a small batch's gradient changes without a reason.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them; lr is the size of the first step.
    etas
        What a size is multiplied by where the sign has changed, and where it has not: 0 < one < 1 < other.
    step_sizes
        The bounds of the sizes.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
    1993.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Rprop
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Rprop(model, lr=0.25, etas=(0.5, 2.0))
    >>> model.weight.accumulate(np.array([[100.0]], np.float32))
    >>> optimizer.step()
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.25]], dtype=float32)
    """

    hyper: ClassVar = {
        "etas": numbers(number(0, 1), number(1)),
        "step_sizes": numbers(not_negative, not_negative),
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("prev", "step_size")
    prev: np.ndarray
    step_size: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        super().__init__(model, lr, schedule, params, etas=etas, step_sizes=step_sizes, maximize=maximize)

    def _check(self, group: Group) -> None:
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise ValueError(f"etas: expected 0 < the first < 1 < the second, got {group['etas']}")
        least, most = group["step_sizes"]
        if least > most:
            raise ValueError(f"step_sizes: expected the smaller one first, got {group['step_sizes']}")

    def _update(self, group: Group, lr: float) -> None:
        rest = (*group["etas"], *group["step_sizes"], group["maximize"])
        for run in group.runs:
            if self.steps == 1:
                run.step_size.fill(lr)
            F.rprop_step(run.data, run.grad, run.prev, run.step_size, *rest)
