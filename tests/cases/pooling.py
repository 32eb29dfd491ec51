"""Rows of pooling."""

from __future__ import annotations

import math

from families import AvgPool, Case, LpPool, MaxPool

from .sizes import POOLS, SPECIAL, random_windows

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
]

BENCH: list[Case] = [
    MaxPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    MaxPool(x=(32, 64, 56, 56), kernel=3, stride=2, padding=1),
    AvgPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    LpPool(x=(32, 64, 56, 56), kernel=2, stride=2),
]
