"""Model files: everything comes back, and everything that is wrong with a file is said."""

import json
import os
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save_file

import kitnet
from kitnet import _files
from kitnet.layers import BatchNorm2d, Conv2d, Dropout, Flatten, Layer, Linear, LPPool2d, MaxPool2d, ReLU
from kitnet.models import Sequential
from kitnet.models.serialization import CLASSES


def small():
    rng = np.random.default_rng(0)
    return Sequential(Conv2d(1, 2, 3, rng=rng), BatchNorm2d(2), ReLU(), Flatten(), Linear(8, 3, rng=rng))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def rewrite(path, change):
    """Apply ``change(tensors, metadata, architecture)`` to a model file, with a digest that fits."""
    tensors, metadata = _files.read_tensors(path, "kitnet")
    architecture = json.loads(metadata["architecture"])
    change(tensors, metadata, architecture)
    if metadata.get("architecture") is not None:
        metadata["architecture"] = json.dumps(architecture)
    _files.write_tensors(path, tensors, metadata)


def test_special_values_come_back(path):
    model = Linear(3, 2, dtype=np.float64)
    values = [[np.nan, -np.nan, np.inf], [-np.inf, -0.0, 5e-324]]
    model.weight.data = np.array(values)
    kitnet.save(model, path)
    assert kitnet.load(path).weight.data.tobytes() == np.array(values).tobytes()


def test_loaded_models_can_be_trained(path):
    kitnet.save(small(), path)
    model = kitnet.load(path)
    model.flatten_parameters()
    y, pullback = model.vjp(np.ones((2, 1, 4, 4), np.float32))
    pullback(y)
    model.flat_data[...] -= model.flat_grad
    assert model[1].num_batches_tracked == 1
    for parameter in model.parameters():
        assert parameter.data.flags.aligned
        assert parameter.data.flags.writeable


def test_flat_and_strided_parameters_are_saved_right(path):
    model, x = small(), np.random.default_rng(1).normal(size=(2, 1, 4, 4)).astype(np.float32)
    model.flatten_parameters()
    model[4].weight.bind(np.asfortranarray(model[4].weight.data))
    expected = model(x)
    kitnet.save(model, path)
    np.testing.assert_array_equal(kitnet.load(path)(x), expected)


def test_equal_models_are_equal_files_and_saving_replaces(path, tmp_path):
    kitnet.save(Linear(1, 1), path)
    kitnet.save(small(), path)
    kitnet.save(small(), tmp_path / "other")
    assert path.read_bytes() == (tmp_path / "other").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["model.safetensors", "other"]


def test_other_tools_can_read_the_file(path):
    from safetensors import safe_open

    kitnet.save(small(), path)
    with safe_open(path, framework="np") as f:
        assert set(f.keys()) >= {"0.weight", "0.bias", "1.running_mean", "4.weight"}
        metadata = f.metadata()
    assert metadata["format"] == "kitnet"
    assert metadata["format_version"] == "1"
    architecture = json.loads(metadata["architecture"])
    assert [layer["class"] for layer in architecture["layers"]] == [
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
        "Flatten",
        "Linear",
    ]


def test_models_that_cannot_come_back_are_not_saved(path):
    class Mine(Linear):
        pass

    class ReLU(Layer):  # the name of one of kitnet's, and yet another class
        pass

    for bad in (Mine(2, 2), Sequential(Flatten(), Mine(2, 2)), ReLU()):
        with pytest.raises(ValueError, match="model: expected layers of kitnet's own classes"):
            kitnet.save(bad, path)
    layer = Linear(2, 2)
    with pytest.raises(
        ValueError, match=r"model: expected each parameter in one place, got one at '0.weight' and '1"
    ):
        kitnet.save(Sequential(layer, layer), path)
    with pytest.raises(TypeError, match="model: expected a layer, got ndarray"):
        kitnet.save(np.ones(2), path)
    assert not path.exists()


def test_paths_that_cannot_be_written(tmp_path):
    (tmp_path / "folder").mkdir()
    for bad in (tmp_path / "none" / "model", tmp_path / "folder"):
        with pytest.raises(OSError, match="path: expected"):
            kitnet.save(small(), bad)
    with pytest.raises(TypeError, match="path"):
        kitnet.save(small(), 3)
    for bad in (tmp_path / "none", tmp_path / "folder"):
        with pytest.raises(OSError, match=bad.name):
            kitnet.load(bad)


# ---- files that went bad


@pytest.mark.parametrize("part", range(20))
def test_truncated_files(path, part):
    kitnet.save(small(), path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * part // 20])
    with pytest.raises(ValueError, match=r"path: expected .*model.safetensors"):
        kitnet.load(path)


def test_every_flipped_byte_is_noticed(path):
    kitnet.save(small(), path)
    content = path.read_bytes()
    for place in range(0, len(content), 11):
        for mask in (0x01, 0x20, 0xFF):
            path.write_bytes(content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :])
            with pytest.raises(ValueError, match="path: expected"):
                kitnet.load(path)


def test_longer_and_foreign_files(path, tmp_path):
    kitnet.save(small(), path)
    path.write_bytes(path.read_bytes() + b"\0" * 8)
    with pytest.raises(ValueError, match="path: expected a safetensors file"):
        kitnet.load(path)
    for content in (b"", b"PK\x03\x04 a zip", b"\x80\x04 a pickle" * 9, b"\xff" * 64, b"{}" * 40):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="path: expected a safetensors file"):
            kitnet.load(path)
    save_file({"weight": np.ones(3, np.float32)}, path)
    with pytest.raises(ValueError, match=r"path: expected a file of format 'kitnet', got .* of format None"):
        kitnet.load(path)
    save_file({"weight": np.ones(3, np.float32)}, path, {"format": "pt"})
    with pytest.raises(ValueError, match=r"path: expected a file of format 'kitnet', got .* of format 'pt'"):
        kitnet.load(path)
    save_file({"weight": np.ones(3, np.float32)}, path, {"format": "kitnet", "format_version": "1"})
    with pytest.raises(ValueError, match="path: expected an intact file"):
        kitnet.load(path)


# ---- files with a fitting digest, written by someone who means it


def test_other_versions(path):
    kitnet.save(small(), path)
    rewrite(path, lambda tensors, metadata, architecture: metadata.update(format_version="2"))
    with pytest.raises(ValueError, match=r"path: expected format version 1, got '2' in .*model.safetensors"):
        kitnet.load(path)
    rewrite(path, lambda tensors, metadata, architecture: metadata.pop("format_version"))
    with pytest.raises(ValueError, match="path: expected format version 1, got None"):
        kitnet.load(path)


def set_config(**arguments):
    return lambda tensors, metadata, architecture: architecture["layers"][0]["config"].update(arguments)


def set_layer(**keys):
    return lambda tensors, metadata, architecture: architecture["layers"][0].update(keys)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (set_layer(**{"class": "Conv9d"}), "one of kitnet's layer classes, got 'Conv9d'"),
        (set_layer(**{"class": "os.system"}), "one of kitnet's layer classes, got 'os.system'"),
        (set_layer(**{"class": "Layer"}), "one of kitnet's layer classes, got 'Layer'"),
        (set_layer(**{"class": "__import__"}), "one of kitnet's layer classes"),
        (set_layer(**{"class": ["Conv2d"]}), "one of kitnet's layer classes"),
        (set_layer(**{"class": "Linear"}), "unexpected keyword"),
        (set_layer(config=[1, 2, 3]), "arguments and layers of Conv2d"),
        (set_layer(layers={}), "arguments and layers of Conv2d"),
        (set_layer(layers=[{"class": "ReLU", "config": {}}]), "got multiple values|expected"),
        (set_layer(code="print()"), "class, config and maybe layers"),
        (lambda t, m, a: a["layers"].__setitem__(0, 3), "class, config and maybe layers"),
        (lambda t, m, a: a["layers"].clear(), "layers: expected at least one"),
        (lambda t, m, a: a.pop("config"), "class, config and maybe layers"),
        (set_config(rng=3), "arguments"),
        (set_config(bias="yes"), "expected the arguments"),
        (set_config(nonsense=1), "unexpected keyword"),
        (set_config(dtype="int8"), "dtype: expected float32 or float64"),
        (set_config(dtype="float64"), "0.weight: expected float64"),
        (set_config(kernel_size=[3, -3]), "kernel_size: expected"),
        (set_config(kernel_size=1e3), "kernel_size: expected"),
        (
            set_config(out_channels=3),
            r"0.weight: expected float32 \(3, 1, 3, 3\), got float32 \(2, 1, 3, 3\)",
        ),
        (set_config(out_channels=10**7, in_channels=10**7), "0.weight: expected"),
        (
            set_config(out_channels=10**9, in_channels=10**9, kernel_size=10**5),
            "shape: expected a result that fits",
        ),
        (set_config(out_channels=10**400), "out_channels: expected"),
        (set_config(bias=False), r"\[\] missing and \['0.bias'\] too many"),
        (lambda t, m, a: t.pop("4.bias"), r"\['4.bias'\] missing and \[\] too many"),
        (lambda t, m, a: t.pop("1.running_var"), r"\['1.running_var'\] missing"),
        (lambda t, m, a: t.update(extra=np.ones(3)), r"\['extra'\] too many"),
        (lambda t, m, a: t.update({"4.bias": np.ones(3)}), "4.bias: expected float32"),
        (
            lambda t, m, a: t.update({"4.bias": np.ones((3, 1), np.float32)}),
            r"4.bias: expected float32 \(3,\)",
        ),
        (
            lambda t, m, a: t.update({"1.num_batches_tracked": np.zeros(())}),
            "1.num_batches_tracked: expected int64",
        ),
    ],
)
def test_edited_files(path, change, match):
    kitnet.save(small(), path)
    rewrite(path, change)
    with pytest.raises(ValueError, match=match) as error:
        kitnet.load(path)
    assert "path: expected a model that can be built" in str(error.value)
    assert "model.safetensors" in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", "3", '"Linear"', "[" * 100_000, '{"class": ' * 50_000, "1" * 10_000]
)
def test_architectures_that_are_none(path, text):
    kitnet.save(Linear(1, 1), path)
    tensors, metadata = _files.read_tensors(path)
    _files.write_tensors(path, tensors, metadata | {"architecture": text})
    with pytest.raises(ValueError, match="path: expected a model that can be built"):
        kitnet.load(path)
    del metadata["architecture"]
    _files.write_tensors(path, tensors, metadata)
    with pytest.raises(ValueError, match="path: expected 'architecture' in the metadata"):
        kitnet.load(path)


def test_deeply_nested_models(path):
    kitnet.save(Linear(1, 1), path)
    tensors, metadata = _files.read_tensors(path)
    deep = '{"class":"Sequential","config":{"fuse":true},"layers":[' * 400 + "]}" * 400
    _files.write_tensors(path, tensors, metadata | {"architecture": deep})
    with pytest.raises(ValueError, match="path: expected a model that can be built"):
        kitnet.load(path)


def test_claims_of_size_cost_no_memory(path):
    kitnet.save(small(), path)
    rewrite(path, set_config(out_channels=10**6, in_channels=10**6))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"0.weight: expected float32"):
            kitnet.load(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_infinite_arguments_come_back(path):
    kitnet.save(LPPool2d(float("inf"), 2), path)
    assert kitnet.load(path).norm_type == float("inf")


def test_generators_are_fresh_after_loading(path):
    model = Dropout(0.5, rng=np.random.default_rng(0))
    kitnet.save(model, path)
    x = np.ones((10, 10))
    assert not np.array_equal(kitnet.load(path).vjp(x)[0], kitnet.load(path).vjp(x)[0])


def test_all_public_layers_can_be_named():
    public = {name for name in kitnet.layers.__all__ if name not in ("Layer", "Parameter")}
    assert set(CLASSES) == public | {"Graph", "Residual", "Sequential"}
    assert CLASSES["MaxPool2d"] is MaxPool2d
