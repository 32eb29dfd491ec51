"""Every example in a docstring runs and shows what it says."""

import doctest
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

import kitnet
from kitnet import functional

# The kernels themselves are tested in tests/kernels, and running __main__ would start the command line.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(kitnet.__path__, "kitnet.")
    if not module.name.startswith(("kitnet._kernels", "kitnet.__main__"))
]

# Of an adjoint the source is that of its function; others may say where theirs is.
POINTER = re.compile(r"(?:[Ss]ee|sources are those of) ``(\w+)``")


def source(name):
    """The line of the docstring that says where the method comes from; or of the function it points to."""
    text = inspect.getdoc(getattr(functional, name))
    if found := re.search("^Source: .+", text, re.MULTILINE):
        return found[0]
    near = POINTER.findall(text) + [name.removesuffix("_backward")] * name.endswith("_backward")
    return next((said for other in near if other in functional.__all__ if (said := source(other))), None)


@pytest.mark.parametrize("name", functional.__all__)
def test_every_function_names_its_source(name):
    assert source(name), f"{name}: expected a line 'Source: ...', or a pointer to the function that has it"


@pytest.mark.parametrize("name", ["kitnet", *MODULES])
def test_examples_run(name, tmp_path, monkeypatch):
    if name.startswith("kitnet.onnx"):
        pytest.importorskip("onnx.helper", reason="onnx is not installed")
    monkeypatch.chdir(tmp_path)
    with np.printoptions(precision=4, suppress=True):
        failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed
