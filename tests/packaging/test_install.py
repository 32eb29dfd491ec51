"""Installing kitnet with and without a compiler, and what it is afterwards."""

import json
import os
import runpy
import shutil
import sys
from pathlib import Path

import pytest
from clean_room import ROOT, Environment, run

NO_COMPILER = {"CC": "/bin/false", "LDSHARED": "/bin/false"}
INFO = "import json, kitnet, kitnet._config; print(json.dumps(kitnet._config.info()))"
SMALL_CONVOLUTION = """
import numpy as np
from kitnet.functional import conv1d
y = conv1d(np.array([[[0, 0, 1, 1, 1, 0, 0]]], np.float32), np.array([[[1, 0, -1]]], np.float32))
assert y.tolist() == [[[-1, -1, 0, 1, 1]]], y
"""


def info(environment, env=None):
    return json.loads(environment.python("-W", "error", "-c", INFO, env=env).stdout)


def other_pythons():
    """The other Pythons on this machine that the wheel should serve, one a minor version."""
    found = {}
    for folder in [*os.environ["PATH"].split(os.pathsep), *Path.home().glob(".pyenv/versions/*/bin")]:
        for path in Path(folder).glob("python3.[1-9][0-9]"):
            minor = int(path.name.split(".")[1])
            if (
                11 <= minor != sys.version_info.minor
                and run(path, "-m", "venv", "-h", check=False).returncode == 0
            ):
                found[minor] = path
    return [found[minor] for minor in sorted(found)]


@pytest.fixture(scope="session")
def bare(sdist, tmp_path_factory):
    """An environment into which the sdist was installed on a machine without a compiler."""
    environment = Environment(tmp_path_factory.mktemp("bare"))
    environment.log = environment.pip("install", "--verbose", "--no-cache-dir", sdist, env=NO_COMPILER)
    return environment


def test_wheel_runs_compiled(installed):
    found = info(installed, {"KITNET_REQUIRE_COMPILED": "1"})
    assert found["backend"] == "cython"
    assert found["OpenMP"] == "yes"
    installed.python("-W", "error", "-c", SMALL_CONVOLUTION)


@pytest.mark.parametrize("python", other_pythons(), ids=lambda path: path.name)
def test_same_wheel_runs_compiled_on_other_pythons(python, wheel, tmp_path):
    environment = Environment(tmp_path, python)
    environment.pip("install", wheel)
    environment.python("-W", "error", "-c", SMALL_CONVOLUTION, env={"KITNET_REQUIRE_COMPILED": "1"})


def test_command_line_is_installed(installed):
    assert "cython" in installed.kitnet("info").stdout
    assert installed.python("-m", "kitnet", "info").stdout == installed.kitnet("info").stdout


def test_metadata_has_the_version(installed):
    code = "import importlib.metadata as m, kitnet; print(m.version('kitnet') == kitnet.__version__)"
    assert installed.python("-c", code).stdout.strip() == "True"


def test_import_needs_only_the_dependencies(installed):
    """Neither an extra nor anything slow is imported before it is used."""
    slow = ["argparse", "csv", "hashlib", "matplotlib", "onnx", "PIL", "safetensors", "sklearn", "tqdm"]
    code = f"import kitnet, sys; print(set(sys.modules) & set({slow}))"
    assert installed.python("-c", code).stdout.strip() == "set()"


def test_bare_install_says_so_while_building(bare):
    assert "kitnet: not compiled" in bare.log.stdout + bare.log.stderr


def test_bare_wheel_is_labelled_as_what_it_is(bare):
    (record,) = bare.bin.parent.glob("lib/python*/site-packages/kitnet-*.dist-info/WHEEL")
    assert "Tag: py3-none-any" in record.read_text()
    assert "Root-Is-Purelib: true" in record.read_text()


def test_bare_install_warns_once_and_works(bare):
    result = bare.python("-c", SMALL_CONVOLUTION)
    assert result.stderr.count("the compiled kernels are missing") == 1
    assert "RuntimeWarning" in result.stderr


def test_bare_install_is_quiet_where_numpy_was_asked_for(bare):
    found = info(bare, {"KITNET_BACKEND": "numpy"})
    assert found["backend"] == "numpy"
    assert found["compiled kernels"] == "missing"


def test_bare_install_fails_where_compiled_is_required(bare):
    result = bare.python("-c", "import kitnet", env={"KITNET_REQUIRE_COMPILED": "1"}, check=False)
    assert result.returncode != 0
    assert "ImportError: kitnet: the compiled kernels are required but missing" in result.stderr


def test_bare_install_passes_the_functional_tests(bare):
    bare.pip("install", "pytest", "hypothesis")
    shutil.copytree(ROOT / "tests", bare.home / "tests", dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", bare.home)
    result = bare.python(
        "-P", "-m", "pytest", "tests/functional", env={"KITNET_BACKEND": "numpy"}, check=False
    )
    assert result.returncode == 0, result.stdout[-4000:]


def test_required_extension_that_fails_is_an_error(sdist, environment):
    for switch in ("KITNET_REQUIRE_EXT", "CIBUILDWHEEL"):
        result = environment.pip(
            "wheel", "--no-deps", "--no-cache-dir", sdist, env=NO_COMPILER | {switch: "1"}, check=False
        )
        assert result.returncode != 0
        assert not list(environment.home.glob("*.whl"))


def test_disabled_extension_gives_a_pure_wheel(sdist, environment):
    environment.pip("wheel", "--no-deps", "--no-cache-dir", sdist, env={"KITNET_DISABLE_EXT": "1"})
    (wheel,) = environment.home.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")


def test_half_built_package_is_pure_numpy(sdist, environment, tmp_path):
    """One kernel that does not compile must not leave a package that fails at its first use."""
    compiler = tmp_path / "cc"
    compiler.write_text('#!/bin/sh\ncase "$*" in */elementwise.c*) exit 1;; esac\nexec cc "$@"\n')
    compiler.chmod(0o755)
    log = environment.pip("install", "--verbose", "--no-cache-dir", sdist, env={"CC": str(compiler)})
    assert "kitnet: not compiled: kitnet._kernels.elementwise;" in log.stdout + log.stderr
    result = environment.python("-c", SMALL_CONVOLUTION + "import kitnet; print(kitnet.backend())")
    assert result.stdout.strip() == "numpy"
    assert "the compiled kernels are missing" in result.stderr


def test_changed_headers_reach_every_module_that_includes_them(monkeypatch):
    """setuptools compiles anew what is older than its ``depends``, which setup.py must therefore find all."""
    monkeypatch.chdir(ROOT)
    setup = runpy.run_path("setup.py")
    for source in sorted((setup["KERNELS"] / "simd").glob("kn_*.c")):
        listed = run("cc", "-MM", "-I", setup["KERNELS"], source).stdout.replace("\\\n", " ").split()
        read = {Path(name).name for name in listed[2:] if not name.startswith("/")}
        assert read <= {Path(name).name for name in setup["headers"](source)}
