"""Rows of softmax and the losses."""

from __future__ import annotations

from families import Case, CrossEntropy, Softmax

from .sizes import EDGES

CASES: list[Case] = [
    *(family(m=3, c=c) for c in EDGES for family in (Softmax, CrossEntropy)),
    *(family(m=m, c=10) for m in (0, 1, 8, 33) for family in (Softmax, CrossEntropy)),
    *(family(m=12, c=21, special=True) for family in (Softmax, CrossEntropy)),
    *(family(m=700, c=100) for family in (Softmax, CrossEntropy)),
    *(family(m=5, c=1100) for family in (Softmax, CrossEntropy)),
]

BENCH: list[Case] = [
    Softmax(m=8192, c=100),
    CrossEntropy(m=128, c=1000),
]
