"""Settings of the running library: threads and pooled memory, and what it runs on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from operator import index

import numpy as np

from . import _backend

MOST_THREADS = 1024


def get_num_threads() -> int:
    """The number of threads that kernels may use; 1 without the compiled kernels.

    >>> import kitnet
    >>> kitnet.get_num_threads() >= 1
    True
    """
    return _backend.compiled.get_num_threads() if _backend.compiled else 1


def set_num_threads(n: int) -> None:
    """Let kernels use up to ``n`` threads, in every thread of the process.

    The default is ``KITNET_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the physical cores that affinity and
    cgroup quota leave. Results are the same bits for every ``n``.

    Raises
    ------
    TypeError
        If ``n`` is no integer.
    ValueError
        If ``n`` is not between 1 and 1024.

    >>> import kitnet
    >>> before = kitnet.get_num_threads()
    >>> kitnet.set_num_threads(1)
    >>> kitnet.get_num_threads()
    1
    >>> kitnet.set_num_threads(before)
    """
    if isinstance(n, (bool, np.bool_)) or not hasattr(n, "__index__"):
        raise TypeError(f"n: expected an int, got {type(n).__name__}")
    if not 1 <= index(n) <= MOST_THREADS:
        raise ValueError(f"n: expected 1 to {MOST_THREADS} threads, got {n}")
    if _backend.compiled:
        _backend.compiled.set_num_threads(index(n))


def get_config() -> dict[str, str]:
    """The settings of ``set_config``.

    >>> import kitnet
    >>> kitnet.get_config()
    {'winograd': 'auto'}
    """
    return {"winograd": "auto" if _backend.compiled is None or _backend.compiled.get_winograd() else "never"}


def set_config(*, winograd: str | None = None) -> None:
    """Change settings, for all threads of the process; None leaves one as it is.

    Parameters
    ----------
    winograd
        ``"auto"``: float32 convolutions of stride 1, with kernels that pieces of 3x3 or 2x2 cover well, use
        Winograd's algorithm where it is faster, by the shape of a sample. It rounds differently: on normally
        distributed data its error (in the norm, against float64) is at most 5 times that of a plain float32
        sum over (c, kh, kw), in each of the three passes, or 5e-7 where that is more. Measured are 1.3 to
        3.7 times, 5e-7 to 1.5e-6.
        ``"never"``: they are summed directly, in many partial sums, with less error than a plain sum: 2 to 6
        times less than by Winograd's algorithm, for gradients of weights 5 to 9 times. float64 always is.

    Raises
    ------
    ValueError
        If a setting has no such value.

    >>> import kitnet
    >>> kitnet.set_config(winograd="never")
    >>> kitnet.set_config(winograd="auto")
    """
    if winograd is None:
        return
    if winograd not in ("auto", "never"):
        raise ValueError(f"winograd: expected 'auto' or 'never', got {winograd!r}")
    if _backend.compiled:
        _backend.compiled.set_winograd(winograd == "auto")


@contextmanager
def config_context(*, winograd: str | None = None) -> Iterator[None]:
    """``set_config`` for the length of a ``with`` block.

    >>> import kitnet
    >>> with kitnet.config_context(winograd="never"):
    ...     kitnet.get_config()["winograd"] if kitnet.backend() == "cython" else "never"
    'never'
    """
    before = get_config()
    set_config(winograd=winograd)
    try:
        yield
    finally:
        set_config(winograd=before["winograd"])


def memory_stats() -> dict[str, int]:
    """The pool of arrays and scratch, in bytes: in use, the most at once, and waiting to be used again.

    All zero without the compiled kernels, whose pool it is.

    >>> import kitnet
    >>> sorted(kitnet.memory_stats())
    ['in_use', 'most_in_use', 'waiting']
    """
    if _backend.compiled:
        return _backend.compiled.memory_stats()
    return {"in_use": 0, "most_in_use": 0, "waiting": 0}


def empty_cache() -> None:
    """Give the memory that waits in the pool back to the system.

    >>> import kitnet
    >>> kitnet.empty_cache()
    >>> kitnet.memory_stats()["waiting"]
    0
    """
    if _backend.compiled:
        _backend.compiled.empty_cache()


def info() -> dict[str, str]:
    """What this kitnet is and runs on, as ``show_config`` and ``kitnet info`` print it."""
    from . import __version__

    compiled = _backend.compiled
    rows = {
        "kitnet": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "machine": f"{platform.system()} {platform.machine()}",
        "backend": _backend.backend(),
    }
    if compiled is None:
        return rows | {"compiled kernels": "missing"}
    return rows | {
        "instruction set": f"{compiled.isa()} (of {', '.join(compiled.available_isas())})",
        "OpenMP": "yes" if compiled.openmp() else "no",
        "threads": str(compiled.effective_n_threads()),
    }


def show_config() -> None:
    """Print versions, backend, instruction set and threads, for bug reports.

    >>> import kitnet
    >>> kitnet.show_config()  # doctest: +ELLIPSIS
    kitnet: ...
    """
    print("\n".join(f"{key}: {value}" for key, value in info().items()))
