"""The most that the multiply-add tiles can do: what ``explain_conv`` measures a convolution against.

    parallel, task = thread: the widest tile, again and again, on a panel and columns of its own in the L1 cache
"""

from cython.parallel cimport parallel, prange
from libc.string cimport memset

from ._dispatch cimport kn_ops, table
from ._pool cimport Block as Memory, scratch

cdef enum:
    TERMS = 96              # of a sum: panel and columns stay in an L1 cache of 32 KB


def mac_peak(Py_ssize_t repeats, int n_threads, bint single):
    """Run the tile ``repeats`` times on each thread; the floating-point operations that makes, two a multiply-add."""
    cdef const kn_ops* ops = table.ops[0 if single else 1]
    cdef Py_ssize_t itemsize = 4 if single else 8, rows = ops.mac_rows, width = ops.mac_vectors[rows] * ops.lanes
    cdef Py_ssize_t own = (TERMS * (rows + width) + rows * width) * itemsize, i, _
    cdef Memory memory = scratch(n_threads * own)
    cdef Memory tables = scratch(TERMS * sizeof(Py_ssize_t))
    cdef Py_ssize_t* offset = <Py_ssize_t*>tables.data
    cdef char* panel
    memset(memory.data, 0, n_threads * own)
    for i in range(TERMS):
        offset[i] = i * width
    with nogil, parallel(num_threads=n_threads):
        for i in prange(n_threads, schedule="static"):
            panel = memory.data + i * own
            for _ in range(repeats):
                ops.mac[rows](TERMS, panel, rows, panel + TERMS * rows * itemsize, offset,
                              panel + TERMS * (rows + width) * itemsize, width, 0)
    return 2.0 * n_threads * repeats * TERMS * rows * width
