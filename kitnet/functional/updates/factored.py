"""Adafactor: the mean squares of a matrix, kept as those of its rows and of its columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..._arrays import Array, empty, gate, gate_inplace, gate_number
from ..._backend import kernels, n_threads
from ..._geometry import one_int
from .gates import apart, inner, move, norm, not_negative, scale


def factored_shapes(shape: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """The arrays that Adafactor keeps for a parameter of ``shape``, and their shapes."""
    if len(shape) < 2:
        return {"variance": tuple(shape)}
    return {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}


@np.errstate(all="ignore")
def adafactor_step(
    param: Array,
    grad: Array,
    row_var: Array | None,
    col_var: Array | None,
    variance: Array | None,
    step: int,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps1: float | None = None,
    eps2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
    maximize: bool = False,
) -> None:
    """One step of Adafactor, written into ``param`` and its state.

    R and C are the running means of grad^2 along the last axis and the one before it, at the rate
    step^beta2_decay. V = R C / max(mean of R, eps1), or the running mean of grad^2 itself where there is one
    axis; u = grad / max(sqrt(V), eps1), over max(1, rms(u) / d). param = (1 - lr weight_decay) param -
    max(eps2, rms(param)) min(lr, 1 / sqrt(step)) u.

    Parameters
    ----------
    param
        One parameter: float32 or float64 of any shape, C-contiguous and writeable; changed.
    grad
        The gradient, of the same shape and dtype.
    row_var, col_var
        R and C for two axes or more, of param's shape with 1 for the last, and for the last but one, axis;
        zeros at first; changed. Else None.
    variance
        V for one axis, of param's shape, zeros at first; changed. Else None.
    step
        The number of this step, from 1.
    lr, eps2, weight_decay
        At least 0.
    beta2_decay
        At most 0.
    eps1
        At least 0; None for the epsilon of the dtype.
    d
        At least 1.
    maximize
        Step along the gradient instead of against it.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value, dtype or memory does not fit; nothing is changed then.

    Source: Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost" (2018), in
    PyTorch's form.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> param, row_var, col_var = np.ones((2, 2)), np.zeros((2, 1)), np.zeros((1, 2))
    >>> F.adafactor_step(param, np.array([[1.0, 2.0], [2.0, 4.0]]), row_var, col_var, None, step=1, lr=0.5)
    >>> param
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    step = one_int(step, "step")
    lr, eps2, weight_decay = not_negative(lr=lr, eps2=eps2, weight_decay=weight_decay)
    beta2_decay = gate_number(beta2_decay, "beta2_decay", most=0.0)
    d = gate_number(d, "d", 1.0)
    flat = gate_inplace(param, "param")
    eps1 = float(np.finfo(flat.dtype).eps) if eps1 is None else gate_number(eps1, "eps1", 0.0)
    slope = gate(grad, "grad", dtype=flat.dtype, shape=param.shape)
    state = {"row_var": row_var, "col_var": col_var, "variance": variance}
    given = {
        name: gate_inplace(state[name], name, flat.dtype, math.prod(shape)).reshape(shape)
        for name, shape in factored_shapes(param.shape).items()
    }
    apart({"param": flat, "grad": slope, **given})
    if flat.size == 0:
        return

    weight, size = step**beta2_decay, norm(flat) / math.sqrt(flat.size)
    if "variance" in given:
        variance = given["variance"]
        variance += weight * (np.square(slope) - variance)
        update = slope / np.sqrt(np.maximum(variance, eps1 * eps1))
    else:
        update = _direction(slope, given["row_var"], given["col_var"], weight, eps1)
    clip = max(1.0, math.sqrt(inner(update, update) / flat.size) / d)
    rate = scale(maximize) * max(eps2, size) * min(lr, step**-0.5) / clip
    if weight_decay:
        flat *= 1 - lr * weight_decay
    move(flat, update, rate)


def _direction(slope: Array, row_var: Array, col_var: Array, weight: float, eps: float) -> Array:
    """The means brought up to date, and grad over the root of their product."""
    r, c = slope.shape[-2:]
    matrices, rows, columns = slope.reshape(-1, r, c), row_var.reshape(-1, r), col_var.reshape(-1, c)
    new_rows, new_columns = empty(rows.shape, slope.dtype), empty(columns.shape, slope.dtype)
    kernels().factored_squares(matrices, new_rows, new_columns, n_threads())
    rows += weight * (new_rows - rows)
    columns += weight * (new_columns - columns)
    np.divide(rows, rows.mean(1, keepdims=True).clip(eps), out=new_rows)
    update = empty(matrices.shape, slope.dtype)
    kernels().factored_direction(matrices, new_rows, columns, update, eps * eps, n_threads())
    return update
