"""Rows of vectors: distances, and sums of two."""

from __future__ import annotations

from math import inf

from families import Case, Distance, RowSums

from .sizes import EDGES

CASES: list[Case] = [
    *(Distance(m=3, n=n) for n in (0, *EDGES, 511, 512, 513, 2000)),
    *(Distance(m=m, n=10) for m in (0, 1, 33)),
    *(Distance(m=5, n=39, p=p) for p in (0.5, 1, 1.5, 3, inf)),
    *(Distance(m=400, n=70, p=p) for p in (1, 2, 3, inf)),
    *(Distance(m=12, n=21, p=p, special=True) for p in (0.5, 1, 2, 3, inf)),
    *(Distance(m=12, n=21, p=p, eps=0.0, special=True) for p in (1, 2, inf)),
    *(Distance(m=3, n=5, p=p, eps=0.0, special=True) for p in (0.5, 1, 2, 3, inf)),  # vectors that are alike
    *(Distance(m=3, n=21, p=p, huge=True) for p in (2, 30)),
    *(RowSums(m=3, n=n) for n in (0, *EDGES, 1000)),
    *(RowSums(m=m, n=10) for m in (0, 1, 33)),
    RowSums(m=400, n=300),
    RowSums(m=12, n=21, special=True),
]

BENCH: list[Case] = [
    Distance(m=1024, n=512),
    Distance(m=1024, n=512, p=3.0),
    RowSums(m=1024, n=512),
]
