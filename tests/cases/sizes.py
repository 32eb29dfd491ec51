"""Sizes and windows that several families share."""

from __future__ import annotations

import random
from typing import Any

from kitnet._geometry import Window

# Sizes one below, at and above the tiles: vectors of 4, 8, 16, micro-kernels of 6 or 14 by 16 .. 128.
EDGES = (1, 7, 8, 9, 13, 14, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129)

WINDOWS: list[dict[str, Any]] = [
    {"x": (2, 3, 9), "kernel": 3},
    {"x": (1, 1, 7), "kernel": 3},
    {"x": (2, 2, 40), "kernel": 5, "stride": 2, "padding": 2},
    {"x": (3, 2, 17), "kernel": 2, "stride": 3, "dilation": 4, "padding": ((2, 0),)},
    {"x": (2, 3, 8, 8), "kernel": 2, "stride": 2},
    {"x": (2, 3, 7, 9), "kernel": 3, "stride": 2, "padding": 1},
    {"x": (2, 3, 7, 9), "kernel": 3, "padding": 1},
    {"x": (1, 2, 5, 6), "kernel": 1},
    {"x": (1, 2, 5, 6), "kernel": 1, "stride": 3},
    {"x": (2, 4, 5, 6), "kernel": (5, 6)},
    {"x": (2, 3, 11, 13), "kernel": (2, 3), "stride": (4, 5)},
    {"x": (2, 3, 10, 35), "kernel": (3, 2), "stride": (1, 2), "padding": (1, 0)},
    {"x": (2, 3, 9, 8), "kernel": (4, 3), "padding": ((2, 1), (0, 1))},
    {"x": (2, 3, 9, 8), "kernel": (3, 4), "stride": 2, "padding": ((0, 1), (2, 0))},
    {"x": (1, 3, 12, 11), "kernel": 3, "dilation": 2, "padding": 2},
    {"x": (1, 3, 12, 11), "kernel": (2, 3), "dilation": (3, 2), "stride": (2, 1), "padding": (1, 2)},
    {"x": (1, 2, 1, 1), "kernel": 1},
    {"x": (1, 2, 1, 1), "kernel": 3, "padding": 1},
    {"x": (2, 1, 1, 33), "kernel": (1, 3), "padding": (0, 1)},
    {"x": (2, 1, 33, 1), "kernel": (3, 1), "padding": (1, 0)},
    {"x": (0, 3, 6, 6), "kernel": 3, "padding": 1},
    {"x": (33, 2, 6, 7), "kernel": 3, "stride": 2, "padding": 1},
    {"x": (1, 1, 3, 130), "kernel": 3, "padding": 1},
    {"x": (1, 5, 16, 16), "kernel": 3, "stride": 1, "padding": "same"},
    {"x": (1, 2, 8, 9), "kernel": (4, 2), "stride": 2, "padding": "same_lower"},
    {"x": (2, 3, 28, 28), "kernel": 5, "padding": 2},
    {"x": (2, 3, 5, 6, 7), "kernel": 3, "padding": 1},
    {"x": (1, 2, 4, 6, 8), "kernel": 2, "stride": 2},
    {"x": (1, 2, 5, 7, 9), "kernel": (2, 3, 1), "stride": (2, 1, 3), "padding": ((1, 0), (0, 1), (0, 0))},
    {"x": (1, 2, 6, 7, 8), "kernel": (2, 1, 3), "dilation": (2, 1, 2), "padding": (0, 0, 1)},
]

POOLS: list[dict[str, Any]] = [
    *WINDOWS,
    {"x": (2, 3, 8, 9), "kernel": 3, "stride": 2, "ceil_mode": True},
    {"x": (2, 3, 8, 10), "kernel": (2, 3), "stride": (3, 2), "padding": (1, 1), "ceil_mode": True},
    {"x": (1, 2, 6, 5, 7), "kernel": 2, "stride": 3, "ceil_mode": True},
    {"x": (2, 3, 56, 56), "kernel": 3, "stride": 2, "padding": 1},
    {"x": (2, 3, 48, 50), "kernel": 2, "stride": 2},
]

SPECIAL: list[dict[str, Any]] = [
    {"x": (3, 4, 9, 20), "kernel": 3, "padding": 1},
    {"x": (3, 4, 9, 40), "kernel": 2, "stride": 2},
    {"x": (3, 4, 17, 40), "kernel": 3, "stride": 3, "padding": 1},
    {"x": (2, 3, 30), "kernel": 3, "stride": 2, "padding": 1},
]


def random_windows(seed: int, count: int, pooling: bool) -> list[dict[str, Any]]:
    """Seeded geometries that nobody thought of."""
    rng, found = random.Random(seed), []
    while len(found) < count:
        ndim = rng.choice((1, 2, 2, 3))
        size = tuple(rng.randint(1, 40 if ndim == 1 else 14 if ndim == 2 else 7) for _ in range(ndim))
        row = {
            "x": (rng.randint(1, 4), rng.randint(1, 9), *size),
            "kernel": tuple(rng.randint(1, 5) for _ in size),
            "stride": tuple(rng.randint(1, 4) for _ in size),
            "dilation": tuple(rng.choice((1, 1, 2, 3)) for _ in size),
            "padding": tuple((rng.randint(0, 3), rng.randint(0, 3)) for _ in size),
        }
        try:
            Window.of(size, row["kernel"], row["stride"], row["padding"], row["dilation"], pooling=pooling)
        except ValueError:
            continue
        found.append(row)
    return found
