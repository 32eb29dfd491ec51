"""Normalisation, dropout with a given mask, and lookups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity.row import Maker, Row, classes, uniform

AFFINE = ("x", "weight", "bias")
STATISTICS = ("y", "mean", "rstd")
IMAGE = (3, 6, 4, 5)


def _shaped(name: str, shape: str) -> Callable[[Any], Callable[..., Any]]:
    """PyTorch's function, which takes its shape or groups in second place."""

    def make(functional: Any) -> Callable[..., Any]:
        op = getattr(functional, name)
        return lambda x, *weights, eps=None, **given: op(x, given[shape], *weights, eps=eps)

    return make


def _masked(axes: int) -> Callable[[Any], Callable[..., Any]]:
    return lambda functional: lambda x, mask: x * mask[(..., *(None,) * (x.ndim - axes))]


def _alpha_dropout(functional: Any) -> Callable[..., Any]:
    """The formula that PyTorch documents, on the mask of 0 and 1 / (1 - p)."""

    def alpha_dropout(x: Any, mask: Any, p: float) -> Any:
        alpha = 1.7580993408473766
        a = ((alpha**2 * p + 1) * (1 - p)) ** -0.5
        kept = mask * (1 - p)
        return a * (x * kept + alpha * (kept - 1)) + a * alpha * p

    return alpha_dropout


def _mask(p: float, *shape: int) -> Maker:
    return lambda rng, dtype: ((rng.random(shape) > p) / (1 - p)).astype(dtype)


def _weight_norm(functional: Any) -> Callable[..., Any]:
    def weight_norm(v: Any, g: Any, dim: int) -> Any:
        import torch

        return torch._weight_norm(v, g, dim)

    return weight_norm


def _batch_norm(functional: Any) -> Callable[..., Any]:
    return lambda x, weight, bias, eps: functional.batch_norm(x, None, None, weight, bias, True, eps=eps)


def _instance_norm(functional: Any) -> Callable[..., Any]:
    return lambda x, weight, bias, eps: functional.instance_norm(x, None, None, weight, bias, eps=eps)


def _statistics(name: str, inputs: dict[str, Any], options: dict[str, Any], **more: Any) -> Row:
    return Row(name, inputs, {**options, "return_statistics": True}, torch_options=options, **more)


def _norms(eps: float) -> list[Row]:
    channels = {"x": IMAGE, "weight": (6,), "bias": (6,)}
    places = {"x": IMAGE, "weight": (4, 5), "bias": (4, 5)}
    given = {
        "x": IMAGE,
        "running_mean": (6,),
        "running_var": uniform(6, low=0.5),
        "weight": (6,),
        "bias": (6,),
    }
    return [
        Row("batch_norm", given, {"eps": eps}, gradients=AFFINE),
        Row("batch_norm_train", channels, {"eps": eps}, torch=_batch_norm, gradients=AFFINE,
            returns=("y", "mean", "var")),
        *(_statistics("group_norm", channels, {"num_groups": groups, "eps": eps}, gradients=AFFINE,
                      returns=STATISTICS, torch=_shaped("group_norm", "num_groups")) for groups in (1, 3, 6)),
        _statistics("layer_norm", places, {"normalized_shape": (4, 5), "eps": eps}, gradients=AFFINE,
                    returns=STATISTICS, torch=_shaped("layer_norm", "normalized_shape")),
        _statistics("rms_norm", {"x": IMAGE, "weight": (4, 5)}, {"normalized_shape": (4, 5), "eps": eps},
                    gradients=("x", "weight"), returns=("y", "rstd"),
                    torch=_shaped("rms_norm", "normalized_shape")),
        _statistics("instance_norm", channels, {"eps": eps}, gradients=AFFINE, returns=STATISTICS,
                    torch=_instance_norm),
    ]  # fmt: skip


NORMS = [
    *(row for eps in (1e-5, 0.1) for row in _norms(eps)),
    *(
        Row("local_response_norm", {"x": shape}, {"size": size, "alpha": 0.3, "beta": 0.5, "k": 2.0})
        for shape in ((2, 6, 5), IMAGE, (2, 8, 2, 3, 4))
        for size in (3, 4)
    ),
    *(
        Row("weight_norm", {"v": (4, 3, 2), "g": g}, {"dim": dim}, torch=_weight_norm, gradients=("v", "g"),
            delta="dw")
        for dim, g in ((0, (4, 1, 1)), (1, (1, 3, 1)))
    ),
    *(
        Row(f"dropout{ndim}d", {"x": (3, 4, *(5, 2, 3)[:ndim]), "mask": uniform(3, 4, high=2.0)},
            torch=_masked(2))
        for ndim in (1, 2, 3)
    ),
    Row("dropout", {"x": IMAGE, "mask": uniform(*IMAGE, high=2.0)}, torch=_masked(4)),
    Row("stochastic_depth", {"x": IMAGE, "mask": uniform(3, high=2.0)}, torch=_masked(1)),
    *(
        Row("alpha_dropout", {"x": (50,), "mask": _mask(p, 50)}, {"p": p}, torch=_alpha_dropout)
        for p in (0.1, 0.5, 0.9)
    ),
    *(
        Row("embedding", {"x": classes(6, 4, 5), "weight": (6, 3)}, {"padding_idx": i}, gradients=("weight",),
            known={"num_embeddings": 6})
        for i in (None, 2, -1)
    ),
    Row("bilinear", {"x1": (5, 2, 4), "x2": (5, 2, 3), "weight": (7, 4, 3), "bias": (7,)},
        gradients=("x1", "x2", "weight", "bias")),
]  # fmt: skip
