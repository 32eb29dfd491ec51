"""Optimizers that look at each parameter as a whole: its norm, rows and columns, or singular values."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ... import functional as F
from ..._arrays import gate_number
from ..._geometry import one_int
from ...functional.updates.factored import factored_shapes
from ...layers import Layer
from .base import Optimizer, Rate, fractions, not_negative, number, numbers, switch
from .groups import Group


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling: momentum in which each parameter moves in proportion to its own norm.

    For large batches. velocity = momentum velocity + lr r (grad + weight_decay param), param -= velocity,
    where r = trust_coefficient \\|param\\| / (\\|grad\\| + weight_decay \\|param\\|). Biases and norms
    usually go without: ``params=[{"params": ["*.bias", ...], "adapt": False, "weight_decay": 0}, {"params":
    "*"}]``.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    momentum, weight_decay, trust_coefficient
        Numbers of 0 or more.
    adapt
        False for r = 1.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    You, Gitman and Ginsburg, "Large batch training of convolutional networks", 2017, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import LARS
    >>> model = Linear(2, 1, bias=False)
    >>> model.weight.data = np.array([[3.0, 4.0]], np.float32)
    >>> optimizer = LARS(model, lr=0.5, trust_coefficient=0.1)
    >>> model.weight.accumulate(np.array([[0.0, 100.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[3.  , 3.75]], dtype=float32)
    """

    hyper: ClassVar = {
        "momentum": not_negative,
        "weight_decay": not_negative,
        "trust_coefficient": not_negative,
        "adapt": switch,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("momentum_buffer",)
    apart: ClassVar[bool] = True
    momentum_buffer: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        *,
        adapt: bool = True,
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
            weight_decay=weight_decay,
            trust_coefficient=trust_coefficient,
            adapt=adapt,
            maximize=maximize,
        )

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, *(group[name] for name in self.hyper))
        for run in group.runs:
            F.lars_step(run.data, run.grad, run.momentum_buffer, *rest)


class LAMB(Optimizer):
    """Adam in which each parameter moves in proportion to its own norm, for large batches.

    d = m' / (sqrt(v') + eps) + weight_decay param, with Adam's m' and v'; param -= lr \\|param\\| / \\|d\\|
    d. Biases and norms usually go without: see ``LARS``.

    Parameters
    ----------
    model, lr, schedule, params
        As ``Optimizer`` has them.
    betas, eps
        As ``Adam`` has them.
    weight_decay
        Times the parameters, added to the steps.
    adapt
        False for steps of lr d.
    maximize
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    You et al., "Large batch optimization for deep learning: training BERT in 76 minutes", 2020, algorithm 2.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import LAMB
    >>> model = Linear(2, 1, bias=False)
    >>> model.weight.data = np.array([[3.0, 4.0]], np.float32)
    >>> optimizer = LAMB(model, lr=0.1)
    >>> model.weight.accumulate(np.array([[0.0, 100.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data.round(3)
    array([[3. , 3.5]], dtype=float32)
    """

    hyper: ClassVar = {
        "betas": fractions,
        "eps": not_negative,
        "weight_decay": not_negative,
        "adapt": switch,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("exp_avg", "exp_avg_sq")
    apart: ClassVar[bool] = True
    exp_avg: np.ndarray
    exp_avg_sq: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        adapt: bool = True,
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
            adapt=adapt,
            maximize=maximize,
        )

    def _update(self, group: Group, lr: float) -> None:
        numbers = (self.steps, lr, *group["betas"], group["eps"], group["weight_decay"])
        for run in group.runs:
            rest = (*numbers, group["adapt"], group["maximize"])
            F.lamb_step(run.data, run.grad, run.exp_avg, run.exp_avg_sq, *rest)


def _optional_eps(value: Any, name: str) -> float | None:
    return None if value is None else gate_number(value, name, 0)


class Adafactor(Optimizer):
    """Adafactor (PyTorch's formulas): mean squares from those of rows and columns, which need no memory.

    Parameters
    ----------
    model, schedule, params
        As ``Optimizer`` has them.
    lr
        The most that a step may change a parameter, relative to its size; the rate is min(lr, 1 / sqrt(t)).
    beta2_decay
        The share of the newest squares in the means is t^beta2_decay; at most 0.
    eps
        The least root mean square, None for the epsilon of the dtype; and the least size of a parameter.
    d
        The largest root mean square of a step, before the rate; at least 1.
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
    Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adafactor
    >>> model = Linear(100, 200)
    >>> optimizer = Adafactor(model)
    >>> optimizer.row_var.size, optimizer.col_var.size, optimizer.variance.size
    (200, 100, 200)
    """

    hyper: ClassVar = {
        "beta2_decay": number(most=0),
        "eps": numbers(_optional_eps, not_negative),
        "d": number(1),
        "weight_decay": not_negative,
        "maximize": switch,
    }
    slots: tuple[str, ...] = ("row_var", "col_var", "variance")
    apart: ClassVar[bool] = True
    row_var: np.ndarray
    col_var: np.ndarray
    variance: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
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
            beta2_decay=beta2_decay,
            eps=eps,
            d=d,
            weight_decay=weight_decay,
            maximize=maximize,
        )

    def _slot_shape(self, slot: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        return factored_shapes(shape).get(slot, (0,))

    def _update(self, group: Group, lr: float) -> None:
        rest = (group["beta2_decay"], *group["eps"], group["d"], group["weight_decay"], group["maximize"])
        for run in group.runs:
            state = (run.row_var, run.col_var, run.variance)
            F.adafactor_step(run.data, run.grad, *state, self.steps, lr, *rest)


def _steps(value: Any, name: str) -> int:
    return one_int(value, name, 0, 99)


def _adjustment(value: Any, name: str) -> str | None:
    if value not in (None, "original", "match_rms_adamw"):
        raise ValueError(f"{name}: expected None, 'original' or 'match_rms_adamw', got {value!r}")
    return value


class Muon(Optimizer):
    """Muon (PyTorch's formulas): momentum for matrices, with all singular values of a step brought near to 1.

    For parameters of two axes; train the others with another optimizer (see ``Several``). PyTorch rounds a
    part of the arithmetic to bfloat16, which is not done here.

    Parameters
    ----------
    model, lr, schedule
        As ``Optimizer`` has them.
    weight_decay
        Shrinks the parameters by lr weight_decay a step.
    momentum
        How slowly the running mean of the gradients follows, from 0 to 1.
    nesterov
        Look ahead.
    ns_coefficients, eps, ns_steps
        Of the Newton-Schulz steps: (a, b, c), the least norm, and how many.
    adjust_lr_fn
        "original", which None stands for, or "match_rms_adamw": what makes steps of matrices of any shape
        equally large, or as large as AdamW's.
    params
        As ``Optimizer`` has them; None for all parameters of two axes.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or a parameter has not two axes.

    Notes ----- Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; Liu et al.,
    "Muon is scalable
    for LLM training", 2025.

    Examples
    --------
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Muon
    >>> Muon(Linear(3, 2)).param_groups[0].names
    ['weight']
    """

    hyper: ClassVar = {
        "weight_decay": not_negative,
        "momentum": number(0, 1),
        "nesterov": switch,
        "ns_coefficients": numbers(number(), number(), number()),
        "eps": not_negative,
        "ns_steps": _steps,
        "adjust_lr_fn": _adjustment,
    }
    slots: tuple[str, ...] = ("momentum_buffer",)
    apart: ClassVar[bool] = True
    momentum_buffer: np.ndarray

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
        *,
        schedule: Rate = None,
        params: Any = None,
    ) -> None:
        if params is None and isinstance(model, Layer):
            params = [parameter for parameter in model.parameters() if len(parameter.shape) == 2]
        super().__init__(
            model,
            lr,
            schedule,
            params,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            ns_coefficients=ns_coefficients,
            eps=eps,
            ns_steps=ns_steps,
            adjust_lr_fn=adjust_lr_fn,
        )

    def _check(self, group: Group) -> None:
        for name, parameter in zip(group.names, group["params"], strict=True):
            if len(parameter.shape) != 2:
                raise ValueError(
                    f"params: expected parameters of 2 dimensions, got {name} of shape {parameter.shape}"
                )

    def _update(self, group: Group, lr: float) -> None:
        rest = (lr, *(group[name] for name in self.hyper))
        for run in group.runs:
            F.muon_step(run.data, run.grad, run.momentum_buffer, *rest)
