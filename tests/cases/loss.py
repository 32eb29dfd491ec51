"""Rows of softmax and the losses."""

from __future__ import annotations

from families import (
    Case,
    ClassTargets,
    CrossEntropy,
    Dice,
    LogSoftmax,
    Loss,
    Margin,
    Nll,
    SoftCrossEntropy,
    Softmax,
)

from .sizes import EDGES

_ROWS = (Softmax, LogSoftmax, CrossEntropy, SoftCrossEntropy)
_MIXED = {"weighted": True, "smoothing": 0.2}

PARAMETERS: dict[str, list[tuple[float, float]]] = {
    "mse": [(0, 0)],
    "l1": [(0, 0)],
    "smooth_l1": [(1.5, 0), (0, 0)],
    "huber": [(1.5, 0)],
    "bce": [(0, 0)],
    "bce_with_logits": [(1, 1), (2.5, 1), (1.5, 0)],
    "focal": [(0.25, 2), (-1, 1.5), (0.75, 0)],
    "kl_div": [(0, 0)],
    "kl_div_log": [(0, 0)],
    "poisson": [(1e-8, 0), (1e-8, 1)],
    "poisson_log": [(0, 0), (0, 1)],
    "soft_margin": [(0, 0)],
    "hinge": [(1, 1), (1.5, 2)],
    "hinge_embedding": [(1, 0)],
}
"""Every loss of single elements, with all that its parameters may be."""

_KINDS = [(kind, a, b) for kind, rows in PARAMETERS.items() for a, b in rows]

CASES: list[Case] = [
    *(family(m=3, c=c) for c in EDGES for family in _ROWS),
    *(family(m=m, c=10) for m in (0, 1, 8, 33) for family in _ROWS),
    *(family(m=12, c=21, special=True) for family in _ROWS[:3]),
    *(family(m=3, c=c, p=p) for c, p in ((1, 3), (10, 65), (33, 2), (70, 130)) for family in _ROWS[:2]),
    *(family(m=5, c=40, p=p) for p in EDGES for family in _ROWS[:2]),
    *(family(m=12, c=21, p=19, special=True) for family in _ROWS[:2]),
    *(family(m=700, c=100) for family in _ROWS),
    *(family(m=5, c=1100) for family in _ROWS),
    *(family(m=33, c=c, **_MIXED) for c in (1, 16, 37) for family in _ROWS[2:]),
    *(family(m=5, c=1100, **_MIXED) for family in _ROWS[2:]),
    *(family(m=5, c=10, weighted=True) for family in _ROWS[2:]),
    *(family(m=5, c=10, smoothing=0.1) for family in _ROWS[2:]),
    *(family(m=3, c=c, p=p) for c, p in ((1, 3), (10, 65), (33, 2), (70, 130)) for family in _ROWS[2:]),
    *(family(m=5, c=40, p=p) for p in EDGES for family in _ROWS[2:]),
    *(family(m=4, c=c, p=70, **_MIXED) for c in (1, 16, 37) for family in _ROWS[2:]),
    *(CrossEntropy(m=12, c=21, p=p, ignored=True, special=True) for p in (1, 19)),
    CrossEntropy(m=3, c=21, p=70, ignored=True, **_MIXED),
    *(CrossEntropy(m=33, c=c, ignored=True) for c in (10, 37)),
    CrossEntropy(m=33, c=21, ignored=True, **_MIXED),
    *(Loss(kind="mse", size=n) for n in (0, *EDGES, 1023, 1024, 1025, 50_001)),
    *(Loss(kind="mse", size=n, one=True) for n in (0, 1, 39, 1024, 50_001)),
    *(Loss(kind=kind, a=a, b=b, size=39) for kind, a, b in _KINDS),
    *(Loss(kind=kind, a=a, b=b, size=1100, special=True, one=True) for kind, a, b in _KINDS),
    *(ClassTargets(m=m, c=c) for m, c in ((0, 1), (1, 3), (39, 1), (700, 10))),
    *(ClassTargets(m=m, c=10, weighted=True) for m in (33, 40_000)),
    *(Nll(m=m, c=c) for m, c in ((0, 3), (1, 1), (33, 10), (1, 1000), (2500, 40))),
    *(Nll(m=m, c=c, p=p) for m, c, p in ((0, 3, 7), (3, 1, 5), (33, 5, 49), (2, 1100, 130), (2, 70, 2000))),
    *(Nll(m=m, c=10, p=p, weighted=True) for m, p in ((33, 1), (3, 130))),
    *(Nll(m=m, c=10, p=p, weighted=True, one=True) for m, p in ((1, 1), (33, 1), (3, 130))),
    *(Nll(m=m, c=21, p=p, special=True) for m, p in ((40, 1), (5, 19))),
    *(Dice(m=m, p=p) for m, p in ((0, 3), (1, 1), (33, 1), (3, 4096), (3, 4097), (7, 12_500), (2, 70_001))),
    *(Dice(m=3, p=p, smooth=0.0) for p in EDGES),
    *(Dice(m=m, p=p, one=True) for m, p in ((1, 40), (33, 49), (3, 150_000))),
    Dice(m=700, p=20, special=True),
    Dice(m=3, p=70_000, special=True),
    *(Margin(m=3, c=c) for c in EDGES),
    *(Margin(m=m, c=10, p=2, margin=0.5) for m in (0, 1, 33)),
    *(Margin(m=33, c=10, p=p, weighted=True) for p in (1, 2)),
    *(Margin(m=m, c=10, weighted=True, one=True) for m in (1, 33)),
    *(Margin(m=700, c=100, p=p) for p in (1, 2)),
    *(Margin(m=40, c=21, p=p, special=True) for p in (1, 2)),
]

_SIZE = 32 * 64 * 56 * 56

BENCH: list[Case] = [
    Softmax(m=8192, c=100),
    LogSoftmax(m=8192, c=100),
    Softmax(m=32, c=64, p=56 * 56),
    CrossEntropy(m=128, c=1000),
    CrossEntropy(m=128, c=1000, **_MIXED),
    SoftCrossEntropy(m=128, c=1000),
    CrossEntropy(m=32, c=64, p=56 * 56),
    *(Loss(kind=kind, a=1, b=1, size=_SIZE, one=True) for kind in ("mse", "huber", "bce_with_logits")),
    Nll(m=32, c=64, p=56 * 56, one=True),
    Nll(m=32, c=1000, one=True),
    Dice(m=32 * 64, p=56 * 56, one=True),
    Margin(m=1024, c=512, one=True),
]
