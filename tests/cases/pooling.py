"""Rows of pooling."""

from __future__ import annotations

import math
from typing import Any

from families import AvgPool, Case, LpPool, MaxPool, Resample

from .sizes import POOLS, SPECIAL, random_windows

RESAMPLED = [  # one axis and more, kept, growing and shrinking; lines by fours and left over
    ((0, 3, 5), (3,)),
    ((2, 3, 5), (3,)),
    ((1, 1, 3), (7,)),
    ((33, 1, 1, 9), (1, 4)),
    ((2, 2, 5, 1), (3, 1)),
    ((2, 3, 10, 11), (7, 7)),
    ((3, 5, 4, 5), (4, 9)),
    ((1, 2, 7, 8), (16, 8)),
    ((2, 2, 5, 6, 7), (3, 4, 9)),
    ((1, 3, 4, 5, 3), (9, 5, 3)),
    ((1, 2, 3, 50, 60), (2, 61, 33)),
    ((1, 1, 301, 260), (150, 99)),  # in strips,
    ((1, 1, 301, 260), (150, 260)),
    ((2, 1, 280, 300), (9, 20)),  # whose windows are too wide to pick from
    ((2, 5, 14, 14), (28, 28)),
]
COPIED = [  # backwards: by fours of planes and left over, rows that end within vectors, one axis, a volume
    ((2, 8, 28, 28), (14, 14)),
    ((1, 9, 16, 24), (8, 8)),
    ((3, 13, 18, 15), (6, 5)),
    ((2, 8, 9, 40), (3, 40)),
    ((1, 8, 10, 36), (10, 18)),
    ((2, 8, 4, 16, 12), (2, 8, 6)),
    ((2, 8, 112, 112), (56, 56)),  # too wide to pick from
    ((2, 8, 6, 6), (3, 3)),  # too small
]

# Planes pooled as they lie: rows around the vectors, tiny planes that vectors pass as a whole, many planes in
# a task, blocks of rows in a plane, heights of each parity, windows that stick out.
HALVING: dict[str, Any] = {"kernel": 3, "stride": 2, "padding": 1}
LINES: list[dict[str, Any]] = [
    *({"x": (3, 5, 6, w), "kernel": 2, "stride": 2} for w in (7, 8, 9, 16, 17, 31, 32, 33, 34, 64, 65, 66)),
    *({"x": (3, 5, 7, w), **HALVING} for w in (7, 8, 15, 16, 31, 32, 33, 34, 63, 65)),
    *({"x": (3, 5, 7, w), "kernel": 3, "stride": 2} for w in (9, 16, 17, 33, 34, 65)),
    *({"x": (3, 5, 5, w), "kernel": 3, "padding": 1} for w in (8, 9, 16, 17, 33)),
    *({"x": (2, 3, 9, w), "kernel": (4, 5), "stride": 2, "padding": ((1, 2), (2, 1))} for w in (15, 32, 37)),
    *({"x": (2, 3, 8, w), **HALVING, "ceil_mode": True} for w in (16, 30, 32, 33)),
    *({"x": (2, 3, 7, w), "kernel": 2, "stride": 2, "ceil_mode": True} for w in (15, 33, 63)),
    *({"x": (7, 9, h, w), "kernel": 2, "stride": 2} for h, w in ((2, 8), (2, 16), (4, 4), (3, 9), (2, 34))),
    *({"x": (7, 9, h, w), **HALVING} for h, w in ((1, 9), (2, 16), (3, 3), (7, 7))),
    {"x": (1, 2, 130, 70), "kernel": 2, "stride": 2},
    {"x": (1, 2, 131, 71), **HALVING},
    {"x": (1, 2, 90, 70), "kernel": (5, 3), "stride": (1, 2), "padding": (2, 1)},
    {"x": (1, 2, 60, 150), "kernel": (9, 5), "padding": (4, 2)},
    {"x": (2, 3, 13, 13), "kernel": 13, "padding": 6},
    {"x": (2, 3, 12, 20), "kernel": (1, 2), "stride": (3, 2)},
    {"x": (2, 3, 12, 20), "kernel": (1, 1), "stride": 2},
    {"x": (2, 5, 4, 6, 20), "kernel": 2, "stride": 2},
    {"x": (2, 5, 5, 7, 33), **HALVING},
    {"x": (2, 5, 5, 7, 17), "kernel": (2, 1, 3), "stride": (1, 2, 1), "padding": (1, 0, 1)},
    {"x": (5, 4, 40), "kernel": 2, "stride": 2},
    {"x": (5, 4, 3000), **HALVING},
    {"x": (1, 1, 9000), "kernel": 5, "padding": 2},
]

CASES: list[Case] = [
    *(family(**w) for w in LINES for family in (MaxPool, AvgPool)),
    *(MaxPool(**w, indices=False) for w in LINES[::3]),
    *(MaxPool(**w, special=True, indices=i) for w in LINES[1::2] for i in (True, False)),
    *(AvgPool(**w, special=True) for w in LINES[::2]),
    *(MaxPool(**w) for w in POOLS + random_windows(3, 20, pooling=True)),
    *(MaxPool(**w, indices=False) for w in POOLS),
    *(MaxPool(**w, special=True, indices=i) for w in SPECIAL + POOLS[10:16] for i in (True, False)),
    *(AvgPool(**w) for w in POOLS + random_windows(4, 20, pooling=True)),
    *(AvgPool(**w, ones=True) for w in SPECIAL),
    *(AvgPool(**w, special=True) for w in SPECIAL),
    *(LpPool(**w) for w in POOLS + random_windows(5, 20, pooling=True)),
    *(LpPool(**w, p=p) for w in SPECIAL for p in (1.0, 1.5, 3.0, math.inf)),
    *(LpPool(**w, p=p, magnitude=m) for w in SPECIAL for p in (2.0, 3.0) for m in (1e-25, 1e25)),
    *(LpPool(**w, p=p, special=True) for w in SPECIAL for p in (1.0, 2.0, 3.0, math.inf)),
    *(family(x=(9, 16, 24, 24), kernel=k, stride=2) for k in (2, 3) for family in (MaxPool, AvgPool, LpPool)),
    *(Resample(x=x, out=out, transposed=t) for x, out in RESAMPLED for t in (False, True)),
    *(Resample(x=(2, 3, 7, 6), out=(3, 8), transposed=t, special=True) for t in (False, True)),
    *(Resample(x=x, out=out, transposed=t, ones=True) for x, out in COPIED for t in (False, True)),
    Resample(x=(3, 11, 28, 28), out=(14, 14), transposed=True, ones=True, special=True),
]

BENCH: list[Case] = [
    MaxPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    MaxPool(x=(32, 64, 56, 56), kernel=3, stride=2, padding=1),
    AvgPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    LpPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    Resample(x=(32, 256, 10, 10), out=(7, 7)),
]
