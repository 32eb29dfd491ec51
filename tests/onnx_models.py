"""Small ONNX models for the tests, and what onnx itself says of them."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from kitnet.onnx import load_onnx

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def value(name, shape=None, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(*nodes, inputs=None, outputs=("y",), weights=None, opset=17, ir=8):
    """A model of ``(op, takes, makes, attributes)`` nodes; weights by name."""
    made = [
        helper.make_node(op, takes.split(","), makes.split(","), name=f"node{i}", **attributes)
        for i, (op, takes, makes, attributes) in enumerate(nodes)
    ]
    inputs = inputs or [value("x", ["n", 2, 6, 6])]
    initializers = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    graph = helper.make_graph(made, "test", inputs, [value(name) for name in outputs], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)


def weights(rng=None):
    """Those of ``small_net``."""
    rng = rng or np.random.default_rng(0)
    shapes = {
        "w1": (3, 2, 3, 3), "b1": (3,), "scale": (3,), "shift": (3,), "mean": (3,), "var": (3,),
        "w2": (3, 3, 1, 1), "w3": (4, 6), "b3": (4,),
    }  # fmt: skip
    return {name: rng.uniform(0.1, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def small_net(opset=17):
    """A residual block, two ways side by side, a dense layer."""
    return model(
        ("Conv", "x,w1,b1", "a", {"pads": [1, 1, 1, 1]}),
        ("BatchNormalization", "a,scale,shift,mean,var", "b", {"epsilon": 1e-3}),
        ("Relu", "b", "c", {}),
        ("Conv", "c,w2", "d", {}),
        ("Add", "d,c", "e", {}),
        ("Concat", "e,c", "f", {"axis": 1}),
        ("GlobalAveragePool", "f", "g", {}),
        ("Flatten", "g", "h", {}),
        ("Gemm", "h,w3,b3", "y", {"transB": 1}),
        weights=weights(),
        opset=opset,
    )


def same_as_onnx(model, *xs, rtol=1e-5):
    """Whether kitnet computes what onnx's reference does."""
    inputs = dict(zip((i.name for i in model.graph.input), xs, strict=True))
    (expected,) = ReferenceEvaluator(model).run(None, inputs)
    np.testing.assert_allclose(load_onnx(model)(*xs), expected, rtol, 1e-6)
