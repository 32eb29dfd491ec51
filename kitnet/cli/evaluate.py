"""``kitnet evaluate``: how good a saved model is."""

from __future__ import annotations

import argparse
from typing import Any

from .data import DIGITS, test_data
from .text import confusion


def add(commands: Any) -> None:
    p = commands.add_parser(
        "evaluate",
        help="accuracy and confusion matrix of a saved model",
        description="Evaluate a saved model on labelled images.",
    )
    p.add_argument("model", metavar="MODEL", help="a file that `kitnet train` or kitnet.save wrote")
    p.add_argument(
        "--data",
        default=DIGITS,
        help="digits (the bundled test part, the default), a folder with MNIST-like IDX files, or a .npz "
        "file with images and labels; bytes are taken as grey levels 0 to 255, other numbers as they are",
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from .. import functional as F
    from ..models import load
    from ..training import accuracy, confusion_matrix, predict

    model = load(arguments.model)
    images, labels = test_data(arguments.data)
    logits = predict(model, images)
    matrix = confusion_matrix(labels, logits)
    loss = F.cross_entropy(logits, labels)
    print(f"accuracy {100 * accuracy(logits, labels):.2f} % of {len(labels):,}, loss {loss:.4f}")
    print(f"confusion matrix (row: true, column: predicted)\n{confusion(matrix)}")
    return 0
