"""Rows of pooling."""

from __future__ import annotations

import math

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

CASES: list[Case] = [
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
]

BENCH: list[Case] = [
    MaxPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    MaxPool(x=(32, 64, 56, 56), kernel=3, stride=2, padding=1),
    AvgPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    LpPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    Resample(x=(32, 256, 10, 10), out=(7, 7)),
]
