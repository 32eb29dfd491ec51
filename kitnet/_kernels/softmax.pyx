"""Softmax, its logarithm and cross-entropy: a row is reduced along its vectors by one task, in one order.

A task is a fixed number of rows, about CHUNK elements, which stay in the L1 cache between the passes for the largest
element, for exp and sum, and for the scaling. Where the axis is not the last one, x is (M, C, P), and a task is a strip
of the P columns of a sample, each of them reduced by a lane of its own. Cross-entropy compares with one class a row, or
with a distribution; both are one micro-kernel, and so are their gradients.
"""

from cython.parallel cimport parallel, prange
from libc.stdint cimport int64_t

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 4096
    COLUMNS = 64            # of a strip: whole lines of the cache, and at least four vectors
    EXP = 8                 # what exp costs, in multiply-adds


cdef Py_ssize_t rows_of_task(Py_ssize_t n) noexcept nogil:
    return max(1, CHUNK // max(n, 1))


cdef Py_ssize_t columns_of_task(Py_ssize_t n) noexcept nogil:
    return max(COLUMNS, CHUNK // max(n, 1) // COLUMNS * COLUMNS)


def softmax_forward(const real[:, :, ::1] x not None, real[:, :, ::1] y not None, int n_threads):
    forward(x, y, False, n_threads)


def softmax_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] y not None,
                     real[:, :, ::1] dx not None, int n_threads):
    backward(dy, y, dx, False, n_threads)


def log_softmax_forward(const real[:, :, ::1] x not None, real[:, :, ::1] y not None, int n_threads):
    forward(x, y, True, n_threads)


def log_softmax_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] y not None,
                         real[:, :, ::1] dx not None, int n_threads):
    backward(dy, y, dx, True, n_threads)


cdef void forward(const real[:, :, ::1] x, real[:, :, ::1] y, bint log, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], columns = x.shape[2], step = rows_of_task(n), m, i
    cdef Py_ssize_t width = columns_of_task(n), strips = up(columns, width)
    cdef unsigned long long mode = 0
    if rows * n * columns == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * columns * EXP)):
        mode = flush_on()
        if columns == 1:
            for m in prange(0, rows, step, schedule="static"):
                (ops.log_softmax if log else ops.softmax)(&x[m, 0, 0], &y[m, 0, 0], min(step, rows - m), n)
        else:
            for m in prange(rows * strips, schedule="static"):
                i = m % strips * width
                ops.softmax_across(&x[m // strips, 0, i], &y[m // strips, 0, i], n, columns, min(width, columns - i),
                                   log)
        flush_restore(mode)


cdef void backward(const real[:, :, ::1] dy, const real[:, :, ::1] y, real[:, :, ::1] dx, bint log, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = y.shape[0], n = y.shape[1], columns = y.shape[2], step = rows_of_task(n), m, i
    cdef Py_ssize_t width = columns_of_task(n), strips = up(columns, width)
    cdef unsigned long long mode = 0
    if rows * n * columns == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * columns * (EXP if log else 1))):
        mode = flush_on()
        if columns == 1:
            for m in prange(0, rows, step, schedule="static"):
                (ops.log_softmax_backward if log else ops.softmax_backward)(&dy[m, 0, 0], &y[m, 0, 0], &dx[m, 0, 0],
                                                                            min(step, rows - m), n)
        else:
            for m in prange(rows * strips, schedule="static"):
                i = m % strips * width
                ops.softmax_across_backward(&dy[m // strips, 0, i], &y[m // strips, 0, i], &dx[m // strips, 0, i], n,
                                            columns, min(width, columns - i), log)
        flush_restore(mode)


def cross_entropy_forward(const real[:, ::1] x not None, const int64_t[::1] target not None,
                          const real[::1] weight not None, double smoothing, real[:, ::1] prob not None,
                          real[::1] loss not None, int n_threads):
    compare(x, &target[0] if target.shape[0] else NULL, NULL, weight, smoothing, prob, loss, n_threads)


def cross_entropy_backward(const real[::1] dloss not None, const real[:, ::1] prob not None,
                           const int64_t[::1] target not None, const real[::1] weight not None, double smoothing,
                           real[:, ::1] dx not None, int n_threads):
    compare_backward(dloss, prob, &target[0] if target.shape[0] else NULL, NULL, weight, smoothing, dx, n_threads)


def soft_cross_entropy_forward(const real[:, ::1] x not None, const real[:, ::1] target not None,
                               const real[::1] weight not None, double smoothing, real[:, ::1] prob not None,
                               real[::1] loss not None, int n_threads):
    compare(x, NULL, &target[0, 0] if target.shape[0] else NULL, weight, smoothing, prob, loss, n_threads)


def soft_cross_entropy_backward(const real[::1] dloss not None, const real[:, ::1] prob not None,
                                const real[:, ::1] target not None, const real[::1] weight not None, double smoothing,
                                real[:, ::1] dx not None, int n_threads):
    compare_backward(dloss, prob, NULL, &target[0, 0] if target.shape[0] else NULL, weight, smoothing, dx, n_threads)


cdef void compare(const real[:, ::1] x, const int64_t* classes, const real* soft, const real[::1] weight,
                  double smoothing, real[:, ::1] prob, real[::1] loss, int n_threads):
    """Cross-entropy with ``classes`` or with ``soft``, the other of which is NULL."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], step = rows_of_task(n), m
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * EXP)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.cross_entropy(&x[m, 0], classes + m if soft == NULL else NULL,
                              soft + m * n if soft != NULL else NULL, w, smoothing, &prob[m, 0], &loss[m],
                              min(step, rows - m), n)
        flush_restore(mode)


cdef void compare_backward(const real[::1] dloss, const real[:, ::1] prob, const int64_t* classes, const real* soft,
                           const real[::1] weight, double smoothing, real[:, ::1] dx, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = prob.shape[0], n = prob.shape[1], step = rows_of_task(n), m
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.cross_entropy_backward(&dloss[m], &prob[m, 0], classes + m if soft == NULL else NULL,
                                       soft + m * n if soft != NULL else NULL, w, smoothing, &dx[m, 0],
                                       min(step, rows - m), n)
        flush_restore(mode)
