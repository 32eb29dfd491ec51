"""Rows of convolution."""

from __future__ import annotations

import random
from typing import Any

from families import Case, Conv

from .sizes import EDGES, SPECIAL, WINDOWS, random_windows

_RELU = {"low": 0.0}
_RELU6 = {"low": 0.0, "high": 6.0}

CONVS: list[dict[str, Any]] = [
    *({"k": 4, **w} for w in WINDOWS),
    # groups, depthwise, depth multiplier
    {"x": (2, 6, 7, 8), "k": 9, "kernel": 3, "padding": 1, "groups": 3},
    {"x": (2, 8, 9, 9), "k": 4, "kernel": (2, 3), "stride": 2, "padding": 1, "groups": 2, "bias": False},
    {"x": (2, 5, 9, 17), "k": 5, "kernel": 3, "padding": 1, "groups": 5},
    {"x": (2, 5, 9, 17), "k": 10, "kernel": 3, "stride": 2, "padding": 1, "groups": 5},
    {"x": (1, 33, 7, 7), "k": 33, "kernel": 5, "padding": 2, "dilation": 1, "groups": 33},
    {"x": (2, 4, 20), "k": 8, "kernel": 3, "dilation": 3, "padding": 3, "groups": 4},
    {"x": (1, 4, 4, 5, 6), "k": 4, "kernel": 3, "padding": 1, "groups": 2},
    # no bias, fused activations
    {"x": (2, 3, 6, 6), "k": 4, "kernel": 3, "bias": False},
    {"x": (2, 3, 9, 11), "k": 7, "kernel": 3, "padding": 1, **_RELU},
    {"x": (2, 3, 9, 11), "k": 7, "kernel": 3, "padding": 1, "bias": False, **_RELU6},
    {"x": (2, 4, 9, 11), "k": 4, "kernel": 3, "padding": 1, "groups": 4, **_RELU},
    # nothing from the future
    *({"x": (2, 3, 17), "k": 5, "kernel": 3, "padding": "causal", "dilation": d} for d in (1, 2, 4, 16)),
    {"x": (2, 3, 17), "k": 5, "kernel": 4, "padding": "causal", "dilation": 3, "stride": 2},
    # more padding than kernel, and images smaller than it
    {"x": (1, 2, 3, 3), "k": 3, "kernel": 2, "padding": 4},
    {"x": (1, 2, 2, 3), "k": 3, "kernel": 5, "padding": ((3, 1), (0, 4)), "stride": 2},
    # input rows and columns that no window reaches
    {"x": (2, 3, 10, 12), "k": 5, "kernel": 2, "stride": 7},
    {"x": (1, 2, 1, 5), "k": 3, "kernel": 1, "stride": 2, "padding": ((1, 0), (0, 0))},
    {"x": (2, 3, 1, 1), "k": 5, "kernel": 1, "stride": 3, "padding": 1},
    # output channels around the rows of a tile, output width and size around its columns
    *({"x": (1, 3, 3, 18), "k": k, "kernel": 3, "padding": 1} for k in EDGES),
    *({"x": (1, 3, 2, w), "k": 3, "kernel": 3, "padding": 1} for w in EDGES),
    *({"x": (1, 5, 1, w), "k": 15, "kernel": 1} for w in EDGES),
    *({"x": (1, c, 3, 5), "k": 6, "kernel": 1} for c in EDGES),
    *({"x": (1, 2, 13, 13), "k": 3, "kernel": 3, "stride": s, "padding": 1} for s in (2, 3, 4)),
    # input channels around the blocks of the reduction
    *({"x": (1, c, 5, 6), "k": 15, "kernel": 3, "padding": 1} for c in (27, 28, 29, 57)),
    *({"x": (1, c, 5, 6), "k": 7, "kernel": 1} for c in (255, 256, 257)),
    *({"x": (1, c, 6, 6), "k": 5, "kernel": 5, "padding": 2} for c in (10, 11, 21)),
    # nothing between the rows of an odd size and stride 2: tiles across them, straight into the result
    {"x": (3, 3, 21, 33), "k": 5, "kernel": (4, 2), "stride": 2, "padding": (2, 1), **_RELU},
    {"x": (3, 40, 21, 33), "k": 15, "kernel": 3, "stride": 2, "padding": 1},
    {"x": (3, 40, 5, 21, 7), "k": 7, "kernel": 3, "stride": 2, "padding": 1, **_RELU6},
    # and gaps that tiles leave out
    {"x": (3, 40, 4, 18, 14), "k": 11, "kernel": 3, "stride": 2, "padding": 1},
    # both phases staged at once: rows of less than a vector, of volumes too, and gaps between rows of dy
    *(
        {"x": (2, 9, 5, h, w), "k": 13, "kernel": 3, "stride": 2, "padding": 1}
        for h, w in ((7, 5), (11, 9), (37, 7), (9, 30))
    ),
    *(
        {"x": (2, 5, h, w), "k": 6, "kernel": 3, "stride": 2, "padding": p, "special": True}
        for h, w, p in ((9, 7, 1), (20, 35, 1), (12, 13, 0), (11, 66, 2))
    ),
    # volumes cut into slices, and images whose taps lie far apart
    {"x": (3, 3, 9, 12, 20), "k": 5, "kernel": 3, "padding": 1},
    {"x": (1, 12, 7, 25, 37), "k": 4, "kernel": 3, "padding": 1, "bias": False},
    {"x": (1, 2, 40, 44), "k": 3, "kernel": 3, "padding": 9, "dilation": 9},
    # batches, and work enough for several threads
    {"x": (33, 1, 8, 8), "k": 16, "kernel": 3, "padding": 1},
    {"x": (33, 16, 8, 8), "k": 17, "kernel": 3, "padding": 1},
    {"x": (5, 6, 14, 14), "k": 16, "kernel": 5},
    {"x": (2, 64, 15, 15), "k": 65, "kernel": 3, "padding": 1},
    {"x": (1, 32, 30, 30), "k": 31, "kernel": 3, "padding": 1},
    {"x": (1, 3, 64, 64), "k": 32, "kernel": 7, "stride": 2, "padding": 3},
    {"x": (3, 70, 14, 14), "k": 130, "kernel": 1},
    {"x": (7, 130, 9, 9), "k": 130, "kernel": 1, "stride": 2},
    {"x": (9, 24, 14, 14), "k": 24, "kernel": 3, "padding": 1, "groups": 24},
    {"x": (4, 24, 28, 28), "k": 48, "kernel": 5, "stride": 2, "padding": 2, "groups": 24},
    {"x": (2, 32, 28, 28), "k": 32, "kernel": 3, "padding": 1, "groups": 8},
    {"x": (8, 16, 100), "k": 20, "kernel": 9, "padding": 4},
    {"x": (2, 16, 6, 10, 10), "k": 20, "kernel": 3, "padding": 1},
    {"x": (1, 520, 6, 6), "k": 40, "kernel": 3, "padding": 1},
    # columns enough for several blocks (rows, parts of rows, slices, images), images enough for many chunks
    {"x": (1, 30, 70, 71), "k": 9, "kernel": 3, "padding": 1},
    {"x": (1, 30, 3, 3001), "k": 4, "kernel": 3, "padding": 1},
    {"x": (1, 20, 9, 21, 22), "k": 5, "kernel": 3, "padding": 1},
    {"x": (1, 3, 40, 50), "k": 130, "kernel": 3, "stride": 1},
    {"x": (1, 20, 90, 91), "k": 10, "kernel": 3, "stride": 2, "dilation": 2},
    {"x": (130, 1, 8, 8), "k": 16, "kernel": 3, "padding": 1},
    {"x": (140, 4, 14, 14), "k": 20, "kernel": 5, "padding": 2},
    # rows without a gap between them, in one run with half a tile at its end; channels in blocks
    *({"x": (1, 3, 7, w), "k": 15, "kernel": (3, 2), "stride": 2} for w in (29, 32, 35, 63, 64, 66, 97)),
    {"x": (2, 300, 9, 34), "k": 17, "kernel": 1, "stride": 2, **_RELU},
    {"x": (3, 5, 21, 23), "k": 30, "kernel": 1, "stride": 2},
    {"x": (2, 3, 5, 9, 32), "k": 15, "kernel": (2, 3, 2), "stride": (1, 1, 2)},
    # few channels read where they lie: columns in blocks, left over behind tiles of two widths, or none left
    *(
        {"x": (2, c, h, w), "k": k, "kernel": 1, **more}
        for c, k, h, w, more in (
            (4, 10, 61, 83, {}),
            (6, 19, 11, 13, {"special": True}),
            (3, 4, 47, 61, {"bias": False, **_RELU6}),
            (64, 37, 12, 8, _RELU),
            (32, 38, 9, 11, {"groups": 2}),
            (17, 16, 65, 67, {}),
        )
    ),
    # whole rows of tiles, with more taps than a block has
    *(
        {"x": (1, 12, 5, w), "k": k, "kernel": 5, "padding": 2, **_RELU}
        for w in (32, 48)
        for k in (5, 14, 17)
    ),
    # every fourth element, around the vectors
    *({"x": (1, 2, 9, w), "k": 5, "kernel": 5, "stride": 4, "padding": 2} for w in (61, 64, 67, 131, 259)),
]

# Something is added, by every way to write results.
_ADD = {"residual": True}
RESIDUAL: list[dict[str, Any]] = [
    {"x": (2, 3, 9, 11), "k": 7, "kernel": 3, "padding": 1, **_ADD},
    {"x": (2, 3, 9, 11), "k": 7, "kernel": 3, "padding": 1, "bias": False, **_ADD, **_RELU},
    {"x": (2, 3, 13, 14), "k": 5, "kernel": 3, "stride": (2, 3), "padding": 1, **_ADD, **_RELU6},
    {"x": (2, 6, 7, 8), "k": 9, "kernel": 3, "padding": 1, "groups": 3, **_ADD},
    {"x": (2, 20, 30), "k": 6, "kernel": 3, **_ADD},
    {"x": (2, 3, 4, 5, 6), "k": 4, "kernel": 2, **_ADD, **_RELU},
    {"x": (33, 1, 8, 8), "k": 16, "kernel": 3, "padding": 1, **_ADD},
    *({"x": (1, 300, 1, w), "k": 15, "kernel": 1, **_ADD, **_RELU} for w in EDGES),
    *(
        {"x": (2, c, 25, 33), "k": 5, "kernel": 3, "stride": 2, "padding": 1, **_ADD, **_RELU}
        for c in (3, 40)
    ),
    {"x": (2, 300, 9, 34), "k": 17, "kernel": 1, "stride": 2, **_ADD, **_RELU},
    *({"x": (1, 12, 5, w), "k": 14, "kernel": 5, "padding": 2, **_ADD, **_RELU} for w in (32, 48)),
    {"x": (3, 70, 14, 14), "k": 130, "kernel": 1, **_ADD, **_RELU},
    {"x": (2, 5, 11, 13), "k": 19, "kernel": 1, **_ADD, **_RELU},
    {"x": (2, 3, 13, 19), "k": 3, "kernel": 3, "stride": 2, "padding": 1, "groups": 3, **_ADD, **_RELU},
    {"x": (3, 4, 20, 21), "k": 8, "kernel": 5, "padding": 2, "groups": 4, "special": True, **_ADD},
    *({"x": (1, 12, 5, w), "k": 32, "kernel": 5, "padding": 2, **_ADD, **_RELU} for w in range(4, 31)),
    *({"x": (2, 100, 3, 9), "k": k, "kernel": 1, **_ADD} for k in (15, 16, 31, 32, 47, 64)),
    {"x": (2, 64, 9, 10), "k": 64, "kernel": 3, "stride": 2, "padding": 1, "groups": 2, **_ADD, **_RELU},
    {"x": (1, 24, 4, 5, 6), "k": 32, "kernel": 3, "padding": 1, **_ADD, **_RELU6},
    {"x": (2, 20, 9, 12), "k": 32, "kernel": 5, "padding": 2, "special": True, **_ADD, **_RELU},
]

# Each filter reads one channel: widths around the vectors, heights around the rows at a time, many bands.
DEPTHWISE: list[dict[str, Any]] = [
    *({"x": (2, 3, 5, w), "k": 3, "kernel": 3, "padding": 1, "groups": 3} for w in EDGES),
    *({"x": (1, 2, h, 17), "k": 4, "kernel": 3, "padding": 1, "groups": 2} for h in (1, 2, 3, 4, 5, 8, 9)),
    *(
        {"x": (2, 3, 13, 19), "k": 3, "kernel": k, "stride": 2, "padding": k // 2, "groups": 3}
        for k in (1, 2, 5, 7)
    ),
    {"x": (2, 3, 12, 11), "k": 3, "kernel": 3, "dilation": 2, "padding": 2, "groups": 3, **_RELU},
    {
        "x": (2, 3, 12, 11),
        "k": 6,
        "kernel": (1, 5),
        "stride": (3, 2),
        "padding": ((0, 1), (3, 0)),
        "groups": 3,
    },
    {"x": (3, 4, 50), "k": 12, "kernel": 7, "padding": 3, "groups": 4, "bias": False},
    {"x": (2, 3, 5, 7, 9), "k": 3, "kernel": (2, 3, 3), "padding": (0, 1, 1), "groups": 3},
    {"x": (2, 3, 90, 91), "k": 3, "kernel": 3, "padding": 1, "groups": 3},
    {"x": (1, 2, 100, 120), "k": 4, "kernel": 5, "stride": 2, "padding": 2, "groups": 2},
    {"x": (1, 2, 2, 7000), "k": 2, "kernel": 3, "padding": 1, "groups": 2},
    *({"x": (1, 2, 37, 83), "k": 2, "kernel": k, "padding": k // 2, "groups": 2} for k in (5, 7)),
    *({"x": (1, 2, 43, 150), "k": 2, "kernel": k, "stride": 2, "padding": 1, "groups": 2} for k in (3, 5)),
    {"x": (1, 2, 3, 70), "k": 2, "kernel": 5, "padding": 4, "groups": 2, **_RELU},
    {"x": (3, 4, 20, 21), "k": 4, "kernel": 3, "padding": 1, "groups": 4, "special": True},
    {"x": (3, 4, 20, 21), "k": 8, "kernel": 5, "stride": 2, "padding": 2, "groups": 4, "special": True},
    *(
        {"x": (2, 2, h, w), "k": 2, "kernel": k, "stride": 2, "padding": p, "groups": 2, "special": h > 9}
        for k in (3, 5)
        for p in range(k - 2)
        for h, w in ((6, 7), (9, 14), (14, 35), (31, 72))
    ),
    {"x": (3, 2, 14, 14), "k": 2, "kernel": 3, "padding": 1, "groups": 2, "special": True},
    {"x": (2, 2, 14, 37), "k": 4, "kernel": 7, "padding": 3, "groups": 2, "special": True},
    {"x": (2, 9, 28, 28), "k": 9, "kernel": 5, "padding": 2, "groups": 9},
    {"x": (2, 2, 11, 20), "k": 2, "kernel": 3, "stride": 2, "padding": (1, 0), "groups": 2, **_RELU},
]

# Three wide, filters that fill one vector of some instruction set: all tiles, rows of one and of more, pixels
# before and behind a tile, odd channels, lines in the padding, blocks of rows.
THREES: list[dict[str, Any]] = [
    *({"x": (2, 30, 4, w), "k": 32, "kernel": 3, "padding": 1, "groups": 2} for w in range(4, 16)),
    *(
        {"x": (1, 16, 7, w), "k": k, "kernel": 3, "padding": (1, 0), "groups": 2}
        for w in (17, 31)
        for k in (8, 30)
    ),
    {"x": (3, 32, 14, 14), "k": 32, "kernel": 3, "padding": 1, "groups": 2, "special": True},
    {"x": (2, 32, 14, 14), "k": 32, "kernel": 3, "padding": 1, "groups": 2, **_ADD, **_RELU},
    {"x": (2, 32, 3, 5, 14), "k": 32, "kernel": 3, "padding": 1, "groups": 2},
    {
        "x": (2, 32, 12, 15),
        "k": 32,
        "kernel": 3,
        "stride": (2, 1),
        "padding": 1,
        "dilation": (2, 1),
        "groups": 2,
    },
    {"x": (2, 14, 11, 17), "k": 32, "kernel": (5, 3), "padding": (2, 2), "groups": 2, **_RELU6},
    {"x": (2, 22, 40, 43), "k": 16, "kernel": 3, "padding": 1},
    {"x": (2, 22, 32, 32), "k": 16, "kernel": 3, "padding": 1},
    {"x": (3, 24, 77), "k": 16, "kernel": 3, "padding": 1},
]

# Filters in the lanes: full and partial vectors of them, rows of all tiles, steps of 1 and 2, sources read in
# place, lines of the kernel in the padding, blocks of channels, blocks of columns.
BROADCAST: list[dict[str, Any]] = [
    *({"x": (1, 12, 5, w), "k": 32, "kernel": 5, "padding": 2} for w in range(4, 31)),
    *(
        {"x": (1, 12, 5, w), "k": 16, "kernel": (5, 3), "padding": (2, 1), "stride": (1, 2)}
        for w in (8, 15, 27, 57)
    ),
    *({"x": (2, 100, 3, 9), "k": k, "kernel": 1} for k in (15, 16, 30, 31, 32, 47, 48, 64, 93)),
    *({"x": (2, c, 6, 10), "k": 32, "kernel": 1, "stride": 2} for c in (96, 256, 257)),
    *({"x": (1, c, 7, 8), "k": 48, "kernel": (3, 2)} for c in (42, 43, 86)),
    *({"x": (2, c, 5, 7), "k": k, "kernel": 1} for c, k in ((8, 30), (9, 31), (10, 33), (18, 14), (19, 62))),
    {"x": (2, 14, 9, 12), "k": 64, "kernel": 3, "stride": 2, "padding": 1, **_RELU6},
    {"x": (2, 28, 8, 8), "k": 64, "kernel": 2, "stride": 2, "bias": False},
    {"x": (1, 28, 32, 32), "k": 32, "kernel": 2},
    {"x": (1, 14, 11, 13), "k": 32, "kernel": 3, "stride": 3, "padding": 2},
    {"x": (1, 14, 11, 13), "k": 32, "kernel": 3, "dilation": 3, "padding": 3},
    {"x": (1, 14, 4, 5, 6), "k": 32, "kernel": 3, "padding": 1},
    {"x": (1, 40, 4, 5, 6), "k": 32, "kernel": 3, "padding": ((3, 0), (0, 3), (1, 1)), **_RELU},
    {"x": (3, 24, 40), "k": 32, "kernel": 5, "padding": 2},
    {"x": (2, 64, 9, 10), "k": 64, "kernel": 3, "stride": 2, "padding": 1, "groups": 2},
    {"x": (5, 64, 20, 20), "k": 64, "kernel": 3, "stride": 2, "padding": 1},
    {"x": (1, 16, 90, 30), "k": 64, "kernel": 5, "padding": 2, "stride": (1, 2)},
    {"x": (2, 3, 31, 51), "k": 32, "kernel": 11, "padding": 2, "stride": 4},
    {"x": (1, 7, 17, 43), "k": 32, "kernel": 6, "padding": 3, "stride": (2, 6)},
    {"x": (2, 9, 7, 11, 14), "k": 32, "kernel": 4, "padding": 1, "stride": (2, 3, 2)},
    {"x": (2, 75, 11, 27), "k": 32, "kernel": 3, "padding": 1},
    {"x": (33, 32, 6, 6), "k": 32, "kernel": 2, "padding": 1},
    {"x": (2, 20, 9, 12), "k": 32, "kernel": 5, "padding": 2, "special": True},
    {"x": (2, 100, 6, 7), "k": 32, "kernel": 1, "special": True},
]

# Convolutions with channels enough for Winograd's algorithm, which errs more in float32 than a plain sum.
WINOGRAD: list[dict[str, Any]] = [
    {"kernel": 3, "tolerance": 512, **row}
    for row in (
        {"x": (2, 16, 8, 8), "k": 64, "padding": 1},
        {"x": (2, 64, 8, 8), "k": 16, "padding": 1},
        *({"x": (1, c, 11, 16), "k": k, "padding": 1} for c, k in ((17, 63), (33, 65), (63, 17), (65, 129))),
        *(
            {"x": (1, 32, h, w), "k": 32, "padding": 1}
            for h, w in ((7, 8), (15, 12), (24, 31), (4, 68), (23, 40))
        ),
        *({"x": (1, 32, 14, 18), "k": 33, "padding": p} for p in (0, 2, 3, ((2, 1), (0, 4)))),
        {"x": (1, 257, 8, 8), "k": 20, "padding": 1},
        {"x": (1, 20, 8, 8), "k": 260, "padding": 1},
        # many filters on few tiles: the tiles of one sample do not fill the lanes, those of nine do
        *({"x": (n, 130, 8, 8), "k": 131, "padding": 1} for n in (1, 9)),
        {"x": (1, 270, 14, 15), "k": 70, "padding": 1, **_RELU},
        {"x": (2, 130, 8, 8), "k": 140, "padding": 1, "special": True},
        {"x": (2, 64, 12, 12), "k": 96, "padding": 1, "groups": 2},
        {"x": (3, 32, 16, 16), "k": 48, "padding": 1, "bias": False, **_RELU6},
        {"x": (5, 32, 20, 20), "k": 40, "padding": 1, **_RELU},
        {"x": (9, 32, 32, 32), "k": 32, "padding": 1},
        {"x": (1, 32, 100), "k": 40, "padding": 1},
        # kernels in pieces of 3x3 and less, in slices, both
        *(
            {"x": (2, 32, 12, 20), "k": 33, "kernel": kernel, "padding": padding}
            for kernel, padding in ((5, 2), (5, 0), ((3, 5), (1, 3)), ((6, 6), ((1, 3), (2, 4))), ((3, 2), 1))
        ),
        {"x": (8, 32, 7, 7), "k": 40, "kernel": 7, "padding": 3},  # the gradient of the weights
        # terms that some elements of a tile leave out
        {"x": (3, 16, 12, 12), "k": 32, "kernel": 5, "padding": 2, **_ADD, **_RELU},
        {"x": (2, 16, 12, 16), "k": 32, "kernel": 7, "padding": 3},
        {"x": (1, 48, 12, 12), "k": 24, "kernel": (7, 5), "padding": (3, 2), "bias": False},
        {"x": (1, 20, 4, 12, 12), "k": 32, "kernel": (2, 5, 5), "padding": (0, 2, 2), **_RELU6},
        # kernels in pieces of 2x2
        *(
            {"x": (2, 65, h, w), "k": 129, "kernel": kernel, "padding": padding}
            for h, w, kernel, padding in (
                (9, 17, 2, 0),
                (15, 12, 2, ((1, 0), (0, 2))),
                (4, 67, 2, 1),
                (13, 17, 4, 1),
                (9, 16, (4, 2), (1, 0)),
            )
        ),
        {"x": (9, 130, 5, 5), "k": 131, "kernel": 2, "bias": False, **_RELU},
        {"x": (2, 128, 12, 13), "k": 256, "kernel": 2, "padding": 1, "groups": 2, **_ADD, **_RELU6},
        {"x": (2, 65, 3, 9, 13), "k": 130, "kernel": 2, "padding": (1, 0, 0)},
        {"x": (2, 96, 17, 25), "k": 96, "kernel": 2, "special": True},
        {"x": (5, 17, 9, 14), "k": 32, "kernel": (5, 4), "padding": 2},
        {"x": (3, 130, 8, 8), "k": 65, "kernel": 5, "padding": 2, **_RELU},
        {"x": (9, 33, 16, 16), "k": 32, "kernel": 5, "padding": 2, "special": True},
        {"x": (1, 24, 3, 12, 12), "k": 48, "padding": 1},
        {"x": (2, 64, 4, 8, 16), "k": 34, "padding": 1, "groups": 2},
        {"x": (2, 33, 3, 9, 13), "k": 35, "kernel": (2, 3, 3), "padding": (1, 0, 2), **_RELU6},
        {"x": (3, 32, 2, 8, 8), "k": 33, "padding": ((2, 0), (1, 1), (0, 1)), "bias": False},
        {"x": (1, 32, 4, 12, 12), "k": 32, "kernel": (1, 5, 5), "padding": (0, 2, 2)},
        {"x": (1, 132, 5, 8, 8), "k": 131, "padding": 1},
        {"x": (2, 40, 3, 8, 8), "k": 40, "padding": 1, "special": True},
        {"x": (2, 32, 16, 24), "k": 32, "padding": 1, "special": True},
        # dilated: phases as long as each other and not, of less than a tile, in blocks of rows and of columns
        *(
            {"x": (n, 32, h, w), "k": 33, "dilation": d, "padding": p, **more}
            for n, h, w, d, p, more in (
                (2, 16, 16, 2, 2, {}),
                (1, 15, 17, 2, 2, _RELU),
                (3, 13, 26, 2, 0, _ADD),
                (2, 6, 7, 2, (3, 2), {}),
                (1, 14, 19, 4, 4, {"special": True}),
                (2, 11, 33, 4, ((5, 1), (0, 3)), _RELU6),
                (2, 12, 35, (3, 1), (3, 1), {}),
                (1, 16, 24, (1, 2), (1, 0), _ADD),
                (1, 20, 23, (5, 4), (4, 6), {}),
                (2, 18, 23, 3, 3, {"special": True}),  # only the gradient of the weights
                (2, 9, 40, (2, 6), (2, 6), {}),
            )
        ),
        *({"x": (1, 16, 6, 290), "k": 64, "dilation": (1, d), "padding": (1, d)} for d in (2, 4)),
        {"x": (1, 32, 40, 40), "k": 32, "dilation": 2, "padding": 2},
        {"x": (1, 16, 4, 530), "k": 32, "dilation": (1, 2), "padding": (1, 2)},  # rows in two blocks
        {"x": (1, 32, 4, 180), "k": 33, "dilation": (1, 45), "padding": (1, 45)},
        {"x": (2, 64, 14, 18), "k": 96, "dilation": 2, "padding": 1, "groups": 2},
        *({"x": (n, 130, 8, 9), "k": 131, "dilation": 2, "padding": 2} for n in (1, 9)),
        {"x": (2, 32, 14, 24), "k": 33, "kernel": 5, "dilation": (3, 2), "padding": (6, 4), **_RELU},
        {"x": (1, 24, 5, 16, 16), "k": 48, "dilation": 2, "padding": 2},
        {"x": (1, 32, 4, 12, 16), "k": 33, "dilation": (3, 2, 1), "padding": (3, 2, 1), **_ADD},
        {"x": (3, 32, 15, 18), "k": 48, "padding": 1, **_ADD, **_RELU},
        {"x": (2, 64, 12, 13), "k": 96, "padding": 1, "groups": 2, "bias": False, **_ADD},
        *({"x": (n, 130, 8, 7), "k": 131, "padding": 1, **_ADD, **_RELU} for n in (1, 9)),
        {"x": (2, 32, 16, 24), "k": 32, "padding": 1, "special": True, **_ADD, **_RELU},
    )
]


def _random_convs(seed: int, count: int) -> list[dict[str, Any]]:
    rng, rows = random.Random(seed), random_windows(seed, count, pooling=False)
    for row in rows:
        groups = rng.choice((1, 1, 1, 2, 3))
        n, c, *size = row["x"]
        row |= {"x": (n, groups * c, *size), "k": groups * rng.randint(1, 9), "groups": groups}
    return rows


CASES: list[Case] = [
    *(Conv(**w) for w in CONVS + RESIDUAL + DEPTHWISE + THREES + BROADCAST + WINOGRAD + _random_convs(6, 60)),
    *(Conv(**w, k=6, special=True) for w in SPECIAL),
]

BENCH: list[Case] = [
    Conv(x=(32, 1, 28, 28), k=6, kernel=5, padding=2),  # LeNet
    Conv(x=(32, 6, 14, 14), k=16, kernel=5),
    Conv(x=(4, 64, 112, 112), k=128, kernel=3, padding=1),  # VGG
    Conv(x=(4, 512, 14, 14), k=512, kernel=3, padding=1),
    Conv(x=(8, 3, 224, 224), k=64, kernel=7, stride=2, padding=3),  # ResNet
    Conv(x=(8, 64, 56, 56), k=64, kernel=3, padding=1),
    Conv(x=(8, 256, 14, 14), k=256, kernel=3, padding=1),
    Conv(x=(8, 256, 56, 56), k=64, kernel=1),
    Conv(x=(8, 256, 14, 14), k=1024, kernel=1, residual=True, low=0.0),
    Conv(x=(8, 64, 56, 56), k=128, kernel=3, stride=2, padding=1),
    Conv(x=(8, 32, 112, 112), k=32, kernel=3, padding=1, groups=32),  # MobileNet
    Conv(x=(32, 64, 1024), k=64, kernel=3, padding=1),
    Conv(x=(2, 64, 8, 28, 28), k=64, kernel=3, padding=1),  # C3D
]
