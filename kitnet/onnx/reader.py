"""ONNX files: read, distrusted, and turned into plain arrays and lists; nothing here knows an operator."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from .._arrays import Array, checked_size
from .._geometry import product
from .node import UnsupportedError

LARGEST_FILE = 2**31 - 1
"""Protocol buffers hold no more."""

DOMAINS = ("", "ai.onnx", "ai.onnx.preview.training")


@dataclass
class Entry:
    """A node as the file has it."""

    op: str
    name: str
    version: int
    attributes: dict[str, Any]
    takes: list[str]
    makes: list[str]


@dataclass
class Contents:
    """What a file says, checked."""

    inputs: list[str]
    outputs: list[str]
    constants: dict[str, Array]
    entries: list[Entry]
    ranks: dict[str, int]
    """The number of axes of each value for which it is known."""


def onnx_package(name: str = "") -> Any:
    """The module ``onnx`` or one inside it; ImportError that says what to install."""
    try:
        _ = import_module("onnx").ModelProto  # a folder of this name is importable, too
        return import_module(f"onnx{name}")
    except (AttributeError, ImportError):
        raise ImportError("onnx is needed to read ONNX models: pip install 'kitnet[onnx]'") from None


def read(source: Any) -> Contents:
    """The contents of a file, of its bytes or of a ModelProto; ValueError where they cannot be right."""
    onnx = onnx_package()
    model = source if isinstance(source, onnx.ModelProto) else _parsed(onnx, source)
    graph = model.graph
    if not graph.node:
        raise ValueError("model: expected an ONNX model with nodes, got none")
    if graph.sparse_initializer:
        raise UnsupportedError("model: expected dense initializers, got sparse ones")
    if model.functions:
        raise UnsupportedError(f"model: expected no functions, got {model.functions[0].name!r:.80}")
    versions = _versions(model)
    constants: dict[str, Array] = {}
    for tensor in graph.initializer:
        name = _text(tensor.name)
        if not name or name in constants:
            raise ValueError(f"model: expected each initializer under its own name, got {name!r:.80} twice")
        constants[name] = array_of(tensor, name)
    names = [_text(value.name) for value in graph.input]
    if len(set(names)) < len(names) or "" in names:
        raise ValueError(f"model: expected each input under its own name, got {names!r:.80}")
    inputs = {value.name: _input_rank(value) for value in graph.input if value.name not in constants}
    entries = [_entry(onnx, node, versions) for node in graph.node]
    outputs = [_text(value.name) for value in graph.output]
    _check_names(inputs, constants, entries, outputs)
    ranks = _inferred_ranks(model) | {name: rank for name, rank in inputs.items() if rank is not None}
    return Contents(list(inputs), outputs, constants, entries, ranks)


def _parsed(onnx: Any, source: Any) -> Any:
    """The ModelProto of a file or of bytes."""
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise ValueError(f"source: expected a file of at most {LARGEST_FILE} bytes, got {size}")
        data = path.read_bytes()
    elif isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    else:
        raise TypeError(f"source: expected a path, bytes or a ModelProto, got {type(source).__name__}")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's own class, of which there are several
        raise ValueError(f"source: expected an ONNX model, got {len(data)} bytes ({error})") from None
    if not model.ir_version or not model.opset_import:
        raise ValueError(f"source: expected an ONNX model, got {len(data)} bytes without its versions")
    return model


def _text(value: Any) -> str:
    """A name; protobuf has bytes where they are no UTF-8."""
    if not isinstance(value, str):
        raise ValueError(f"model: expected names in UTF-8, got {value!r:.80}")
    return value


def _versions(model: Any) -> dict[str, int]:
    """The version of each operator set, by its domain."""
    versions = {}
    for opset in model.opset_import:
        if opset.domain in DOMAINS:
            versions["" if opset.domain == "ai.onnx" else opset.domain] = opset.version
    return versions


def dtype_of(number: int, name: str) -> np.dtype:
    """The dtype that a TensorProto's number means."""
    kinds = onnx_package().TensorProto
    known = {
        kinds.FLOAT: np.float32,
        kinds.DOUBLE: np.float64,
        kinds.INT64: np.int64,
        kinds.INT32: np.int32,
        kinds.BOOL: np.bool_,
    }
    if number not in known:
        told = kinds.DataType.Name(number) if number in kinds.DataType.values() else number
        raise UnsupportedError(
            f"model: expected float32, float64, int32, int64 or bool for {name!r:.80}, got {told}"
        )
    return np.dtype(known[number])


def _input_rank(value: Any) -> int | None:
    """The number of axes of an input of the model, if it is said; its type must be one that kitnet has."""
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise UnsupportedError(f"model: expected tensors, got {kind} as input {value.name!r:.80}")
    dtype_of(value.type.tensor_type.elem_type, value.name)
    return _rank(value)


def _rank(value: Any) -> int | None:
    tensor = value.type.tensor_type
    return len(tensor.shape.dim) if tensor.HasField("shape") else None


def array_of(tensor: Any, name: str) -> Array:
    """The array of a TensorProto, after a look at its size; the caller's own."""
    onnx = onnx_package()
    dims = list(tensor.dims)
    kinds = onnx.TensorProto
    if tensor.data_location == kinds.EXTERNAL or tensor.external_data:
        raise UnsupportedError(
            f"model: expected all data inside the file, got external data for {name!r:.80}"
        )
    dtype = dtype_of(tensor.data_type, name)
    if any(dim < 0 for dim in dims):
        raise ValueError(f"model: expected sizes of at least 0 for {name!r:.80}, got {dims}")
    fields = {"f4": tensor.float_data, "f8": tensor.double_data, "i8": tensor.int64_data}
    held = fields.get(dtype.str[1:], tensor.int32_data)
    count = len(tensor.raw_data) / dtype.itemsize if tensor.HasField("raw_data") else len(held)
    if product(dims) != count:  # before anything is made of this size
        raise ValueError(
            f"model: expected {product(dims)} values of {name!r:.80}, as {dims} says, got {count:g}"
        )
    checked_size([max(dim, 1) for dim in dims], dtype.itemsize, "model")  # as NumPy does, zeros or not
    if tensor.HasField("raw_data"):
        array = np.frombuffer(tensor.raw_data, dtype.newbyteorder("<"))
    else:
        array = np.array(held, dtype)
    return array.astype(dtype).reshape(dims)


def _entry(onnx: Any, node: Any, versions: dict[str, int]) -> Entry:
    domain = "" if node.domain == "ai.onnx" else node.domain
    for text in (node.op_type, node.name, domain, *node.input, *node.output):
        _text(text)
    if domain not in versions:
        raise UnsupportedError(
            f"model: expected operators of a domain that the model imports and kitnet knows, "
            f"got {node.op_type!r:.80} ({node.name!r:.80}) of {node.domain!r:.80}"
        )
    attributes = {}
    for attribute in node.attribute:
        if _text(attribute.name) in attributes:
            raise ValueError(f"model: expected each attribute once, got {attribute.name!r:.80} twice")
        attributes[attribute.name] = _value(onnx, attribute, node)
    takes = list(node.input)
    while takes and not takes[-1]:
        takes.pop()
    makes = list(node.output)
    while makes and not makes[-1]:
        makes.pop()
    if not makes:
        raise ValueError(f"model: expected outputs of {node.op_type!r:.80} ({node.name!r:.80}), got none")
    return Entry(node.op_type, node.name, versions[domain], attributes, takes, makes)


def _value(onnx: Any, attribute: Any, node: Any) -> Any:
    """An attribute as Python has it."""
    kinds = onnx.AttributeProto
    if attribute.ref_attr_name:
        raise UnsupportedError(f"model: expected attributes with values, got {attribute.name!r:.80}")
    if attribute.type == kinds.STRING:
        return attribute.s.decode("utf-8", "replace")
    if attribute.type == kinds.STRINGS:
        return [text.decode("utf-8", "replace") for text in attribute.strings]
    if attribute.type == kinds.TENSOR:
        return array_of(attribute.t, f"{node.op_type}.{attribute.name}")
    if attribute.type in (kinds.INT, kinds.FLOAT):
        return attribute.i if attribute.type == kinds.INT else attribute.f
    if attribute.type in (kinds.INTS, kinds.FLOATS):
        return list(attribute.ints if attribute.type == kinds.INTS else attribute.floats)
    raise UnsupportedError(
        f"model: expected attributes that are numbers, text or tensors, got {attribute.name!r:.80} "
        f"of {node.op_type!r:.80} ({node.name!r:.80})"
    )


def _check_names(
    inputs: dict[str, int | None], constants: dict[str, Array], entries: list[Entry], outputs: list[str]
) -> None:
    """Every value is made once, and before it is used; so there is no loop."""
    made = {*inputs, *constants}
    for entry in entries:
        for name in entry.takes:
            if name and name not in made:
                raise ValueError(
                    f"model: expected values that are made before they are used, "
                    f"got {name!r:.80} in {entry.op} ({entry.name!r:.80})"
                )
        for name in entry.makes:
            if name and name in made:
                raise ValueError(f"model: expected each value to be made once, got {name!r:.80} twice")
            made.add(name)
    for name in outputs:
        if name not in made or not name:
            raise ValueError(f"model: expected outputs that a node makes, got {name!r:.80}")
    if not outputs:
        raise ValueError("model: expected at least one output, got none")


def _inferred_ranks(model: Any) -> dict[str, int]:
    """The number of axes of the values between the nodes, as far as onnx finds out."""
    try:
        graph = onnx_package(".shape_inference").infer_shapes(model).graph
        ranks = {value.name: _rank(value) for value in (*graph.input, *graph.value_info, *graph.output)}
    except Exception:  # whatever it stumbles over; who needs a rank then refuses the model
        return {}
    return {name: rank for name, rank in ranks.items() if rank is not None}
