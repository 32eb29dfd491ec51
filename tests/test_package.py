"""The package itself: what importing it does, and its settings."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kitnet
from kitnet import _backend, _config

ROOT = Path(__file__).parents[1]

needs_compiled = pytest.mark.skipif(_backend.compiled is None, reason="the compiled kernels were not built")


def test_version_is_in_the_changelog():
    assert f"## {kitnet.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_public_name_is_there():
    assert dir(kitnet) == kitnet.__all__
    for name in kitnet.__all__:
        assert getattr(kitnet, name) is not None


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'kitnet' has no attribute 'conv2d'"):
        _ = kitnet.conv2d


def test_importing_loads_no_more_than_asked_for():
    code = "import sys, kitnet; print(*(name for name in sys.modules if name.startswith('kitnet.')))"
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {name.split(".")[1] for name in loaded} <= {
        "_arrays",
        "_backend",
        "_config",
        "_geometry",
        "_kernels",
    }


@pytest.mark.parametrize(
    ("name", "value"), [("KITNET_NUM_THREADS", "many"), ("KITNET_ISA", "mmx"), ("KITNET_BACKEND", "torch")]
)
@needs_compiled
def test_nonsense_in_the_environment_is_an_error(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    command = [sys.executable, "-P", "-c", "import kitnet"]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode != 0
    assert re.search(r"(ImportError|ValueError): .*expected", result.stderr.splitlines()[-1])


@needs_compiled
def test_memory_goes_back_to_the_pool_and_to_the_system():
    kitnet.empty_cache()
    before = kitnet.memory_stats()
    y = kitnet.functional.relu(np.ones(1 << 16, np.float32))
    during = kitnet.memory_stats()
    assert during["in_use"] - before["in_use"] >= y.nbytes
    del y
    assert kitnet.memory_stats()["waiting"] >= 1 << 18
    kitnet.empty_cache()
    assert kitnet.memory_stats()["waiting"] == 0


def test_config_is_shown(capsys):
    kitnet.show_config()
    shown = capsys.readouterr().out
    assert f"kitnet: {kitnet.__version__}\n" in shown
    assert f"backend: {kitnet.backend()}\n" in shown
    assert shown.count("\n") == len(_config.info())


def test_backend_holds_for_a_block():
    before = kitnet.backend()
    with kitnet.use_backend("numpy"):
        assert kitnet.backend() == "numpy"
    assert kitnet.backend() == before
    with (
        pytest.raises(ValueError, match="backend: expected 'cython' or 'numpy', got 'torch'"),
        kitnet.use_backend("torch"),
    ):
        pass
