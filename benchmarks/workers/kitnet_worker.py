"""kitnet, through its public functions and layers: what a user calls, argument checks included.

With the argument ``plainly`` it is the peer of itself in the rows of variants: it leaves out what these vary.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import numpy as np

from workers import inputs
from workers.protocol import Operation, Prepared, in_turn, serve

PLAINLY = sys.argv[1:] == ["plainly"]


def load() -> tuple[dict[str, Any], dict[str, Operation]]:
    """Import kitnet and build the operations on it."""
    import kitnet
    from kitnet import functional as F
    from kitnet import layers, models, training
    from kitnet._config import info

    def fill(layer: Any, arrays: Iterable[np.ndarray]) -> None:
        """Set the layer's parameters, in order."""
        for parameter, values in zip(layer.parameters(), arrays, strict=True):
            parameter.data = values

    def conv(params: dict[str, Any], pass_: str) -> Prepared:
        names = ("stride", "padding", "dilation", "groups")
        return convolution("conv", inputs.conv_arrays(params), [params[name] for name in names], pass_)

    def conv_variant(params: dict[str, Any], pass_: str) -> Prepared:
        """In another dtype, or with scaled weights, whose results have none to compare with."""
        arrays, dtype, scale = inputs.conv_arrays(params), params.get("dtype", "float32"), params.get("scale")
        if PLAINLY:
            kitnet.set_config(winograd="auto" if dtype == "float32" else "never")
        else:
            arrays = {name: array.astype(dtype) for name, array in arrays.items()}
            arrays["weight"] *= scale or 1
        names = ("stride", "padding", "dilation", "groups")
        prepared = convolution("conv", arrays, [params[name] for name in names], pass_)
        return Prepared(prepared.call, lambda _: ()) if scale else prepared

    def conv_transpose(params: dict[str, Any], pass_: str) -> Prepared:
        names = ("stride", "padding", "output_padding", "groups", "dilation")
        arrays = inputs.conv_transpose_arrays(params)
        return convolution("conv_transpose", arrays, [params[name] for name in names], pass_)

    def convolution(op: str, arrays: dict[str, Any], geometry: list[Any], pass_: str) -> Prepared:
        x, weight, bias, dy = (arrays[name] for name in ("x", "weight", "bias", "dy"))
        ndim = x.ndim - 2
        forward = getattr(F, f"{op}{ndim}d")
        backward = getattr(F, f"{op}{ndim}d_backward")
        calls = {
            "forward": lambda: forward(x, weight, bias, *geometry),
            "backward": lambda: backward(dy, x, weight, *geometry),
            "forward+backward": lambda: [
                forward(x, weight, bias, *geometry),
                *backward(dy, x, weight, *geometry),
            ],
        }
        return Prepared(calls[pass_])

    def linear(params: dict[str, Any], pass_: str) -> Prepared:
        arrays = inputs.linear_arrays(params)
        x, weight, bias, dy = (arrays[name] for name in ("x", "weight", "bias", "dy"))
        if pass_ == "forward":
            return Prepared(lambda: F.linear(x, weight, bias))
        return Prepared(lambda: F.linear_backward(dy, x, weight))

    def columns(op: str) -> Operation:
        """``unfold``, ``im2col`` (one row a window) and their adjoints."""

        def operation(params: dict[str, Any], _: str) -> Prepared:
            arrays, shape, kernel = inputs.window_arrays(params), params["x"], params["kernel"]
            window = {"stride": params["stride"], "padding": params["padding"]}
            x, cols = arrays["x"], arrays["cols"]
            if op == "unfold":
                return Prepared(lambda: F.unfold(x, kernel, **window))
            if op == "fold":
                return Prepared(lambda: F.fold(cols, shape[2:], kernel, **window))
            if op == "im2col":
                return Prepared(lambda: F.im2col(x, kernel, **window))
            rows = np.ascontiguousarray(cols.transpose(0, 2, 1)).reshape(-1, cols.shape[1])
            return Prepared(lambda: F.col2im(rows, shape, kernel, **window))

        return operation

    def max_pool(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.window_arrays(params)
        x, dy = arrays["x"], arrays["dy"]
        window = [params[name] for name in ("kernel", "stride", "padding")]

        def call() -> Any:
            y, indices = F.max_pool2d(x, *window, return_indices=True)
            return y, F.max_pool2d_backward(dy, indices, x.shape)

        return Prepared(call)

    def avg_pool(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.window_arrays(params)
        x, dy = arrays["x"], arrays["dy"]
        window = [params[name] for name in ("kernel", "stride", "padding")]
        return Prepared(lambda: (F.avg_pool2d(x, *window), F.avg_pool2d_backward(dy, x.shape, *window)))

    def resize(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.resize_arrays(params)
        x, dy = arrays["x"], arrays["dy"]
        how = {
            "scale_factor": params["scale"],
            "mode": params["mode"],
            "align_corners": params["align_corners"],
        }
        return Prepared(lambda: (F.interpolate(x, **how), F.interpolate_backward(dy, x.shape, **how)))

    def pad(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.moved_arrays(params, inputs.padded_shape(params))
        x, dy, how = arrays["x"], arrays["dy"], (tuple(params["pad"]), params["mode"])
        return Prepared(lambda: (F.pad(x, *how), F.pad_backward(dy, x.shape, *how)))

    def channel_shuffle(params: dict[str, Any], _: str) -> Prepared:
        arrays, groups = inputs.moved_arrays(params), params["groups"]
        x, dy = arrays["x"], arrays["dy"]
        return Prepared(lambda: (F.channel_shuffle(x, groups), F.channel_shuffle_backward(dy, groups)))

    def pixel_shuffle(params: dict[str, Any], _: str) -> Prepared:
        arrays, factor = inputs.moved_arrays(params, inputs.shuffled_shape(params)), params["factor"]
        x, dy = arrays["x"], arrays["dy"]
        return Prepared(lambda: (F.pixel_shuffle(x, factor), F.pixel_shuffle_backward(dy, factor)))

    def join(layer: Any) -> Operation:
        def prepare(params: dict[str, Any], _: str) -> Prepared:
            arrays = inputs.moved_arrays(params)
            return Prepared(lambda: layer(arrays["x"], arrays["other"]))

        return prepare

    def softmax(params: dict[str, Any], _: str) -> Prepared:
        arrays, axis = inputs.plane_arrays(params), params["axis"]

        def call() -> Any:
            y = F.softmax(arrays["x"], axis)
            return y, F.softmax_backward(arrays["dy"], y, axis)

        return Prepared(call)

    def norm(make: Callable[[Any], Any]) -> Operation:
        """A training step of the norm that ``make`` makes for the shape of x."""

        def prepare(params: dict[str, Any], _: str) -> Prepared:
            layer = make(params["x"])
            arrays = inputs.plane_arrays(params, layer.weight.shape)
            fill(layer, (arrays["weight"], arrays["bias"]))
            x, dy = arrays["x"], arrays["dy"]

            def call() -> Any:
                layer.zero_grad()
                y, pullback = layer.vjp(x)
                return y, pullback(dy), *(parameter.grad for parameter in layer.parameters())

            return Prepared(call)

        return prepare

    def local_response_norm(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.plane_arrays(params)
        x, dy, how = arrays["x"], arrays["dy"], inputs.RESPONSE
        forward, backward = F.local_response_norm, F.local_response_norm_backward
        return Prepared(lambda: (forward(x, **how), backward(dy, x, **how)))

    def activation(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.plane_arrays(params)
        x, dy, kind = arrays["x"], arrays["dy"], params["kind"]
        forward, backward = getattr(F, kind), getattr(F, f"{kind}_backward")
        from_output = kind in ("relu", "sigmoid")

        def call() -> Any:
            y = forward(x)
            return y, backward(dy, y if from_output else x)

        return Prepared(call)

    def loss(kind: str, arrays: Callable[[dict[str, Any]], dict[str, Any]], *names: str) -> Operation:
        """The loss of that name, of these arrays, and its gradients."""
        forward, backward = getattr(F, kind), getattr(F, f"{kind}_backward")

        def prepare(params: dict[str, Any], _: str) -> Prepared:
            made = arrays(params)
            given = [made[name] for name in names]

            def call() -> Any:
                value, gradients = forward(*given), backward(1.0, *given)
                return value, *(gradients if isinstance(gradients, tuple) else (gradients,))

            return Prepared(call)

        return prepare

    def element_loss(params: dict[str, Any], pass_: str) -> Prepared:
        return loss(params["kind"], inputs.pair_arrays, "x", "target")(params, pass_)

    def cross_entropy(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.class_arrays(params)
        x, target = arrays["x"], arrays["target"]
        criterion = training.CrossEntropyLoss(label_smoothing=params.get("label_smoothing", 0.0))

        def call() -> Any:
            loss, pullback = criterion.vjp(x, target)
            return loss, pullback()

        return Prepared(call)

    def adam(params: dict[str, Any], _: str) -> Prepared:
        arrays = inputs.adam_arrays(params)
        param, grad = arrays["param"], arrays["grad"]
        m, v = np.zeros_like(param), np.zeros_like(param)
        numbers = inputs.ADAM["lr"], *inputs.ADAM["betas"], inputs.ADAM["eps"]
        steps = iter(range(1, 1 << 30))

        def call() -> Any:
            F.adam_step(param, grad, m, v, next(steps), *numbers)
            return param

        return Prepared(call)

    def network(pairs: list[Any]) -> Any:
        """LeNet with the given weights."""
        made: list[Any] = []
        for kind, *details in inputs.LENET:
            if kind == "conv":
                (out, into, *kernel), padding = details
                made.append(layers.Conv2d(into, out, kernel, padding=padding))
            elif kind == "linear":
                out, into = details[0]
                made.append(layers.Linear(into, out))
            else:
                made.append(
                    {"relu": layers.ReLU, "pool": layers.MaxPool2d, "flatten": layers.Flatten}[kind](*details)
                )
        model = models.Sequential(*made)
        fill(model, chain.from_iterable(pairs))
        return model

    def lenet(params: dict[str, Any], pass_: str) -> Prepared:
        arrays = inputs.lenet_arrays(params)
        model, x, target = network(arrays["parameters"]), arrays["x"], arrays["target"]
        if pass_ == "forward":
            return Prepared(lambda: model(x))
        criterion = training.CrossEntropyLoss()
        optimizer = training.SGD(model, **inputs.SGD)

        def call() -> Any:
            y, pullback = model.vjp(x, input_grad=False)
            loss, loss_pullback = criterion.vjp(y, target)
            optimizer.zero_grad()
            pullback(loss_pullback())
            optimizer.step()
            return loss

        return Prepared(call)

    operations: dict[str, Operation] = {
        "conv": conv,
        "conv_variant": conv_variant,
        "article_conv": conv,
        "article_convs": in_turn(conv),
        "conv_transpose": conv_transpose,
        "linear": linear,
        **{op: columns(op) for op in ("im2col", "unfold", "col2im", "fold")},
        "max_pool": max_pool,
        "avg_pool": avg_pool,
        "resize": resize,
        "pad": pad,
        "channel_shuffle": channel_shuffle,
        "pixel_shuffle": pixel_shuffle,
        "add": join(layers.Add()),
        "cat": join(layers.Cat()),
        "softmax": softmax,
        "activation": activation,
        "element_loss": element_loss,
        "batch_norm": norm(lambda x: layers.BatchNorm2d(x[1], inputs.NORM_EPS, inputs.BATCH_NORM_MOMENTUM)),
        "layer_norm": norm(lambda x: layers.LayerNorm(x[1:], inputs.NORM_EPS)),
        "group_norm": norm(lambda x: layers.GroupNorm(inputs.GROUPS, x[1], inputs.NORM_EPS)),
        "local_response_norm": local_response_norm,
        "instance_norm": norm(lambda x: layers.InstanceNorm2d(x[1], inputs.NORM_EPS, affine=True)),
        "cross_entropy": cross_entropy,
        "nll_loss": loss("nll_loss", inputs.class_arrays, "x", "target"),
        "dice_loss": loss("dice_loss", inputs.mask_arrays, "x", "target"),
        "multi_margin_loss": loss("multi_margin_loss", inputs.class_arrays, "x", "target"),
        "cosine_embedding_loss": loss(
            "cosine_embedding_loss", inputs.vector_arrays, "first", "second", "target"
        ),
        "triplet_margin_loss": loss("triplet_margin_loss", inputs.vector_arrays, "first", "second", "third"),
        "adam": adam,
        "lenet": lenet,
    }
    about = {
        "version": kitnet.__version__,
        "backend": kitnet.backend(),
        "instruction set": info().get("instruction set", "none"),
        "threads": kitnet.get_num_threads(),
    }
    if PLAINLY:
        return {"version": "in float32 and without denormal numbers"}, {"conv_variant": conv_variant}
    return about, operations


if __name__ == "__main__":
    serve(load)
