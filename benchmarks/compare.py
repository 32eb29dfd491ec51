"""Compare kitnet with PyTorch (both memory formats), ONNX Runtime and the article's loops, row by row.

Some rows compare it with itself: float64 with float32 (without Winograd's algorithm, which float64 never
takes), denormal weights with normal ones.

    python benchmarks/compare.py                          all rows, about 25 minutes
    python benchmarks/compare.py --list                   the groups and their rows
    python benchmarks/compare.py --rows 'lenet|^pool'     the rows whose group/label matches
    python benchmarks/compare.py --rows norm --update     measure these again, keep the others of the report
    python benchmarks/compare.py --quick                  few repeats: does it run?
    python benchmarks/compare.py --threads 1 --name compare-1thread

Every library has a process of its own (``workers/``) with the same number of threads. For each row each
library prepares the same input and warms up; then, in each of several rounds, the libraries take turns,
and only one computes at any time: a worker answers only when its threads are idle. The order turns round
from round to round. A row's ratio is the median over the rounds of (peer's median / kitnet's median).

It prints the table and writes ``compare.json`` and ``compare.md`` (``--name``) to ``--out``. Peers that
are not installed are left out with a note. Exit code: 0 measured, 1 a row failed or its results disagree,
2 bad use. A missed target is no failure: it is in the table.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import report
from libraries import HERE, KITNET, PEERS, Worker, WorkerError, start_all
from machine import describe, usable_cpus
from rows import Row, all_rows

AGREEMENT = 2e-3
"""Largest difference of two fingerprints, relative to the result's norm."""
BUSY = 0.5
"""Load average above which something else is running."""


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=usable_cpus(), help="threads of each library")
    parser.add_argument("--rows", default="", metavar="REGEX", help="only the rows whose group/label matches")
    parser.add_argument(
        "--peers", default=",".join(p.name for p in PEERS), help="comma-separated, may be empty"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds a row (default 5)")
    parser.add_argument("--seconds", type=float, default=0.08, help="time of one turn (default 0.08)")
    parser.add_argument("--quick", action="store_true", help="one short round a row")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has kitnet")
    parser.add_argument(
        "--peer-python", default=None, help="interpreter that has the peers (default: --python)"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results", help="directory of the report")
    parser.add_argument("--name", default="compare", help="of the report's files (default compare)")
    parser.add_argument("--update", action="store_true", help="keep the rows of an earlier report in --out")
    parser.add_argument("--list", action="store_true", help="print the rows and exit")
    chosen = parser.parse_args(arguments)
    if chosen.threads < 1 or chosen.rounds < 1:
        parser.error("--threads and --rounds: expected at least 1")
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 0.0
    unknown = set(filter(None, chosen.peers.split(","))) - {peer.name for peer in PEERS}
    if unknown:
        parser.error(
            f"--peers: expected names of {', '.join(p.name for p in PEERS)}, got {', '.join(unknown)}"
        )
    try:
        pattern = re.compile(chosen.rows)
    except re.error as error:
        parser.error(f"--rows: expected a regular expression, got {chosen.rows!r} ({error})")
    chosen.selected = [row for row in all_rows() if pattern.search(row.key)]
    if not chosen.selected:
        parser.error(f"--rows: expected a pattern that matches a row, got {chosen.rows!r} (see --list)")
    return chosen


def agree(ours: list[list[float]], theirs: list[list[float]]) -> bool:
    """Whether two fingerprints (norm and product with a pattern, an array each) stand for equal results."""
    if len(ours) != len(theirs):
        return False
    return all(
        math.isclose(a, b, rel_tol=AGREEMENT, abs_tol=AGREEMENT * max(norm, 1e-6))
        for (norm, product), (their_norm, their_product) in zip(ours, theirs, strict=True)
        for a, b in ((norm, their_norm), (product, their_product))
    )


def measure(row: Row, workers: Sequence[Worker], rounds: int, seconds: float) -> report.Result:
    """One row on every worker that has its operation."""
    notes, prints = [], {}
    taking_part = []
    for worker in workers:
        try:
            answer = worker.ask("prepare", row=row.message())
        except WorkerError as error:
            notes.append(f"failed: {error}")
            continue
        if "skip" not in answer:
            prints[worker.library.name] = answer["fingerprint"]
            taking_part.append(worker)
        elif worker.library is KITNET:
            notes.append(f"kitnet: {answer['skip']}")
    samples: dict[str, list[list[float]]] = {worker.library.name: [] for worker in taking_part}
    for number in range(rounds):
        for worker in taking_part[:: -1 if number % 2 else 1]:
            try:
                answer = worker.ask("run", seconds=seconds)
            except WorkerError as error:
                notes.append(f"failed: {error}")
                samples.pop(worker.library.name, None)
                continue
            samples[worker.library.name].append(answer["seconds"])
        taking_part = [worker for worker in taking_part if worker.library.name in samples]
    ours = prints.get(KITNET.name)
    for name, theirs in prints.items():
        if ours is not None and not agree(ours, theirs):
            notes.append(f"failed: the results of {name} differ")
    return {
        "group": row.group,
        "label": row.label,
        "ratios": report.ratios(samples),
        "seconds": {name: median(chain.from_iterable(each)) for name, each in samples.items()},
        "notes": notes,
    }


def earlier(path: Path, machine: dict[str, str]) -> dict[str, Any]:
    """An earlier report, with no results if there is none.

    Raises
    ------
    ValueError
        If it is of another machine, number of threads or version of a library.
    """
    if not path.exists():
        return {"machine": {}, "results": []}
    old: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name, value in old["machine"].items():
        if machine.get(name, value) != value:
            raise ValueError(f"--update: expected a report with {name} {machine[name]!r}, got {value!r}")
    return old


def write(out: Path, name: str, document: dict[str, Any]) -> None:
    """The report, as JSON and as Markdown."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (out / f"{name}.md").write_text(report.markdown(document), encoding="utf-8")


def run(chosen: argparse.Namespace, workers: Sequence[Worker]) -> int:
    """Measure the chosen rows, print and write the report; the exit code."""
    machine = describe({w.library.title: w.about for w in workers}, chosen.threads)
    results: dict[str, report.Result] = {}
    if chosen.update:
        old = earlier(chosen.out / f"{chosen.name}.json", machine)
        machine = old["machine"] | machine
        results = {f"{result['group']}/{result['label']}": result for result in old["results"]}
    print("\n".join(f"{name}: {value}" for name, value in machine.items()), flush=True)
    start, failed = time.perf_counter(), 0
    try:
        for number, row in enumerate(chosen.selected, 1):
            result = measure(row, workers, chosen.rounds, chosen.seconds)
            failed += any(note.startswith("failed") for note in result["notes"])
            results[row.key] = result
            told = "  ".join(f"{name} {report.times(ratio)}" for name, ratio in result["ratios"].items())
            print(f"[{number}/{len(chosen.selected)}] {row.key}: {told}", *result["notes"], flush=True)
    except KeyboardInterrupt:
        print("interrupted: the report holds the rows measured so far")
        failed += 1
    measured = [results[row.key] for row in all_rows() if row.key in results]
    document = {
        "machine": machine,
        "rounds": chosen.rounds,
        "verdicts": report.verdicts(measured),
        "results": measured,
    }
    write(chosen.out, chosen.name, document)
    print("\n" + report.markdown(document))
    print(f"{len(chosen.selected)} rows in {time.perf_counter() - start:.0f} s; written to {chosen.out}")
    return 1 if failed else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    chosen = options(arguments)
    if chosen.list:
        print("\n".join(row.key for row in chosen.selected))
        return 0
    peer_python = chosen.peer_python or chosen.python
    try:
        workers, notes = start_all(chosen.python, peer_python, chosen.threads, chosen.peers.split(","))
    except (WorkerError, OSError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    try:
        for note in notes:
            print(f"note: {note} (pip install 'kitnet[peers]')")
        if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > BUSY:
            print(f"note: the machine is busy (load {load:.1f}), so the figures will be noise")
        return run(chosen, workers)
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    finally:
        for worker in workers:
            worker.stop()


if __name__ == "__main__":
    sys.exit(main())
