"""The libraries that are compared, each a process of its own that lives as long as the comparison."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
PATIENCE = 300.0
"""Seconds a worker may take for one answer before it is ended."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "KITNET_NUM_THREADS")


class WorkerError(Exception):
    """A worker failed, died or stopped answering."""


@dataclass(frozen=True)
class Library:
    """A column of the comparison: its name in the results, its title, and the module that serves it."""

    name: str
    title: str
    module: str
    arguments: tuple[str, ...] = ()
    ours: bool = False
    """It runs on the interpreter that has kitnet."""


KITNET = Library("kitnet", "kitnet", "workers.kitnet_worker")
PEERS = (
    Library("torch", "PyTorch NCHW", "workers.torch_worker"),
    Library("torch_cl", "PyTorch channels_last", "workers.torch_worker", ("channels_last",)),
    Library("onnxruntime", "ONNX Runtime", "workers.ort_worker"),
    Library("article", "article's loops", "workers.article_worker", ours=True),
    Library("itself", "kitnet itself", "workers.kitnet_worker", ("plainly",), ours=True),
)


@dataclass
class Worker:
    """The process of one library; started when first asked, and again after it died."""

    library: Library
    python: str
    threads: int
    about: dict[str, Any] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> dict[str, Any]:
        """Start the process and return what the library says of itself (``missing``: it is not installed)."""
        command = [self.python, "-m", self.library.module, *self.library.arguments]
        self._process = subprocess.Popen(
            command,
            cwd=HERE,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.about = self._read()
        return self.about

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        """Send one request and return the answer.

        Raises
        ------
        WorkerError
            If the operation failed, or the process died or took longer than ``PATIENCE``.
        """
        if self._process is None:
            self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **details}) + "\n")
            self._process.stdin.flush()
        except OSError as error:
            self.stop()
            raise WorkerError(f"{self.library.name}: died ({error})") from error
        answer = self._read()
        if "error" in answer:
            raise WorkerError(f"{self.library.name}: {answer['error']}")
        return answer

    def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        environment.update((name, str(self.threads)) for name in THREAD_VARIABLES)
        # The worker finds its own package first; relative paths are the caller's, whose directory it leaves.
        paths = [str(HERE), *environment.get("PYTHONPATH", "").split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(os.path.abspath(path) for path in paths if path)
        return environment

    def _read(self) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            code = process.wait()
            self.stop()
            raise WorkerError(f"{self.library.name}: the process ended with code {code}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def start_all(
    python: str, peer_python: str, threads: int, names: Sequence[str]
) -> tuple[list[Worker], list[str]]:
    """kitnet's worker, those of the peers in ``names`` that are installed, and a note for each other one.

    Raises
    ------
    WorkerError
        If kitnet itself cannot be imported.
    """
    kitnet = Worker(KITNET, python, threads)
    if "missing" in kitnet.start():
        raise WorkerError(f"kitnet: {kitnet.about['missing']}")
    workers, notes = [kitnet], []
    for library in PEERS:
        if library.name in names:
            worker = Worker(library, python if library.ours else peer_python, threads)
            if "missing" in worker.start():
                notes.append(f"{library.title} is left out: {worker.about['missing']}")
                worker.stop()
            else:
                workers.append(worker)
    return workers, notes
