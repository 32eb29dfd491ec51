"""``kitnet train``: a network on handwritten digits, from nothing to a model file and a picture."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

import numpy as np

from .. import _backend
from .._files import check_writable
from .data import DIGITS, Labelled, training_data
from .text import confusion

MODEL, HISTORY, PICTURE = "model.safetensors", "history.csv", "report.png"


def add(commands: Any) -> None:
    p = commands.add_parser(
        "train",
        help="train a LeNet-style network, by default on the bundled digits",
        description="Train a LeNet-style network and write the model, the history and a picture of both.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    p.add_argument(
        "--out", metavar="DIR", default="runs/digits", help=f"where to write {MODEL}, {HISTORY}, {PICTURE}"
    )
    p.add_argument("--data", default=DIGITS, help="digits, or a folder with MNIST-like IDX files")
    p.add_argument("--epochs", type=int, default=20, help="how often to go through the data")
    p.add_argument("--batch-size", type=int, default=32, help="samples a step")
    p.add_argument("--lr", type=float, default=0.002, help="Adam's learning rate, at its highest")
    p.add_argument("--seed", type=int, default=0, help="same seed, same weights, bit for bit")
    p.add_argument("--verbose", type=int, choices=(0, 1, 2), default=1, help="0 silent, 1 bars, 2 lines")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from ..models import digits_net, lenet, save
    from ..training import Adam, CrossEntropyLoss, CSVLogger, Trainer, schedules

    for name in ("epochs", "batch_size"):
        if getattr(arguments, name) < 1:
            raise ValueError(
                f"--{name.replace('_', '-')}: expected at least 1, got {getattr(arguments, name)}"
            )
    if arguments.seed < 0:
        raise ValueError(f"--seed: expected at least 0, got {arguments.seed}")
    train, test = training_data(arguments.data)
    files = _prepare(arguments.out)
    rng = np.random.default_rng(arguments.seed)
    _, channels, size, _ = train.images.shape
    build = digits_net if size < 12 else lenet
    model = build(int(train.labels.max()) + 1, channels, size, rng=rng)
    steps = arguments.epochs * -(-len(train.labels) // arguments.batch_size)
    optimizer = Adam(
        model, arguments.lr, schedule=schedules.Cosine(steps, warmup=steps // max(arguments.epochs, 4))
    )
    trainer = Trainer(model, CrossEntropyLoss(), optimizer, [CSVLogger(files[HISTORY])], rng=rng)
    name = f"{build.__name__}, {optimizer.data.size:,} parameters"
    print(
        f"{name}; {len(train.labels):,} images to train on, {len(test.labels):,} to test; "
        f"backend {_backend.backend()}, {_backend.n_threads()} threads"
    )
    history = trainer.fit(
        train.images,
        train.labels,
        arguments.epochs,
        arguments.batch_size,
        validation_data=(test.images, test.labels),
        verbose=arguments.verbose,
    )
    if history.epochs == 0:
        raise KeyboardInterrupt
    save(model, files[MODEL])
    speed = history.epochs * len(train.labels) / sum(history["seconds"])
    note = f"{name}  ·  {history.epochs} epochs of {len(train.labels):,} images"
    _report(trainer, test, speed, note, files)
    if history.stopped == "interrupt":
        print(f"kitnet: interrupted after {history.epochs} of {arguments.epochs} epochs", file=sys.stderr)
        return 130
    return 0


def _prepare(folder: str) -> dict[str, str]:
    """The files to write, by name; what cannot be written is told before the training."""
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"--out: expected a folder that can be made, got {folder!r} ({error.strerror})"
        ) from None
    files = {name: os.path.join(folder, name) for name in (MODEL, HISTORY, PICTURE)}
    for path in files.values():
        check_writable(path)
    return files


def _report(trainer: Any, test: Labelled, training_speed: float, note: str, files: dict[str, str]) -> None:
    from .. import functional as F
    from ..training import accuracy, confusion_matrix

    start = time.perf_counter()
    logits = trainer.predict(test.images)
    inference_speed = len(test.labels) / (time.perf_counter() - start)
    matrix = confusion_matrix(test.labels, logits)
    result = f"test accuracy {100 * accuracy(logits, test.labels):.2f} %"
    speeds = f"{training_speed:,.0f} images/s in training, {inference_speed:,.0f} in inference"
    print(f"confusion matrix (row: true, column: predicted)\n{confusion(matrix)}")
    print(
        f"{result} ({int(matrix.sum() - matrix.trace())} of {len(test.labels)} misread)\nthroughput {speeds}"
    )
    written = [MODEL, HISTORY]
    try:
        from ..training import plots

        picture = plots.report(trainer.history, test.images, F.softmax(logits), test.labels, result, note)
        plots.save(picture, files[PICTURE])
        written.append(PICTURE)
    except ImportError as error:
        print(f"no picture: {error}")
    print(f"wrote {', '.join(files[name] for name in written)}")
