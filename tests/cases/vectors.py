"""Rows of vectors: inner products, distances, and sums of two."""

from __future__ import annotations

from math import inf

from families import Case, Distance, RowProducts, RowSums

from .sizes import EDGES

CASES: list[Case] = [
    *(RowProducts(m=3, p=p) for p in EDGES),
    *(RowProducts(m=m, p=10) for m in (0, 1, 33)),
    RowProducts(m=2, p=50_001),
    RowProducts(m=4000, p=49),
    RowProducts(m=3, p=100, special=True),
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
    RowProducts(m=32 * 64, p=56 * 56),
    Distance(m=1024, n=512),
    Distance(m=1024, n=512, p=3.0),
    RowSums(m=1024, n=512),
]
