"""Checkpoints: a tree of numbers, strings and arrays in one file, every bit of it.

The arrays are stored as safetensors, the rest as JSON in the metadata; a digest of all of it is checked on
reading.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .._files import Path, read_tensors, write_tensors
from .epoch import Epoch
from .history import History

if TYPE_CHECKING:
    from .callbacks import Callback
    from .trainer import Trainer

FORMAT = "kitnet-checkpoint"
VERSION = "1"


def _escape(key: str) -> str:
    """``key`` without "/" (as JSON Pointer, RFC 6901, does it)."""
    return key.replace("~", "~0").replace("/", "~1")


def _unescape(key: str) -> str:
    return key.replace("~1", "/").replace("~0", "~")


def _split(tree: dict[str, Any], prefix: str, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    """``tree`` without its arrays, which go to ``tensors`` under their path."""
    rest: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, np.ndarray):
            tensors[prefix + _escape(key)] = value
        else:
            rest[key] = (
                _split(value, f"{prefix}{_escape(key)}/", tensors) if isinstance(value, dict) else value
            )
    return rest


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write nested dicts of arrays and of what JSON can hold (integers of any size included), atomically.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    tensors: dict[str, np.ndarray] = {}
    rest = _split(state, "", tensors)
    write_tensors(path, tensors, {"format": FORMAT, "format_version": VERSION, "state": json.dumps(rest)})


def read_state(path: Path) -> dict[str, Any]:
    """Read what ``write_state`` wrote.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no checkpoint, or was truncated, damaged or altered.
    """
    tensors, metadata = read_tensors(path, FORMAT)
    if metadata.get("format_version") != VERSION:
        raise ValueError(
            f"path: expected checkpoint version {VERSION}, got {metadata.get('format_version')!r}"
        )
    try:
        state: dict[str, Any] = json.loads(metadata["state"])
        for name, tensor in tensors.items():
            *folders, key = map(_unescape, name.split("/"))
            place = state
            for folder in folders:
                place = place[folder]
            place[key] = tensor
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"path: expected a checkpoint with a whole state, got {error!r}") from None
    return state


def generators(trainer: Trainer) -> dict[str, np.random.Generator]:
    """All random generators that training draws from, by name."""
    owned = ((i, getattr(layer, "rng", None)) for i, layer in enumerate(trainer.model.modules()))
    layers = {f"layer {i}": rng for i, rng in owned if isinstance(rng, np.random.Generator)}
    return {"shuffling": trainer.rng} | layers


def _callbacks(trainer: Trainer) -> dict[str, Callback]:
    return {f"{i} {type(callback).__name__}": callback for i, callback in enumerate(trainer.callbacks)}


def capture(trainer: Trainer) -> dict[str, Any]:
    """All that the rest of a run depends on, but for data and code."""
    return {
        "arrays": trainer.arrays(),
        "optimizer": trainer.optimizer.state(),
        "generators": {name: rng.bit_generator.state for name, rng in generators(trainer).items()},
        "callbacks": {name: callback.state() for name, callback in _callbacks(trainer).items()},
        "history": dict(trainer.history),
        "epoch": trainer.epoch,
        "current": None if trainer.current is None else dict(vars(trainer.current)),
    }


def restore(trainer: Trainer, state: dict[str, Any]) -> None:
    """Put a captured state back.

    Raises
    ------
    ValueError
        If it is the state of another model, optimizer or list of callbacks; nothing changes then.
    """
    try:
        current, history, epoch = _checked(trainer, state)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"path: expected a whole checkpoint, got one with {error!r}") from None
    for name, array in trainer.arrays().items():
        array[...] = state["arrays"][name]
    trainer.optimizer.load_state(state["optimizer"])
    for name, rng in generators(trainer).items():
        rng.bit_generator.state = state["generators"][name]
    for name, callback in _callbacks(trainer).items():
        callback.load_state(state["callbacks"][name])
    trainer.current, trainer.history, trainer.epoch = current, history, epoch


def _checked(trainer: Trainer, state: dict[str, Any]) -> tuple[Epoch | None, History, int]:
    """The parts that are made anew, when all the others are found to fit."""
    arrays, rngs = trainer.arrays(), generators(trainer)
    for what, mine in (("arrays", arrays), ("generators", rngs), ("callbacks", _callbacks(trainer))):
        if set(mine) != set(state[what]):
            raise ValueError(f"path: expected a checkpoint with {what} {list(mine)}, got {list(state[what])}")
    for name, array in arrays.items():
        saved = state["arrays"][name]
        if saved.shape != array.shape or saved.dtype != array.dtype:
            raise ValueError(
                f"path: expected {name} of {array.dtype} {array.shape}, got {saved.dtype} {saved.shape}"
            )
    for name, rng in rngs.items():
        kind, found = type(rng.bit_generator).__name__, state["generators"][name]["bit_generator"]
        if kind != found:
            raise ValueError(f"path: expected the state of a {kind} generator, got that of a {found}")
    trainer.optimizer.check_state(state["optimizer"])
    current = state["current"]
    return None if current is None else Epoch(**current), History(state["history"]), state["epoch"] + 0
