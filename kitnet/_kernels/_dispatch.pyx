"""The choice of the instruction set, and the one extension that links the micro-kernels.

The table is chosen once, at import: the best that CPU and operating system offer. ``KITNET_ISA`` may lower the
choice, never raise it. Other modules cimport ``table``, the pointer to the table in use.
"""

import os
from contextlib import contextmanager

cdef extern from "kn_cpu.h" nogil:
    int kn_cpu_level()
    const kn_table* kn_table_of(int level)


def available_isas():
    """The instruction sets that can be used here, from the most basic to the best."""
    return [kn_table_of(level).isa.decode() for level in range(kn_cpu_level() + 1)]


def isa():
    """The instruction set in use."""
    return table.isa.decode()


cdef int select(name) except -1:
    global table
    names = available_isas()
    if name not in names:
        raise ValueError(f"isa: expected one of {names}, got {name!r}")
    table = kn_table_of(names.index(name))
    return 0


@contextmanager
def use_isa(name):
    """Run a ``with`` block on a lower instruction set: for tests, and for them alone, as it holds for all threads."""
    before = isa()
    select(name)
    try:
        yield
    finally:
        select(before)


cdef int start() except -1:
    wanted = os.environ.get("KITNET_ISA") or ""
    names = available_isas()
    known = ("baseline", "avx2", "avx512", "neon")
    if wanted and wanted not in known:
        raise ValueError(f"KITNET_ISA: expected one of {known}, got {wanted!r}")
    select(wanted if wanted in names else names[len(names) - 1])
    return 0


start()
