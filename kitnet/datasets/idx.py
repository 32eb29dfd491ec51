"""IDX files: MNIST, Fashion-MNIST, EMNIST and all that share their format."""

from __future__ import annotations

import os
import struct

import numpy as np

from .._files import Path
from ._bytes import LIMIT, as_array, read_bytes, unit_interval

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path, limit: int = LIMIT) -> np.ndarray:
    """Read an IDX file, gzipped or not, as an array of the shape and type that its header states.

    Parameters
    ----------
    path
        The file.
    limit
        The most bytes to take in, unzipped.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file is no IDX file, or its length is not exactly what its header states.

    Notes
    -----
    The format is described by Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits".

    Examples
    --------
    >>> import os, tempfile
    >>> from kitnet.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "labels")
    ...     with open(path, "wb") as f:
    ...         _ = f.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))  # unsigned bytes, 1 axis, 3 of them
    ...     read_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    content = read_bytes(path, limit)
    what = repr(os.fspath(path))
    zero, kind, ndim = struct.unpack_from(">HBB", content.ljust(4, b"\xff"))
    if zero != 0 or kind not in _DTYPES or not 1 <= ndim <= 32:
        raise ValueError(
            f"path: expected an IDX file, got {what}, which starts with {content[:4].hex(' ')!r}"
        )
    offset = 4 + 4 * ndim
    if len(content) < offset:
        raise ValueError(f"path: expected {ndim} sizes in the header, got {len(content)} bytes in {what}")
    shape = struct.unpack_from(f">{ndim}I", content, 4)
    if min(shape) == 0:
        raise ValueError(f"path: expected sizes greater than 0, got {shape} in {what}")
    return as_array(content, offset, shape, np.dtype(_DTYPES[kind]), what)


def _find(folder: Path, stem: str, kind: str) -> str:
    names = [f"{stem}{sign}{kind}-ubyte{end}" for sign in "-." for end in ("", ".gz")]
    for name in names:
        if os.path.isfile(path := os.path.join(folder, name)):
            return path
    raise FileNotFoundError(
        f"folder: expected {names[0]} or {names[1]} in {os.fspath(folder)!r}, got neither"
    )


def load_mnist(folder: Path, train: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Load MNIST, Fashion-MNIST or any set under the same file names from a folder that has them.

    Parameters
    ----------
    folder
        The folder with ``train-images-idx3-ubyte`` and so on, each gzipped (``.gz``) or not.
    train
        True for the training images, False for the test images (``t10k-...``).

    Returns
    -------
    images, labels
        float32 of shape (N, 1, H, W) with values from 0 to 1, and int64 of shape (N,).

    Raises
    ------
    OSError
        If a file is missing or cannot be read.
    ValueError
        If a file is damaged, or the two do not belong together.

    Examples
    --------
    >>> from kitnet.datasets import load_mnist
    >>> load_mnist("no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: folder: expected train-images-idx3-ubyte or ... in 'no/such/folder', got neither
    """
    stem = "train" if train else "t10k"
    images = read_idx(_find(folder, f"{stem}-images", "idx3"))
    labels = read_idx(_find(folder, f"{stem}-labels", "idx1"))
    both_bytes = images.dtype == labels.dtype == np.uint8
    if not both_bytes or images.ndim != 3 or labels.shape != images.shape[:1]:
        raise ValueError(
            f"folder: expected uint8 images (N, H, W) and N uint8 labels, got {images.dtype} {images.shape} "
            f"and {labels.dtype} {labels.shape}"
        )
    return unit_interval(images[:, np.newaxis]), labels.astype(np.int64)
