"""Pictures of a training run. matplotlib is imported only when one is drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from .._files import Path, atomic_write
from .history import History
from .metrics import confusion_matrix

INK = "#22313f"
FAINT = "#9aa5b1"
TRAINING = "#7a8fb8"
VALIDATION = "#d1495b"

_STYLE = {
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6eaee",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}


def _matplotlib(name: str = "") -> Any:
    try:
        return import_module(f"matplotlib{name}")
    except ImportError:
        raise ImportError("matplotlib is needed for pictures: pip install matplotlib") from None


@contextmanager
def _figure(width: float, height: float) -> Iterator[Any]:
    """A new figure, drawn in our style; no pyplot, so no window and no global state."""
    with _matplotlib().rc_context(_STYLE):
        yield _matplotlib(".figure").Figure(figsize=(width, height), layout="constrained")


def save(figure: Any, path: Path | None) -> Any:
    """Write ``figure`` to ``path``, if that is not None, atomically; returns the figure.

    Raises
    ------
    OSError
        If the file cannot be written.
    ValueError
        If the ending of ``path`` is no format that matplotlib knows.
    """
    if path is not None:
        kind = os.path.splitext(os.fspath(path))[1].lstrip(".") or "png"
        with atomic_write(path) as f:
            figure.savefig(f, format=kind, dpi=150)
    return figure


def _draw_curve(axes: Any, history: History, name: str) -> None:
    percent = 100 if name.endswith("accuracy") else 1
    for key, colour, label in ((name, TRAINING, "training"), (f"val_{name}", VALIDATION, "validation")):
        if key in history:
            values = percent * np.array(history[key])
            axes.plot(
                history["epoch"], values, color=colour, label=label, marker="." if len(values) < 4 else ""
            )
    if name == "loss":
        values = np.array([history[key] for key in ("loss", "val_loss") if key in history])
        axes.set_yscale("log" if (values[np.isfinite(values)] > 0).all() else "linear")
        axes.yaxis.set_major_formatter("{x:g}")
    elif percent == 100 and history.epochs >= 5:
        # The first epoch is far below all others, and what happens later would not be seen.
        lowest = min(
            np.nanmin(history[key][1:], initial=1) for key in (name, f"val_{name}") if key in history
        )
        room = 100 * (1 - lowest) + 0.1
        axes.set_ylim(100 - 1.1 * room, 100 + 0.05 * room)
    axes.set_title(f"{name.replace('_', ' ')}{' [%]' if percent == 100 else ''}")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.margins(x=0.02)


def _curve_names(history: History) -> list[str]:
    other = ("epoch", "lr", "seconds")
    return [name for name in history if name not in other and not name.startswith("val_")]


def curves(history: History) -> Any:
    """A figure of the loss and the metrics over the epochs, one panel each."""
    names = _curve_names(history)
    with _figure(4.2 * max(len(names), 1), 3.2) as figure:
        for place, name in enumerate(names):
            axes = figure.add_subplot(1, len(names), place + 1)
            _draw_curve(axes, history, name)
            axes.set_xlabel("epoch")
            axes.legend()
    return figure


def _draw_confusion(axes: Any, matrix: np.ndarray) -> None:
    """Counts in shares of their row: the diagonal in one colour, the mistakes in another."""
    classes = len(matrix)
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    right = np.eye(classes, dtype=bool)
    axes.imshow(np.where(right, share, np.nan), cmap="Blues", vmin=0, vmax=1.15)
    # A single mistake is worth seeing, so its colour starts well above white.
    wrong = np.where(~right & (matrix > 0), 0.25 + 0.75 * np.sqrt(share), np.nan)
    axes.imshow(wrong, cmap="Reds", vmin=0, vmax=1.15)
    if classes <= 20:
        for row, column in np.argwhere(matrix):
            dark = row == column and share[row, column] > 0.5
            axes.text(
                column,
                row,
                int(matrix[row, column]),
                ha="center",
                va="center",
                color="white" if dark else INK,
                weight="normal" if row == column else "bold",
            )
    axes.set_xticks(range(classes) if classes <= 20 else [])
    axes.set_yticks(range(classes) if classes <= 20 else [])
    axes.set_xticks(np.arange(-0.5, classes), minor=True)
    axes.set_yticks(np.arange(-0.5, classes), minor=True)
    axes.grid(visible=False)
    axes.grid(which="minor", color="#eef1f4", linewidth=1)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")


def hardest(probability: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """The places of ``count`` samples: the misread ones, the surest mistake first, then the least sure ones.

    >>> import numpy as np
    >>> from kitnet.training.plots import hardest
    >>> hardest(np.array([[0.6, 0.4], [0.2, 0.8], [0.4, 0.6]]), np.array([0, 0, 0]), 3)
    array([1, 2, 0])
    """
    sure = probability.max(axis=1)
    right = probability.argmax(axis=1) == labels
    return np.argsort(np.where(right, sure, -sure), kind="stable")[:count]


def _draw_samples(figure: Any, images: np.ndarray, probability: np.ndarray, labels: np.ndarray) -> None:
    """One row of samples, with what they are, what they were read as, and how sure the model was."""
    row = figure.subplots(1, len(images), squeeze=False)[0]
    for axes, image, label, scores in zip(row, images, labels, probability, strict=True):
        # Channels last for colour; ink on paper for grey.
        picture = np.moveaxis(image, 0, -1) if len(image) == 3 else image[0]
        axes.imshow(picture, cmap="Greys", interpolation="nearest")
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.set_yticks([])
        guess = int(scores.argmax())
        wrong = guess != label
        colour = VALIDATION if wrong else FAINT
        for spine in axes.spines.values():
            spine.set(visible=True, color=colour, linewidth=1.5 if wrong else 0.8)
        text = f"{label} read as {guess}" if wrong else f"{label}, right"
        axes.set_title(text, fontsize=9, color=VALIDATION if wrong else INK, loc="center")
        axes.set_xlabel(f"{100 * scores[guess]:.0f} % sure", fontsize=8, color=INK)


def report(
    history: History,
    images: np.ndarray,
    probability: np.ndarray,
    labels: np.ndarray,
    title: str,
    note: str = "",
) -> Any:
    """One figure of a whole run: curves, confusion matrix, and the samples that were hardest to read.

    Parameters
    ----------
    history
        What the training measured.
    images, probability, labels
        The test data (N, C, H, W), the probability of each class (N, classes), and the true classes (N,).
    title, note
        The line on top, and a smaller one beside it.

    Returns
    -------
    The matplotlib figure.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    names = _curve_names(history)[:2]
    worst = hardest(probability, labels, 10)
    matrix = confusion_matrix(labels, probability)
    with _figure(11, 8) as figure:
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
        top, above, below = figure.subfigures(3, 1, height_ratios=(0.09, 1, 0.34))
        top.text(0.012, 0.35, title, fontsize=15, weight="bold", va="center")
        top.text(0.988, 0.35, note, fontsize=9, va="center", ha="right", color="#5d6b79")
        left, right = above.subfigures(1, 2, width_ratios=(1, 1.1))
        panels = left.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(panels, names, strict=True):
            _draw_curve(axes, history, name)
        panels[-1].set_xlabel("epoch")
        panels[-1].legend(loc="best")
        axes = right.subplots()
        _draw_confusion(axes, matrix)
        mistakes = int(matrix.sum() - np.trace(matrix))
        axes.set_title(f"confusion matrix: {mistakes:,} of {matrix.sum():,} misread")
        below.suptitle(
            "the hardest test images: misread, then least sure",
            x=0.012,
            ha="left",
            fontsize=10,
            weight="bold",
        )
        _draw_samples(below, images[worst], probability[worst], labels[worst])
    return figure
