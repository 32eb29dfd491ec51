"""NumPy's own files, read without trust: no pickle, and no allocation that its length does not bear out."""

from __future__ import annotations

import io
import os
import zipfile
import zlib

import numpy as np

from .._files import Path
from ._bytes import LIMIT, as_array, read_bytes


def _parse(content: bytes | bytearray, what: str) -> np.ndarray:
    f = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(f)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its version is {version}")
        header_reader = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
        shape, fortran_order, dtype = getattr(np.lib.format, header_reader)(f)
    except Exception as error:  # NumPy's parser of headers fails in many ways on hostile ones
        reason = str(error).partition("\n")[0]
        raise ValueError(f"path: expected a .npy file, got {what} ({reason})") from None
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ValueError(f"path: expected an array of numbers, got {dtype} in {what}")
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"path: expected sizes of 0 or more, got {shape} in {what}")
    array = as_array(content, f.tell(), shape[::-1] if fortran_order else shape, dtype, what)
    return array.T if fortran_order else array


def read_npy(path: Path, limit: int = LIMIT) -> np.ndarray:
    """Read one array of numbers from a ``.npy`` file, gzipped or not.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no ``.npy`` file, holds Python objects, or is longer or shorter than its header states.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from kitnet.datasets import read_npy
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "x.npy")
    ...     np.save(path, np.arange(3.0))
    ...     read_npy(path)
    array([0., 1., 2.])
    """
    return _parse(read_bytes(path, limit), repr(os.fspath(path)))


def read_npz(path: Path, names: tuple[str, ...], limit: int = LIMIT) -> tuple[np.ndarray, ...]:
    """Read the arrays ``names`` from a ``.npz`` file; others in it are not touched.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no ``.npz`` file, lacks a name, is damaged, or unzips to more than ``limit`` bytes.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np
    >>> from kitnet.datasets import read_npz
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "data.npz")
    ...     np.savez(path, images=np.zeros((2, 3)), labels=np.array([4, 5]))
    ...     read_npz(path, ("labels",))
    (array([4, 5]),)
    """
    what = os.fspath(path)
    arrays = []
    with open(path, "rb") as f:
        try:
            archive = zipfile.ZipFile(f)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise ValueError(f"path: expected a .npz file, got {what!r} ({error})") from None
        with archive:
            for name in names:
                try:
                    member = archive.getinfo(f"{name}.npy")
                except KeyError:
                    raise ValueError(f"path: expected an array {name!r}, got none in {what!r}") from None
                limit -= member.file_size
                if limit < 0:
                    raise ValueError(
                        f"path: expected fewer bytes, got {member.file_size} for {name!r} in {what!r}"
                    )
                try:
                    content = archive.read(member)  # at most file_size bytes, whatever the member unzips to
                except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
                    raise ValueError(f"path: expected an intact .npz file, got {what!r} ({error})") from None
                arrays.append(_parse(content, f"{name!r} of {what!r}"))
    return tuple(arrays)
