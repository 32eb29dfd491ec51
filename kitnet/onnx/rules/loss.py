"""Losses of classification as layers of two inputs: scores and the true classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import functional as F
from ..._arrays import Array
from ..._geometry import LARGEST
from ...layers import Layer
from ..node import Node, Rule

NOBODY = -LARGEST
"""A class that no target is, where the model ignores none."""


class ClassLoss(Layer):
    """The loss of scores (N, C, ...) and classes (N, ...), and maybe log softmax(scores) beside it.

    ``entropy``: the scores are logits; else they are logarithms of probabilities.
    """

    def __init__(
        self,
        entropy: bool,
        reduction: Any = "mean",
        ignore_index: int = NOBODY,
        weight: Array | None = None,
        outputs: int = 1,
    ) -> None:
        self.entropy, self.reduction, self.ignore_index = entropy, reduction, ignore_index
        self.weight, self.outputs = weight, outputs

    def vjp(  # type: ignore[override]
        self, scores: Array, target: Array, *, input_grad: bool = True
    ) -> tuple[Any, Any]:
        shape = scores.shape
        if target.shape != shape[:1] + shape[2:]:
            raise ValueError(f"target: expected shape {shape[:1] + shape[2:]}, got {target.shape}")
        rows = scores.reshape(*shape[:2], -1) if len(shape) > 2 else scores
        classes = target.reshape(rows.shape[:1] + rows.shape[2:])
        op, backward = (
            (F.cross_entropy, F.cross_entropy_backward) if self.entropy else (F.nll_loss, F.nll_loss_backward)
        )
        arguments = (rows, classes, self.weight, self.ignore_index, self.reduction)
        loss = np.asarray(op(*arguments))
        loss = loss.reshape(target.shape) if self.reduction == "none" else loss

        def pullback(dy: Array | None, dlog: Array | None = None) -> tuple[Array, None]:
            dx = np.zeros_like(scores)
            if dy is not None:
                given = dy.reshape(classes.shape) if self.reduction == "none" else dy
                dx += backward(given, *arguments).reshape(shape)
            if dlog is not None:
                dx += F.log_softmax_backward(dlog, logs, 1)
            return dx, None

        if self.outputs == 1:
            return loss, pullback
        logs = F.log_softmax(scores, 1)
        return (loss, logs), pullback

    def __call__(self, scores: Array, target: Array) -> Any:  # type: ignore[override]
        return self.vjp(scores, target, input_grad=False)[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> Any:
        loss = tuple(in_shapes[1]) if self.reduction == "none" else ()
        return loss if self.outputs == 1 else (loss, tuple(in_shapes[0]))

    def config(self) -> dict[str, Any]:
        return {"entropy": self.entropy, "reduction": self.reduction, "ignore_index": self.ignore_index}


def _loss(entropy: bool) -> Rule:
    def build(node: Node, weight: Array | None = None) -> Layer:
        ignore = node.integer("ignore_index", NOBODY)
        if not -LARGEST <= ignore <= LARGEST:
            node.refuse(f"an ignore_index from {-LARGEST} to {LARGEST}", ignore)
        return ClassLoss(entropy, node.text("reduction", "mean", "sum", "none"), ignore, weight, node.outputs)

    return Rule(build, flows=(0, 1), outputs=2)


RULES = {"NegativeLogLikelihoodLoss": _loss(False), "SoftmaxCrossEntropyLoss": _loss(True)}
