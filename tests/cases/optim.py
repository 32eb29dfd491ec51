"""Rows of the optimizers."""

from __future__ import annotations

from families import Adam, Case, Sgd

from .sizes import EDGES

CASES: list[Case] = [
    *(Sgd(size=n, momentum=0.9, weight_decay=0.01) for n in (0, *EDGES, 50_001)),
    Sgd(size=37),
    Sgd(size=37, weight_decay=0.01),
    Sgd(size=37, momentum=0.9, dampening=0.1),
    Sgd(size=37, momentum=0.9, nesterov=True, weight_decay=0.01),
    *(Adam(size=n) for n in (0, *EDGES, 50_001)),
    Adam(size=37, weight_decay=0.01, step=7),
    Adam(size=37, weight_decay=0.01, decoupled=True, step=1000),
]

BENCH: list[Case] = [
    Sgd(size=10_000_000, momentum=0.9, weight_decay=1e-4),
    Adam(size=10_000_000),
]
