"""The bytes of a file, unzipped where they are zipped, and never more of them than a limit."""

from __future__ import annotations

import gzip
import os
import zlib
from typing import Any

import numpy as np

from .._files import Path
from .._geometry import product

LIMIT = 2**31
"""The most bytes that a reader takes in by default: gzip may stand for a thousand times its size."""

_PIECE = 2**20
_GZIP_MAGIC = b"\x1f\x8b"


def read_bytes(path: Path, limit: int = LIMIT) -> bytearray:
    """The whole content of a file, or of what is inside it if it is gzip (told by its first bytes).

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the content is longer than ``limit`` bytes, or is damaged gzip.
    """
    content = bytearray()
    with open(path, "rb") as f:
        zipped = f.read(2) == _GZIP_MAGIC
        f.seek(0)
        source = gzip.GzipFile(fileobj=f) if zipped else f
        try:
            # Piece by piece: asked for ``limit`` bytes at once, Python would first allocate that many.
            while len(content) <= limit and (piece := source.read(_PIECE)):
                content += piece
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"path: expected intact gzip, got {os.fspath(path)!r} ({error})") from None
    if len(content) > limit:
        raise ValueError(f"path: expected at most {limit} bytes, got more in {os.fspath(path)!r}")
    return content


def as_array(
    content: bytes | bytearray, offset: int, shape: tuple[int, ...], dtype: np.dtype[Any], what: str
) -> np.ndarray:
    """``content`` after ``offset`` as a new native array, if its length is exactly what ``shape`` takes."""
    needed = product(shape) * dtype.itemsize
    if len(content) - offset != needed:
        raise ValueError(
            f"path: expected {needed} bytes of data for shape {shape} and {dtype}, "
            f"got {len(content) - offset} in {what}"
        )
    return np.frombuffer(content, dtype, offset=offset).reshape(shape).astype(dtype.newbyteorder("="))


def unit_interval(pixels: np.ndarray, top: int = 255) -> np.ndarray:
    """Grey levels 0 to ``top`` as float32 from 0 to 1."""
    images = pixels.astype(np.float32)
    images /= np.float32(top)
    return images
