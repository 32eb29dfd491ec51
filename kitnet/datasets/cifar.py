"""CIFAR-10 and CIFAR-100 in their binary version (the "python version" is pickled, so it is never read)."""

from __future__ import annotations

import os

import numpy as np

from .._files import Path
from ._bytes import LIMIT, as_array, read_bytes, unit_interval

_PIXELS = 3 * 32 * 32


def read_cifar(path: Path, classes: int = 10, limit: int = LIMIT) -> tuple[np.ndarray, np.ndarray]:
    """Read one file of CIFAR's binary version: records of the label bytes and 3072 pixel bytes.

    Parameters
    ----------
    path
        A ``.bin`` file, gzipped or not.
    classes
        10 for CIFAR-10, 100 for CIFAR-100 (its fine labels) or 20 for the coarse labels of CIFAR-100.
    limit
        The most bytes to take in, unzipped.

    Returns
    -------
    images, labels
        uint8 of shape (N, 3, 32, 32), and int64 of shape (N,).

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If the file is empty or no whole number of records, or a label is out of range.

    Notes
    -----
    The format and the data are those of A. Krizhevsky, "Learning multiple layers of features from tiny
    images", 2009.

    Examples
    --------
    >>> import os, tempfile
    >>> from kitnet.datasets import read_cifar
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data_batch_1.bin")
    ...     with open(path, "wb") as f:
    ...         _ = f.write(bytes([6]) + bytes(3072))
    ...     images, labels = read_cifar(path)
    >>> images.shape, labels
    ((1, 3, 32, 32), array([6]))
    """
    if classes not in (10, 20, 100):
        raise ValueError(f"classes: expected 10, 20 or 100, got {classes!r}")
    content = read_bytes(path, limit)
    what = repr(os.fspath(path))
    label_bytes = 1 if classes == 10 else 2
    record = label_bytes + _PIXELS
    if not content or len(content) % record:
        raise ValueError(f"path: expected records of {record} bytes, got {len(content)} bytes in {what}")
    records = as_array(content, 0, (len(content) // record, record), np.dtype(np.uint8), what)
    labels = records[:, 1 if classes == 100 else 0].astype(np.int64)
    if labels.max() >= classes:
        raise ValueError(f"path: expected labels below {classes}, got {labels.max()} in {what}")
    return records[:, label_bytes:].reshape(-1, 3, 32, 32).copy(), labels


def _load(folder: Path, names: list[str], classes: int) -> tuple[np.ndarray, np.ndarray]:
    parts = [read_cifar(os.path.join(folder, name), classes) for name in names]
    images, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return unit_interval(images), labels


def load_cifar10(folder: Path, train: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Load CIFAR-10 from the unpacked folder of its binary version (``cifar-10-batches-bin``).

    Returns
    -------
    images, labels
        float32 of shape (N, 3, 32, 32) with values from 0 to 1, and int64 of shape (N,).

    Raises
    ------
    OSError, ValueError
        As ``read_cifar`` does.

    Examples
    --------
    >>> from kitnet.datasets import load_cifar10
    >>> load_cifar10("no/such/folder")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such/folder...data_batch_1.bin'
    """
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
    return _load(folder, names, 10)


def load_cifar100(folder: Path, train: bool = True, coarse: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Load CIFAR-100 from the unpacked folder of its binary version (``cifar-100-binary``).

    ``coarse`` asks for the 20 super-classes instead of the 100 classes. Returns and raises as
    ``load_cifar10``.

    Examples
    --------
    >>> from kitnet.datasets import load_cifar100
    >>> load_cifar100("no/such/folder", train=False)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such/folder...test.bin'
    """
    return _load(folder, ["train.bin" if train else "test.bin"], 20 if coarse else 100)
