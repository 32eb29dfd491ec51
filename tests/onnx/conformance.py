"""The table of conformance. Words behind it: also the outcome of the cases whose name has one of them."""

from __future__ import annotations

import sys
from collections import Counter

from cases import all_cases


def table() -> str:
    """Passed, refused and failed cases by group."""
    counts: dict[str, Counter[str]] = {}
    shown = []
    for case in all_cases():
        outcome = case.outcome()
        kind = outcome.partition(":")[0]
        counts.setdefault(case.group, Counter()).update(["cases", kind, *(["basic"] if case.basic else [])])
        if kind == "failed" or any(word in case.name for word in sys.argv[1:]):
            shown.append(f"{case.name}: {outcome[:300]}")
    total = sum(counts.values(), Counter())
    heads = ("cases", "basic", "passed", "refused", "failed")
    lines = [f"{'group':<20}" + "".join(f"{head:>9}" for head in heads)]
    for group, count in (*counts.items(), ("in all", total)):
        lines.append(f"{group:<20}" + "".join(f"{count[head]:>9}" for head in heads))
    return "\n".join([*shown, *lines])


if __name__ == "__main__":
    print(table())
