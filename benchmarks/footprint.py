"""What kitnet costs beside time: its import, its wheel, the page faults of training; each beside its promise.

python benchmarks/footprint.py                      the wheel is the newest in dist/ (make wheel)
python benchmarks/footprint.py --wheel PATH --json footprint.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from libraries import HERE
from workers import kitnet_worker

IMPORTS = 15
WARM_STEPS, STEADY_STEPS = 50, 200

IMPORT_PROGRAM = """
import numpy, time
start = time.perf_counter()
{}
print(time.perf_counter() - start)
"""
EVERYTHING = "from kitnet import article, datasets, functional, init, layers, models, training"


def import_milliseconds(statement: str) -> float:
    """Median milliseconds of an import after ``import numpy``, in fresh processes."""
    command = [sys.executable, "-c", IMPORT_PROGRAM.format(statement)]
    seconds = [
        float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE).stdout)
        for _ in range(IMPORTS)
    ]
    return 1e3 * median(seconds[1:])  # the first one may have to read the files from disk


def page_faults_a_step(batch: int = 32) -> float | None:
    """Minor page faults of a steady LeNet training step; None where the system does not count them."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    operations = kitnet_worker.load()[1]
    step = operations["lenet"]({"batch": batch}, "step").call
    for _ in range(WARM_STEPS):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(STEADY_STEPS):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / STEADY_STEPS


def newest_wheel() -> Path | None:
    """The newest wheel in dist/."""
    wheels = sorted((HERE.parent / "dist").glob("kitnet-*.whl"), key=lambda path: path.stat().st_mtime)
    return wheels[-1] if wheels else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 unless it is used wrongly: the figures are a report, not a test."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wheel", type=Path, default=newest_wheel(), help="the wheel to weigh")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args(arguments)
    if chosen.wheel is not None and not chosen.wheel.is_file():
        parser.error(f"--wheel: expected a file, got {chosen.wheel}")
    figures = [
        ("import kitnet above numpy", "ms", 40.0, import_milliseconds("import kitnet")),
        ("the same with all its parts", "ms", None, import_milliseconds(EVERYTHING)),
        ("wheel", "MB", 3.0, chosen.wheel.stat().st_size / 1e6 if chosen.wheel else None),
        ("page faults of a LeNet training step, batch 32", "", 1.0, page_faults_a_step()),
    ]
    for name, unit, most, value in figures:
        told = "not measured" if value is None else f"{value:.2f} {unit}".strip()
        promise = f"at most {most:g} {unit}".strip() if most is not None else "none"
        met = None if most is None or value is None else value <= most
        verdict = {None: "", True: "  met", False: "  NOT MET"}[met]
        print(f"{name}: {told} (promise: {promise}){verdict}")
    if chosen.json:
        rows = [dict(zip(("name", "unit", "most", "value"), figure, strict=True)) for figure in figures]
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
