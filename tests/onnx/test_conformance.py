"""The operators of CNNs, by the cases that the package onnx ships, and their gradients, which it has not.

``make conformance`` prints the table.
"""

import copy

import numpy as np
import pytest

pytest.importorskip("onnx.backend.test.loader", reason="onnx is not installed")

import onnx
from onnx import numpy_helper
from onnx_cases import EXPECTED, all_cases

from kitnet.onnx import load_onnx
from kitnet.onnx.node import Late


def cases_of(group):
    return [case for case in all_cases() if case.group == group]


@pytest.mark.parametrize("group", EXPECTED)
def test_every_case_passes_or_is_refused_by_name(group):
    outcomes = {case.name: case.outcome() for case in cases_of(group)}
    passed, refused = EXPECTED[group]
    bad = {name: outcome for name, outcome in outcomes.items() if outcome.startswith("failed")}
    assert not bad
    assert sorted(name for name, outcome in outcomes.items() if outcome.startswith("refused")) == refused
    assert list(outcomes.values()).count("passed") >= passed


@pytest.mark.parametrize("group", EXPECTED)
def test_no_case_with_basic_types_is_refused(group):
    basic = [case for case in cases_of(group) if case.basic]
    assert len(basic) >= EXPECTED[group][0]
    assert not {case.name for case in basic} & set(EXPECTED[group][1])


def in_double(model):
    """The model with float64 for float32."""
    model = copy.deepcopy(model)
    tensors = [attribute.t for node in model.graph.node for attribute in node.attribute]
    for tensor in (*model.graph.initializer, *tensors):
        if tensor.data_type == onnx.TensorProto.FLOAT:
            double = numpy_helper.to_array(tensor).astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(double, tensor.name))
    return model


def weighed(graph, xs, name):
    """The sum of all outputs in training that have a gradient, weighed; the weights and the pullback."""
    ys, pullback = graph.vjp(*xs)
    ys = ys if isinstance(ys, tuple) else (ys,)
    rng = np.random.default_rng(0)
    dys = [rng.normal(size=y.shape) if y.dtype.kind == "f" else None for y in ys]
    if "training_mode" in name:  # running statistics
        dys[1:] = [None, None]
    return sum((dy * y).sum() for dy, y in zip(dys, ys, strict=True) if dy is not None), dys, pullback


def moved(xs, directions, step):
    return [x if v is None else x + step * v for x, v in zip(xs, directions, strict=True)]


@pytest.mark.parametrize("group", [group for group in EXPECTED if group != "optimizer"])
def test_gradients_are_those_of_finite_differences(group):
    """Along a random direction of all inputs and parameters at once, in float64."""
    bad = []
    for case in cases_of(group):
        if not case.basic or case.model.graph.node[0].op_type == "Hardmax":
            continue  # a step function, whose gradient is 0
        rng = np.random.default_rng(1)
        graph, inputs = load_onnx(in_double(case.model)), case.data[0][0]
        xs = [x.astype(np.float64) if x.dtype == np.float32 else x for x in inputs]
        # Away from the places where slopes jump, and from regions that would leave the image.
        xs = [x + 0.01 * rng.uniform(size=x.shape) if x.dtype.kind == "f" and x.ndim else x for x in xs]
        _, dys, pullback = weighed(graph, xs, case.name)
        graph.zero_grad()
        dxs = pullback(*dys)
        dxs = dxs if isinstance(dxs, tuple) else (dxs,)
        directions = [None if dx is None else rng.normal(size=x.shape) for x, dx in zip(xs, dxs, strict=True)]
        parameters = list(graph.parameters())
        steps = [rng.normal(size=p.shape) for p in parameters]
        slope = sum((dx * v).sum() for dx, v in zip(dxs, directions, strict=True) if v is not None)
        slope += sum((p.grad * v).sum() for p, v in zip(parameters, steps, strict=True))
        found = []
        for h in (1e-6, -1e-6):
            for p, v in zip(parameters, steps, strict=True):
                p.data = p.data + h * v
            found.append(weighed(graph, moved(xs, directions, h), case.name)[0])
            for p, v in zip(parameters, steps, strict=True):
                p.data = p.data - h * v
        numeric = (found[0] - found[1]) / 2e-6
        if not np.isclose(slope, numeric, rtol=1e-5, atol=1e-5):
            bad.append((case.name, float(slope), float(numeric)))
        shapes = [x.shape for x in xs]
        if any(dx is not None and dx.shape != shape for dx, shape in zip(dxs, shapes, strict=True)):
            bad.append((case.name, [dx.shape for dx in dxs if dx is not None], shapes))
    assert not bad


@pytest.mark.parametrize("group", EXPECTED)
def test_shapes_are_told_without_data(group):
    """Where no input says what to do, which only its values tell."""
    bad, told = [], 0
    for case in cases_of(group):
        if not case.basic:
            continue
        graph, (inputs, outputs) = load_onnx(case.model), case.data[0]
        if any(isinstance(layer, Late) for layer in graph):
            with pytest.raises(ValueError, match="settings that are known"):
                graph.out_shape(*(x.shape for x in inputs))
            continue
        shapes = graph.out_shape(*(x.shape for x in inputs))
        told += 1
        shapes = shapes if len(outputs) > 1 else (shapes,)
        if [tuple(shape) for shape in shapes] != [y.shape for y in outputs]:
            bad.append((case.name, shapes, [y.shape for y in outputs]))
    assert not bad
    assert told >= {"conv": 0, "norm": 9, "loss": 25}.get(group, 7)
