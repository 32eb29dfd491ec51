"""Rows of element-wise operations."""

from __future__ import annotations

from families import Case, Multiply, Relu

from .sizes import EDGES

CASES: list[Case] = [
    *(Relu(size=n) for n in (0, *EDGES, 50_001)),
    Relu(size=257, special=True),
    *(Multiply(size=n) for n in (0, *EDGES, 50_001)),
    Multiply(size=257, special=True),
]

BENCH: list[Case] = [
    Relu(size=32 * 64 * 56 * 56),
    Multiply(size=32 * 64 * 56 * 56),
]
