"""One valid call of every public function, by parameter name: what the tests of arguments vary."""

from typing import Any

import numpy as np

from kitnet import functional as F

Arguments = dict[str, Any]


def _windowed(rng: np.random.Generator, n: int, ndim: int) -> dict[str, Arguments]:
    """The calls of the functions of so many spatial axes: size 5, kernel 3, so output size 3."""

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    x, y, dy = floats(n, 2, *(5,) * ndim), abs(floats(n, 2, *(3,) * ndim)) + 1, floats(n, 2, *(3,) * ndim)
    weight, maps = floats(4, 2, *(3,) * ndim), floats(n, 4, *(3,) * ndim)
    local = floats(*(3,) * ndim, *weight.shape)
    indices = rng.integers(0, 5**ndim, dy.shape, np.int32)
    window = {"kernel_size": 3, "stride": 1}
    d = f"{ndim}d"
    places = np.broadcast_to(2 * np.arange(3**ndim).reshape(dy.shape[2:]), dy.shape).astype(np.int32)
    unpooling = {"indices": places, "kernel_size": 2}
    return {
        f"adaptive_avg_pool{d}": {"x": x, "output_size": 3},
        f"adaptive_avg_pool{d}_backward": {"dy": dy, "input_shape": x.shape, "output_size": 3},
        f"adaptive_max_pool{d}": {"x": x, "output_size": 3, "return_indices": True},
        f"adaptive_max_pool{d}_backward": {"dy": dy, "indices": indices, "input_shape": x.shape},
        f"dropout{d}": {"x": x, "mask": abs(x[(..., *(0,) * ndim)])},
        f"dropout{d}_backward": {"dy": x, "mask": abs(x[(..., *(0,) * ndim)])},
        f"max_unpool{d}": {"x": dy, **unpooling},
        f"max_unpool{d}_backward": {"dy": floats(n, 2, *(6,) * ndim), **unpooling},
        f"conv{d}": {"x": x, "weight": weight, "bias": floats(4)},
        f"conv{d}_backward": {"dy": maps, "x": x, "weight": weight},
        f"conv_transpose{d}": {"x": maps, "weight": weight, "bias": floats(2)},
        f"conv_transpose{d}_backward": {"dy": x, "x": maps, "weight": weight},
        f"locally_connected{d}": {"x": x, "weight": local, "bias": floats(*local.shape[ndim::-1])},
        f"locally_connected{d}_backward": {"dy": maps, "x": x, "weight": local},
        f"max_pool{d}": {"x": x, **window, "return_indices": True},
        f"max_pool{d}_backward": {"dy": dy, "indices": indices, "input_shape": x.shape},
        f"avg_pool{d}": {"x": x, **window},
        f"avg_pool{d}_backward": {"dy": dy, "input_shape": x.shape, **window},
        f"sum_pool{d}": {"x": x, **window},
        f"sum_pool{d}_backward": {"dy": dy, "input_shape": x.shape, **window},
        f"lp_pool{d}": {"x": x, "norm_type": 2, **window},
        f"lp_pool{d}_backward": {"dy": dy, "x": x, "y": y, "norm_type": 2, **window},
    }


def _steps(rng: np.random.Generator) -> dict[str, Arguments]:
    """The calls of the optimizers' steps."""

    def arrays(*names: str) -> Arguments:
        return {name: abs(rng.standard_normal(6, np.float32)) for name in ("param", "grad", *names)}

    def matrices(**shapes: tuple[int, int]) -> Arguments:
        shapes = {"param": (2, 3), "grad": (2, 3), **shapes}
        return {name: abs(rng.standard_normal(shape, np.float32)) for name, shape in shapes.items()}

    return {
        "sgd_step": {**arrays("velocity"), "momentum": 0.9},
        "asgd_step": arrays("average"),
        "lion_step": arrays("m"),
        "average_step": {"average": arrays()["param"], "param": arrays()["param"], "weight": 0.5},
        "adam_step": {**arrays("m", "v", "max_v"), "step": 1},
        "nadam_step": {**arrays("m", "v"), "step": 1, "mu_product": 0.4},
        "radam_step": {**arrays("m", "v"), "step": 1},
        "adamax_step": {**arrays("m", "u"), "step": 1},
        "adagrad_step": {**arrays("total"), "step": 1},
        "rmsprop_step": {**arrays("square", "mean", "velocity"), "momentum": 0.9},
        "adadelta_step": arrays("square", "change"),
        "rprop_step": arrays("previous", "size"),
        "lars_step": arrays("velocity"),
        "lamb_step": {**arrays("m", "v"), "step": 1},
        "adafactor_step": {**matrices(row_var=(2, 1), col_var=(1, 3)), "variance": None, "step": 1},
        "muon_step": matrices(velocity=(2, 3)),
    }


FROM_OUTPUT = ("relu", "relu6", "hardtanh", "sigmoid", "tanh", "softmax", "log_softmax", "softmin")
FROM_INPUT = (
    *("leaky_relu", "elu", "celu", "selu", "gelu", "silu", "mish", "softplus", "softsign", "logsigmoid"),
    *("hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink"),
)


def _activations(x: np.ndarray) -> dict[str, Arguments]:
    """Those that take x alone; going back also y or x."""
    calls: dict[str, Arguments] = {name: {"x": x} for name in FROM_OUTPUT + FROM_INPUT}
    calls |= {f"{name}_backward": {"dy": x, "y": x} for name in FROM_OUTPUT}
    return calls | {f"{name}_backward": {"dy": x, "x": x} for name in FROM_INPUT}


def _losses(rng: np.random.Generator, n: int) -> dict[str, Arguments]:
    """Every loss but those that take weights and classes for each place."""

    def floats(*shape: int) -> np.ndarray:
        return rng.random(shape, np.float32)

    pair = {"x": floats(n, 3, 5), "target": floats(n, 3, 5)}
    logits = {"logits": floats(n, 3, 5), "target": floats(n, 3, 5)}
    weight, vectors = floats(5), [floats(n, 4) for _ in range(3)]
    calls: dict[str, Arguments] = dict.fromkeys(
        (
            *("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "kl_div", "poisson_nll_loss"),
            *("soft_margin_loss", "hinge_loss", "hinge_embedding_loss", "dice_loss"),
        ),
        pair,
    )
    calls["sigmoid_focal_loss"] = {**logits, "reduction": "mean"}
    calls["binary_cross_entropy"] = {**pair, "weight": weight}
    calls["binary_cross_entropy_with_logits"] = {**logits, "weight": weight, "pos_weight": weight}
    calls["multi_margin_loss"] = {
        "x": floats(n, 5),
        "target": rng.integers(0, 5, n),
        "weight": weight,
    }
    calls["cosine_embedding_loss"] = {"x1": vectors[0], "x2": vectors[1], "target": floats(n)}
    calls["triplet_margin_loss"] = dict(zip(("anchor", "positive", "negative"), vectors, strict=True))
    return calls | {f"{name}_backward": {"dy": 1.0, **arguments} for name, arguments in calls.items()}


def valid_calls(n: int = 2) -> dict[str, Arguments]:
    """The calls for a batch of ``n``; fresh arrays of float32 each time."""
    rng = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    x, target = floats(n, 3, 4, 5), rng.integers(0, 3, (n, 4, 5))
    mean, var = floats(3), abs(floats(3)) + 1
    plane = floats(4, 5)
    features = floats(n, 4)
    cols, rows = floats(n, 3 * 4, 12), floats(n * 12, 3 * 4)
    calls: dict[str, Arguments] = {
        "linear": {"x": features, "weight": floats(5, 4), "bias": floats(5)},
        "linear_backward": {"dy": floats(n, 5), "x": features, "weight": floats(5, 4)},
        "unfold": {"x": x, "kernel_size": 2},
        "fold": {"cols": cols, "output_size": (4, 5), "kernel_size": 2},
        "im2col": {"x": x, "kernel_size": 2},
        "col2im": {"cols": rows, "input_shape": x.shape, "kernel_size": 2},
        "pad": {"x": x, "pad": (1, 2), "mode": "reflect"},
        "pad_backward": {"dy": floats(n, 3, 4, 8), "input_shape": x.shape, "pad": (1, 2), "mode": "reflect"},
        "interpolate": {"x": x, "scale_factor": 1.5, "mode": "bilinear"},
        "interpolate_backward": {
            "dy": floats(n, 3, 6, 7),
            "input_shape": x.shape,
            "scale_factor": 1.5,
            "mode": "bilinear",
        },
        "threshold": {"x": x, "threshold": 0.5, "value": 20.0},
        "threshold_backward": {"dy": x, "x": x, "threshold": 0.5},
        "prelu": {"x": x, "weight": mean},
        "prelu_backward": {"dy": x, "x": x, "weight": mean},
        "glu": {"x": x, "axis": 2},
        "glu_backward": {"dy": floats(n, 3, 2, 5), "x": x, "axis": 2},
        "cross_entropy": {"logits": x, "target": target, "weight": mean},
        "cross_entropy_backward": {"dy": 1.0, "logits": x, "target": target, "weight": mean},
        "nll_loss": {"x": x, "target": target, "weight": mean},
        "nll_loss_backward": {"dy": 1.0, "x": x, "target": target, "weight": mean},
        "batch_norm": {"x": x, "running_mean": mean, "running_var": var, "weight": mean, "bias": var},
        "batch_norm_backward": {
            "dy": x,
            "x": x,
            "running_mean": mean,
            "running_var": var,
            "weight": mean,
        },
        "batch_norm_train": {"x": x, "weight": mean, "bias": var},
        "batch_norm_train_backward": {"dy": x, "x": x, "mean": mean, "var": var, "weight": mean},
        "layer_norm": {"x": x, "normalized_shape": (4, 5), "weight": plane, "bias": plane},
        "layer_norm_backward": {
            "dy": x,
            "x": x,
            "normalized_shape": (4, 5),
            "mean": floats(n, 3),
            "rstd": abs(floats(n, 3)),
            "weight": plane,
        },
        "rms_norm": {"x": x, "normalized_shape": (4, 5), "weight": plane},
        "rms_norm_backward": {
            "dy": x,
            "x": x,
            "normalized_shape": (4, 5),
            "rstd": abs(floats(n, 3)),
            "weight": plane,
        },
        "group_norm": {"x": x, "num_groups": 1, "weight": mean, "bias": var},
        "group_norm_backward": {
            "dy": x,
            "x": x,
            "num_groups": 1,
            "mean": floats(n, 1),
            "rstd": abs(floats(n, 1)),
            "weight": mean,
        },
        "instance_norm": {"x": x, "weight": mean, "bias": var},
        "instance_norm_backward": {
            "dy": x,
            "x": x,
            "mean": floats(n, 3),
            "rstd": abs(floats(n, 3)),
            "weight": mean,
        },
        "local_response_norm": {"x": x, "size": 2},
        "local_response_norm_backward": {"dy": x, "x": x, "size": 2},
        "weight_norm": {"v": floats(3, 2), "g": floats(3, 1)},
        "weight_norm_backward": {"dw": floats(3, 2), "v": floats(3, 2), "g": floats(3, 1)},
        "fold_batch_norm": {
            "weight": floats(3, 2),
            "bias": mean,
            "running_mean": mean,
            "running_var": var,
            "norm_weight": mean,
            "norm_bias": mean,
        },
        "dropout_mask": {"shape": x.shape, "rng": np.random.default_rng(1)},
        "dropout": {"x": x, "mask": abs(x)},
        "dropout_backward": {"dy": x, "mask": abs(x)},
        "alpha_dropout": {"x": x, "mask": abs(x)},
        "alpha_dropout_backward": {"dy": x, "mask": abs(x)},
        "stochastic_depth": {"x": x, "mask": abs(features[:, 0])},
        "stochastic_depth_backward": {"dy": x, "mask": abs(features[:, 0])},
        "scale_channels": {"x": x, "scale": floats(n, 3), "shift": floats(n, 3)},
        "scale_channels_backward": {"dy": x, "x": x, "scale": floats(n, 3)},
        "pixel_shuffle": {"x": floats(n, 8, 2, 3), "upscale_factor": 2},
        "pixel_shuffle_backward": {"dy": floats(n, 2, 4, 6), "upscale_factor": 2},
        "pixel_unshuffle": {"x": floats(n, 2, 4, 6), "downscale_factor": 2},
        "pixel_unshuffle_backward": {"dy": floats(n, 8, 2, 3), "downscale_factor": 2},
        "channel_shuffle": {"x": floats(n, 6, 3), "groups": 2},
        "channel_shuffle_backward": {"dy": floats(n, 6, 3), "groups": 2},
        "embedding": {"x": rng.integers(0, 3, (n, 5)), "weight": floats(4, 3)},
        "embedding_backward": {
            "dy": floats(n, 5, 3),
            "x": rng.integers(0, 3, (n, 5)),
            "num_embeddings": 4,
        },
        "bilinear": {"x1": features, "x2": floats(n, 3), "weight": floats(5, 4, 3), "bias": floats(5)},
        "bilinear_backward": {
            "dy": floats(n, 5),
            "x1": features,
            "x2": floats(n, 3),
            "weight": floats(5, 4, 3),
        },
    }
    calls["unfold_backward"], calls["fold_backward"] = calls["fold"], calls["unfold"]
    calls["im2col_backward"], calls["col2im_backward"] = calls["col2im"], calls["im2col"]
    calls |= _activations(x) | _losses(rng, n)
    return calls | _steps(rng) | _windowed(rng, n, 1) | _windowed(rng, n, 2) | _windowed(rng, n, 3)


def call(name: str, arguments: Arguments, **changes: Any) -> Any:
    """Call the public function ``name``."""
    return getattr(F, name)(**(arguments | changes))


def arrays_of(arguments: Arguments) -> dict[str, np.ndarray]:
    """The arguments that are arrays."""
    return {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}


def results_of(result: Any) -> list[Any]:
    """A function's results, as a list."""
    return list(result) if isinstance(result, tuple) else [] if result is None else [result]
