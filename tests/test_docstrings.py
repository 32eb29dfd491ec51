"""Every example in a docstring runs and shows what it says."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import kitnet

# The kernels themselves are tested in tests/kernels, and running __main__ would start the command line.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(kitnet.__path__, "kitnet.")
    if not module.name.startswith(("kitnet._kernels", "kitnet.__main__"))
]


@pytest.mark.parametrize("name", ["kitnet", *MODULES])
def test_examples_run(name, tmp_path, monkeypatch):
    if name.startswith("kitnet.onnx"):
        pytest.importorskip("onnx.helper", reason="onnx is not installed")
    monkeypatch.chdir(tmp_path)
    with np.printoptions(precision=4, suppress=True):
        failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed
