"""The comparison runs, checks results and writes its report. Its figures are nobody's business here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def compare(*arguments: str, script: str = "compare") -> subprocess.CompletedProcess[str]:
    # The script imports the modules beside it, among which there is no kitnet to shadow the one under test.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, str(BENCHMARKS / f"{script}.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_compare_measures_checks_and_reports(tmp_path: Path) -> None:
    rows = "lenet training/batch 1$|article by layer/.* 5x5$"
    run = compare("--quick", "--peers", "article", "--threads", "1", "--rows", rows, "--out", str(tmp_path))
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "compare.json").read_text())
    ratios = {row["group"]: row["ratios"] for row in report["results"]}
    assert set(ratios) == {"lenet training", "article by layer"}
    assert ratios["article by layer"]["article"] > 0
    assert "| article's loops |" in (tmp_path / "compare.md").read_text()


def test_compare_with_itself_in_float32_and_without_denormal_numbers(tmp_path: Path) -> None:
    rows = "(float64|denormal weights) .*/8x32x112x112"
    run = compare("--quick", "--peers", "itself", "--rows", rows, "--out", str(tmp_path), "--name", "own")
    assert run.returncode == 0, run.stdout + run.stderr
    report = json.loads((tmp_path / "own.json").read_text())
    assert {row["group"] for row in report["results"]} == {
        f"{variant} {pass_}"
        for variant in ("float64", "denormal weights")
        for pass_ in ("forward", "backward")
    }
    assert all(row["ratios"]["itself"] > 0 for row in report["results"])
    assert {verdict["peer"] for verdict in report["verdicts"]} == {"itself"}
    written = (tmp_path / "own.md").read_text()
    assert "| kitnet itself |" in written
    assert "## float64 forward\n\nAgainst float32 without Winograd's algorithm" in written


def test_scaling_measures_and_finds_the_same_bits(tmp_path: Path) -> None:
    rows = "ResNet .*/1x64x56x56"
    run = compare("--quick", "--threads", "1,2", "--rows", rows, "--out", str(tmp_path), script="scaling")
    assert run.returncode == 0, run.stdout + run.stderr
    results = json.loads((tmp_path / "scaling.json").read_text())["results"]
    assert [row["group"] for row in results] == ["ResNet forward", "ResNet backward"]
    assert all(set(row["speedup"]) == {"1", "2"} and row["same_bits"] for row in results)
    assert "geomean" in run.stdout


@pytest.mark.parametrize("script", ["compare", "scaling"])
@pytest.mark.parametrize("arguments", [("--rows", "no such row"), ("--rows", "("), ("--threads", "0")])
def test_scripts_refuse_what_they_cannot_do(arguments: tuple[str, str], script: str) -> None:
    run = compare(*arguments, script=script)
    assert run.returncode == 2
    assert arguments[0] in run.stderr
    assert "Traceback" not in run.stderr
