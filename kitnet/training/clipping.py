"""Bounds for gradients, between the backward pass and the step of the optimizer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from .._arrays import gate_number
from ..functional.updates.gates import inner
from ..layers import Layer, Parameter

Parameters: TypeAlias = "Layer | Parameter | Iterable[Parameter]"


def _gradients(parameters: Parameters) -> list[np.ndarray]:
    """The gradients: one array where a model keeps them in one."""
    if isinstance(parameters, Layer):
        if (flat := parameters.flat_grad) is not None:
            return [flat]
        parameters = parameters.parameters()
    elif isinstance(parameters, Parameter):
        parameters = [parameters]
    gradients = []
    for parameter in parameters:
        if not isinstance(parameter, Parameter):
            raise TypeError(f"parameters: expected a model or Parameters, got {type(parameter).__name__}")
        gradients.append(parameter.grad)
    return gradients


@np.errstate(all="ignore")
def get_total_norm(parameters: Parameters, norm_type: float = 2.0) -> float:
    """The norm of all gradients, as if they were one vector.

    Parameters
    ----------
    parameters
        A model, a ``Parameter``, or several.
    norm_type
        p of the p-norm, above 0; ``math.inf`` for the largest element.

    Returns
    -------
    The norm: the same bits for any number of threads.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import get_total_norm
    >>> model = Linear(2, 1, bias=False)
    >>> model.weight.accumulate(np.array([[3.0, 4.0]], np.float32))
    >>> get_total_norm(model)
    5.0
    """
    p = gate_number(norm_type, "norm_type", math.nextafter(0, 1))
    gradients = [gradient for gradient in _gradients(parameters) if gradient.size]
    if p == 2:
        return math.sqrt(sum(inner(gradient, gradient) for gradient in gradients))
    if p == math.inf:
        return float(np.max([bound for g in gradients for bound in (g.max(), -g.min())], initial=0.0))
    powers = (np.sum(np.abs(gradient) ** p, dtype=np.float64) for gradient in gradients)
    return float(sum(powers)) ** (1 / p)


def clip_grad_norm_(
    parameters: Parameters, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale all gradients, in place, so that their norm is at most ``max_norm``; the norm before.

    Parameters
    ----------
    parameters
        A model, a ``Parameter``, or several.
    max_norm
        At least 0.
    norm_type
        As ``get_total_norm`` has it.
    error_if_nonfinite
        Refuse a norm that is infinite or NaN. Otherwise, as in PyTorch, gradients become 0 or NaN.

    Returns
    -------
    ``get_total_norm`` of the gradients as they were.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    RuntimeError
        If the norm is not finite and ``error_if_nonfinite``; nothing is changed then.

    Source: Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks" (2013), in
    PyTorch's form.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import clip_grad_norm_
    >>> model = Linear(2, 1, bias=False)
    >>> model.weight.accumulate(np.array([[3.0, 4.0]], np.float32))
    >>> clip_grad_norm_(model, 1.0)
    5.0
    >>> model.weight.grad.round(3)
    array([[0.6, 0.8]], dtype=float32)
    """
    max_norm = gate_number(max_norm, "max_norm", 0.0)
    if not isinstance(parameters, (Layer, Parameter)):
        parameters = list(parameters)
    norm = get_total_norm(parameters, norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"gradients: expected a finite norm of order {norm_type:g}, got {norm}")
    factor = max_norm / (norm + 1e-6)
    if not factor >= 1:  # NaN included
        with np.errstate(all="ignore"):
            for gradient in _gradients(parameters):
                gradient *= gradient.dtype.type(factor)
    return norm


def clip_grad_value_(parameters: Parameters, clip_value: float) -> None:
    """Bring each element of all gradients into [-clip_value, clip_value], in place; NaN stays.

    Parameters
    ----------
    parameters
        A model, a ``Parameter``, or several.
    clip_value
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import clip_grad_value_
    >>> model = Linear(2, 1, bias=False)
    >>> model.weight.accumulate(np.array([[3.0, -0.5]], np.float32))
    >>> clip_grad_value_(model, 1.0)
    >>> model.weight.grad
    array([[ 1. , -0.5]], dtype=float32)
    """
    most = gate_number(clip_value, "clip_value", 0.0)
    for gradient in _gradients(parameters):
        np.clip(gradient, -most, most, out=gradient)
