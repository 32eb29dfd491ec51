"""Rows of normalization."""

from __future__ import annotations

from families import BatchNorm, Case, Response, RowNorm

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
    *(RowNorm(n=3, c=c) for c in EDGES[1:]),
    *(RowNorm(n=2, c=6, p=p, groups=3) for p in EDGES[1:]),
    *(RowNorm(n=n, c=5, p=3) for n in (0, 1, 2, 33)),
    RowNorm(n=2, c=1, p=30),
    RowNorm(n=2, c=3, p=40, groups=3),
    RowNorm(n=2, c=3, p=4, groups=3),
    RowNorm(n=3, c=50, weight=False),
    RowNorm(n=2, c=4, p=9, groups=2, weight=False),
    RowNorm(n=3, c=50, centred=False),
    RowNorm(n=3, c=50, centred=False, weight=False),
    RowNorm(n=2, c=4, p=40, groups=2, centred=False),
    RowNorm(n=40, c=2500),  # more than one block of samples, more than one piece
    RowNorm(n=1200, c=64),
    RowNorm(n=37, c=300, p=10, groups=3),
    RowNorm(n=3, c=130, p=64),
    RowNorm(n=2, c=4, p=8201, groups=2),  # planes of two parts
    RowNorm(n=3, c=33_000),  # larger than a task
    RowNorm(n=6, c=33_001),  # a whole task forward where threads are few; four rows at a time, and two
    RowNorm(n=3, c=400_001),  # not all at once
    RowNorm(n=3, c=33_000, centred=False),
    RowNorm(n=2, c=33_000, weight=False),
    RowNorm(n=2, c=14, p=5000, groups=2),
    RowNorm(n=2, c=8, p=9001, groups=2),
    RowNorm(n=2, c=9000, p=9, groups=2),
    RowNorm(n=5, c=70, offset=100.0, tolerance=400),  # x - mean cancels, whoever computes it
    RowNorm(n=9, c=40, special=True),
    RowNorm(n=9, c=8, p=40, groups=4, special=True),
    *(Response(n=2, c=6, p=p) for p in EDGES),
    *(Response(n=2, c=c, p=5) for c in EDGES[:9]),
    *(Response(n=n, c=4, p=9) for n in (0, 1, 33)),
    *(Response(n=2, c=7, p=18, size=size) for size in (1, 2, 3, 4, 6, 7, 8, 12, 13, 14, 99)),
    *(Response(n=2, c=23, p=70, size=size) for size in (2, 5, 9)),
    *(Response(n=2, c=5, p=70, beta=beta) for beta in (0.5, 1.0, 0.0, 2.0, -0.75, 3.3, -1.0)),
    *(Response(n=2, c=5, p=20, beta=beta, alpha=-1.0, base=-1.0) for beta in (1.0, 2.0, 3.0, -3.0)),
    Response(n=2, c=6, p=5000),  # more than one strip
    Response(n=2, c=300, p=3, alpha=5.0),
    *(Response(n=3, c=9, p=33, beta=beta, special=True) for beta in (0.75, 0.5, 1.0, 1.3)),
    Response(n=2, c=5, p=20, beta=0.6, base=-0.5, special=True),  # NaN of negative divisors
]

BENCH: list[Case] = [
    BatchNorm(n=32, c=64, p=56 * 56),
    RowNorm(n=32, c=64 * 56 * 56),
    RowNorm(n=32, c=64, p=56 * 56, groups=32),
    RowNorm(n=1568, c=768),
    Response(n=32, c=64, p=56 * 56, alpha=1e-4),
]
