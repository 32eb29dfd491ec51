"""The gradient of a table whose rows were looked up: each dy is added to the row that it came from.

    parallel, task = a range of the rows of the table: zeros for them, and then
    all numbers, in order: those of the range add their dy

So each row is the sum of its dy in their order, by one task, and nothing is sorted. That each task reads all numbers
costs little beside the rows.
"""

from cython.parallel cimport parallel, prange
from libc.stdint cimport int64_t
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore
from ._integers cimport up
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    RANGES = 8


cdef void rows_between(const real* dy, const int64_t* x, Py_ssize_t m, Py_ssize_t d, Py_ssize_t first, Py_ssize_t end,
                       real* dw) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const real* source
    cdef real* row
    if end > first:
        memset(dw + first * d, 0, (end - first) * d * sizeof(real))
    for i in range(m):
        if first <= x[i] < end:
            source = dy + i * d
            row = dw + x[i] * d
            for j in range(d):
                row[j] = row[j] + source[j]


def embedding_backward(const real[:, ::1] dy not None, const int64_t[::1] x not None, real[:, ::1] dw not None,
                       int n_threads):
    cdef Py_ssize_t m = dy.shape[0], k = dw.shape[0], d = dw.shape[1], step = up(k, RANGES), i
    cdef const real* source = &dy[0, 0] if m * d else NULL
    cdef const int64_t* number = &x[0] if m else NULL
    cdef unsigned long long mode = 0
    if k * d == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>(m + k) * d)):
        mode = flush_on()
        for i in prange(RANGES, schedule="static"):
            rows_between(source, number, m if d else 0, d, min(k, i * step), min(k, (i + 1) * step), &dw[0, 0])
        flush_restore(mode)
