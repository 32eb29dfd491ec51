"""The sdist and the wheel of this checkout, and environments with them installed."""

import shutil
import sys
from pathlib import Path

import pytest
from clean_room import ROOT, Environment, run

NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv*", "build", "dist", "runs", "*.egg-info", "*.so", "*.pyd", "__pycache__", ".*_cache"
)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("packaging")


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory):
    """A folder with the sdist, and with the wheel that was built from the sdist alone."""
    source = shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "kitnet", ignore=NOT_SOURCE)
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, source, env={"KITNET_REQUIRE_EXT": "1"})
    return folder


@pytest.fixture(scope="session")
def sdist(artefacts):
    (path,) = artefacts.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def wheel(artefacts):
    (path,) = artefacts.glob("*.whl")
    return path


@pytest.fixture
def environment(tmp_path):
    return Environment(tmp_path)


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory):
    """An environment with the wheel and what it depends on, and nothing else."""
    environment = Environment(tmp_path_factory.mktemp("installed"))
    environment.pip("install", wheel)
    return environment
