"""The functions that are compared with PyTorch, as data: one of kitnet, its arguments, and PyTorch's.

Inputs are named as kitnet names them and go to PyTorch in that order; a shape stands for normal numbers,
anything else is made by a function of a generator and a dtype. The ``_backward`` function is given what it
asks for by name: inputs, options, ``dy``, ``y``, ``input_shape``. Layers and losses need no rows here:
``layer_cases`` and ``loss_cases`` are compared whole, as far as PyTorch has a class of that name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Maker = Callable[[np.random.Generator, np.dtype], np.ndarray]
INF, NAN = float("inf"), float("nan")


@dataclass(frozen=True)
class Row:
    """``name`` of kitnet against ``torch``: a name, a function of torch.nn.functional, or None: the same."""

    name: str
    inputs: dict[str, tuple[int, ...] | Maker]
    options: dict[str, Any] = field(default_factory=dict)
    torch: str | Callable[[Any], Callable[..., Any]] | None = None
    torch_options: dict[str, Any] | None = None
    """PyTorch's options, where they are not the same."""
    gradients: tuple[str, ...] = ()
    """The inputs that the backward function returns gradients of, in that order; empty: the first one."""
    returns: tuple[str, ...] = ("y",)
    """What kitnet's function returns, by the names that its backward function may ask for."""
    delta: str = "dy"
    """What the backward function calls the gradient of the result."""
    known: dict[str, Any] = field(default_factory=dict)
    """What else it asks for."""
    special: bool = False
    """Infinities, NaN, corners: compared one by one, where PyTorch has a number."""

    @property
    def id(self) -> str:
        shapes = "-".join("x".join(map(str, v)) for v in self.inputs.values() if isinstance(v, tuple))
        options = ",".join(f"{k}={v}" for k, v in self.options.items() if not callable(v))
        return f"{self.name}({shapes or ('special' if self.special else '')}{',' * bool(options)}{options})"


def uniform(*shape: int, low: float = 0.0, high: float = 1.0) -> Maker:
    return lambda rng, dtype: rng.uniform(low, high, shape).astype(dtype)


def classes(count: int, *shape: int) -> Maker:
    return lambda rng, dtype: rng.integers(0, count, shape)


def signs(*shape: int) -> Maker:
    return lambda rng, dtype: rng.choice([-1, 1], shape).astype(dtype)


def bits(*shape: int) -> Maker:
    return lambda rng, dtype: rng.integers(0, 2, shape).astype(dtype)


def shares(*shape: int) -> Maker:
    """Distributions along axis 1."""
    return lambda rng, dtype: np.moveaxis(
        rng.dirichlet(np.ones(shape[1]), (shape[0], *shape[2:])), -1, 1
    ).astype(dtype)


def given(*values: float) -> Maker:
    return lambda rng, dtype: np.array(values, dtype)


def log(maker: Maker) -> Maker:
    return lambda rng, dtype: np.log(maker(rng, dtype))


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
]

_IMAGE, _WEIGHT = (2, 4, 7, 8), (6, 4, 3, 3)
_ALL = ("x", "weight", "bias")

WINDOWS = [
    Row("conv1d", {"x": (2, 4, 9), "weight": (6, 2, 3), "bias": (6,)},
        {"stride": 2, "padding": 1, "groups": 2}, gradients=_ALL),
    Row("conv2d", {"x": _IMAGE, "weight": _WEIGHT, "bias": (6,)}, gradients=_ALL),
    Row("conv2d", {"x": _IMAGE, "weight": _WEIGHT, "bias": (6,)},
        {"padding": 2, "dilation": 2, "stride": (1, 2)}, gradients=_ALL),
    Row("conv3d", {"x": (1, 2, 4, 5, 6), "weight": (3, 2, 2, 3, 3), "bias": (3,)}, gradients=_ALL),
    Row("linear", {"x": (5, 7), "weight": (3, 7), "bias": (3,)}, gradients=_ALL),
    Row("max_pool2d", {"x": _IMAGE}, {"kernel_size": 3, "stride": 2, "padding": 1, "return_indices": True},
        torch_options={"kernel_size": 3, "stride": 2, "padding": 1}, returns=("y", "indices")),
    Row("avg_pool2d", {"x": _IMAGE},
        {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    Row("lp_pool2d", {"x": _IMAGE}, {"norm_type": 2, "kernel_size": 2}),
    Row("unfold", {"x": _IMAGE}, {"kernel_size": 3, "dilation": 2, "padding": 1, "stride": 2},
        delta="cols", known={"output_size": _IMAGE[2:]}),
    Row("fold", {"cols": (2, 16, 42)}, {"output_size": (7, 8), "kernel_size": 2}, delta="x"),
]  # fmt: skip

ROWS = [*ACTIVATIONS, *LOSSES, *WINDOWS]
