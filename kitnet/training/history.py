"""What a training run measured, epoch by epoch."""

from __future__ import annotations

import csv
from typing import Any

from .._files import Path, atomic_write


class History(dict[str, list[float]]):
    """A list of values by name, one value an epoch, in the order in which a ``Trainer`` measured them.

    The names are ``epoch`` (from 1), ``loss``, the metrics, the same with ``val_`` in front for the
    validation data, ``lr`` (of the epoch's last step) and ``seconds`` (of training, validation left out).

    Attributes
    ----------
    stopped
        Why the last ``fit`` ended early: ``"interrupt"`` (Ctrl-C) or a callback's reason; None if it did not.

    Examples
    --------
    >>> from kitnet.training import History
    >>> history = History()
    >>> history.append({"epoch": 1, "loss": 0.5})
    >>> history.append({"epoch": 2, "loss": 0.25})
    >>> history["loss"], history.row(-1)
    ([0.5, 0.25], {'epoch': 2, 'loss': 0.25})
    """

    stopped: str | None = None

    @property
    def epochs(self) -> int:
        """The number of rows."""
        return max(map(len, self.values()), default=0)

    def append(self, row: dict[str, float]) -> None:
        """Add one epoch. A name that other epochs lack, or that this one lacks, has NaN there."""
        rows = self.epochs
        for name in row:
            self.setdefault(name, [float("nan")] * rows)
        for name, values in self.items():
            values.append(row.get(name, float("nan")))

    def row(self, index: int) -> dict[str, float]:
        """All values of one epoch, counted from 0, or from -1 for the last."""
        return {name: values[index] for name, values in self.items()}

    def to_csv(self, path: Path) -> None:
        """Write one line an epoch under a line of names, atomically. Floats keep all their digits.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        with atomic_write(path, text=True) as f:
            writer = csv.writer(f, lineterminator="\n")
            writer.writerow(self)
            writer.writerows(zip(*self.values(), strict=True))

    def plot(self, path: Path | None = None) -> Any:
        """Draw loss and metrics over the epochs; needs matplotlib.

        Returns
        -------
        The matplotlib figure. With ``path`` it is also written there (the ending tells the format).

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        OSError
            If the file cannot be written.
        """
        from .plots import curves, save

        return save(curves(self), path)
