"""What every worker speaks: one JSON object a line, in on stdin, out on stdout.

::

    (at the start)                           -> {"version": "...", "threads": 2} or {"missing": "why"}
    {"do": "prepare", "row": {...}}          -> {"fingerprint": [[...], ...], "digest": 1} or {"skip": "why"}
    {"do": "run", "seconds": 0.1}            -> {"seconds": [one number a sample]}
    (any request that fails)                 -> {"error": "why"}

``prepare`` drops the row before, builds the row's arrays and calls the operation until it is warm;
``run`` times it. A worker answers only when its process has gone quiet, so that no library's spinning
threads disturb the next one.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

WARM_CALLS = 3
WARM_SECONDS = 0.03
SHORTEST_SAMPLE = 2e-3
QUIET_STEP = 0.005
QUIET_LIMIT = 2.0


class Skip(Exception):
    """The library has no such operation; the text says why."""


def itself(result: Any) -> Any:
    """The canonical form of a result that is in canonical form."""
    return result


@dataclass
class Prepared:
    """An operation ready to be timed.

    ``call()`` runs it once and returns an array or several; ``canonical`` turns those, untimed, into NumPy
    arrays in the layout that all libraries share.
    """

    call: Callable[[], Any]
    canonical: Callable[[Any], Any] = itself


Operation = Callable[[dict[str, Any], str], Prepared]
"""(params, pass) -> Prepared; raises Skip."""


def in_turn(operation: Operation) -> Operation:
    """The operation on each of ``params["layers"]``, one after the other; it gives a list of arrays."""

    def each(params: dict[str, Any], pass_: str) -> Prepared:
        layers = [operation(layer, pass_) for layer in params["layers"]]
        return Prepared(
            lambda: [layer.call() for layer in layers],
            lambda results: [
                array
                for layer, result in zip(layers, results, strict=True)
                for array in layer.canonical(result)
            ],
        )

    return each


def fingerprint(result: Any) -> list[list[float]]:
    """For each array its norm and its product with a fixed pattern: equal results, equal fingerprints."""
    arrays = result if isinstance(result, (tuple, list)) else (result,)
    prints = []
    for array in arrays:
        flat = np.asarray(array, dtype=np.float64).ravel()
        pattern = np.resize(np.cos(np.arange(8191.0)), flat.size)
        prints.append([float(np.linalg.norm(flat)), float(flat @ pattern)])
    return prints


def digest(result: Any) -> int:
    """A number of the very bits of one array or several."""
    arrays = result if isinstance(result, (tuple, list)) else (result,)
    found = 0
    for array in arrays:
        found = zlib.crc32(np.ascontiguousarray(array).data, found)
    return found


class Timer:
    """The one operation a worker holds, and how many calls make a sample."""

    def __init__(self, prepared: Prepared) -> None:
        self.call = prepared.call
        start = time.perf_counter()
        for _ in range(WARM_CALLS):
            result = self.call()
        canonical = prepared.canonical(result)
        self.fingerprint, self.digest = fingerprint(canonical), digest(canonical)
        del result, canonical
        calls, start = 0, time.perf_counter()
        while time.perf_counter() - start < WARM_SECONDS or not calls:
            self.call()
            calls += 1
        estimate = (time.perf_counter() - start) / calls
        self.number = max(1, round(SHORTEST_SAMPLE / estimate))

    def sample(self) -> float:
        """Seconds a call, over ``number`` calls."""
        call, start = self.call, time.perf_counter()
        for _ in range(self.number):
            call()
        return (time.perf_counter() - start) / self.number

    def run(self, seconds: float) -> list[float]:
        """Samples for about ``seconds``, at least one, after one untimed call."""
        samples: list[float] = []
        gc.collect()
        gc.disable()
        try:
            self.call()
            start = time.perf_counter()
            while not samples or time.perf_counter() - start < seconds:
                samples.append(self.sample())
        finally:
            gc.enable()
        return samples


def wait_until_quiet() -> None:
    """Return when this process, its worker threads included, has (almost) stopped using the processor."""
    give_up = time.perf_counter() + QUIET_LIMIT
    while time.perf_counter() < give_up:
        used, start = time.process_time(), time.perf_counter()
        time.sleep(QUIET_STEP)
        if time.process_time() - used < 0.1 * (time.perf_counter() - start):
            return


def _answer(
    request: dict[str, Any], state: dict[str, Timer], operations: dict[str, Operation]
) -> dict[str, Any]:
    if request["do"] == "prepare":
        state.clear()
        row = request["row"]
        try:
            if row["op"] not in operations:
                raise Skip(f"no {row['op']}")
            state["timer"] = Timer(operations[row["op"]](row["params"], row["pass_"]))
        except Skip as skip:
            return {"skip": str(skip)}
        return {"fingerprint": state["timer"].fingerprint, "digest": state["timer"].digest}
    if request["do"] == "run":
        return {"seconds": state["timer"].run(request["seconds"])}
    raise ValueError(f"do: expected prepare or run, got {request['do']!r}")


def serve(load: Callable[[], tuple[dict[str, Any], dict[str, Operation]]]) -> None:
    """Answer requests until stdin ends; ``load`` imports the library: (what it says of itself, operations).

    What a library prints goes to stderr; stdout carries answers only.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    try:
        about, operations = load()
    except ImportError as error:
        send({"missing": str(error)})
        return
    send(about)
    requests: Iterable[str] = sys.stdin
    state: dict[str, Timer] = {}
    for line in requests:
        try:
            answer = _answer(json.loads(line), state, operations)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        wait_until_quiet()
        send(answer)
