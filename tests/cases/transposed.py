"""Rows of transposed convolution: the kernels of convolution the other way round, with bias and bounds."""

from __future__ import annotations

import random
from typing import Any

from families import Case, ConvTranspose

from .sizes import EDGES, WINDOWS, random_windows

_RELU = {"low": 0.0}
_RELU6 = {"low": 0.0, "high": 6.0}

ROWS: list[dict[str, Any]] = [
    *({"k": 4, **w} for w in WINDOWS),
    # every phase of the stride met by a tap, or some by none: there is the bias alone, and its bound
    {"x": (2, 3, 7), "k": 5, "kernel": 4, "stride": 2, "padding": 1, **_RELU},
    {"x": (2, 3, 7), "k": 5, "kernel": 2, "stride": 5, **_RELU6},
    {"x": (2, 3, 4, 5), "k": 4, "kernel": 1, "stride": 2, "bias": False, "low": 0.25},
    {"x": (2, 3, 4, 5), "k": 9, "kernel": 1, "stride": 2, "high": 0.5},
    {"x": (2, 3, 4, 5), "k": 4, "kernel": (1, 3), "stride": (3, 2), "output_padding": (2, 1), **_RELU},
    {"x": (2, 3, 4, 5), "k": 4, "kernel": 2, "stride": 2, "dilation": 2, "output_padding": 1},
    {"x": (1, 2, 1, 1), "k": 3, "kernel": 1, "stride": 7, "output_padding": 6},
    {"x": (1, 2, 3, 2, 2), "k": 3, "kernel": (2, 1, 3), "stride": (1, 2, 3), "output_padding": (0, 1, 2)},
    # cells behind the last stamp, more of them than a stride
    {"x": (2, 3, 4, 5), "k": 4, "kernel": 2, "dilation": 4, "output_padding": (3, 2), **_RELU},
    {"x": (2, 3, 4, 5), "k": 4, "kernel": (1, 2), "dilation": (3, 5), "stride": 2, "output_padding": (2, 4)},
    # more cut off than the kernel reaches over, unevenly, and by rule
    {"x": (2, 3, 9, 9), "k": 4, "kernel": 3, "stride": 2, "padding": 4},
    {"x": (2, 3, 6, 7), "k": 4, "kernel": 3, "stride": 2, "padding": ((0, 1), (2, 0)), "output_padding": 1},
    {"x": (2, 3, 6, 7), "k": 4, "kernel": (5, 2), "stride": (2, 3), "padding": "same"},
    {"x": (2, 3, 6, 7), "k": 4, "kernel": 4, "stride": 1, "padding": "same_lower"},
    # groups, and channels that each filter has to itself
    {"x": (2, 6, 5, 6), "k": 9, "kernel": 3, "stride": 2, "padding": 1, "groups": 3, **_RELU},
    {"x": (2, 4, 5, 6), "k": 4, "kernel": 3, "padding": 1, "groups": 4, **_RELU},
    {"x": (2, 4, 9, 11), "k": 8, "kernel": 4, "stride": 2, "padding": 1, "groups": 4, **_RELU6},
    {"x": (1, 33, 5, 6), "k": 33, "kernel": 2, "stride": 3, "groups": 33},
    {"x": (1, 3, 4, 5, 6), "k": 3, "kernel": 3, "stride": 2, "padding": 1, "groups": 3, "bias": False},
    {"x": (1, 2, 60, 62), "k": 2, "kernel": 4, "stride": 2, "padding": 1, "groups": 2, **_RELU},
    # rows of a tile, columns of a tile
    *({"x": (1, 3, 3, 10), "k": k, "kernel": 4, "stride": 2, "padding": 1} for k in EDGES),
    *({"x": (1, 3, 2, w), "k": 3, "kernel": 2, "stride": 2, **_RELU} for w in EDGES),
    *({"x": (1, 5, 1, w), "k": 15, "kernel": 1, **_RELU6} for w in EDGES),
    *({"x": (1, c, 4, 5), "k": 15, "kernel": 3, "stride": 2} for c in (27, 28, 29, 57)),
    # batches, several blocks, and work enough for several threads
    {"x": (0, 3, 6, 6), "k": 4, "kernel": 3, "stride": 2},
    {"x": (33, 5, 6, 7), "k": 4, "kernel": 4, "stride": 2, "padding": 1, **_RELU},
    {"x": (9, 64, 8, 8), "k": 32, "kernel": 4, "stride": 2, "padding": 1},
    {"x": (3, 40, 14, 14), "k": 70, "kernel": 2, "stride": 2, **_RELU},
    {"x": (1, 30, 70, 71), "k": 9, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1},
    {"x": (1, 16, 1501), "k": 5, "kernel": 5, "stride": 2, **_RELU},
    {"x": (2, 16, 4, 9, 9), "k": 20, "kernel": 3, "stride": 2, "padding": 1, "output_padding": 1},
    # phases of the columns woven: two to four, the last ones shorter, channels in blocks
    *({"x": (2, 40, 5, 15), "k": 35, "kernel": k, "stride": k, "padding": 1, **_RELU} for k in (2, 3, 4, 5)),
    *({"x": (2, 9, 7, 10), "k": k, "kernel": 5, "stride": 3, "padding": 1, **_RELU} for k in (31, 32)),
    # also those of the rows, in blocks, and more of them than go together
    {"x": (1, 64, 80, 24), "k": 32, "kernel": 3, "stride": 2, "padding": 1, **_RELU},
    {"x": (1, 20, 3, 4, 9), "k": 32, "kernel": 3, "stride": 3},
    {"x": (1, 24, 3, 5, 9), "k": 32, "kernel": (3, 4, 2), "stride": 2, "padding": ((1, 0), 1, 0), **_RELU6},
    {"x": (2, 10, 7, 10), "k": 10, "kernel": 5, "stride": 3, "padding": 1},
    # some of them without taps
    *({"x": (2, 40, 5, 15), "k": 32, "kernel": 1, "stride": s, **_RELU} for s in (2, 3, 4)),
    {"x": (2, 300, 4, 9), "k": 33, "kernel": 1, "stride": 2, "output_padding": 1, **_RELU6},
    {"x": (2, 20, 4, 9), "k": 32, "kernel": 2, "stride": 2, "dilation": 2, "bias": False, "low": 0.25},
    {"x": (1, 20, 3, 4, 9), "k": 32, "kernel": (1, 3, 2), "stride": (2, 1, 3), "output_padding": (1, 0, 1)},
    *({"x": (2, 40, 3, w), "k": 18, "kernel": 3, "stride": 2, "padding": (1, 1)} for w in (4, 14, 15, 29)),
    {"x": (2, 9, 5, 14), "k": 33, "kernel": 5, "stride": 3, "padding": 1, **_RELU},  # few taps each
    # (bounded by 6, sums of 800 products seem smaller than they are)
    {
        "x": (5, 200, 4, 6),
        "k": 33,
        "kernel": (3, 8),
        "stride": (2, 4),
        "padding": (1, 2),
        "tolerance": 512,
        **_RELU6,
    },
    {"x": (2, 300, 9, 10), "k": 20, "kernel": 5, "stride": 2, "padding": 3, "output_padding": 1, "groups": 2},
    {"x": (1, 64, 6, 9), "k": 16, "kernel": 4, "stride": 3, "dilation": 2, "padding": 1},
    {"x": (1, 64, 2, 5, 9), "k": 16, "kernel": (2, 2, 5), "stride": 2, "padding": (0, 0, 2), "bias": False},
    {"x": (2, 40, 6, 8), "k": 16, "kernel": 4, "stride": 2, "padding": 1, "special": True},
    # NaN and infinities
    {"x": (3, 4, 9, 20), "k": 6, "kernel": 3, "padding": 1, "special": True, **_RELU},
    {"x": (3, 4, 9, 20), "k": 6, "kernel": 4, "stride": 2, "padding": 1, "special": True},
    {"x": (3, 4, 10, 11), "k": 4, "kernel": 3, "stride": 2, "groups": 4, "special": True, **_RELU6},
]  # fmt: skip

# Winograd's algorithm, whose results go through bias and bounds as well.
WINOGRAD: list[dict[str, Any]] = [
    {"kernel": 3, "tolerance": 512, **row}
    for row in (
        {"x": (2, 64, 8, 8), "k": 16, "padding": 1, **_RELU},
        {"x": (1, 33, 11, 16), "k": 65, "padding": 1, **_RELU6},
        {"x": (1, 32, 14, 18), "k": 33, "padding": ((2, 1), (0, 2))},
        {"x": (2, 64, 12, 12), "k": 96, "padding": 1, "groups": 2, "bias": False, **_RELU},
        {"x": (1, 33, 11, 17), "k": 65, "dilation": 2, "padding": 2, **_RELU},
        {"x": (2, 32, 12, 15), "k": 33, "dilation": (3, 4), "padding": (0, 5)},
        {"x": (1, 260, 8, 8), "k": 520, "padding": 1, **_RELU},
        {"x": (3, 128, 11, 15), "k": 70, "kernel": 2, **_RELU},
        {"x": (2, 32, 16, 24), "k": 32, "padding": 1, "special": True, **_RELU},
    )
]


def _random_rows(seed: int, count: int) -> list[dict[str, Any]]:
    """Seeded geometries, the same as those of ``Conv`` but for what a transposed one adds."""
    rng, rows = random.Random(seed), []
    for row in random_windows(seed, 2 * count, pooling=False):
        groups = rng.choice((1, 1, 1, 2, 3))
        n, c, *size = row["x"]
        extra = tuple(rng.randrange(max(s, d)) for s, d in zip(row["stride"], row["dilation"], strict=True))
        row |= {"x": (n, groups * c, *size), "k": groups * rng.randint(1, 9), "groups": groups}
        row |= {"output_padding": extra, **rng.choice(({}, {}, _RELU, _RELU6))}
        try:
            assert ConvTranspose(**row).window.in_size
        except ValueError:  # less than nothing is left of the result
            continue
        rows.append(row)
    return rows[:count]


CASES: list[Case] = [ConvTranspose(**row) for row in ROWS + WINOGRAD + _random_rows(7, 40)]

BENCH: list[Case] = [
    ConvTranspose(x=(32, 256, 8, 8), k=128, kernel=4, stride=2, padding=1),  # DCGAN
    ConvTranspose(x=(8, 64, 56, 56), k=32, kernel=2, stride=2),  # U-Net
]
