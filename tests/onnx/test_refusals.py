"""Files that are damaged, lie, or ask for what kitnet does not do: each a ValueError that says so."""

import subprocess
import sys
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

pytest.importorskip("onnx.helper", reason="onnx is not installed")

import onnx
import onnx_models as om
from onnx import TensorProto, helper

from kitnet.onnx import UnsupportedError, load_onnx

X = np.ones((1, 2, 6, 6), np.float32)


def relu(**kwargs):
    return om.model(("Relu", "x", "y", {}), **kwargs)


def with_weight(tensor):
    model = om.model(("Conv", "x,w", "y", {}))
    model.graph.initializer.append(tensor)
    return model


def raw(dims, data=b"", kind=TensorProto.FLOAT):
    return TensorProto(name="w", dims=dims, data_type=kind, raw_data=data)


def test_a_file_that_was_cut_anywhere_is_a_value_error():
    data = om.small_net().SerializeToString()
    for end in range(0, len(data), 7):
        with pytest.raises(ValueError, match=r"source|model"):
            load_onnx(data[:end])


def test_damaged_bytes_are_a_value_error_or_another_model():
    data = bytearray(om.small_net().SerializeToString())
    rng = np.random.default_rng(0)
    for _ in range(300):
        bad = data.copy()
        for at in rng.integers(len(bad), size=3):
            bad[at] = rng.integers(256)
        with suppress(ValueError):
            load_onnx(bytes(bad))


@pytest.mark.parametrize("source", [3, None, ["x.onnx"], np.zeros(3)])
def test_sources_of_other_types(source):
    with pytest.raises(TypeError, match="source: expected a path, bytes or a ModelProto, got"):
        load_onnx(source)


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_onnx(tmp_path / "none.onnx")
    for data in (b"", b"PK\3\4" * 9, b"\x80\x04}."):
        (tmp_path / "other.onnx").write_bytes(data)
        with pytest.raises(ValueError, match="source: expected an ONNX model, got"):
            load_onnx(tmp_path / "other.onnx")
    with open(tmp_path / "huge.onnx", "wb") as file:
        file.truncate(2**31)
    with pytest.raises(ValueError, match="source: expected a file of at most 2147483647 bytes"):
        load_onnx(tmp_path / "huge.onnx")


def external():
    tensor = raw([3, 2, 3, 3])
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (external(), "all data inside the file, got external data for 'w'"),
        (raw([2**40, 2**40]), "expected 1208925819614629174706176 values of 'w'.* got 0"),
        (raw([2**62, 4], b"12345678"), "expected 18446744073709551616 values of 'w'.* got 2"),
        (raw([3, 2, 3, 3], b"1234"), "expected 54 values of 'w'.* got 1"),
        (raw([1], b"12345"), "expected 1 values of 'w'.* got 1.25"),
        (raw([-1, -1], b"1234"), r"expected sizes of at least 0 for 'w', got \[-1, -1\]"),
        (
            raw([2], b"1234", TensorProto.FLOAT16),
            "float32, float64, int32, int64 or bool for 'w', got FLOAT16",
        ),
        (raw([2], b"12345678", 99), "or bool for 'w', got 99"),
        (raw([1], b"1234"), "expected a layer that can be built from Conv|one to three spatial axes in Conv"),
        (raw([1, 2, 3, 3, 3, 3], bytes(4 * 162)), r"one to three spatial axes in Conv \('node0'\), got 4"),
        (raw([3, 0, 3, 3]), "expected a layer that can be built from Conv"),
    ],
)
def test_weights_that_cannot_be(tensor, text):
    with pytest.raises(ValueError, match=text):
        load_onnx(with_weight(tensor))


def test_empty_weights_of_absurd_shapes_take_no_memory():
    with pytest.raises(ValueError, match="model: expected"):
        load_onnx(with_weight(raw([2**31, 2**31, 0, 3])))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (om.model(("Sin", "x", "a", {}), ("NoSuch", "a", "y", {})), "got 'NoSuch', 'Sin' .*at node 'node1'"),
        (om.model(("Relu", "x", "y", {"slope": 1.0})), r"attributes .* in Relu \('node0'\), got slope"),
        (om.model(("Pad", "x", "y", {"mode": "swirl"})), "mode to be one of constant, reflect, edge, wrap"),
        (om.model(("Conv", "x,w", "y", {"auto_pad": "SOME"}), weights=om.weights()), "values that are made"),
        (om.model(("LRN", "x", "y", {"size": 4})), "an odd number of channels"),
        (om.model(("Dropout", "x", "y,mask", {})), "one output"),
        (relu(inputs=[om.value("x", [2], TensorProto.FLOAT16)]), "for 'x', got FLOAT16"),
        (relu(inputs=[helper.make_tensor_sequence_value_info("x", om.FLOAT, [1])]), "got sequence_type"),
        (
            om.model(("BatchNormalization", "x,a,b,c,d", "y", {}), inputs=[om.value(n) for n in "xabcd"]),
            None,
        ),
    ],
)
def test_what_kitnet_does_not_do_is_refused_by_name(model, text):
    if text is None:  # what has to be known of an input is so in the call
        load_onnx(model)
        return
    kind = ValueError if "made" in text else UnsupportedError
    with pytest.raises(kind, match=text):
        load_onnx(model)


def test_other_domains_functions_and_storage_are_refused():
    model = relu()
    model.graph.node[0].domain = "com.microsoft"
    with pytest.raises(UnsupportedError, match=r"got 'Relu' \('node0'\) of 'com.microsoft'"):
        load_onnx(model)
    model = relu()
    model.functions.add().name = "mine"
    with pytest.raises(UnsupportedError, match="no functions, got 'mine'"):
        load_onnx(model)
    model = relu()
    model.graph.sparse_initializer.add()
    with pytest.raises(UnsupportedError, match="dense initializers"):
        load_onnx(model)
    model = relu()
    model.graph.node[0].attribute.append(helper.make_attribute("body", relu().graph))
    with pytest.raises(UnsupportedError, match="numbers, text or tensors, got 'body' of 'Relu'"):
        load_onnx(model)


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([("Relu", "a", "y", {}), ("Relu", "y", "a", {})], "before they are used, got 'a'"),
        ([("Relu", "y", "y", {})], "before they are used, got 'y'"),
        ([("Relu", "nobody", "y", {})], r"before they are used, got 'nobody' in Relu \('node0'\)"),
        ([("Relu", "x", "y", {}), ("Neg", "x", "y", {})], "made once, got 'y' twice"),
        ([("Relu", "x", "x", {})], "made once, got 'x' twice"),
        ([("Relu", "x", "z", {})], "outputs that a node makes, got 'y'"),
        ([("Relu", "", "y", {})], "an input of Relu"),
        ([("Conv", "x", "y", {})], r"other inputs of Conv \('node0'\), got 1"),
        ([("Relu", "x,x,x", "y", {})], "other inputs of Relu"),
        ([("Add", "x", "y", {})], "other inputs of Add"),
        ([("Add", "x,x,x", "y", {})], "other inputs of Add"),
        ([("MaxPool", "x", "y", {})], "MaxPool .*kernel_shape: expected the sizes"),
        ([("MaxPool", "x", "y", {"kernel_shape": [2, 2], "pads": [1]})], "4 integers as pads of MaxPool"),
        ([("MaxPool", "x", "y", {"kernel_shape": [0, 2]})], "kernel_size: expected values from 1"),
        ([("MaxPool", "x", "y", {"kernel_shape": 3})], "kernel_shape of MaxPool"),
        ([("MaxPool", "x", "y", {"kernel_shape": [2**62, 2]})], "kernel_size: expected values from 1"),
        ([("LeakyRelu", "x", "y", {"alpha": "much"})], "expected alpha of LeakyRelu"),
    ],
)
def test_models_that_contradict_themselves(nodes, text):
    with pytest.raises(ValueError, match=text):
        load_onnx(om.model(*nodes))


def test_names_that_are_there_twice():
    model = om.small_net()
    model.graph.initializer.append(model.graph.initializer[0])
    with pytest.raises(ValueError, match="each initializer under its own name, got 'w1' twice"):
        load_onnx(model)
    with pytest.raises(ValueError, match="each input under its own name"):
        load_onnx(om.model(("Relu", "x", "y", {}), inputs=[om.value("x", [1]), om.value("x", [1])]))
    model = relu()
    for _ in range(2):
        model.graph.node[0].attribute.append(helper.make_attribute("alpha", 1.0))
    with pytest.raises(ValueError, match="each attribute once, got 'alpha' twice"):
        load_onnx(model)


def test_models_without_what_a_model_has():
    model = relu()
    del model.graph.node[:]
    with pytest.raises(ValueError, match="expected an ONNX model with nodes"):
        load_onnx(model)
    model = relu()
    del model.graph.output[:]
    with pytest.raises(ValueError, match="expected at least one output"):
        load_onnx(model)
    model = relu()
    del model.opset_import[:]
    with pytest.raises(UnsupportedError, match="domain that the model imports"):
        load_onnx(model)
    with pytest.raises(ValueError, match="without its versions"):
        load_onnx(onnx.ModelProto(ir_version=8).SerializeToString())


@pytest.mark.parametrize(
    ("x", "kind", "text"),
    [
        (X[:, :1], ValueError, "expected 2 channels|2 input channels|got shape"),
        (X[0, 0], ValueError, "dimensions"),
        (X.astype(np.float64), TypeError, "expected float"),
        (X.astype(np.int32), TypeError, "expected float32 or float64"),
        (X.tolist(), TypeError, "expected a NumPy array"),
    ],
)
def test_inputs_that_do_not_fit(x, kind, text):
    graph = load_onnx(om.small_net())
    with pytest.raises(kind, match=text):
        graph(x)
    with pytest.raises(TypeError, match="x: expected one for each of x, got 2"):
        graph(X, X)


def test_weights_of_wrong_sizes_name_the_node():
    weights = om.weights() | {"b1": np.ones(5, np.float32)}
    model = om.small_net()
    del model.graph.initializer[:]
    model.graph.initializer.extend(onnx.numpy_helper.from_array(w, name) for name, w in weights.items())
    with pytest.raises(ValueError, match=r"bias of shape \(3,\) for Conv \('node0'\), got \(5,\)"):
        load_onnx(model)


@pytest.mark.parametrize("instead", ["None", "sys"])  # a module of that name that is another one
def test_without_onnx_the_error_says_what_to_install(instead, tmp_path):
    code = (
        f"import sys; sys.modules['onnx'] = {instead}\n"
        "import kitnet.onnx\n"
        "try: kitnet.onnx.load_onnx(b'')\n"
        "except ImportError as error: print(error)"
    )
    command = [sys.executable, "-c", code]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert shown == "onnx is needed to read ONNX models: pip install 'kitnet[onnx]'\n"


@pytest.mark.parametrize("op", ["Concat", "Mul"])
def test_constants_that_grow_from_node_to_node_are_not_computed_on_loading(op):
    """Each doubles the one before, or squares it."""
    shape = {"Concat": [2], "Mul": [1, 2]}[op]
    nodes = [("Neg", "w", "v0", {})]
    for i in range(50):
        if op == "Concat":
            nodes.append(("Concat", f"v{i},v{i}", f"v{i + 1}", {"axis": 0}))
        else:
            nodes += [("Unsqueeze", f"v{i},k", f"u{i}", {}), ("Mul", f"u{i},v0", f"v{i + 1}", {})]
    given = {"w": np.ones(shape, np.int64), "k": np.array([-1])}
    model = om.model(*nodes, ("Cast", "v50", "c", {"to": 1}), ("Add", "x,c", "y", {}), weights=given)
    tracemalloc.start()
    load_onnx(model)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 22
