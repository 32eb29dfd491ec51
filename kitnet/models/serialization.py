"""Models in files: safetensors, with the architecture as JSON in the metadata.

A file can name only the layer classes below; nothing in it is imported, executed or evaluated.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from .. import init, layers
from .._files import Path, read_tensors, write_tensors
from ..layers.base import Layer
from .graph import Graph
from .residual import Residual
from .sequential import Sequential

FORMAT = "kitnet"
VERSION = "1"

_PUBLIC = [getattr(layers, name) for name in layers.__all__] + [Graph, Residual, Sequential]
CLASSES: dict[str, type[Layer]] = {
    cls.__name__: cls
    for cls in _PUBLIC
    if isinstance(cls, type) and issubclass(cls, Layer) and cls is not Layer
}
"""The classes that a file may name: a closed list."""

_KEYS = {"class", "config", "layers"}


def save(model: Layer, path: Path) -> None:
    """Write a model, architecture and all, to a safetensors file, whole or not at all.

    Parameters
    ----------
    model
        A layer or container of kitnet's own classes.
    path
        The file. One that is there is replaced, atomically.

    Raises
    ------
    TypeError, ValueError
        If ``model`` is no layer, has a layer of another class inside, or one parameter in two places.
    OSError
        If the file cannot be written; one that was there is as it was.

    >>> import kitnet, os, tempfile
    >>> from kitnet.layers import Linear
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     kitnet.save(Linear(4, 2), path)
    ...     kitnet.load(path)
    Linear(4, 2)
    """
    if not isinstance(model, Layer):
        raise TypeError(f"model: expected a layer, got {type(model).__name__}")
    architecture = json.dumps(_describe(model))
    write_tensors(
        path, _tensors(model), {"format": FORMAT, "format_version": VERSION, "architecture": architecture}
    )


def load(path: Path) -> Layer:
    """Read a model that ``save`` wrote, bit for bit.

    Random generators are not in the file: dropout starts with a fresh one.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no model of kitnet's, is of a newer version, or was truncated, damaged or altered.

    >>> import kitnet, tempfile
    >>> with tempfile.NamedTemporaryFile() as f:
    ...     kitnet.load(f.name)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: path: expected a safetensors file, got ...
    """
    tensors, metadata = read_tensors(path, FORMAT)
    name = os.fspath(path)
    if (version := metadata.get("format_version")) != VERSION:
        raise ValueError(f"path: expected format version {VERSION}, got {version!r} in {name!r}")
    try:
        # Nothing is allocated for what the architecture claims; the file's own arrays fill the model.
        with init.placeholders():
            model = _build(json.loads(metadata["architecture"]))
        _fill(model, tensors)
    except KeyError as error:
        raise ValueError(f"path: expected {error} in the metadata of {name!r}, got none") from None
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise ValueError(f"path: expected a model that can be built, got {name!r} ({error})") from None
    return model


def _tensors(model: Layer) -> dict[str, np.ndarray]:
    """All parameters and buffers by name."""
    parameters = dict(model.named_parameters(remove_duplicate=False))
    owners: dict[int, str] = {}
    for name, parameter in parameters.items():
        if (other := owners.setdefault(id(parameter), name)) != name:
            raise ValueError(
                f"model: expected each parameter in one place, got one at {other!r} and {name!r}"
            )
    return {name: parameter.data for name, parameter in parameters.items()} | model.buffers()


def _describe(layer: Layer) -> dict[str, Any]:
    """The architecture as JSON can hold it: class, constructor arguments, and the layers inside."""
    name = type(layer).__name__
    if CLASSES.get(name) is not type(layer):
        raise ValueError(f"model: expected layers of kitnet's own classes, got a {name}")
    inner = [_describe(child) for child in layer.children()]
    return {"class": name, "config": layer.config()} | ({"layers": inner} if inner else {})


def _build(description: Any) -> Layer:
    """The layer that ``_describe`` described."""
    if not isinstance(description, dict) or not {"class", "config"} <= set(description) <= _KEYS:
        raise ValueError(f"architecture: expected class, config and maybe layers, got {description!r:.80}")
    name, config, inner = description["class"], description["config"], description.get("layers", [])
    if not isinstance(name, str) or name not in CLASSES:
        raise ValueError(f"architecture: expected one of kitnet's layer classes, got {name!r:.80}")
    if not isinstance(config, dict) or not isinstance(inner, list):
        raise ValueError(f"architecture: expected arguments and layers of {name}, got {description!r:.80}")
    layer = CLASSES[name](*map(_build, inner), **config)
    if layer.config() != config or len(list(layer.children())) != len(inner):
        raise ValueError(
            f"architecture: expected the arguments {layer.config()} of {name}, got {config!r:.200}"
        )
    return layer


def _fill(model: Layer, tensors: dict[str, np.ndarray]) -> None:
    """Let the model live in these arrays, if they are just what it needs."""
    expected = _tensors(model)
    if expected.keys() != tensors.keys():
        missing, extra = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
        raise ValueError(
            f"tensors: expected those of the architecture, got {missing} missing and {extra} too many"
        )
    for name, stand_in in expected.items():
        tensor = tensors[name]
        if tensor.shape != stand_in.shape or tensor.dtype != stand_in.dtype:
            raise ValueError(
                f"{name}: expected {stand_in.dtype} {stand_in.shape}, got {tensor.dtype} {tensor.shape}"
            )
    for name, parameter in model.named_parameters():
        parameter.bind(tensors[name])
    _fill_buffers(model, "", tensors)


def _fill_buffers(layer: Layer, prefix: str, tensors: dict[str, np.ndarray]) -> None:
    for name in layer.own_buffers():
        setattr(layer, name, tensors[prefix + name])
    for name, child in layer.named_children():
        _fill_buffers(child, f"{prefix}{name}.", tensors)
