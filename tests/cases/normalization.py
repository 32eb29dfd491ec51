"""Rows of normalization."""

from __future__ import annotations

from families import BatchNorm, Case

from .sizes import EDGES

_RELU = {"low": 0.0}
_RELU6 = {"low": 0.0, "high": 6.0}

CASES: list[Case] = [
    *(BatchNorm(n=3, c=2, p=p) for p in EDGES),
    *(BatchNorm(n=n, c=3, p=10) for n in (0, 1, 2, 33)),
    *(BatchNorm(n=5, c=c, p=1) for c in EDGES[1:12]),
    BatchNorm(n=4, c=3, p=50, **_RELU),
    BatchNorm(n=4, c=3, p=50, **_RELU6),
    BatchNorm(n=4, c=3, p=50, offset=100.0),
    BatchNorm(n=1, c=1, p=50_001, tolerance=6400),  # its sums nearly cancel
    BatchNorm(n=33, c=16, p=49),
    BatchNorm(n=200, c=3, p=100),
    BatchNorm(n=300, c=130, p=1),
    BatchNorm(n=2, c=300, p=40),
    BatchNorm(n=3, c=30, p=20, special=True),
]

BENCH: list[Case] = [
    BatchNorm(n=32, c=64, p=56 * 56),
]
