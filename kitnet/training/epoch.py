"""How far an epoch is, and what was measured in it so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Totals:
    """What was measured on the samples so far."""

    done: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, n: int, values: dict[str, float]) -> None:
        """Take in the means of ``n`` more samples."""
        self.done += n
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + n * value

    def means(self) -> dict[str, float]:
        """The means over all samples; NaN of none."""
        return {name: total / self.done if self.done else np.nan for name, total in self.sums.items()}


@dataclass(kw_only=True)
class Epoch(Totals):
    """An epoch on its way, in the order of its samples."""

    order: np.ndarray
    batch_size: int
    seconds: float = 0.0
