"""From measured seconds to ratios, verdicts, and the Markdown table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from libraries import KITNET, PEERS
from rows import NOTES, TARGETS, Target

COLUMNS = {library.name: library.title for library in PEERS[:2]}
COLUMNS["better"] = "better of the two"
COLUMNS |= {library.name: library.title for library in PEERS[2:]}
FORMATS = ("torch", "torch_cl")

Result = dict[str, Any]
"""A row's result: group, label, ``ratios`` by column, ``seconds`` by library, ``notes``."""


def ratios(rounds: dict[str, list[list[float]]]) -> dict[str, float]:
    """Peer time / kitnet time by column: the median over the rounds of the ratio of the rounds' medians.

    Both sides of a round's ratio were measured within about a second, so slow drift of the machine cancels.
    """
    medians = {name: [median(samples) for samples in each] for name, each in rounds.items()}
    ours = medians.pop(KITNET.name, [])
    if not ours:
        return {}
    found = {
        name: median(t / k for t, k in zip(theirs, ours, strict=True)) for name, theirs in medians.items()
    }
    formats = [found[name] for name in FORMATS if name in found]
    if formats:
        found["better"] = min(formats)
    return {name: found[name] for name in COLUMNS if name in found}


def geomean(values: Sequence[float]) -> float:
    """The geometric mean of at least one value."""
    return math.exp(sum(map(math.log, values)) / len(values))


def decile(values: Sequence[float]) -> float:
    """What at least nine values of ten reach."""
    return sorted(values)[len(values) // 10]


def _selected(results: Iterable[Result], target: Target) -> list[float]:
    return [
        result["ratios"][target.peer]
        for result in results
        if result["group"] in target.groups
        and result["label"].startswith(target.rows)
        and target.peer in result["ratios"]
    ]


def verdicts(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Each target that has rows among the results: what was asked, what was measured, whether it is met."""
    found = []
    for target in TARGETS:
        values = _selected(results, target)
        if not values:
            continue
        measured = {"geomean": geomean(values), "worst": min(values), "decile": decile(values)}
        asked = {name: getattr(target, name) for name in measured if getattr(target, name) is not None}
        found.append(
            {
                "title": target.title,
                "peer": target.peer,
                "rows": len(values),
                "asked": asked,
                "measured": measured,
                "met": all(measured[name] >= least for name, least in asked.items()),
            }
        )
    return found


def times(value: float) -> str:
    """A ratio as text, with about three digits."""
    return f"{value:,.0f}x" if value >= 100 else f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"


NAMES = {"geomean": "geomean", "worst": "worst row", "decile": "9 of 10"}


def _asked(verdict: dict[str, Any]) -> str:
    return ", ".join(f"{NAMES[name]} >= {times(least)}" for name, least in verdict["asked"].items())


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> list[str]:
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *lines)]


def summary_lines(results: Sequence[Result]) -> list[str]:
    """The targets as a Markdown table."""
    header = ("rows", "number", "against", "target", "geomean", "9 of 10", "worst", "met")
    lines = [
        (
            verdict["title"],
            str(verdict["rows"]),
            COLUMNS[verdict["peer"]],
            _asked(verdict),
            *(times(verdict["measured"][name]) for name in ("geomean", "decile", "worst")),
            "yes" if verdict["met"] else "**no**",
        )
        for verdict in verdicts(results)
    ]
    return _table(header, lines)


def group_lines(group: str, results: Sequence[Result]) -> list[str]:
    """One group: a line a row, then its geometric mean and its worst row."""
    columns = [name for name in COLUMNS if any(name in result["ratios"] for result in results)]
    if not set(FORMATS) <= set(columns):
        columns = [name for name in columns if name != "better"]
    header = [group, *(COLUMNS[name] for name in columns)]

    def cells(result: Result) -> list[str]:
        notes = "".join(f" ({note})" for note in result["notes"])
        got = result["ratios"]
        return [result["label"] + notes, *(times(got[name]) if name in got else "" for name in columns)]

    by_column = [[r["ratios"][name] for r in results if name in r["ratios"]] for name in columns]
    closing = [
        ["*geomean*", *(f"*{times(geomean(values))}*" for values in by_column)],
        ["*worst*", *(f"*{times(min(values))}*" for values in by_column)],
    ]
    return _table(header, [*map(cells, results), *(closing if len(results) > 1 and columns else [])])


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    machine, results = report["machine"], report["results"]
    lines = [
        "# kitnet against its peers",
        "",
        "Time of the peer / time of kitnet on the same input: above 1 kitnet is faster. Ratios are medians",
        f"over {report['rounds']} rounds; in a round the libraries take turns, each in its own process with",
        "the same number of threads, and only one of them computes at a time. Every row's results were",
        "checked to agree. Written by `python benchmarks/compare.py`.",
        "",
        *(f"- {name}: {value}" for name, value in machine.items()),
        "",
        "## Targets",
        "",
        *summary_lines(results),
    ]
    for group in dict.fromkeys(result["group"] for result in results):
        rows = [result for result in results if result["group"] == group]
        note = ["", NOTES[group]] if group in NOTES else []
        lines += ["", f"## {group}", *note, "", *group_lines(group, rows)]
    return "\n".join(lines) + "\n"
