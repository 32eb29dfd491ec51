"""Activations and losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.row import INF, NAN, Row, bits, classes, given, log, shares, signs, uniform

CORNERS = given(
    *(-INF, -1e30, -1e4, -100, -20.5, -6, -3, -2, -1, -0.5, -0.25, -1e-3, -1e-20, -0.0),
    *(0.0, 1e-20, 1e-3, 0.25, 0.5, 1, 2, 3, 6, 19.9, 20, 20.1, 100, 1e4, 1e30, INF, NAN),
)

X = (3, 4, 5)

_ACTIVATIONS: list[tuple[str, dict[str, Any]]] = [
    ("relu", {}),
    ("relu6", {}),
    ("hardtanh", {}),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": -0.25}),
    ("elu", {}),
    ("elu", {"alpha": 2.0}),
    ("selu", {}),
    ("celu", {}),
    ("celu", {"alpha": 2.0}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.0, "threshold": 6.0}),
    ("softsign", {}),
    ("sigmoid", {}),
    ("logsigmoid", {}),
    ("tanh", {}),
    ("hardsigmoid", {}),
    ("hardswish", {}),
    ("hardshrink", {}),
    ("hardshrink", {"lambd": 0.25}),
    ("softshrink", {}),
    ("softshrink", {"lambd": 0.25}),
    ("tanhshrink", {}),
    ("threshold", {"threshold": 0.25, "value": 7.0}),
]

ACTIVATIONS = [
    *(Row(name, {"x": X}, options) for name, options in _ACTIVATIONS),
    *(Row(name, {"x": CORNERS}, options, special=True) for name, options in _ACTIVATIONS),
    Row("prelu", {"x": X, "weight": (4,)}, gradients=("x", "weight")),
    Row("prelu", {"x": (7,), "weight": (1,)}, gradients=("x", "weight")),
    Row("prelu", {"x": CORNERS, "weight": given(0.25)}, gradients=("x",), special=True),
    Row("glu", {"x": (3, 6)}),
    Row("glu", {"x": (3, 4, 5)}, {"axis": 1}, torch_options={"dim": 1}),
    *(
        Row(name, {"x": (3, 4, 5)}, {"axis": axis}, torch_options={"dim": axis})
        for name in ("softmax", "log_softmax", "softmin")
        for axis in (0, 1, -1)
    ),
]

REDUCTIONS = ("mean", "sum", "none")

_PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("mse_loss", {"x": X, "target": X}, {}),
    ("l1_loss", {"x": X, "target": X}, {}),
    ("l1_loss", {"x": given(1, 2, 3), "target": given(1, 1, 4)}, {}),
    ("smooth_l1_loss", {"x": X, "target": X}, {}),
    ("smooth_l1_loss", {"x": X, "target": X}, {"beta": 0.5}),
    ("smooth_l1_loss", {"x": given(1, 2, 3, 5), "target": given(1, 1, 4, 3)}, {"beta": 0.0}),
    ("smooth_l1_loss", {"x": given(1, 2, 3, 5), "target": given(1, 1, 4, 3)}, {"beta": 1.0}),
    ("huber_loss", {"x": X, "target": X}, {}),
    ("huber_loss", {"x": X, "target": X}, {"delta": 0.5}),
    ("huber_loss", {"x": given(1, 2, 3, 5), "target": given(1, 1, 4, 3)}, {"delta": 1.0}),
    ("kl_div", {"x": log(shares(3, 4)), "target": shares(3, 4)}, {}),
    ("kl_div", {"x": log(shares(3, 4)), "target": log(shares(3, 4))}, {"log_target": True}),
    ("kl_div", {"x": given(-1, -2, -3), "target": given(0, 0.5, 1)}, {}),
    ("poisson_nll_loss", {"x": X, "target": uniform(*X, high=9)}, {}),
    ("poisson_nll_loss", {"x": X, "target": uniform(*X, high=9)}, {"full": True}),
    ("poisson_nll_loss", {"x": uniform(*X, low=0.1), "target": uniform(*X, high=9)},
     {"log_input": False, "eps": 1e-3}),
    ("binary_cross_entropy", {"x": uniform(*X), "target": uniform(*X)}, {}),
    ("binary_cross_entropy", {"x": given(0, 1, 0, 1, 0.5), "target": given(0, 1, 1, 0, 1)}, {}),
    ("binary_cross_entropy", {"x": uniform(*X), "target": bits(*X)}, {"weight": uniform(5)}),
    ("binary_cross_entropy_with_logits", {"logits": X, "target": uniform(*X)}, {}),
    ("binary_cross_entropy_with_logits", {"logits": X, "target": bits(*X)}, {"weight": uniform(4, 1)}),
    ("binary_cross_entropy_with_logits", {"logits": X, "target": bits(*X)},
     {"pos_weight": uniform(5, high=4)}),
    ("binary_cross_entropy_with_logits", {"logits": X, "target": uniform(*X)},
     {"pos_weight": uniform(1, high=4), "weight": uniform(5)}),
    ("binary_cross_entropy_with_logits",
     {"logits": given(0, 100, -100, 1e4, -1e4), "target": given(1, 0, 1, 1, 0)}, {}),
    ("soft_margin_loss", {"x": X, "target": signs(*X)}, {}),
    ("hinge_embedding_loss", {"x": X, "target": signs(*X)}, {}),
    ("hinge_embedding_loss", {"x": given(1, 2, 0.5, -1), "target": given(-1, -1, -1, 1)}, {"margin": 1.0}),
    ("multi_margin_loss", {"x": (5, 4), "target": classes(4, 5)}, {}),
    ("multi_margin_loss", {"x": (5, 4), "target": classes(4, 5)},
     {"p": 2, "margin": 0.5, "weight": uniform(4)}),
    ("cosine_embedding_loss", {"x1": (6, 4), "x2": (6, 4), "target": signs(6)}, {}),
    ("cosine_embedding_loss", {"x1": (6, 4), "x2": (6, 4), "target": signs(6)}, {"margin": -0.5}),
    *(("triplet_margin_loss", {"anchor": (6, 4), "positive": (6, 4), "negative": (6, 4)}, options)
      for options in ({}, {"margin": 3.0, "p": 1.0}, {"swap": True}, {"p": INF},
                      {"p": 3.0, "eps": 1e-3, "margin": 2.0})),
    ("nll_loss", {"x": (5, 4), "target": classes(4, 5)}, {}),
    ("nll_loss", {"x": (2, 4, 3, 5), "target": classes(4, 2, 3, 5)},
     {"weight": uniform(4), "ignore_index": 1}),
    ("cross_entropy", {"logits": (5, 4), "target": classes(4, 5)}, {}),
    ("cross_entropy", {"logits": (5, 4), "target": classes(4, 5)}, {"weight": uniform(4)}),
    ("cross_entropy", {"logits": (5, 4), "target": classes(4, 5)}, {"ignore_index": 2}),
    ("cross_entropy", {"logits": (5, 4), "target": classes(4, 5)}, {"label_smoothing": 0.3}),
    ("cross_entropy", {"logits": (2, 4, 3, 5), "target": classes(4, 2, 3, 5)},
     {"weight": uniform(4), "ignore_index": 1, "label_smoothing": 0.3}),
    ("cross_entropy", {"logits": (5, 4), "target": shares(5, 4)}, {}),
    ("cross_entropy", {"logits": (5, 4), "target": uniform(5, 4)},
     {"weight": uniform(4), "label_smoothing": 0.3}),
    ("cross_entropy", {"logits": (2, 4, 3, 5), "target": shares(2, 4, 3, 5)}, {"weight": uniform(4)}),
]  # fmt: skip

_GRADIENTS = {
    "cosine_embedding_loss": ("x1", "x2"),
    "triplet_margin_loss": ("anchor", "positive", "negative"),
}


def _focal(functional: Any) -> Callable[..., Any]:
    """torchvision's formula, which is not installed with PyTorch."""

    def focal(logits: Any, target: Any, alpha: float, gamma: float, reduction: str) -> Any:
        p, ce = logits.sigmoid(), functional.binary_cross_entropy_with_logits
        loss = ce(logits, target, reduction="none") * (1 - (p * target + (1 - p) * (1 - target))) ** gamma
        loss = loss * (alpha * target + (1 - alpha) * (1 - target)) if alpha >= 0 else loss
        return loss if reduction == "none" else getattr(loss, reduction)()

    return focal


def _hinge(functional: Any) -> Callable[..., Any]:
    """PyTorch has it for pairs: of x and nothing."""

    def hinge(x: Any, target: Any, margin: float, p: int, reduction: str) -> Any:
        loss = functional.margin_ranking_loss(x, 0 * x, target, margin, reduction="none") ** p
        return loss if reduction == "none" else getattr(loss, reduction)()

    return hinge


def _dice(functional: Any) -> Callable[..., Any]:
    """PyTorch has none: the formula."""

    def dice(x: Any, target: Any, smooth: float, reduction: str) -> Any:
        common, both = ((a.flatten(2)).sum(2) for a in (x * target, x + target))
        loss = 1 - (2 * common + smooth) / (both + smooth)
        return loss if reduction == "none" else getattr(loss, reduction)()

    return dice


LOSSES = [
    *(
        Row(name, inputs, {**options, "reduction": reduction}, gradients=_GRADIENTS.get(name, ()))
        for name, inputs, options in _PAIRS
        for reduction in REDUCTIONS
    ),
    Row("kl_div", {"x": log(shares(3, 4)), "target": shares(3, 4)}, {"reduction": "batchmean"}),
    *(
        Row(
            "sigmoid_focal_loss",
            {"logits": X, "target": bits(*X)},
            {"alpha": alpha, "gamma": gamma, "reduction": reduction},
            torch=_focal,
        )
        for alpha, gamma in ((0.25, 2.0), (-1, 1.5), (0.75, 0.0))
        for reduction in REDUCTIONS
    ),
    *(
        Row("hinge_loss", {"x": X, "target": signs(*X)}, {"margin": margin, "p": p, "reduction": reduction},
            torch=_hinge)
        for margin, p in ((1.0, 1), (0.5, 2))
        for reduction in REDUCTIONS
    ),
    *(
        Row("dice_loss", {"x": uniform(2, 3, 4, 5), "target": bits(2, 3, 4, 5)},
            {"smooth": smooth, "reduction": reduction}, torch=_dice)
        for smooth in (1.0, 0.1)
        for reduction in REDUCTIONS
    ),
]  # fmt: skip
