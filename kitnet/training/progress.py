"""How a fit shows what it does: a bar an epoch, a line an epoch, or nothing."""

from __future__ import annotations

import os
import shutil
import sys
import time
from importlib import import_module
from typing import Any

_INTERVAL = 0.1
"""Seconds between two looks of the bar: at most 10 Hz, so that showing progress costs no time."""


def _number(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name.endswith("accuracy") else f"{value:.4f}"


def describe(values: dict[str, float]) -> str:
    """ "loss 0.1234  accuracy 97.12 %  val_loss 0.2345  val_accuracy 95.67 %" """
    return "  ".join(f"{name} {_number(name, value)}" for name, value in values.items())


def describe_shortly(values: dict[str, float]) -> str:
    """ "loss 0.1234 accuracy 97.12 %, val 0.2345 95.67 %": with a bar it fits in 80 columns."""
    training = [f"{name} {_number(name, value)}" for name, value in values.items() if name[:4] != "val_"]
    validation = [_number(name, value) for name, value in values.items() if name[:4] == "val_"]
    return " ".join(training) + (", val " + " ".join(validation) if validation else "")


class Progress:
    """Shows nothing."""

    def start(self, epoch: int, last: int, samples: int, done: int) -> None:
        """An epoch of ``samples`` begins, of which ``done`` were seen before an interruption."""

    def due(self) -> bool:
        """Whether ``update`` would show anything now."""
        return False

    def update(self, done: int, values: dict[str, float]) -> None:
        """``done`` samples of the epoch were seen."""

    def end(self, done: int, values: dict[str, float]) -> None:
        """The epoch, or what there will be of it, is over."""

    def close(self) -> None:
        """Whatever happened: leave the terminal in order."""


class _Lines(Progress):
    """One line an epoch, on standard output."""

    def start(self, epoch: int, last: int, samples: int, done: int) -> None:
        self._head, self._whole = f"epoch {epoch:{len(str(last))}}/{last}", samples

    def end(self, done: int, values: dict[str, float]) -> None:
        part = "" if done == self._whole else f"  stopped at {done}/{self._whole}"
        print(f"{self._head}{part}  {describe(values)}", flush=True)


class _Bar(Progress):
    """One tqdm bar an epoch, on standard error."""

    _bar: Any = None

    def start(self, epoch: int, last: int, samples: int, done: int) -> None:
        tqdm = import_module("tqdm").tqdm  # not before: importing it takes longer than all of kitnet
        # Without tqdm's watching thread, which would outlive the bar and make a fork unsafe.
        bar = type("Bar", (tqdm,), {"monitor_interval": 0})
        width = 20 if shutil.get_terminal_size().columns >= 100 else 6
        self._bar = bar(
            desc=f"epoch {epoch:{len(str(last))}}/{last}",
            total=samples,
            initial=done,
            unit="img",
            unit_scale=True,
            mininterval=_INTERVAL,
            dynamic_ncols=True,
            bar_format=f"{{desc}} |{{bar:{width}}}| {{rate_fmt}}{{postfix}}",
        )
        self._next = 0.0

    def due(self) -> bool:
        return time.perf_counter() >= self._next

    def update(self, done: int, values: dict[str, float]) -> None:
        self._bar.set_postfix_str(describe_shortly(values), refresh=False)
        self._bar.update(done - self._bar.n)
        self._next = time.perf_counter() + _INTERVAL

    def end(self, done: int, values: dict[str, float]) -> None:
        self.update(done, values)
        self.close()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_terminal(stream: Any) -> bool:
    """Whether a bar can be seen there; a terminal of no size (some containers have one) shows none."""
    try:
        return bool(stream.isatty()) and min(os.get_terminal_size(stream.fileno())) > 0
    except (AttributeError, OSError, ValueError):
        return False


def progress(verbose: int) -> Progress:
    """0: nothing; 1: a bar, or lines where standard error is no terminal; 2: lines."""
    if verbose not in (0, 1, 2):
        raise ValueError(f"verbose: expected 0, 1 or 2, got {verbose!r}")
    if verbose == 0:
        return Progress()
    return _Bar() if verbose == 1 and _is_terminal(sys.stderr) else _Lines()
