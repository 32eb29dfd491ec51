"""What an imported model is: layers, weights that are shared, fused, trained and saved."""

import copy
import pickle

import numpy as np
import pytest

pytest.importorskip("onnx.helper", reason="onnx is not installed")

import onnx_models as om
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

import kitnet
from kitnet.models import Graph
from kitnet.onnx import UnsupportedError, load_onnx
from kitnet.training import SGD, CrossEntropyLoss

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 2, 6, 6)).astype(np.float32)


def names(graph):
    return [type(layer).__name__ for layer in graph]


@pytest.mark.parametrize("source", ["model", "bytes", "file"])
def test_a_network_is_made_of_layers_and_does_what_onnx_says(source, tmp_path):
    model = om.small_net()
    data = model.SerializeToString()
    (tmp_path / "net.onnx").write_bytes(data)
    graph = load_onnx({"model": model, "bytes": data, "file": tmp_path / "net.onnx"}[source])
    assert isinstance(graph, Graph)
    assert names(graph) == [
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
        "Conv2d",
        "Add",
        "Cat",
        "GlobalAvgPool",
        "Flatten",
        "Linear",
    ]
    assert len(graph._plan) == 6  # convolution, norm and ReLU are one, convolution and sum another
    np.testing.assert_allclose(graph(X), ReferenceEvaluator(model).run(None, {"x": X})[0], 1e-5)
    assert graph.out_shape(X.shape) == (3, 4)
    assert sum(p.size for p in graph.parameters()) == sum(w.size for w in om.weights().values()) - 6


def test_the_caller_s_arrays_stay_as_they_are():
    model, x = om.small_net(), X.copy()
    before = model.SerializeToString()
    graph = load_onnx(model)
    y, pullback = graph.vjp(x)
    pullback(y)
    for parameter in graph.parameters():
        parameter.data -= parameter.grad
    assert model.SerializeToString() == before
    np.testing.assert_array_equal(x, X)


def test_an_imported_network_trains_and_keeps_its_running_statistics():
    graph = load_onnx(om.small_net())
    optimizer, loss = SGD(graph, lr=0.2, momentum=0.9), CrossEntropyLoss()
    labels = np.array([0, 3, 1])
    mean = graph[1].running_mean.copy()
    losses = []
    for _ in range(60):
        graph.zero_grad()
        y, pullback = graph.vjp(X, input_grad=False)
        value, loss_pullback = loss.vjp(y, labels)
        pullback(loss_pullback())
        optimizer.step()
        losses.append(float(value))
    assert losses[-1] < 0.5 * losses[0]
    assert not np.array_equal(graph[1].running_mean, mean)


def test_an_imported_network_is_saved_and_copied(tmp_path):
    graph = load_onnx(om.small_net())
    kitnet.save(graph, tmp_path / "net.safetensors")
    for again in (kitnet.load(tmp_path / "net.safetensors"), copy.deepcopy(graph)):
        np.testing.assert_array_equal(again(X), graph(X))
        assert repr(again) == repr(graph)
    both = load_onnx(
        om.model(("Neg", "x", "a", {}), ("Add", "a,w", "y", {}), weights={"w": np.ones(6, np.float32)})
    )
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(both))(X), 1 - X)  # noqa: S301
    with pytest.raises(ValueError, match="expected layers of kitnet's own classes, got a Unary"):
        kitnet.save(both, tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    "nodes",
    [
        [("Gemm", "x,w", "h", {}), ("Gemm", "h,w", "y", {})],
        [("Gemm", "x,w", "h", {"transB": 1}), ("Gemm", "h,w", "y", {"transB": 1})],
        [("MatMul", "x,w", "h", {}), ("MatMul", "h,w", "y", {})],
        [("Add", "x,w", "h", {}), ("Add", "h,w", "y", {})],
    ],
)
def test_weights_that_two_nodes_share_stay_shared(nodes):
    w = RNG.normal(size=(3, 3)).astype(np.float32)
    model = om.model(*nodes, inputs=[om.value("x", [3, 3])], weights={"w": w})
    graph, x = load_onnx(model), RNG.normal(size=(3, 3)).astype(np.float32)
    assert len(list(graph.parameters())) == 1
    om.same_as_onnx(model, x)


def test_weights_may_come_from_elsewhere_and_get_their_gradients():
    """A convolution with weight norm, written out; the gradient goes on to what its weights are made of."""
    shapes = {"v": (3, 2, 3, 3), "g": (3, 1, 1, 1)}
    given = {name: RNG.uniform(0.5, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    model = om.model(("Mul", "v,g", "w", {}), ("Conv", "x,w", "y", {}), weights=given)
    graph = load_onnx(model)
    assert {p.shape for p in graph.parameters()} == set(shapes.values())
    om.same_as_onnx(model, X)
    y, pullback = graph.vjp(X)
    dx = pullback(np.ones_like(y))
    assert dx.shape == X.shape
    v, g = (next(p for p in graph.parameters() if p.shape == shape) for shape in shapes.values())
    np.testing.assert_allclose((v.grad * v.data).sum((1, 2, 3)), (g.grad * g.data).reshape(-1), rtol=1e-4)
    np.testing.assert_allclose((v.grad * v.data).sum(), y.sum(), rtol=1e-4)
    slopes = om.model(
        ("PRelu", "x,w", "y", {}), inputs=[om.value("x", ["n", 2, 6, 6]), om.value("w", [2, 1, 1])]
    )
    w = RNG.normal(size=(2, 1, 1)).astype(np.float32)
    y, pullback = load_onnx(slopes).vjp(X, w)
    np.testing.assert_allclose(
        pullback(np.ones_like(y))[1], np.minimum(X, 0).sum((0, 2, 3))[:, None, None], 1e-5
    )


def test_constants_are_computed_once_and_not_trained():
    shape = numpy_helper.from_array(np.array([2, 36], np.int64))
    half = numpy_helper.from_array(np.array([0.5], np.float32))
    model = om.model(
        ("Constant", "", "s", {"value": shape}),
        ("Constant", "", "k", {"value": half}),
        ("Constant", "", "zero", {"value_ints": [0]}),
        ("Gather", "s,zero", "first", {}),
        ("Constant", "", "rest", {"value_ints": [-1]}),
        ("Concat", "first,rest", "t", {"axis": 0}),
        ("Reshape", "x,t", "h", {}),
        ("Neg", "k", "minus", {}),
        ("Mul", "h,minus", "y", {}),
    )
    for node in model.graph.node:
        if node.op_type == "Constant":
            del node.input[:]
    graph = load_onnx(model)
    assert names(graph) == ["Reshape", "Constant", "Binary"]
    assert not list(graph.parameters())
    np.testing.assert_array_equal(graph(X), -X.reshape(2, -1) / 2)


def test_double_precision_stays_double():
    model = om.model(
        ("Conv", "x,w", "y", {}),
        inputs=[om.value("x", None, om.DOUBLE)],
        weights={"w": RNG.normal(size=(1, 2, 3, 3))},
    )
    assert load_onnx(model)(X.astype(np.float64)).dtype == np.float64
    with pytest.raises(TypeError, match="expected float32"):
        load_onnx(model)(X)


def test_what_an_input_says_with_an_initializer_is_a_constant():
    """Up to version 3 of the format, initializers are inputs too."""
    inputs = [om.value("x", [3, 3]), om.value("w", [3, 3])]
    model = om.model(
        ("MatMul", "x,w", "y", {}), inputs=inputs, weights={"w": np.eye(3, dtype=np.float32)}, ir=3
    )
    x = RNG.normal(size=(3, 3)).astype(np.float32)
    np.testing.assert_allclose(load_onnx(model)(x), x, rtol=1e-6)


def test_a_second_name_of_a_weight_is_the_same_weight():
    """PyTorch's exporter writes equal initializers once."""
    w = RNG.normal(size=(3, 3)).astype(np.float32)
    nodes = ("Identity", "w", "v", {}), ("MatMul", "x,w", "h", {}), ("MatMul", "h,v", "y", {})
    model = om.model(*nodes, inputs=[om.value("x", [3, 3])], weights={"w": w})
    graph = load_onnx(model)
    assert names(graph) == ["Linear", "Linear"]
    assert len(list(graph.parameters())) == 1
    om.same_as_onnx(model, w)
    graph = load_onnx(om.model(("Identity", "w", "v", {}), ("Add", "x,v", "y", {}), weights={"w": w[0, :1]}))
    assert names(graph) == ["Constant", "Add"]
    assert len(list(graph.parameters())) == 1


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_what_depends_on_the_number_of_axes_may_wait_for_the_call(op):
    model = om.model((op, "x", "y", {"axis": 1}), inputs=[om.value("x")], opset=12)
    graph, x = load_onnx(model), X.reshape(3, -1)
    y, pullback = graph.vjp(x)
    np.testing.assert_array_equal(y, graph(x))
    assert pullback(y).shape == x.shape
    assert graph(X).shape == X.shape
    norm = om.model(
        ("BatchNormalization", "x,scale,shift,mean,var", "y", {}),
        inputs=[om.value("x")],
        weights=om.weights(),
    )
    with pytest.raises(
        UnsupportedError, match=r"of a known number of axes in BatchNormalization \('node0'\)"
    ):
        load_onnx(norm)


def test_numbers_without_axes_are_no_weights():
    graph = load_onnx(om.model(("Mul", "x,two", "y", {}), weights={"two": np.array(2, np.float32)}))
    assert not list(graph.parameters())
    np.testing.assert_array_equal(graph(X), 2 * X)
