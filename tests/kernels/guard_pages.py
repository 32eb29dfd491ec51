"""Runs every call of the case list with each array flush against memory that may not be touched.

``python guard_pages.py ISA`` in a process of its own: an access out of bounds kills it, and the last line
printed names the call. Arrays end at the guard in one round and begin at it in the other.
"""

import ctypes
import mmap
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from cases import CASES
from families import DTYPES

from kitnet._kernels import _dispatch, compiled

PAGE = mmap.PAGESIZE
PROT_NONE = 0
mprotect = ctypes.CDLL(None, use_errno=True).mprotect
mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def guarded(array: np.ndarray, at_end: bool) -> np.ndarray:
    """A copy of ``array`` between two forbidden pages, touching the one after it or the one before it."""
    room = -(-array.nbytes // PAGE) * PAGE
    memory = mmap.mmap(-1, room + 2 * PAGE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for guard in (start, start + PAGE + room):
        if mprotect(guard, PAGE, PROT_NONE):
            raise OSError(ctypes.get_errno(), "mprotect failed")
    offset = PAGE + (room - array.nbytes if at_end else 0)
    copy = np.ndarray(array.shape, array.dtype, memory, offset)
    copy[...] = array
    return copy


def at_end(array: np.ndarray) -> np.ndarray:
    return guarded(array, at_end=True)


def at_start(array: np.ndarray) -> np.ndarray:
    return guarded(array, at_end=False)


def main(isa: str, places: tuple[Callable[[np.ndarray], np.ndarray], ...] = (at_end, at_start)) -> None:
    with _dispatch.use_isa(isa):
        for case in CASES:
            for dtype in DTYPES:
                for call in case.calls(dtype).values():
                    print(case, dtype, call.kernel, flush=True)
                    for place in places:
                        call.run(compiled, place=place)


if __name__ == "__main__":
    main(sys.argv[1])
