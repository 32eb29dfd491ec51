"""Rows of element-wise operations."""

from __future__ import annotations

from families import Activation, Add, Case, Glu, Multiply, PRelu

from .sizes import EDGES

PARAMETERS: dict[str, tuple[float, float]] = {
    "relu": (0, 0),
    "clip": (-1.5, 2),
    "threshold": (0.25, 7),
    "leaky_relu": (0.01, 0),
    "elu": (2, 0.5),
    "selu": (0, 0),
    "gelu": (0, 0),
    "gelu_tanh": (0, 0),
    "silu": (0, 0),
    "mish": (0, 0),
    "softplus": (2, 20),
    "softsign": (0, 0),
    "sigmoid": (0, 0),
    "logsigmoid": (0, 0),
    "tanh": (0, 0),
    "hardsigmoid": (0, 0),
    "hardswish": (0, 0),
    "hardshrink": (0.5, 0),
    "softshrink": (0.5, 0),
    "tanhshrink": (0, 0),
}
"""Every activation, with parameters that are not all the same."""

CASES: list[Case] = [
    *(Activation(kind="relu", size=n) for n in (0, *EDGES, 50_001)),
    *(Activation(kind="silu", size=n) for n in (*EDGES, 50_001)),
    *(Activation(kind=kind, a=a, b=b, size=39) for kind, (a, b) in PARAMETERS.items()),
    *(Activation(kind=kind, a=a, b=b, size=257, special=True) for kind, (a, b) in PARAMETERS.items()),
    *(PRelu(n=2, c=3, p=p) for p in EDGES),
    *(PRelu(n=n, c=3, p=10) for n in (0, 1, 33)),
    *(PRelu(n=3, c=c, p=1) for c in EDGES),
    PRelu(n=2, c=2, p=40_001, tolerance=640),  # its sums nearly cancel
    PRelu(n=2, c=40_001, p=1),
    PRelu(n=2, c=3000, p=9),
    PRelu(n=3, c=4, p=50, special=True),
    *(Glu(m=3, p=p) for p in EDGES),
    *(Glu(m=m, p=10) for m in (0, 1, 33)),
    Glu(m=2, p=50_001),
    Glu(m=4000, p=11),
    Glu(m=3, p=100, special=True),
    *(family(size=n) for n in (0, *EDGES, 50_001) for family in (Multiply, Add)),
    *(family(size=257, special=True) for family in (Multiply, Add)),
]

_SIZE = 32 * 64 * 56 * 56


BENCH: list[Case] = [
    *(Activation(kind=kind, size=_SIZE) for kind in ("relu", "silu", "gelu", "mish", "tanh")),
    PRelu(n=32, c=64, p=56 * 56),
    Glu(m=32, p=32 * 56 * 56),
    Multiply(size=_SIZE),
    Add(size=_SIZE),
]
