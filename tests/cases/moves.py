"""Rows of what moves numbers to other places."""

from __future__ import annotations

from families import Case, PixelShuffle, TakeRows, Unpool

from .sizes import EDGES

MIRRORED = ((2, 1), (1, 1), (0, 9), (7, 1))
"""The runs of a row of 9 with a border of its own cells."""

CASES: list[Case] = [
    *(TakeRows(x=(2, 3, w)) for w in EDGES),
    *(TakeRows(x=(2, 3, w), rows=(-1, 0, 1, 2, -1), runs=((-1, 2), (0, w), (-1, 1)), value=3) for w in EDGES),
    *(TakeRows(x=(b, 2, 9), rows=(1, 1, 0), runs=MIRRORED) for b in (0, 1, 33)),
    TakeRows(x=(1, 4, 7), rows=(3, 0, 0, 2, 3, 3, 1)),
    TakeRows(x=(3, 4, 7), rows=(1, 2), runs=((1, 5),)),
    TakeRows(x=(2, 0, 5), rows=(-1, -1), value=-2.5),
    TakeRows(x=(2, 3, 0), runs=((-1, 4),), value=7),
    TakeRows(x=(2, 1, 0)),
    TakeRows(x=(1, 2, 50_001)),
    TakeRows(x=(1, 2, 40_001), runs=((-1, 20_000), (1, 40_000), (40_000, 1), (-1, 9)), value=0.5),
    TakeRows(x=(700, 9, 11), rows=(8, 7, 6, 5, 4, 3, 2, 1, 0, -1), runs=((10, 1), (0, 11), (0, 2))),
    TakeRows(x=(3, 5, 30), rows=(4, -1, 0), runs=((0, 30), (-1, 3)), special=True),
    *(PixelShuffle(planes=2, factor=2, size=(3, w)) for w in EDGES),
    *(PixelShuffle(planes=2, factor=r, size=(2, w)) for r in (1, 3, 4, 5) for w in (1, 7, 33)),
    *(PixelShuffle(planes=n, factor=2, size=(5, 6)) for n in (0, 1, 33)),
    PixelShuffle(planes=9, factor=3, size=(40, 41)),
    PixelShuffle(planes=3, factor=2, size=(5, 9), special=True),
    *(Unpool(planes=p, n=n, places=m) for p, n, m in ((0, 2, 3), (1, 1, 1), (3, 7, 40), (40, 49, 196))),
    Unpool(planes=3, n=8, places=9, twice=True),
    Unpool(planes=2, n=30, places=70, special=True),
]

BENCH: list[Case] = [
    TakeRows(x=(32 * 64, 56, 56), rows=(-1, *range(56), -1), runs=((-1, 1), (0, 56), (-1, 1))),
    TakeRows(x=(32, 64, 56 * 56), rows=tuple(range(0, 64, 2)) + tuple(range(1, 64, 2))),
    PixelShuffle(planes=32 * 32, factor=2, size=(28, 28)),
]
