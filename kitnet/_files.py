"""Files: written whole or not at all, and tensors stored with a digest that is checked when they are read.

The one home of both, for models, checkpoints, histories and pictures. Stored tensors are safetensors files:
nothing in them is ever executed, and any tool that reads safetensors reads them.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any, TypeAlias

import numpy as np

Path: TypeAlias = "str | os.PathLike[str]"

DIGEST = "sha256"


def _target(path: Path) -> str:
    """The regular file that a write to ``path`` replaces (links followed), checked as far as can be."""
    try:
        target = os.path.realpath(os.fsdecode(path))
    except TypeError:
        raise TypeError(f"path: expected a str or os.PathLike, got {type(path).__name__}") from None
    except ValueError as error:
        raise ValueError(f"path: expected a file name, got {path!r} ({error})") from None
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"path: expected a file in an existing folder, got {os.fspath(path)!r}")
    if os.path.exists(target):
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise OSError(f"path: expected a regular file, got {os.fspath(path)!r}, which is none")
        if not os.access(target, os.W_OK):
            raise PermissionError(f"path: expected a writable file, got {os.fspath(path)!r}")
    return target


def _temporary(target: str) -> str:
    """A name beside ``target`` that no other file has, short, as the target's may be of any legal length."""
    return os.path.join(os.path.dirname(target), f".kitnet-{os.getpid()}-{os.urandom(6).hex()}.tmp")


def _create(temporary: str, text: bool = False) -> IO[Any]:
    """A new file, with the access rights that any new file gets."""
    try:
        return open(temporary, "x", encoding="utf-8", newline="") if text else open(temporary, "xb")
    except PermissionError:
        folder = os.path.dirname(temporary)
        raise PermissionError(f"path: expected a file in a writable folder, got one in {folder!r}") from None


def check_writable(path: Path) -> None:
    """Find out now, not after hours of training, whether ``atomic_write(path)`` can work.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or ``path`` is a folder, a device or read-only.
    """
    temporary = _temporary(_target(path))
    try:
        _create(temporary).close()
    finally:
        with suppress(OSError):
            os.unlink(temporary)


@contextmanager
def atomic_write(path: Path, *, text: bool = False) -> Iterator[IO[Any]]:
    """A file object whose content takes the place of ``path`` when the ``with`` block ends well.

    Whatever happens, a crash or a power cut included, ``path`` holds either its old content or the whole new
    one: the bytes go to a temporary file in the same folder, reach the disk, and only then take the name.
    An exception inside the block leaves ``path`` as it was.

    Parameters
    ----------
    path
        The file to write. A symbolic link is followed; access rights of an existing file are kept.
    text
        True for a text file (UTF-8, ``"\\n"`` line ends), False for a binary one.

    Raises
    ------
    OSError
        As ``check_writable`` does, and if the disk is full.
    """
    target = _target(path)
    temporary = _temporary(target)  # known before the file is there, so that no interrupt can leave it behind
    try:
        with _create(temporary, text) as f:
            if os.path.exists(target):
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            yield f
            f.flush()
            os.fsync(f.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    # The new name itself reaches the disk with its folder; not every system can do that.
    with suppress(OSError, AttributeError):
        folder = os.open(os.path.dirname(target), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _digest(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 of every name, dtype, shape and value, and of the metadata (without the digest itself)."""
    import hashlib  # here: it loads OpenSSL, and importing kitnet must stay cheap

    head = {
        "metadata": {k: v for k, v in metadata.items() if k != DIGEST},
        "tensors": {k: [str(v.dtype), list(v.shape)] for k, v in tensors.items()},
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(np.asarray(tensors[name], order="C").reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _sorted_header(content: bytes) -> tuple[bytes, memoryview]:
    """The JSON header, in one fixed order (safetensors shuffles it: equal models gave unequal files)."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8), memoryview(content)[end:]


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Write arrays and string metadata as one safetensors file, atomically, with a digest of all of it.

    Any layout of the arrays is fine (safetensors itself would store a transposed array wrongly).

    Raises
    ------
    OSError
        As ``atomic_write`` does.
    TypeError
        If an array is no plain native array of numbers, or metadata is no mapping of str to str.
    """
    from safetensors.numpy import save

    plain = {}
    for name, tensor in tensors.items():
        if type(tensor) is not np.ndarray or tensor.dtype.kind not in "fiub" or not tensor.dtype.isnative:
            raise TypeError(f"tensors: expected native arrays of numbers, got {name!r}: {tensor!r:.60}")
        plain[name] = np.asarray(tensor, order="C")
    if any(not isinstance(text, str) for item in metadata.items() for text in item):
        raise TypeError("metadata: expected a mapping of str to str")
    content = save(plain, {**metadata, DIGEST: _digest(plain, metadata)})
    header, payload = _sorted_header(content)
    with atomic_write(path) as f:
        f.write(len(header).to_bytes(8, "little"))
        f.write(header)
        f.write(payload)


def read_tensors(path: Path, kind: str | None = None) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read what ``write_tensors`` wrote: the arrays (new, writable) and the metadata, without the digest.

    ``kind`` is what metadata must say under ``"format"``; such a file must have its digest too. With None any
    safetensors file is read.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no safetensors file, is truncated or altered, or is not of ``kind``.
    """
    from safetensors import SafetensorError, safe_open

    name = os.fspath(path)
    with open(path, "rb"):  # a plain OSError for a file that is missing, a folder or unreadable
        pass
    try:
        with safe_open(name, framework="np") as f:
            metadata = dict(f.metadata() or {})
            tensors = {key: f.get_tensor(key) for key in f.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"path: expected a safetensors file, got {name!r} ({error})") from None
    if kind is not None and (found := metadata.get("format")) != kind:
        raise ValueError(f"path: expected a file of format {kind!r}, got {name!r} of format {found!r}")
    digest = metadata.pop(DIGEST, None)
    if digest is None and kind is None:
        return tensors, metadata
    if digest != _digest(tensors, metadata):
        raise ValueError(f"path: expected an intact file, got {name!r}, which was damaged or altered")
    return tensors, metadata
