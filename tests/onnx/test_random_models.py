"""Models of one operator with random inputs, weights and attributes: they run, or are refused with reason."""

import warnings

import numpy as np
import pytest

pytest.importorskip("onnx.helper", reason="onnx is not installed")

import onnx_models as om
from onnx import TensorProto, helper, numpy_helper

from kitnet.onnx import load_onnx
from kitnet.onnx.rules import RULES

KINDS = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE, "int64": TensorProto.INT64}
LISTS = "axes pads strides dilations kernel_shape perm output_shape output_padding starts ends split shape"
NUMBERS = "epsilon alpha beta min max value ratio spatial_scale"
INTEGERS = """axis group ceil_mode p keepdims to num_outputs size training_mode num_groups count_include_pad
    end storage_order ignore_index transA transB output_height sampling_ratio
    offset_group allowzero broadcast"""
WORDS = {
    "auto_pad": ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET", "ELSE"],
    "mode": ["constant", "edge", "wrap", "reflect", "avg", "max", "standard"],
    "reduction": ["none", "mean", "sum"],
}


def some_attribute(rng, name):
    """Mostly of the right type."""
    if rng.random() < 0.1:
        return [2**62, "text", 0.5, [1.5, 2.5], [2**62, -1]][rng.integers(5)]
    if name in WORDS:
        return str(rng.choice(WORDS[name]))
    if name in LISTS.split():
        return rng.integers(-1, 4, rng.integers(1, 7)).tolist()
    return float(rng.normal()) if name in NUMBERS.split() else int(rng.integers(-2, 4))


def some_array(rng):
    least = int(rng.random() > 0.1)
    shape = tuple(rng.integers(least, 4, rng.integers(0, 5)))
    kind = rng.choice(list(KINDS), p=[0.5, 0.2, 0.3])
    return np.array(rng.integers(-2, 5, shape) if kind == "int64" else rng.normal(size=shape)).astype(kind)


def some_model(rng):
    """A model, and the arrays that it takes."""
    op = str(rng.choice(sorted(RULES)))
    takes, inputs, given = [], {}, {}
    for i in range(rng.integers(1, 6)):
        where = rng.choice(["", "x", "w"], p=[0.1, 0.8, 0.1] if i == 0 else [0.1, 0.4, 0.5])
        takes.append(f"{where}{i}" if where else "")
        if where:
            (inputs if where == "x" else given)[takes[-1]] = some_array(rng)
    if takes[0] == "x0" and rng.random() < 0.5:
        inputs["x0"] = rng.normal(size=(2, 3, 4, 4)[: rng.integers(1, 5)]).astype(np.float32)
    known = [*LISTS.split(), *NUMBERS.split(), *INTEGERS.split(), *WORDS]
    names = rng.choice(known, rng.integers(0, 4), replace=False)
    attributes = {str(name): some_attribute(rng, str(name)) for name in names}
    if op.endswith("Pool"):
        attributes["kernel_shape"] = [2, 2]
    domain = "ai.onnx.preview.training" if op in ("Adam", "Adagrad", "Momentum") else ""
    makes = ["y", "z", "u"][: rng.choice([1, 1, 1, 2, 3])]
    node = helper.make_node(op, takes, makes, domain=domain, **attributes)
    values = [
        om.value(name, list(x.shape) if rng.random() < 0.7 else None, KINDS[x.dtype.name])
        for name, x in inputs.items()
    ]
    tensors = [numpy_helper.from_array(array, name) for name, array in given.items()]
    graph = helper.make_graph([node], "random", values, [om.value(name) for name in makes], tensors)
    versions = ("", int(rng.choice([6, 9, 11, 13, 17, 21, 23]))), ("ai.onnx.preview.training", 1)
    opsets = [helper.make_opsetid(*version) for version in versions]
    return helper.make_model(graph, opset_imports=opsets), list(inputs.values())


def run(model, xs):
    """How far the model gets; whatever it refuses on the way must be refused properly."""
    try:
        graph = load_onnx(model)
    except ValueError:
        return "refused"
    try:
        graph(*xs)
        ys, pullback = graph.vjp(*xs)
        shapes = graph.out_shape(*(x.shape for x in xs))
    except ValueError:
        return "loaded"
    except TypeError as error:
        if "expected" not in str(error):
            raise
        return "loaded"
    ys, shapes = (ys, shapes) if isinstance(ys, tuple) else ((ys,), (shapes,))
    assert [tuple(shape) for shape in shapes] == [y.shape for y in ys]
    if not all(y.dtype.kind == "f" for y in ys):
        return "ran"
    dxs = pullback(*ys)
    for x, dx in zip(xs, dxs if isinstance(dxs, tuple) else (dxs,), strict=True):
        assert dx is None or (dx.shape, dx.dtype) == (x.shape, x.dtype)
    return "ran"


@pytest.mark.parametrize("seed", range(4))
def test_random_models_run_or_are_refused(seed):
    rng = np.random.default_rng(seed)
    outcomes = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for i in range(1500):
            model, xs = some_model(rng)
            try:
                outcomes.append(run(model, xs))
            except Exception as error:
                error.add_note(f"model {i}: {model} of {[(x.shape, x.dtype) for x in xs]}")
                raise
    assert min(outcomes.count(outcome) for outcome in ("refused", "loaded", "ran")) > 5
