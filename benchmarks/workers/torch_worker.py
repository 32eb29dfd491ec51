"""PyTorch, in its default memory format or, with the argument ``channels_last``, in the other one.

Inputs, gradients and weights are put into the format before the clock starts. Forward rows run in
inference mode; backward rows call the operators that autograd would call (``aten::convolution_backward``
and so on), so that its own bookkeeping is not counted against PyTorch. Only whole training steps run
through autograd, and losses that are no operators: Dice's, and those of vectors. Optimizers come in three
implementations (``fused``, ``foreach``, one by one): in those each is tried and the fastest is timed; Adam's
rows say which one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from workers import inputs
from workers.protocol import Operation, Prepared, Skip, serve
from workers.torch_losses import losses
from workers.torch_moves import moves

TRIAL_CALLS = 5


def load(channels_last: bool) -> tuple[dict[str, Any], dict[str, Operation]]:
    """Import PyTorch and bind the operations to a memory format."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    aten = torch.ops.aten
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}

    def tensor(array: Any) -> Any:
        """The array as a tensor of its own, in the memory format of this worker."""
        made = torch.from_numpy(array).clone()
        return made.to(memory_format=formats[array.ndim]) if channels_last and array.ndim in formats else made

    def tensors(arrays: dict[str, Any], *names: str) -> list[Any]:
        return [tensor(arrays[name]) for name in names]

    def plain(result: Any) -> Any:
        """Tensors as NumPy arrays in NCHW."""
        results = result if isinstance(result, (tuple, list)) else (result,)
        return [r.detach().contiguous().numpy() for r in results]

    def only_default(what: str) -> None:
        if channels_last:
            raise Skip(f"{what} has no channels_last")

    def quiet(call: Callable[[], Any], canonical: Callable[[Any], Any] = plain) -> Prepared:
        """``call`` in inference mode."""

        def run() -> Any:
            with torch.inference_mode():
                return call()

        return Prepared(run, canonical)

    def fastest(make: Callable[[dict[str, bool]], Callable[[], Any]]) -> Prepared:
        """The fastest of the optimizer's implementations; ``make`` builds one training step with it."""
        trials: list[tuple[float, int, dict[str, bool]]] = []
        for choice in ({"fused": True}, {"foreach": True}, {"foreach": False}):
            call = make(choice)
            for _ in range(TRIAL_CALLS):
                call()
            start = time.perf_counter()
            for _ in range(TRIAL_CALLS):
                call()
            trials.append((time.perf_counter() - start, len(trials), choice))
        return Prepared(make(min(trials)[2]), plain)

    def conv(params: dict[str, Any], pass_: str) -> Prepared:
        ndim = len(params["kernel"])
        if ndim == 1:
            only_default("1-D")
        x, weight, bias, dy = tensors(inputs.conv_arrays(params), "x", "weight", "bias", "dy")
        function = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[ndim]
        geometry = params["stride"], params["padding"], params["dilation"]
        groups = params["groups"]
        if pass_ == "forward":
            return quiet(lambda: function(x, weight, bias, *geometry, groups))
        zeros, mask = [0] * ndim, [True] * 3
        return quiet(
            lambda: aten.convolution_backward(
                dy, x, weight, [params["k"]], *geometry, False, zeros, groups, mask
            )
        )

    def conv_transpose(params: dict[str, Any], pass_: str) -> Prepared:
        ndim = len(params["kernel"])
        if ndim == 1:
            only_default("1-D")
        x, weight, bias, dy = tensors(inputs.conv_transpose_arrays(params), "x", "weight", "bias", "dy")
        function = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[ndim]
        stride, padding, extra, groups, dilation = (
            params[name] for name in ("stride", "padding", "output_padding", "groups", "dilation")
        )
        if pass_ == "forward":
            return quiet(lambda: function(x, weight, bias, stride, padding, extra, groups, dilation))
        return quiet(
            lambda: aten.convolution_backward(
                dy, x, weight, [params["k"]], stride, padding, dilation, True, extra, groups, [True] * 3
            )
        )

    def linear(params: dict[str, Any], pass_: str) -> Prepared:
        only_default("linear")
        x, weight, bias, dy = tensors(inputs.linear_arrays(params), "x", "weight", "bias", "dy")
        if pass_ == "forward":
            return quiet(lambda: F.linear(x, weight, bias))
        return quiet(lambda: (dy @ weight, dy.t() @ x, dy.sum(0)))

    def unfold(params: dict[str, Any], _: str) -> Prepared:
        only_default("unfold")
        (x,) = tensors(inputs.window_arrays(params), "x")
        return quiet(
            lambda: F.unfold(x, params["kernel"], padding=params["padding"], stride=params["stride"])
        )

    def fold(params: dict[str, Any], _: str) -> Prepared:
        only_default("fold")
        (cols,) = tensors(inputs.window_arrays(params), "cols")
        size = params["x"][2:]
        return quiet(
            lambda: F.fold(cols, size, params["kernel"], padding=params["padding"], stride=params["stride"])
        )

    def max_pool(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.window_arrays(params), "x", "dy")
        window = [[params[name]] * 2 for name in ("kernel", "stride", "padding")]

        def call() -> Any:
            y, index = aten.max_pool2d_with_indices(x, *window)
            return y, aten.max_pool2d_with_indices_backward(dy, x, *window, [1, 1], False, index)

        return quiet(call)

    def avg_pool(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.window_arrays(params), "x", "dy")
        window = [[params[name]] * 2 for name in ("kernel", "stride", "padding")]

        def call() -> Any:
            return aten.avg_pool2d(x, *window), aten.avg_pool2d_backward(dy, x, *window, False, True, None)

        return quiet(call)

    def resize(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.resize_arrays(params), "x", "dy")
        size, scale = dy.shape[2:], params["scale"]
        how = {"scale_factor": scale, "mode": params["mode"], "align_corners": params["align_corners"]}
        backward = getattr(aten, f"upsample_{params['mode']}2d_backward")
        moves: list[Any] = [scale, scale]
        if params["mode"] != "nearest":
            moves = [params["align_corners"], scale, scale]
        return quiet(lambda: (F.interpolate(x, **how), backward(dy, size, x.shape, *moves)))

    def softmax(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.plane_arrays(params), "x", "dy")
        axis = params["axis"]

        def call() -> Any:
            y = torch.softmax(x, axis)
            return y, aten._softmax_backward_data(dy, y, axis, torch.float32)

        return quiet(call)

    def batch_norm(params: dict[str, Any], _: str) -> Prepared:
        x, dy, weight, bias = tensors(inputs.plane_arrays(params), "x", "dy", "weight", "bias")
        mean, var = torch.zeros_like(bias), torch.ones_like(bias)
        momentum, eps = inputs.BATCH_NORM_MOMENTUM, inputs.NORM_EPS
        mask = [True] * 3

        def call() -> Any:
            y, m, i = aten.native_batch_norm(x, weight, bias, mean, var, True, momentum, eps)
            return y, *aten.native_batch_norm_backward(dy, x, weight, mean, var, m, i, True, eps, mask)

        return quiet(call)

    def layer_norm(params: dict[str, Any], _: str) -> Prepared:
        shape = list(params["x"][1:])
        x, dy, weight, bias = tensors(inputs.plane_arrays(params, shape), "x", "dy", "weight", "bias")
        mask = [True] * 3

        def call() -> Any:
            y, mean, rstd = aten.native_layer_norm(x, shape, weight, bias, inputs.NORM_EPS)
            return y, *aten.native_layer_norm_backward(dy, x, shape, mean, rstd, weight, bias, mask)

        return quiet(call)

    def group_norm(params: dict[str, Any], _: str) -> Prepared:
        x, dy, weight, bias = tensors(inputs.plane_arrays(params), "x", "dy", "weight", "bias")
        sizes = *x.shape[:2], x[0, 0].numel(), inputs.GROUPS
        mask = [True] * 3

        def call() -> Any:
            y, mean, rstd = aten.native_group_norm(x, weight, bias, *sizes, inputs.NORM_EPS)
            return y, *aten.native_group_norm_backward(dy, x, mean, rstd, weight, *sizes, mask)

        return quiet(call)

    def instance_norm(params: dict[str, Any], _: str) -> Prepared:
        """As ATen does it: batch norm of one sample with N C channels, for which it copies to NCHW."""
        x, dy, weight, bias = tensors(inputs.plane_arrays(params), "x", "dy", "weight", "bias")
        n, c = x.shape[:2]
        one, mask = (1, n * c, *x.shape[2:]), [True] * 3

        def call() -> Any:
            planes, slopes = x.contiguous().view(one), dy.contiguous().view(one)
            weights, biases = weight.repeat(n), bias.repeat(n)
            y, m, i = aten.native_batch_norm(planes, weights, biases, None, None, True, 0.0, inputs.NORM_EPS)
            dx, dw, db = aten.native_batch_norm_backward(
                slopes, planes, weights, None, None, m, i, True, inputs.NORM_EPS, mask
            )
            return y.view(x.shape), dx.view(x.shape), dw.view(n, c).sum(0), db.view(n, c).sum(0)

        return quiet(call)

    def local_response_norm(params: dict[str, Any], _: str) -> Prepared:
        """PyTorch composes it of others, so that its gradient comes from autograd alone."""
        x, dy = tensors(inputs.plane_arrays(params), "x", "dy")
        leaf = x.detach().requires_grad_()

        def call() -> Any:
            y = F.local_response_norm(leaf, **inputs.RESPONSE)
            return y.detach(), *torch.autograd.grad(y, leaf, dy)

        return Prepared(call, plain)

    activations: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any, Any], Any]]] = {
        "relu": (torch.relu, lambda dy, x, y: aten.threshold_backward(dy, y, 0)),
        "leaky_relu": (F.leaky_relu, lambda dy, x, y: aten.leaky_relu_backward(dy, x, 0.01, False)),
        "hardswish": (F.hardswish, lambda dy, x, y: aten.hardswish_backward(dy, x)),
        "sigmoid": (torch.sigmoid, lambda dy, x, y: aten.sigmoid_backward(dy, y)),
        "silu": (F.silu, lambda dy, x, y: aten.silu_backward(dy, x)),
        "gelu": (F.gelu, lambda dy, x, y: aten.gelu_backward(dy, x)),
    }

    def activation(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.plane_arrays(params), "x", "dy")
        forward, backward = activations[params["kind"]]

        def call() -> Any:
            y = forward(x)
            return y, backward(dy, x, y)

        return quiet(call)

    def adam(params: dict[str, Any], _: str) -> Prepared:
        only_default("Adam")
        arrays = inputs.adam_arrays(params)

        param = torch.nn.Parameter(tensor(arrays["param"]))
        param.grad = tensor(arrays["grad"])
        optimizer = torch.optim.Adam([param], **inputs.ADAM, **({"fused": True} if params["fused"] else {}))

        def call() -> Any:
            optimizer.step()
            return param

        return Prepared(call, plain)

    def network(pairs: list[Any]) -> Any:
        """LeNet with the given weights."""
        left = iter(pairs)
        layers: list[Any] = []
        for kind, *details in inputs.LENET:
            if kind in ("conv", "linear"):
                weight, bias = next(left)
                out, into = weight.shape[:2]
                layer: Any = torch.nn.Linear(into, out)
                if kind == "conv":
                    layer = torch.nn.Conv2d(into, out, weight.shape[2:], padding=details[1])
                layer.weight.data, layer.bias.data = tensor(weight), tensor(bias)
            else:
                layer = {
                    "relu": torch.nn.ReLU,
                    "pool": torch.nn.MaxPool2d,
                    "flatten": torch.nn.Flatten,
                }[kind](*details)
            layers.append(layer)
        return torch.nn.Sequential(*layers)

    def lenet(params: dict[str, Any], pass_: str) -> Prepared:
        arrays = inputs.lenet_arrays(params)
        x, target = tensors(arrays, "x", "target")
        if pass_ == "forward":
            model = network(arrays["parameters"]).eval()
            return quiet(lambda: model(x))

        def make(choice: dict[str, bool]) -> Callable[[], Any]:
            model = network(arrays["parameters"])
            criterion = torch.nn.CrossEntropyLoss()
            optimizer = torch.optim.SGD(model.parameters(), **inputs.SGD, **choice)

            def call() -> Any:
                optimizer.zero_grad(set_to_none=True)
                loss = criterion(model(x), target)
                loss.backward()
                optimizer.step()
                return loss

            return call

        return fastest(make)

    operations: dict[str, Operation] = {
        "conv": conv,
        "conv_transpose": conv_transpose,
        "linear": linear,
        "im2col": lambda params, pass_: _transposed(unfold(params, pass_)),
        "unfold": unfold,
        "col2im": fold,
        "fold": fold,
        "max_pool": max_pool,
        "avg_pool": avg_pool,
        "resize": resize,
        **moves(tensors, quiet),
        "softmax": softmax,
        "batch_norm": batch_norm,
        "activation": activation,
        "layer_norm": layer_norm,
        "group_norm": group_norm,
        "instance_norm": instance_norm,
        "local_response_norm": local_response_norm,
        **losses(torch, tensors, quiet, only_default, plain),
        "adam": adam,
        "lenet": lenet,
    }
    about = {"version": torch.__version__, "threads": torch.get_num_threads()}
    return about, operations


def _transposed(prepared: Prepared) -> Prepared:
    """``unfold`` seen as the article's matrix, one row a window."""
    canonical = prepared.canonical
    return Prepared(prepared.call, lambda result: [cols.transpose(0, 2, 1) for cols in canonical(result)])


if __name__ == "__main__":
    serve(lambda: load("channels_last" in sys.argv[1:]))
