"""Rows of dense and locally connected layers."""

from __future__ import annotations

from families import Case, Embedding, Linear, Local

from .sizes import EDGES, SPECIAL, WINDOWS

_RELU = {"low": 0.0}
_RELU6 = {"low": 0.0, "high": 6.0}

CASES: list[Case] = [
    *(Linear(n=3, c=c, k=k) for c, k in zip(EDGES, reversed(EDGES), strict=True)),
    *(Linear(n=n, c=20, k=17) for n in (0, 1, 2, 5, 6, 7, 13, 14, 15, 33)),
    *(Linear(n=n, c=10, k=9) for n in (47, 48, 49, 95, 96, 97, 255, 256, 257)),
    *(Linear(n=2, c=c, k=11) for c in (255, 256, 257, 511, 512, 513, 2047, 2048, 2049, 4100)),
    *(Linear(n=3, c=10, k=k) for k in (95, 96, 97, 255, 256, 257, 600)),
    *(Linear(n=5, c=9, k=k, bias=False) for k in EDGES[3:12]),
    Linear(n=5, c=9, k=33, **_RELU),
    Linear(n=33, c=9, k=20, bias=False, **_RELU6),
    Linear(n=5, c=40, k=20, special=True),
    Linear(n=33, c=400, k=120),
    Linear(n=1, c=700, k=300),
    Linear(n=130, c=130, k=130),
    *(Local(**w, k=3) for w in WINDOWS),
    *(Local(**w, k=2, bias=False) for w in SPECIAL),
    Local(x=(9, 4, 14, 14), kernel=3, padding=1, k=5),
    Local(x=(26, 5, 7, 7), kernel=3, k=17),
    *(Embedding(m=m, k=40, d=7) for m in (0, 1, 33, 500)),
    *(Embedding(m=20, k=k, d=3) for k in (1, 7, 8, 9, 17)),
    *(Embedding(m=9, k=5, d=d) for d in (1, 16, 33)),
    Embedding(m=4000, k=90, d=64),
    Embedding(m=30, k=20, d=5, special=True),
]

BENCH: list[Case] = [
    Linear(n=32, c=400, k=120),
    Linear(n=32, c=512, k=1000),
    Linear(n=1, c=512, k=1000),
    Local(x=(32, 16, 14, 14), k=16, kernel=3, padding=1),
]
