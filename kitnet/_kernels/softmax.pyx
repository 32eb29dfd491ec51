"""Softmax and cross-entropy: a row is reduced along its vectors by one task, in one order, whatever the other rows.

A task is a fixed number of rows, about CHUNK elements, which stay in the L1 cache between the passes for the largest
element, for exp and sum, and for the scaling.
"""

from cython.parallel cimport parallel, prange
from libc.stdint cimport int64_t

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 4096
    EXP = 8                 # what exp costs, in multiply-adds


cdef Py_ssize_t rows_of_task(Py_ssize_t n) noexcept nogil:
    return max(1, CHUNK // max(n, 1))


def softmax_forward(const real[:, ::1] x not None, real[:, ::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = rows_of_task(n), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * EXP)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.softmax(&x[m, 0], &y[m, 0], min(step, rows - m), n)
        flush_restore(mode)


def softmax_backward(const real[:, ::1] dy not None, const real[:, ::1] y not None, real[:, ::1] dx not None,
                     int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = y.shape[0], n = y.shape[1], step = rows_of_task(n), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.softmax_backward(&dy[m, 0], &y[m, 0], &dx[m, 0], min(step, rows - m), n)
        flush_restore(mode)


def cross_entropy_forward(const real[:, ::1] x not None, const int64_t[::1] target not None,
                          real[:, ::1] prob not None, real[::1] loss not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = rows_of_task(n), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * EXP)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.cross_entropy(&x[m, 0], &target[m], &prob[m, 0], &loss[m], min(step, rows - m), n)
        flush_restore(mode)


def cross_entropy_backward(const real[::1] dloss not None, const real[:, ::1] prob not None,
                           const int64_t[::1] target not None, real[:, ::1] dx not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = prob.shape[0], n = prob.shape[1], step = rows_of_task(n), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.cross_entropy_backward(&dloss[m], &prob[m, 0], &target[m], &dx[m, 0], min(step, rows - m), n)
        flush_restore(mode)
