"""The README keeps its word: its examples run, its commands and links exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *(ROOT / "docs").glob("*.md"),
]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_examples_run(path, tmp_path):
    """All Python blocks of a document, in order, as one program."""
    program = "\n".join(blocks(path.read_text(encoding="utf-8"), "python"))
    command = [sys.executable, "-W", "error", "-P", "-c", program]
    result = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr


def test_first_example_is_short_and_learns(tmp_path):
    example = blocks(README, "python")[0]
    lines = [line for line in example.splitlines() if line.strip()]
    assert len(lines) <= 15
    assert lines[-1].startswith("print(")
    program = "\n".join([*lines[:-1], f"assert {lines[-1][5:]}['accuracy'] > 0.95"])
    subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, check=True, capture_output=True)


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in DOCUMENTS:
        named = set(re.findall(r"`make ([a-z-]+)", path.read_text(encoding="utf-8")))
        assert named <= targets, path.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


def test_named_files_exist():
    name = re.compile(r"`((?:kitnet|tests|benchmarks|tools|docs)/[\w./]+)`")
    for path in DOCUMENTS:
        for named in name.findall(path.read_text(encoding="utf-8")):
            assert (ROOT / named).exists(), f"{path.name} names {named}"
