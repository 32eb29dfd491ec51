"""Which set of kernels is active: the compiled ones or the NumPy reference.

``KITNET_BACKEND=cython|numpy`` chooses at import, ``use_backend`` for the length of a ``with`` block.
``KITNET_REQUIRE_COMPILED=1`` makes missing compiled kernels an ImportError instead of a warning.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import numpy as np

from ._kernels import reference

POOLED = 4096  # bytes from which on a result comes from the pool

compiled: ModuleType | None
try:
    from ._kernels import compiled
except ImportError as error:
    if os.environ.get("KITNET_REQUIRE_COMPILED", "0") not in ("", "0"):
        raise ImportError(f"kitnet: the compiled kernels are required but missing ({error})") from error
    compiled = None
    if os.environ.get("KITNET_BACKEND") != "numpy":
        warnings.warn(
            "kitnet: the compiled kernels are missing, so everything runs on slow NumPy code; "
            "install a C compiler, then: pip install --no-cache-dir --force-reinstall kitnet",
            RuntimeWarning,
            stacklevel=3,
        )

_IN_C = {np.dtype(np.float32): "float", np.dtype(np.float64): "double"}
_SETS: dict[str, Any] = {"numpy": reference} | ({"cython": compiled} if compiled else {})


def _find(name: str) -> str:
    if name not in ("cython", "numpy"):
        raise ValueError(f"backend: expected 'cython' or 'numpy', got {name!r}")
    if name not in _SETS:
        raise ValueError("backend: expected one that is installed, got 'cython', which was not compiled")
    return name


_active: ContextVar[str] = ContextVar(
    "kitnet_backend", default=_find(os.environ.get("KITNET_BACKEND") or ("cython" if compiled else "numpy"))
)


def backend() -> str:
    """The name of the active backend: ``"cython"`` or ``"numpy"``.

    >>> import kitnet
    >>> with kitnet.use_backend("numpy"):
    ...     kitnet.backend()
    'numpy'
    """
    return _active.get()


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Run a ``with`` block on the backend ``name``, in this thread (and context) only.

    Raises
    ------
    ValueError
        If ``name`` is no backend, or names the compiled one where it was not built.

    >>> import kitnet
    >>> with kitnet.use_backend("numpy"):
    ...     pass
    """
    token = _active.set(_find(name))
    try:
        yield
    finally:
        _active.reset(token)


def kernels() -> Any:
    """The active kernel set: a namespace with every kernel of ``_kernels/reference.py``."""
    return _SETS[_active.get()]


def kernel(name: str, dtype: np.dtype) -> Any:
    """The active kernel of that name for one dtype: compiled ones need not look for it in each call."""
    found = getattr(kernels(), name)
    return found[_IN_C[dtype]] if kernels() is compiled else found


def n_threads() -> int:
    """The number of threads that a kernel may use now."""
    return compiled.effective_n_threads() if compiled else 1


def allocate(shape: tuple[int, ...], dtype: np.dtype, nbytes: int) -> np.ndarray:
    """Memory for a result: pooled with the compiled kernels; plain NumPy without them, and for small arrays,
    for which NumPy has a cache of its own."""
    if compiled is None or nbytes < POOLED:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, compiled.pooled(nbytes))


class _Sealed(bytes):
    """Sealed memory without the compiled kernels; a type of its own, as unpickled arrays stand on bytes."""


def seal(array: np.ndarray) -> np.ndarray:
    """A copy that can never be written to, so that kernels may keep what they make of its content."""
    content = array.tobytes()
    return np.ndarray(array.shape, array.dtype, compiled.sealed(content) if compiled else _Sealed(content))


def is_sealed(array: np.ndarray) -> bool:
    """Whether ``array`` came from ``seal``."""
    return isinstance(array.base, compiled.Sealed if compiled else _Sealed)
