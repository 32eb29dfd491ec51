"""The steps of optimizers as nodes: rate, step, then tensors, their gradients and their state, to new ones.

They run on kitnet's own steps, where ONNX's differ from PyTorch's in no more than coefficients. No gradient
comes back through them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ..._arrays import Array, gate
from ...layers import Layer
from ..node import Node, Rule


class UpdateStep(Layer):
    """(rate, step, tensors..., gradients..., state...) -> (new tensors..., new state...)."""

    states = 1

    def __call__(self, rate: Array, step: Array, *xs: Array) -> Any:  # type: ignore[override]
        kinds = 2 + self.states
        if len(xs) % kinds or not xs:
            raise ValueError(f"x: expected tensors, gradients and {self.states} states, got {len(xs)} arrays")
        n = len(xs) // kinds
        rows = [list(xs[i::n]) for i in range(n)]  # of each tensor: itself, its gradient, its state
        for row in rows:
            row[:] = [np.array(gate(array, "x", dtype=row[0].dtype, shape=row[0].shape)) for array in row]
            self.step(float(rate.item()), int(step.item()), *row)
        changed = [row[kind] for kind in (0, *range(2, kinds)) for row in rows]
        return tuple(changed)

    def step(self, rate: float, step: int, x: Array, grad: Array, *state: Any) -> None:
        """One step, written into x and its state."""
        raise NotImplementedError

    def vjp(  # type: ignore[override]
        self, rate: Array, step: Array, *xs: Array, input_grad: bool = True
    ) -> tuple[Any, Any]:
        return self(rate, step, *xs), lambda *dys: (None,) * (2 + len(xs))

    def out_shape(self, *in_shapes: Sequence[int]) -> Any:
        n = (len(in_shapes) - 2) // (2 + self.states)
        return tuple(map(tuple, (*in_shapes[2 : 2 + n], *in_shapes[2 + 2 * n :])))


class Adagrad(UpdateStep):
    """Adagrad; ``decay_factor`` lowers the rate with the steps."""

    def __init__(self, epsilon: float, decay_factor: float, norm_coefficient: float) -> None:
        self.epsilon, self.decay_factor, self.norm_coefficient = epsilon, decay_factor, norm_coefficient

    def step(self, rate: float, step: int, x: Array, grad: Array, *state: Any) -> None:
        (total,) = state
        F.adagrad_step(x, grad, total, step + 1, rate, self.decay_factor, self.norm_coefficient, self.epsilon)


class Adam(UpdateStep):
    """Adam, whose epsilon ONNX adds before the bias is corrected, and which may shrink x after the step."""

    states = 2

    def __init__(
        self, alpha: float, beta: float, epsilon: float, norm_coefficient: float, norm_coefficient_post: float
    ) -> None:
        self.alpha, self.beta, self.epsilon = alpha, beta, epsilon
        self.norm_coefficient, self.norm_coefficient_post = norm_coefficient, norm_coefficient_post

    def step(self, rate: float, step: int, x: Array, grad: Array, *state: Any) -> None:
        m, v = state
        # Without a correction (step 0), a rate that undoes that of the first step.
        at, root = max(step, 1), math.sqrt(1 - self.beta ** max(step, 1))
        if step == 0:
            rate *= (1 - self.alpha) / root
        F.adam_step(
            x, grad, m, v, at, rate, self.alpha, self.beta, self.epsilon / root, self.norm_coefficient
        )
        x *= 1 - self.norm_coefficient_post


class Momentum(UpdateStep):
    """Gradient descent with momentum, standard or Nesterov's; ``beta`` scales all gradients but the first.

    In NumPy: ``sgd_step`` has no such scale with Nesterov's.
    """

    def __init__(self, alpha: float, beta: float, norm_coefficient: float, mode: str) -> None:
        self.alpha, self.beta, self.norm_coefficient, self.mode = alpha, beta, norm_coefficient, mode

    def step(self, rate: float, step: int, x: Array, grad: Array, *state: Any) -> None:
        (velocity,) = state
        slope = grad + self.norm_coefficient * x
        velocity *= self.alpha
        velocity += (self.beta if step > 0 else 1.0) * slope
        x -= rate * (velocity if self.mode == "standard" else slope + self.alpha * velocity)


def adagrad(node: Node) -> Layer:
    eps, decay = node.number("epsilon", 1e-6), node.number("decay_factor", 0.0)
    return Adagrad(eps, decay, node.number("norm_coefficient", 0.0))


def adam(node: Node) -> Layer:
    names = {
        "alpha": 0.9,
        "beta": 0.999,
        "epsilon": 1e-6,
        "norm_coefficient": 0.0,
        "norm_coefficient_post": 0.0,
    }
    return Adam(**{name: node.number(name, default) for name, default in names.items()})


def momentum(node: Node) -> Layer:
    alpha, beta, norm = (node.number(name, 0.0) for name in ("alpha", "beta", "norm_coefficient"))
    return Momentum(alpha, beta, norm, node.text("mode", "standard", "nesterov"))


RULES = {
    name: Rule(build, None, outputs=None)
    for name, build in (("Adagrad", adagrad), ("Adam", adam), ("Momentum", momentum))
}
