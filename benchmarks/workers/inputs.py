"""The numbers each row computes on: the same arrays, made from the same seed, in every library's process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SEED = 7

LENET: tuple[tuple[Any, ...], ...] = (
    ("conv", (6, 1, 5, 5), 2),
    ("relu",),
    ("pool", 2),
    ("conv", (16, 6, 5, 5), 0),
    ("relu",),
    ("pool", 2),
    ("flatten",),
    ("linear", (120, 400)),
    ("relu",),
    ("linear", (84, 120)),
    ("relu",),
    ("linear", (10, 84)),
)
"""LeNet-5 with max pooling and ReLU on 28x28 images: (kind, weight shape or window, padding)."""

SGD: dict[str, Any] = {"lr": 0.01, "momentum": 0.9}
ADAM: dict[str, Any] = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8}
NORM_EPS = 1e-5
GROUPS = 32
RESPONSE = {"size": 5, "alpha": 1e-4, "beta": 0.75, "k": 2.0}  # AlexNet's
BATCH_NORM_MOMENTUM = 0.1


def noise(rng: np.random.Generator, shape: Sequence[int], scale: float = 1.0) -> np.ndarray:
    """Uniform float32 numbers of mean 0 and standard deviation ``scale``."""
    values = rng.random(tuple(shape), dtype=np.float32)
    values -= np.float32(0.5)
    values *= np.float32(scale * 12**0.5)
    return values


def conv_out(params: dict[str, Any]) -> tuple[int, ...]:
    """The output shape (n, k, *spatial) of a convolution row."""
    axes = zip(
        params["x"][2:],
        params["kernel"],
        params["stride"],
        params["padding"],
        params["dilation"],
        strict=True,
    )
    spatial = ((size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in axes)
    return (params["x"][0], params["k"], *spatial)


def conv_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, weight, bias and dy of a convolution row; the weights keep the variance."""
    rng = np.random.default_rng(SEED)
    shape = (params["k"], params["x"][1] // params["groups"], *params["kernel"])
    return {
        "x": noise(rng, params["x"]),
        "weight": noise(rng, shape, float(np.prod(shape[1:])) ** -0.5),
        "bias": noise(rng, shape[:1]),
        "dy": noise(rng, conv_out(params)),
    }


def conv_transpose_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, weight, bias and dy of a row of a transposed convolution; the weights about keep the variance."""
    rng = np.random.default_rng(SEED)
    n, c, *spatial = params["x"]
    axes = zip(
        spatial,
        params["kernel"],
        params["stride"],
        params["padding"],
        params["dilation"],
        params["output_padding"],
        strict=True,
    )
    out = ((size - 1) * s - 2 * p + d * (k - 1) + 1 + extra for size, k, s, p, d, extra in axes)
    terms = c / params["groups"] * float(np.prod(params["kernel"])) / float(np.prod(params["stride"]))
    return {
        "x": noise(rng, params["x"]),
        "weight": noise(rng, (c, params["k"] // params["groups"], *params["kernel"]), terms**-0.5),
        "bias": noise(rng, (params["k"],)),
        "dy": noise(rng, (n, params["k"], *out)),
    }


def linear_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """x, weight, bias and dy of a linear row."""
    rng = np.random.default_rng(SEED)
    n, c = params["x"]
    return {
        "x": noise(rng, (n, c)),
        "weight": noise(rng, (params["k"], c), c**-0.5),
        "bias": noise(rng, (params["k"],)),
        "dy": noise(rng, (n, params["k"])),
    }


def pooled_size(size: int, params: dict[str, Any]) -> int:
    """The output size of a square window on an axis of ``size``."""
    return int((size + 2 * params["padding"] - params["kernel"]) // params["stride"] + 1)


def window_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """x of a pooling or im2col row, dy of pooling, and the unfolded matrix in PyTorch's layout."""
    rng = np.random.default_rng(SEED)
    n, c, h, w = params["x"]
    oh, ow = pooled_size(h, params), pooled_size(w, params)
    return {
        "x": noise(rng, params["x"]),
        "dy": noise(rng, (n, c, oh, ow)),
        "cols": noise(rng, (n, c * params["kernel"] ** 2, oh * ow)),
    }


def plane_arrays(params: dict[str, Any], weights: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """x, dy of an element-wise or normalisation row, and weight and bias, one a channel or of this shape."""
    rng = np.random.default_rng(SEED)
    weights = params["x"][1:2] if weights is None else weights
    return {
        "x": noise(rng, params["x"]),
        "dy": noise(rng, params["x"]),
        "weight": noise(rng, weights),
        "bias": noise(rng, weights),
    }


def pair_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """An output x and targets between 0 and 1, alike."""
    rng = np.random.default_rng(SEED)
    return {"x": noise(rng, params["x"]), "target": rng.random(tuple(params["x"]), dtype=np.float32)}


def resize_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """x of a resize row, and dy, which is larger by the scale."""
    rng = np.random.default_rng(SEED)
    n, c, h, w = params["x"]
    scale = params["scale"]
    return {"x": noise(rng, params["x"]), "dy": noise(rng, (n, c, h * scale, w * scale))}


def moved_arrays(params: dict[str, Any], y: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """x of a row that moves numbers, another like it, and dy, of the shape of x unless ``y`` says another."""
    rng = np.random.default_rng(SEED)
    return {
        "x": noise(rng, params["x"]),
        "other": noise(rng, params["x"]),
        "dy": noise(rng, params["x"] if y is None else y),
    }


def padded_shape(params: dict[str, Any]) -> tuple[int, ...]:
    """The shape of images with their border."""
    left, right, top, bottom = params["pad"]
    n, c, h, w = params["x"]
    return n, c, top + h + bottom, left + w + right


def shuffled_shape(params: dict[str, Any]) -> tuple[int, ...]:
    """The shape of images whose channels became pixels."""
    r = params["factor"]
    n, c, h, w = params["x"]
    return n, c // r**2, h * r, w * r


def class_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """Logits x (m, c, ...) and target (m, ...)."""
    rng = np.random.default_rng(SEED)
    m, c, *places = params["x"]
    return {"x": noise(rng, (m, c, *places)), "target": rng.integers(0, c, (m, *places))}


def mask_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """Probabilities x and masks, alike."""
    arrays = pair_arrays(params)
    return {"x": arrays["target"], "target": (arrays["x"] > 0).astype(np.float32)}


def vector_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """Three arrays (m, n) of vectors, and for each place 1 or -1."""
    rng = np.random.default_rng(SEED)
    vectors = {name: noise(rng, params["x"]) for name in ("first", "second", "third")}
    return vectors | {"target": rng.choice([-1.0, 1.0], params["x"][:1]).astype(np.float32)}


def adam_arrays(params: dict[str, Any]) -> dict[str, np.ndarray]:
    """A parameter and its gradient, 1-D."""
    rng = np.random.default_rng(SEED)
    return {"param": noise(rng, (params["size"],)), "grad": noise(rng, (params["size"],))}


def lenet_arrays(params: dict[str, Any]) -> dict[str, Any]:
    """Images x (n, 1, 28, 28), target (n,), and the (weight, bias) pairs of LeNet's layers in order."""
    rng = np.random.default_rng(SEED)
    n = params["batch"]
    shapes = [layer[1] for layer in LENET if layer[0] in ("conv", "linear")]
    pairs = [(noise(rng, s, float(np.prod(s[1:])) ** -0.5), noise(rng, s[:1], 0.1)) for s in shapes]
    return {"x": noise(rng, (n, 1, 28, 28)), "target": rng.integers(0, 10, n), "parameters": pairs}
