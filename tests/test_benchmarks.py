"""The comparison runs, checks results and writes its report. Its figures are nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPARE = Path(__file__).resolve().parents[1] / "benchmarks" / "compare.py"


def compare(*arguments: str) -> subprocess.CompletedProcess[str]:
    # The script imports the modules beside it, among which there is no kitnet to shadow the one under test.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, str(COMPARE), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_compare_measures_checks_and_reports(tmp_path: Path) -> None:
    rows = "lenet training/batch 1$|article/.* 5x5$"
    run = compare("--quick", "--peers", "article", "--threads", "1", "--rows", rows, "--out", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "compare.json").read_text())
    ratios = {row["group"]: row["ratios"] for row in report["results"]}
    assert set(ratios) == {"lenet training", "article"}
    assert ratios["article"]["article"] > 0
    assert "| article's loops |" in (tmp_path / "compare.md").read_text()


@pytest.mark.parametrize("arguments", [("--rows", "no such row"), ("--rows", "("), ("--threads", "0")])
def test_compare_refuses_what_it_cannot_do(arguments: tuple[str, str]) -> None:
    run = compare(*arguments)
    assert run.returncode == 2
    assert arguments[0] in run.stderr
    assert "Traceback" not in run.stderr
