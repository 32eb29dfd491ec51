"""Rows of im2col, col2im, unfold and fold."""

from __future__ import annotations

from families import Case, Im2col, Unfold

from .sizes import SPECIAL, WINDOWS, random_windows

CASES: list[Case] = [
    *(Im2col(**w) for w in WINDOWS + random_windows(1, 15, pooling=False)),
    *(Unfold(**w) for w in WINDOWS + random_windows(2, 15, pooling=False)),
    *(family(x=(9, 8, 20, 20), kernel=3, padding=1) for family in (Im2col, Unfold)),
    *(family(**w, special=True) for w in SPECIAL for family in (Im2col, Unfold)),
]

BENCH: list[Case] = [
    Im2col(x=(32, 64, 28, 28), kernel=3, padding=1),
    Unfold(x=(32, 64, 28, 28), kernel=3, padding=1),
]
