"""How kitnet scales with threads: the 3x3 convolutions of VGG and ResNet, on 1, 2, 4, ... threads.

    python benchmarks/scaling.py                          all rows, powers of two up to the processors here
    python benchmarks/scaling.py --threads 1,3,6 --rows 'ResNet forward'

For each number of threads there is a process of its own (``workers/``), and they take turns as in
``compare.py``. A row's speed-up is the median over the rounds of (time on the fewest threads / time). It
prints a table and writes ``scaling.json`` to ``--out``. Exit code: 0 measured, 1 a row failed or its bits
depend on the threads, 2 bad use.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from libraries import HERE, KITNET, Worker, WorkerError
from machine import describe, usable_cpus
from report import geomean, times
from rows import Row, scaling_rows


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed command line."""
    powers = [1 << i for i in range(usable_cpus().bit_length())]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", default=",".join(map(str, powers)), help="comma-separated")
    parser.add_argument("--rows", default="", metavar="REGEX", help="only the rows whose group/label matches")
    parser.add_argument("--rounds", type=int, default=5, help="rounds a row (default 5)")
    parser.add_argument("--seconds", type=float, default=0.08, help="time of one turn (default 0.08)")
    parser.add_argument("--quick", action="store_true", help="one short round a row")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has kitnet")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="directory of the report")
    chosen = parser.parse_args(arguments)
    try:
        chosen.threads = sorted({int(n) for n in chosen.threads.split(",")})
    except ValueError:
        parser.error(f"--threads: expected numbers with commas between, got {chosen.threads!r}")
    if chosen.threads[0] < 1 or chosen.rounds < 1:
        parser.error("--threads and --rounds: expected at least 1")
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 0.0
    try:
        pattern = re.compile(chosen.rows)
    except re.error as error:
        parser.error(f"--rows: expected a regular expression, got {chosen.rows!r} ({error})")
    chosen.selected = [row for row in scaling_rows() if pattern.search(row.key)]
    if not chosen.selected:
        parser.error(f"--rows: expected a pattern that matches a row, got {chosen.rows!r}")
    return chosen


def measure(row: Row, workers: Sequence[Worker], rounds: int, seconds: float) -> dict[str, Any]:
    """One row: the time on each number of threads, and how many times as fast that is as on the fewest."""
    digests = {worker.ask("prepare", row=row.message())["digest"] for worker in workers}
    samples: dict[int, list[float]] = {worker.threads: [] for worker in workers}
    for number in range(rounds):
        for worker in workers[:: -1 if number % 2 else 1]:
            samples[worker.threads].append(median(worker.ask("run", seconds=seconds)["seconds"]))
    base = samples[workers[0].threads]
    return {
        "group": row.group,
        "label": row.label,
        "seconds": {n: median(each) for n, each in samples.items()},
        "speedup": {n: median(b / t for b, t in zip(base, each, strict=True)) for n, each in samples.items()},
        "same_bits": len(digests) == 1,
    }


def run(chosen: argparse.Namespace, workers: Sequence[Worker]) -> int:
    """Measure the chosen rows, print and write the report; the exit code."""
    about = {name: value for name, value in workers[0].about.items() if name != "threads"}
    machine = describe({KITNET.title: about}, chosen.threads[-1])
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)
    heads = [f"{n} thread{'s' * (n > 1)}" for n in chosen.threads]
    print(f"{'':48} {heads[0]:>12}", *(f"{head:>10}" for head in heads[1:]), flush=True)
    results = []
    for row in chosen.selected:
        result = measure(row, workers, chosen.rounds, chosen.seconds)
        results.append(result)
        cells = [f"{times(result['speedup'][n]):>10}" for n in chosen.threads[1:]]
        note = "" if result["same_bits"] else "  failed: the bits differ"
        print(f"{row.key:48} {1e3 * result['seconds'][chosen.threads[0]]:9.2f} ms", *cells, note, flush=True)
    means = [geomean([result["speedup"][n] for result in results]) for n in chosen.threads[1:]]
    print(f"{'geomean':48} {'':12}", *(f"{times(mean):>10}" for mean in means))
    chosen.out.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine, "rounds": chosen.rounds, "results": results}
    (chosen.out / "scaling.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if all(result["same_bits"] for result in results) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    chosen = options(arguments)
    workers = [Worker(KITNET, chosen.python, n) for n in chosen.threads]
    try:
        for worker in workers:
            if "missing" in worker.start():
                print(f"scaling: {worker.about['missing']}", file=sys.stderr)
                return 2
        return run(chosen, workers)
    except (WorkerError, OSError) as error:
        print(f"scaling: {error}", file=sys.stderr)
        return 1
    finally:
        for worker in workers:
            worker.stop()


if __name__ == "__main__":
    sys.exit(main())
