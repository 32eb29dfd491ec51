"""The way from the public functions to the kernels of each family of cases: ``APPLY``."""

from collections.abc import Callable
from typing import Any

import numpy as np
from families import (
    Activation,
    Array,
    Arrays,
    AvgPool,
    BatchNorm,
    Case,
    Conv,
    ConvTranspose,
    CrossEntropy,
    Dice,
    Embedding,
    Glu,
    Im2col,
    Linear,
    Local,
    LogSoftmax,
    Loss,
    LpPool,
    Margin,
    MaxPool,
    Multiply,
    Nll,
    PixelShuffle,
    PRelu,
    Resample,
    Response,
    RowNorm,
    SoftCrossEntropy,
    Softmax,
    TakeRows,
    Unfold,
    Windowed,
)

from kitnet import functional as F


def public(case: Case, arrays: Arrays) -> Arrays:
    """Kernel arrays (N, C, D, H, W) without the unit axes that the public functions add."""
    ndim = len(case.x) - 2 if isinstance(case, Windowed | Resample) else 3
    return {n: a.reshape(*a.shape[:2], *a.shape[-ndim:]) if a.ndim == 5 else a for n, a in arrays.items()}


def _op(case: Windowed, name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function of so many dimensions, and its backward."""
    name = f"{name}{len(case.x) - 2}d"
    return getattr(F, name), getattr(F, f"{name}_backward")


def _optional(array: Array) -> Array | None:
    return array if array.size else None


def _conv(case: Conv, a: Arrays) -> Arrays:
    op, backward = _op(case, "conv")
    moves = (case.stride, case.padding, case.dilation, case.groups)
    bounds, residual = (case.low, case.high), _optional(a["residual"])
    y = op(a["x"], a["weight"], _optional(a["bias"]), *moves, clip=bounds, residual=residual)
    dx, dweight, dbias = backward(a["dy"], a["x"], a["weight"], *moves)
    return {"y": y, "dx": dx, "dweight": dweight} | ({"dbias": dbias} if case.bias else {})


def _conv_transpose(case: ConvTranspose, a: Arrays) -> Arrays:
    """In the kernels' names, which are those of the convolution the other way round."""
    op, backward = _op(case, "conv_transpose")
    moves = (case.stride, case.padding, case.output_padding, case.groups, case.dilation)
    y = op(a["dy"], a["weight"], _optional(a["bias"]), *moves, clip=(case.low, case.high))
    dx, dweight, dbias = backward(a["x"].reshape(y.shape), a["dy"], a["weight"], *moves)
    return {"dx": y, "y": dx, "dweight": dweight, "sums": dbias}


def _linear(case: Linear, a: Arrays) -> Arrays:
    y = F.linear(a["x"], a["weight"], _optional(a["bias"]), clip=(case.low, case.high))
    dx, dweight, dbias = F.linear_backward(a["dy"], a["x"], a["weight"])
    return {"y": y, "dx": dx, "dweight": dweight} | ({"dbias": dbias} if case.bias else {})


def _local(case: Local, a: Arrays) -> Arrays:
    op, backward = _op(case, "locally_connected")
    window, moves = case.window, (case.stride, case.padding, case.dilation)
    weight = a["weight"].reshape(*window.out_size, case.k, case.x[1], *window.kernel)
    bias = a["bias"].reshape(case.k, *window.out_size) if case.bias else None
    y = op(a["x"], weight, bias, *moves)
    dx, dweight, dbias = backward(a["dy"].reshape(y.shape), a["x"], weight, *moves)
    y, dweight = y.reshape(a["dy"].shape), dweight.reshape(a["weight"].shape)
    return {"y": y, "dx": dx, "dweight": dweight} | (
        {"dbias": dbias.reshape(case.k, -1)} if case.bias else {}
    )


def _im2col(case: Im2col, a: Arrays) -> Arrays:
    moves = (case.kernel, case.stride, case.padding, case.dilation)
    matrix = a["cols"].reshape(-1, a["cols"].shape[2])
    cols = F.im2col(a["x"], *moves).reshape(a["cols"].shape)
    return {"cols": cols, "x": F.col2im(matrix, case.x, *moves)}


def _unfold(case: Unfold, a: Arrays) -> Arrays:
    moves = (case.kernel, case.dilation, case.padding, case.stride)
    return {"cols": F.unfold(a["x"], *moves), "x": F.fold(a["cols"], case.x[2:], *moves)}


def _max_pool(case: MaxPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "max_pool")
    moves = (case.kernel, case.stride, case.padding, case.dilation, case.ceil_mode)
    if not case.indices:
        return {"y": op(a["x"], *moves)}
    y, index = op(a["x"], *moves, return_indices=True)
    return {"y": y, "index": index, "dx": backward(a["dy"], a["index"], case.x)}


def _avg_pool(case: AvgPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "sum_pool" if case.ones else "avg_pool")
    moves = (case.kernel, case.stride, case.padding, case.ceil_mode)
    results = {"y": op(a["x"], *moves), "dx": backward(a["dy"], case.x, *moves)}
    return results if case.ones else {f"mean {name}": array for name, array in results.items()}


def _lp_pool(case: LpPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "lp_pool")
    moves = (case.p, case.kernel, case.stride, case.ceil_mode)
    rest = {"padding": case.padding, "dilation": case.dilation}
    return {"y": op(a["x"], *moves, **rest), "dx": backward(a["dy"], a["x"], a["y"], *moves, **rest)}


ACTIVATIONS: dict[str, tuple[str, Callable[[Activation], tuple[Any, ...]]]] = {
    "clip": ("hardtanh", lambda case: (case.a, case.b)),
    "threshold": ("threshold", lambda case: (case.a, case.b)),
    "leaky_relu": ("leaky_relu", lambda case: (case.a,)),
    "elu": ("celu", lambda case: (case.a,)),
    "gelu_tanh": ("gelu", lambda case: ("tanh",)),
    "softplus": ("softplus", lambda case: (case.a, case.b)),
    "hardshrink": ("hardshrink", lambda case: (case.a,)),
    "softshrink": ("softshrink", lambda case: (case.a,)),
}
"""The public name of a kind, and how its parameters are given; others have their own name and none."""


def _activation(case: Activation, a: Arrays) -> Arrays:
    name, arguments = ACTIVATIONS.get(case.kind, (case.kind, lambda case: ()))
    given = arguments(case)
    going_back = given[:1] if name == "threshold" else given
    y = getattr(F, name)(a["x"], *given)
    dx = getattr(F, f"{name}_backward")(a["dy"], a["x of activation_backward"], *going_back)
    return {"y": y, "dx": dx}


def _resample(case: Resample, a: Arrays) -> Arrays:
    op, backward = (getattr(F, f"adaptive_avg_pool{len(case.out)}d{end}") for end in ("", "_backward"))
    return {"y": backward(a["x"], case.x, case.out) if case.transposed else op(a["x"], case.out)}


def _prelu(case: PRelu, a: Arrays) -> Arrays:
    dx, dweight = F.prelu_backward(a["dy"], a["x"], a["weight"])
    return {"y": F.prelu(a["x"], a["weight"]), "dx": dx, "dweight": dweight}


def _glu(case: Glu, a: Arrays) -> Arrays:
    y = F.glu(a["x"], 1)
    return {"y": y.reshape(case.m, case.p), "dx": F.glu_backward(a["dy"].reshape(y.shape), a["x"], 1)}


def _scalar(value: float, dtype: np.dtype) -> Array:
    return np.array([value], dtype)


LOSSES: dict[str, tuple[str, Callable[[Loss, np.dtype], dict[str, Any]]]] = {
    "mse": ("mse_loss", lambda case, dtype: {}),
    "l1": ("l1_loss", lambda case, dtype: {}),
    "smooth_l1": ("smooth_l1_loss", lambda case, dtype: {"beta": case.a}),
    "huber": ("huber_loss", lambda case, dtype: {"delta": case.a}),
    "bce": ("binary_cross_entropy", lambda case, dtype: {}),
    "bce_with_logits": (
        "binary_cross_entropy_with_logits",
        lambda case, dtype: {"pos_weight": _scalar(case.a, dtype)},
    ),
    "focal": ("sigmoid_focal_loss", lambda case, dtype: {"alpha": case.a, "gamma": case.b}),
    "kl_div": ("kl_div", lambda case, dtype: {}),
    "kl_div_log": ("kl_div", lambda case, dtype: {"log_target": True}),
    "poisson": (
        "poisson_nll_loss",
        lambda case, dtype: {"log_input": False, "eps": case.a, "full": case.b == 1},
    ),
    "poisson_log": ("poisson_nll_loss", lambda case, dtype: {"full": case.b == 1}),
    "soft_margin": ("soft_margin_loss", lambda case, dtype: {}),
    "hinge": ("hinge_loss", lambda case, dtype: {"margin": case.a, "p": int(case.b)}),
    "hinge_embedding": ("hinge_embedding_loss", lambda case, dtype: {"margin": case.a}),
}


def _loss(case: Loss, a: Arrays) -> Arrays:
    name, options = LOSSES[case.kind]
    given, reduction = options(case, a["x"].dtype), "sum" if case.one else "none"
    dy = a["dy"].reshape(-1)[0] if case.one else a["dy"]
    pair = a["x"], a["target"]
    results = {
        "total": np.reshape(getattr(F, name)(*pair, **given, reduction="sum"), 1),
        "dx": getattr(F, f"{name}_backward")(dy, *pair, **given, reduction=reduction),
    }
    return results if case.one else results | {"loss": getattr(F, name)(*pair, **given, reduction="none")}


def _multiply(case: Multiply, a: Arrays) -> Arrays:
    return {"y": F.dropout(a["a"], a["b"])}


def _pixel_shuffle(case: PixelShuffle, a: Arrays) -> Arrays:
    planes, (h, w), r = case.planes, case.size, case.factor
    y = F.pixel_shuffle(a["x"].reshape(planes, r * r, h, w), r)
    x = F.pixel_unshuffle(a["y"].reshape(planes, 1, h * r, w * r), r)
    return {"y": y.reshape(a["y"].shape), "x": x.reshape(a["x"].shape)}


def _take_rows(case: TakeRows, a: Arrays) -> Arrays:
    return {"y": F.embedding(a["rows"], a["x"][0])[None]}


def _batch_norm(case: BatchNorm, a: Arrays) -> Arrays:
    y, mean, var = F.batch_norm_train(a["x"], a["scale"], a["shift"], eps=case.eps)
    dx, dgamma, dbeta = F.batch_norm_train_backward(a["dy"], a["x"], mean, var, a["gamma"], eps=case.eps)
    return {"mean": mean, "var": var, "trained y": y, "trained dx": dx, "dweight": dgamma, "dbias": dbeta}


def _row_norm(case: RowNorm, a: Arrays) -> Arrays:
    x, shape, weight, bias = a["x"], a["x"].shape[1:], _optional(a["gamma"]), _optional(a["beta"])
    if not case.centred:
        y, rstd = F.rms_norm(x, shape, None, case.eps, return_statistics=True)
        dx, _ = F.rms_norm_backward(a["dy"], x, shape, a["invstd"][:, 0])
        return {"y": y, "invstd": rstd[:, None], "dx": dx}
    y, mean, rstd = F.group_norm(x, case.groups, weight, bias, case.eps, return_statistics=True)
    dx, dgamma, dbeta = F.group_norm_backward(a["dy"], x, case.groups, a["mean"], a["invstd"], weight)
    weights = {"dgamma": dgamma, "dbeta": dbeta} if case.weight else {}
    return {"y": y, "mean": mean, "invstd": rstd, "dx": dx} | weights


def _response(case: Response, a: Arrays) -> Arrays:
    settings = case.size, case.alpha, case.beta, case.base
    dx = F.local_response_norm_backward(a["dy"], a["x of response_backward"], *settings)
    return {"y": F.local_response_norm(a["x"], *settings), "dx": dx}


def _embedding(case: Embedding, a: Arrays) -> Arrays:
    return {"dw": F.embedding_backward(a["dy"], a["x"], case.k)}


def _softmax(case: Softmax, a: Arrays) -> Arrays:
    return {"y": F.softmax(a["x"], 1), "dx": F.softmax_backward(a["dy"], a["y"], 1)}


def _log_softmax(case: LogSoftmax, a: Arrays) -> Arrays:
    return {"y": F.log_softmax(a["x"], 1), "dx": F.log_softmax_backward(a["dy"], a["y"], 1)}


def _cross_entropy(case: CrossEntropy, a: Arrays) -> Arrays:
    weight = _optional(a["weight"])
    options = {"weight": weight, "ignore_index": -1, "label_smoothing": case.smoothing, "reduction": "none"}
    loss = F.cross_entropy(a["x"], a["target"], **options)
    dx = F.cross_entropy_backward(a["dloss"], a["x"], a["target"], **options, prob=a["prob"])
    return {"loss": loss, "dx": dx}


def _nll(case: Nll, a: Arrays) -> Arrays:
    options = {
        "weight": _optional(a["weight"]),
        "ignore_index": -1,
        "reduction": "sum" if case.one else "none",
    }
    dy = a["dy"].reshape(-1)[0] if case.one else a["dy"]
    results = {"dx": F.nll_loss_backward(dy, a["x"], a["target"], **options)}
    return results if case.one else results | {"loss": F.nll_loss(a["x"], a["target"], **options)}


def _dice(case: Dice, a: Arrays) -> Arrays:
    """Each row is a channel."""
    *pair, dy = (a[name][:, None] for name in ("x", "target", "dy"))
    loss = F.dice_loss(*pair, case.smooth, "none")
    if case.one:
        return {"dx": F.dice_loss_backward(dy[0, 0], *pair, case.smooth, "sum")[:, 0]}
    return {"loss": loss[:, 0], "dx": F.dice_loss_backward(dy, *pair, case.smooth, "none")[:, 0]}


def _margin(case: Margin, a: Arrays) -> Arrays:
    options = (case.p, case.margin, _optional(a["weight"]))
    if case.one:
        return {"dx": F.multi_margin_loss_backward(a["dy"][0], a["x"], a["target"], *options, "sum")}
    loss = F.multi_margin_loss(a["x"], a["target"], *options, "none")
    return {"loss": loss, "dx": F.multi_margin_loss_backward(a["dy"], a["x"], a["target"], *options, "none")}


APPLY: dict[type[Case], Callable[[Any, Arrays], Arrays]] = {
    Activation: _activation,
    AvgPool: _avg_pool,
    BatchNorm: _batch_norm,
    Conv: _conv,
    ConvTranspose: _conv_transpose,
    CrossEntropy: _cross_entropy,
    Dice: _dice,
    Embedding: _embedding,
    Glu: _glu,
    Im2col: _im2col,
    Linear: _linear,
    Local: _local,
    LogSoftmax: _log_softmax,
    Loss: _loss,
    LpPool: _lp_pool,
    Margin: _margin,
    MaxPool: _max_pool,
    Multiply: _multiply,
    Nll: _nll,
    PixelShuffle: _pixel_shuffle,
    PRelu: _prelu,
    Resample: _resample,
    Response: _response,
    RowNorm: _row_norm,
    SoftCrossEntropy: _cross_entropy,
    Softmax: _softmax,
    TakeRows: _take_rows,
    Unfold: _unfold,
}
