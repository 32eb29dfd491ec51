"""ONNX Runtime: inference rows, as one-operation or LeNet models built here, all graph optimisations on."""

from __future__ import annotations

import os
from typing import Any

from workers import inputs
from workers.protocol import Operation, Prepared, Skip, serve

OPSET, IR_VERSION = 17, 10


def load() -> tuple[dict[str, Any], dict[str, Operation]]:
    """Import ONNX Runtime, and onnx to build the models with."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    threads = int(os.environ["OMP_NUM_THREADS"])

    def session(nodes: list[Any], weights: dict[str, Any], x_shape: Any, y_shape: Any) -> Any:
        """A session on the graph ``nodes`` from ``x`` to ``y``."""
        graph = helper.make_graph(
            nodes,
            "row",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(x_shape))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, list(y_shape))],
            [numpy_helper.from_array(array, name) for name, array in weights.items()],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def running(made: Any, x: Any) -> Prepared:
        return Prepared(lambda: made.run(None, {"x": x}))

    def conv(params: dict[str, Any], pass_: str) -> Prepared:
        if pass_ != "forward":
            raise Skip("inference only")
        return convolution("Conv", inputs.conv_arrays(params), params)

    def conv_transpose(params: dict[str, Any], pass_: str) -> Prepared:
        if pass_ != "forward":
            raise Skip("inference only")
        extra = params["output_padding"]
        return convolution(
            "ConvTranspose", inputs.conv_transpose_arrays(params), params, output_padding=extra
        )

    def convolution(op: str, arrays: dict[str, Any], params: dict[str, Any], **more: Any) -> Prepared:
        node = helper.make_node(
            op,
            ["x", "weight", "bias"],
            ["y"],
            kernel_shape=params["kernel"],
            strides=params["stride"],
            pads=list(params["padding"]) * 2,
            dilations=params["dilation"],
            group=params["groups"],
            **more,
        )
        weights = {name: arrays[name] for name in ("weight", "bias")}
        return running(session([node], weights, params["x"], arrays["dy"].shape), arrays["x"])

    def linear(params: dict[str, Any], pass_: str) -> Prepared:
        if pass_ != "forward":
            raise Skip("inference only")
        arrays = inputs.linear_arrays(params)
        node = helper.make_node("Gemm", ["x", "weight", "bias"], ["y"], transB=1)
        weights = {name: arrays[name] for name in ("weight", "bias")}
        return running(session([node], weights, params["x"], arrays["dy"].shape), arrays["x"])

    def lenet(params: dict[str, Any], pass_: str) -> Prepared:
        if pass_ != "forward":
            raise Skip("inference only")
        arrays = inputs.lenet_arrays(params)
        left, nodes = iter(arrays["parameters"]), []
        weights: dict[str, Any] = {}
        for number, (kind, *details) in enumerate(inputs.LENET):
            last = number == len(inputs.LENET) - 1
            before, after = f"a{number}" if number else "x", "y" if last else f"a{number + 1}"
            names = [f"weight{number}", f"bias{number}"]
            if kind in ("conv", "linear"):
                weights.update(zip(names, next(left), strict=True))
            if kind == "conv":
                node = helper.make_node("Conv", [before, *names], [after], pads=[details[1]] * 4)
            elif kind == "linear":
                node = helper.make_node("Gemm", [before, *names], [after], transB=1)
            elif kind == "pool":
                size = [details[0]] * 2
                node = helper.make_node("MaxPool", [before], [after], kernel_shape=size, strides=size)
            else:
                node = helper.make_node({"relu": "Relu", "flatten": "Flatten"}[kind], [before], [after])
            nodes.append(node)
        return running(session(nodes, weights, arrays["x"].shape, (params["batch"], 10)), arrays["x"])

    about = {"version": onnxruntime.__version__, "threads": threads}
    return about, {"conv": conv, "conv_transpose": conv_transpose, "linear": linear, "lenet": lenet}


if __name__ == "__main__":
    serve(load)
