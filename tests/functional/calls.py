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
        f"max_pool{d}": {"x": x, **window, "return_indices": True},
        f"max_pool{d}_backward": {"dy": dy, "indices": indices, "input_shape": x.shape},
        f"avg_pool{d}": {"x": x, **window},
        f"avg_pool{d}_backward": {"dy": dy, "input_shape": x.shape, **window},
        f"sum_pool{d}": {"x": x, **window},
        f"sum_pool{d}_backward": {"dy": dy, "input_shape": x.shape, **window},
        f"lp_pool{d}": {"x": x, "norm_type": 2, **window},
        f"lp_pool{d}_backward": {"dy": dy, "x": x, "y": y, "norm_type": 2, **window},
    }


def valid_calls(n: int = 2) -> dict[str, Arguments]:
    """The calls for a batch of ``n``; fresh arrays of float32 each time."""
    rng = np.random.default_rng(0)

    def floats(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape, np.float32)

    x, target = floats(n, 3, 4, 5), rng.integers(0, 3, (n, 4, 5))
    mean, var = floats(3), abs(floats(3)) + 1
    features, local = floats(n, 4), floats(5, 2, 3, 3)
    signal, delta = floats(n, 3, 7), floats(n, 2, 5)
    cols, rows = floats(n, 3 * 4, 12), floats(n * 12, 3 * 4)
    param, grad, m, v = (abs(floats(6)) for _ in range(4))
    calls: dict[str, Arguments] = {
        "linear": {"x": features, "weight": floats(5, 4), "bias": floats(5)},
        "linear_backward": {"dy": floats(n, 5), "x": features, "weight": floats(5, 4)},
        "locally_connected1d": {"x": signal, "weight": local, "bias": floats(2, 5)},
        "locally_connected1d_backward": {"dy": delta, "x": signal, "weight": local},
        "unfold": {"x": x, "kernel_size": 2},
        "fold": {"cols": cols, "output_size": (4, 5), "kernel_size": 2},
        "im2col": {"x": x, "kernel_size": 2},
        "col2im": {"cols": rows, "input_shape": x.shape, "kernel_size": 2},
        "relu": {"x": x},
        "relu_backward": {"dy": x, "y": x},
        "interpolate": {"x": x, "scale_factor": 1.5, "mode": "bilinear"},
        "interpolate_backward": {
            "dy": floats(n, 3, 6, 7),
            "input_shape": x.shape,
            "scale_factor": 1.5,
            "mode": "bilinear",
        },
        "softmax": {"x": x, "axis": 1},
        "softmax_backward": {"dy": x, "y": x, "axis": 1},
        "cross_entropy": {"logits": x, "target": target},
        "cross_entropy_backward": {"dy": 1.0, "logits": x, "target": target},
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
        "sgd_step": {"param": param, "grad": grad, "velocity": m, "momentum": 0.9},
        "adam_step": {"param": param, "grad": grad, "m": m, "v": v, "step": 1},
    }
    calls["unfold_backward"], calls["fold_backward"] = calls["fold"], calls["unfold"]
    calls["im2col_backward"], calls["col2im_backward"] = calls["col2im"], calls["im2col"]
    return calls | _windowed(rng, n, 1) | _windowed(rng, n, 2) | _windowed(rng, n, 3)


def call(name: str, arguments: Arguments, **changes: Any) -> Any:
    """Call the public function ``name``."""
    return getattr(F, name)(**(arguments | changes))


def arrays_of(arguments: Arguments) -> dict[str, np.ndarray]:
    """The arguments that are arrays."""
    return {name: value for name, value in arguments.items() if isinstance(value, np.ndarray)}


def results_of(result: Any) -> list[Any]:
    """A function's results, as a list."""
    return list(result) if isinstance(result, tuple) else [] if result is None else [result]
