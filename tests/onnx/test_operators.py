"""Single operators: forms that the cases of the package onnx leave out, and older versions."""

import numpy as np
import pytest

pytest.importorskip("onnx.helper", reason="onnx is not installed")

import onnx_models as om
from onnx.reference import ReferenceEvaluator

from kitnet.layers import Linear, PReLU
from kitnet.onnx import load_onnx

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2, 6, 6)).astype(np.float32)


def test_prelu_has_a_slope_for_each_channel():
    slopes = RNG.normal(size=(2, 1, 1)).astype(np.float32)
    model = om.model(("PRelu", "x,w", "y", {}), weights={"w": slopes})
    graph = load_onnx(model)
    assert isinstance(graph[0], PReLU)
    assert graph[0].num_parameters == 2
    om.same_as_onnx(model, X)


@pytest.mark.parametrize(
    ("nodes", "more"),
    [
        ([("Gemm", "x,w,b", "y", {"alpha": 0.5, "beta": 2.0, "transA": 1})], {"w": (3, 5), "b": (5,)}),
        ([("Gemm", "x,w,b", "y", {"transB": 1})], {"w": (5, 3), "b": (1, 5)}),
        ([("Gemm", "x,w,b", "y", {})], {"w": (3, 5), "b": (5,)}),
        ([("Split", "x", "a,b", {"axis": 1, "split": [1, 2]}), ("Mul", "a,b", "y", {})], {}),
        ([("Squeeze", "x", "a", {}), ("Softmax", "a", "y", {})], {}),
        ([("Dropout", "x", "y", {})], {}),
        ([("Identity", "x", "a", {}), ("Transpose", "a", "y", {})], {}),
        ([("Clip", "x", "y", {"min": -0.5, "max": 0.25})], {}),
        ([("Flatten", "x", "y", {"axis": 0})], {}),
    ],
)
def test_older_versions_and_other_forms(nodes, more):
    """Operators as version 10 has them."""
    given = {name: RNG.normal(size=shape).astype(np.float32) for name, shape in more.items()}
    model = om.model(*nodes, inputs=[om.value("x", [3, 3])], weights=given, opset=10, ir=5)
    om.same_as_onnx(model, RNG.normal(size=(3, 3)).astype(np.float32))


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Hardmax"])
def test_softmax_was_over_all_axes_from_one_on(op):
    """Before version 13; onnx's own reference has only the new form."""
    graph = load_onnx(om.model((op, "x", "y", {"axis": 1}), opset=12))
    y, pullback = graph.vjp(X)
    total = np.exp(y).sum((1, 2, 3)) if op == "LogSoftmax" else y.sum((1, 2, 3))
    np.testing.assert_allclose(total, 1, rtol=1e-5)
    assert pullback(y).shape == X.shape
    plain = load_onnx(om.model((op, "x", "y", {"axis": -1}), opset=12))
    assert type(plain[0]).__name__ == op


def test_a_dense_layer_of_two_forms_is_a_linear():
    for form, w in (({"transB": 1}, (5, 3)), ({}, (3, 5))):
        given = {"w": np.ones(w, np.float32), "b": np.ones(5, np.float32)}
        graph = load_onnx(
            om.model(("Gemm", "x,w,b", "y", form), inputs=[om.value("x", [3, 3])], weights=given)
        )
        assert isinstance(graph[0], Linear)
        assert graph[0].weight.shape == (5, 3)


OTHERS = [
    ("Pow", {}, (3, 1), "positive"),
    ("ReduceMean", {"axes": [1], "keepdims": 0}, None, "x"),
    ("ReduceSum", {}, np.array([0, -1]), "x"),
    ("ReduceMax", {"axes": [-1]}, None, "x"),
    ("ReduceMin", {}, None, "x"),
    ("Cast", {"to": om.DOUBLE}, None, "x"),
    ("Transpose", {"perm": [2, 0, 1]}, None, "x"),
    ("Squeeze", {}, np.array([0]), "one"),
    ("Gather", {"axis": 1}, np.array([[0, -1], [2, 2]]), "x"),
    ("MatMul", {}, (2, 4, 5), "x"),
    ("Div", {}, (3, 1), "x"),
    ("Log", {}, None, "positive"),
    ("Reciprocal", {}, None, "positive"),
    ("Sqrt", {}, None, "positive"),
    ("GlobalLpPool", {"p": 3}, None, "x"),
]


@pytest.mark.parametrize(("op", "attributes", "second", "kind"), OTHERS, ids=[row[0] for row in OTHERS])
def test_operators_that_the_cases_leave_out(op, attributes, second, kind):
    """Values against onnx's reference, gradients against finite differences."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1 if kind == "one" else 2, 3, 4))
    x = np.abs(x) + 0.5 if kind == "positive" else x
    more = {}
    if second is not None:
        more["w"] = rng.uniform(0.5, 2, second) if isinstance(second, tuple) else second
    nodes = (op, "x,w" if more else "x", "y", attributes)
    model = om.model(nodes, inputs=[om.value("x", x.shape, om.DOUBLE)], weights=more)
    graph = load_onnx(model)
    if op != "GlobalLpPool":  # which onnx's reference has not
        np.testing.assert_allclose(graph(x), ReferenceEvaluator(model).run(None, {"x": x})[0], 1e-6)
    y, pullback = graph.vjp(x)
    assert graph.out_shape(x.shape) == y.shape
    dy, v = rng.normal(size=y.shape), rng.normal(size=x.shape)
    slope = (pullback(dy) * v).sum()
    parameters = list(graph.parameters())
    steps = [rng.normal(size=p.shape) for p in parameters]
    slope += sum((p.grad * step).sum() for p, step in zip(parameters, steps, strict=True))
    sums = []
    for h in (1e-6, -1e-6):
        for p, step in zip(parameters, steps, strict=True):
            p.data = p.data + h * step
        sums.append((dy * graph.vjp(x + h * v)[0]).sum())
        for p, step in zip(parameters, steps, strict=True):
            p.data = p.data - h * step
    np.testing.assert_allclose(slope, (sums[0] - sums[1]) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("starts", "ends", "axes", "steps"),
    [
        ([1], [3], [1], [1]),
        ([0, -2], [-1, 2**62], [2, 0], [1, 1]),
        ([5], [-(2**62)], [2], [-1]),
        ([-1, 4], [0, 0], [2, 3], [-2, -3]),
        ([3], [1], [2], [1]),
    ],
)
def test_slices_are_those_of_onnx(starts, ends, axes, steps):
    given = dict(zip("abcd", map(np.array, (starts, ends, axes, steps)), strict=True))
    model = om.model(("Slice", "x,a,b,c,d", "y", {}), weights=given)
    om.same_as_onnx(model, X)
    graph = load_onnx(model)
    y, pullback = graph.vjp(X)
    assert graph.out_shape(X.shape) == y.shape
    np.testing.assert_allclose((pullback(y) * X).sum(), (y * y).sum(), rtol=1e-5)


@pytest.mark.parametrize(("rule", "cut"), [("SAME_UPPER", slice(0, 6)), ("SAME_LOWER", slice(1, 7))])
def test_an_output_shape_cuts_a_transposed_convolution_at_both_ends(rule, cut):
    """Of seven places six are wanted: one goes behind, or, with SAME_LOWER and by default, in front."""
    x, w = np.array([[[1, 2, 3]]], np.float32), np.array([[[1, 10, 100]]], np.float32)
    whole = np.array([1, 10, 102, 20, 203, 30, 300], np.float32)
    for attributes in ({"auto_pad": rule}, {}) if rule == "SAME_LOWER" else ({"auto_pad": rule},):
        nodes = ("ConvTranspose", "x,w", "y", {"strides": [2], "output_shape": [6], **attributes})
        graph = load_onnx(om.model(nodes, inputs=[om.value("x", [1, 1, 3])], weights={"w": w}))
        np.testing.assert_array_equal(graph(x)[0, 0], whole[cut])
        assert graph.out_shape(x.shape) == (1, 1, 6)


@pytest.mark.parametrize("storage_order", [0, 1])
def test_indices_of_max_pooling_count_through_all_images(storage_order):
    pool = {"kernel_shape": [2, 3], "strides": [2, 3]}
    model = om.model(
        ("MaxPool", "x", "y,i", {**pool, "storage_order": storage_order}), outputs=("y", "i"), opset=12
    )
    y, indices = load_onnx(model)(X)
    planes = X.transpose(0, 1, 3, 2) if storage_order else X
    np.testing.assert_array_equal(planes.reshape(-1)[indices], y)
    if storage_order == 0:
        back = om.model(("MaxPool", "x", "m,i", pool), ("MaxUnpool", "m,i", "y", pool))
        z = load_onnx(back)(X)
        np.testing.assert_array_equal(z.reshape(-1)[indices], y)
        assert np.count_nonzero(z) == y.size


@pytest.mark.parametrize("shape", [[0, -1], [0, 0, 3, -1], [-1], [3, 2, 36, 1]])
def test_reshape_keeps_axes_and_finds_one(shape):
    om.same_as_onnx(om.model(("Reshape", "x,s", "y", {}), weights={"s": np.array(shape)}), X)


def test_a_mean_of_padding_alone_is_zero():
    pool = {"kernel_shape": [2, 2], "pads": [2, 2, 2, 2]}
    y = load_onnx(om.model(("AveragePool", "x", "y", pool)))(X)
    assert y.shape == (3, 2, 9, 9)
    assert not y[:, :, 0].any()
    np.testing.assert_allclose(y[:, :, 1, 1], X[:, :, 0, 0], rtol=1e-6)
    np.testing.assert_allclose(y[:, :, 2, 2], X[:, :, :2, :2].mean((2, 3)), rtol=1e-5)
