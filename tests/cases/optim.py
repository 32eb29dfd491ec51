"""Rows of the optimizers."""

from __future__ import annotations

from families import (
    Adadelta,
    Adam,
    Adamax,
    Asgd,
    Average,
    Case,
    Factored,
    Inner,
    Lamb,
    Lion,
    Rmsprop,
    Rprop,
    Sgd,
)

from .sizes import EDGES

SIZES = (0, *EDGES, 50_001)  # the last one is more than three chunks

CASES: list[Case] = [
    *(Sgd(size=n, momentum=0.9, decay=0.01, has_velocity=True) for n in SIZES),
    Sgd(size=37),
    Sgd(size=37, scale=-1.0, decay=0.01),
    Sgd(size=37, momentum=0.9, share=0.1, has_velocity=True),
    Sgd(size=37, momentum=0.9, nesterov=True, decay=0.01, has_velocity=True),
    *(Adam(size=n) for n in SIZES),
    Adam(size=37, decay=0.01, scale=-1.0, root=1.0),
    Adam(size=37, keep=0.999, boost=0.05, root=1.0),
    Adam(size=37, root=0.0, eps=1.0),
    *(Adam(size=n, has_top=True) for n in (37, 129)),
    *(Adamax(size=n) for n in (0, 37, 129, 50_001)),
    Adamax(size=37, scale=-1.0, decay=0.1),
    *(Lamb(size=n) for n in (0, 37, 129, 50_001)),
    Lamb(size=37, scale=-1.0, decay=0.1),
    *(Rmsprop(size=n) for n in (0, 37, 129, 50_001)),
    Rmsprop(size=37, scale=-1.0, decay=0.1, alpha=1.0, share=1.0),
    Rmsprop(size=129, has_mean=True),
    Rmsprop(size=129, has_velocity=True),
    Rmsprop(size=50_001, decay=0.1, has_mean=True, has_velocity=True),
    *(Adadelta(size=n) for n in (0, 37, 129, 50_001)),
    Adadelta(size=37, scale=-1.0, decay=0.1),
    *(Rprop(size=n) for n in (0, 37, 129, 50_001)),
    Rprop(size=37, scale=-1.0),
    *(Asgd(size=n) for n in (0, 37, 129, 50_001)),
    Asgd(size=37, scale=-1.0, decay=0.1, weight=0.25),
    *(Lion(size=n) for n in (0, 37, 129, 50_001)),
    Lion(size=37, scale=-1.0),
    *(Average(size=n) for n in (0, 37, 129, 50_001)),
    *(Inner(size=n) for n in SIZES),
    *(
        Factored(shape=s)
        for s in ((1, 1, 1), (3, 5, 7), (70, 3, 3), (2000, 3, 3), (2, 40, 511), (2, 9, 1025))
    ),
    *(Factored(shape=s) for s in ((0, 3, 3), (5, 30, 1), (5, 1, 30), (1, 600, 20))),
    Factored(shape=(2, 20, 30), least=0.5),
]

BENCH: list[Case] = [
    Sgd(size=10_000_000, momentum=0.9, decay=1e-4, has_velocity=True),
    Adam(size=10_000_000),
    Lamb(size=10_000_000),
    Lion(size=10_000_000),
    Rmsprop(size=10_000_000),
    Inner(size=10_000_000),
    Factored(shape=(512 * 512, 3, 3)),
    Factored(shape=(1, 4096, 2048)),
]
