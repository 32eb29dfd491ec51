"""Ctrl-C that lets the step at hand finish."""

from __future__ import annotations

import signal
import threading
from types import TracebackType
from typing import Any


class Interrupt:
    """Inside the ``with`` block the first Ctrl-C only sets ``pressed``; the second acts as it does outside.

    Only Python's main thread may handle signals; in other threads, and where the process ignores Ctrl-C
    (``nohup``), nothing changes.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._before: Any = None

    def _press(self, *_: Any) -> None:
        self.pressed = True
        self._restore()

    def _restore(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def __enter__(self) -> Interrupt:
        current = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread() and current not in (signal.SIG_IGN, None):
            signal.signal(signal.SIGINT, self._press)
            self._before = current
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
