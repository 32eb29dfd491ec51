"""One list of configurations. It drives parity, threads, instruction sets, gradients, layouts, benchmarks.

A row names a family (see ``families``) and its sizes; a new feature is a new row. ``BENCH`` has the same
kinds of rows at the sizes of real networks; tests do not run them.
"""

from __future__ import annotations

import math
import random
from typing import Any

from families import (
    Adam,
    AvgPool,
    BatchNorm,
    Case,
    Conv,
    CrossEntropy,
    Im2col,
    Linear,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Relu,
    Sgd,
    Softmax,
    Unfold,
)

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
    # more padding than kernel, and images smaller than it
    {"x": (1, 2, 3, 3), "k": 3, "kernel": 2, "padding": 4},
    {"x": (1, 2, 2, 3), "k": 3, "kernel": 5, "padding": ((3, 1), (0, 4)), "stride": 2},
    # input rows and columns that no window reaches
    {"x": (2, 3, 10, 12), "k": 5, "kernel": 2, "stride": 7},
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
    {"x": (3, 4, 20, 21), "k": 4, "kernel": 3, "padding": 1, "groups": 4, "special": True},
    {"x": (3, 4, 20, 21), "k": 8, "kernel": 5, "stride": 2, "padding": 2, "groups": 4, "special": True},
]

# 3x3 convolutions with channels enough for Winograd's algorithm, which errs more in float32 than a plain sum.
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
        {"x": (2, 64, 12, 12), "k": 96, "padding": 1, "groups": 2},
        {"x": (3, 32, 16, 16), "k": 48, "padding": 1, "bias": False, **_RELU6},
        {"x": (5, 32, 20, 20), "k": 40, "padding": 1, **_RELU},
        {"x": (9, 32, 32, 32), "k": 32, "padding": 1},
        {"x": (1, 32, 100), "k": 40, "padding": 1},
        {"x": (1, 24, 3, 12, 12), "k": 48, "padding": 1},
        {"x": (2, 32, 16, 24), "k": 32, "padding": 1, "special": True},
    )
]


def _random_windows(seed: int, count: int, pooling: bool) -> list[dict[str, Any]]:
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


def _random_convs(seed: int, count: int) -> list[dict[str, Any]]:
    rng, rows = random.Random(seed), _random_windows(seed, count, pooling=False)
    for row in rows:
        groups = rng.choice((1, 1, 1, 2, 3))
        n, c, *size = row["x"]
        row |= {"x": (n, groups * c, *size), "k": groups * rng.randint(1, 9), "groups": groups}
    return rows


CASES: list[Case] = [
    *(Im2col(**w) for w in WINDOWS + _random_windows(1, 15, pooling=False)),
    *(Unfold(**w) for w in WINDOWS + _random_windows(2, 15, pooling=False)),
    *(family(x=(9, 8, 20, 20), kernel=3, padding=1) for family in (Im2col, Unfold)),
    *(family(**w, special=True) for w in SPECIAL for family in (Im2col, Unfold)),
    *(MaxPool(**w) for w in POOLS + _random_windows(3, 20, pooling=True)),
    *(MaxPool(**w, indices=False) for w in POOLS),
    *(MaxPool(**w, special=True, indices=i) for w in SPECIAL + POOLS[10:16] for i in (True, False)),
    *(AvgPool(**w) for w in POOLS + _random_windows(4, 20, pooling=True)),
    *(AvgPool(**w, ones=True) for w in SPECIAL),
    *(AvgPool(**w, special=True) for w in SPECIAL),
    *(LpPool(**w) for w in POOLS + _random_windows(5, 20, pooling=True)),
    *(LpPool(**w, p=p) for w in SPECIAL for p in (1.0, 1.5, 3.0, math.inf)),
    *(LpPool(**w, p=p, magnitude=m) for w in SPECIAL for p in (2.0, 3.0) for m in (1e-25, 1e25)),
    *(LpPool(**w, p=p, special=True) for w in SPECIAL for p in (1.0, 2.0, 3.0, math.inf)),
    *(family(x=(9, 16, 24, 24), kernel=k, stride=2) for k in (2, 3) for family in (MaxPool, AvgPool, LpPool)),
    *(Conv(**w) for w in CONVS + DEPTHWISE + WINOGRAD + _random_convs(6, 60)),
    *(Conv(**w, k=6, special=True) for w in SPECIAL),
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
    *(Relu(size=n) for n in (0, *EDGES, 50_001)),
    Relu(size=257, special=True),
    *(Multiply(size=n) for n in (0, *EDGES, 50_001)),
    Multiply(size=257, special=True),
    *(BatchNorm(n=3, c=2, p=p) for p in EDGES),
    *(BatchNorm(n=n, c=3, p=10) for n in (0, 1, 2, 33)),
    *(BatchNorm(n=5, c=c, p=1) for c in EDGES[1:12]),
    BatchNorm(n=4, c=3, p=50, **_RELU),
    BatchNorm(n=4, c=3, p=50, **_RELU6),
    BatchNorm(n=4, c=3, p=50, offset=100.0),
    BatchNorm(n=1, c=1, p=50_001, tolerance=6400),  # its sums nearly cancel
    BatchNorm(n=33, c=16, p=49),
    BatchNorm(n=200, c=3, p=100),
    BatchNorm(n=300, c=130, p=1),
    BatchNorm(n=2, c=300, p=40),
    BatchNorm(n=3, c=30, p=20, special=True),
    *(family(m=3, c=c) for c in EDGES for family in (Softmax, CrossEntropy)),
    *(family(m=m, c=10) for m in (0, 1, 8, 33) for family in (Softmax, CrossEntropy)),
    *(family(m=12, c=21, special=True) for family in (Softmax, CrossEntropy)),
    *(family(m=700, c=100) for family in (Softmax, CrossEntropy)),
    *(family(m=5, c=1100) for family in (Softmax, CrossEntropy)),
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
    Im2col(x=(32, 64, 28, 28), kernel=3, padding=1),
    Unfold(x=(32, 64, 28, 28), kernel=3, padding=1),
    MaxPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    MaxPool(x=(32, 64, 56, 56), kernel=3, stride=2, padding=1),
    AvgPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    LpPool(x=(32, 64, 56, 56), kernel=2, stride=2),
    Conv(x=(32, 1, 28, 28), k=6, kernel=5, padding=2),  # LeNet
    Conv(x=(32, 6, 14, 14), k=16, kernel=5),
    Conv(x=(4, 64, 112, 112), k=128, kernel=3, padding=1),  # VGG
    Conv(x=(4, 512, 14, 14), k=512, kernel=3, padding=1),
    Conv(x=(8, 3, 224, 224), k=64, kernel=7, stride=2, padding=3),  # ResNet
    Conv(x=(8, 64, 56, 56), k=64, kernel=3, padding=1),
    Conv(x=(8, 256, 14, 14), k=256, kernel=3, padding=1),
    Conv(x=(8, 256, 56, 56), k=64, kernel=1),
    Conv(x=(8, 64, 56, 56), k=128, kernel=3, stride=2, padding=1),
    Conv(x=(8, 32, 112, 112), k=32, kernel=3, padding=1, groups=32),  # MobileNet
    Conv(x=(32, 64, 1024), k=64, kernel=3, padding=1),
    Conv(x=(2, 64, 8, 28, 28), k=64, kernel=3, padding=1),  # C3D
    Linear(n=32, c=400, k=120),
    Linear(n=32, c=512, k=1000),
    Linear(n=1, c=512, k=1000),
    Local(x=(32, 16, 14, 14), k=16, kernel=3, padding=1),
    Relu(size=32 * 64 * 56 * 56),
    Multiply(size=32 * 64 * 56 * 56),
    BatchNorm(n=32, c=64, p=56 * 56),
    Softmax(m=8192, c=100),
    CrossEntropy(m=128, c=1000),
    Sgd(size=10_000_000, momentum=0.9, weight_decay=1e-4),
    Adam(size=10_000_000),
]
