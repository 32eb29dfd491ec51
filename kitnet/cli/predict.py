"""``kitnet predict``: what a saved model sees in images."""

from __future__ import annotations

import argparse
from typing import Any

from .data import unlabelled


def add(commands: Any) -> None:
    p = commands.add_parser(
        "predict",
        help="classes of images in .npy or .png files",
        description="Print the most likely class of each image and its probability. Pictures are scaled to "
        "the model's size; bytes in .npy files are taken as grey levels 0 to 255, other numbers as they are.",
    )
    p.add_argument("model", metavar="MODEL", help="a file that `kitnet train` or kitnet.save wrote")
    p.add_argument(
        "files", metavar="FILE", nargs="+", help=".npy with one image or many, or .png (needs Pillow)"
    )
    p.add_argument(
        "--invert", action="store_true", help="swap dark and bright (the digits are bright ink on dark paper)"
    )
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from .. import functional as F
    from ..models import load
    from ..training import predict

    model = load(arguments.model)
    for path in arguments.files:
        probability = F.softmax(predict(model, unlabelled(path, model, arguments.invert)))
        for i, scores in enumerate(probability):
            name = path if len(probability) == 1 else f"{path}[{i}]"
            best = scores.argmax()
            print(f"{name}: {best} ({100 * scores[best]:.1f} %)")
    return 0
