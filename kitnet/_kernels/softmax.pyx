"""Softmax, its logarithm and cross-entropy: a row is reduced along its vectors by one task, in one order.

A task is a fixed number of rows, about CHUNK elements, which stay in the L1 cache between the passes for the largest
element, for exp and sum, and for the scaling. Where the axis is not the last one, x is (M, C, P), and a task is a strip
of the P columns of a sample, each of them reduced by a lane of its own. Cross-entropy compares with one class a row, or
with a distribution; both are one micro-kernel, and so are their gradients. It knows rows alone: a strip of columns is
turned to rows and back, in the caches. A class and nothing else needs no rows: softmax runs down the columns, and only
where the probability of a class has lost its digits is the loss more than the logarithm of that.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport log as ln
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 4096
    COLUMNS = 64            # of a strip: whole lines of the cache, and at least four vectors
    EXP = 8                 # what exp costs, in multiply-adds

cdef double SMALL = 1e-30   # a probability below may be no normal float


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


def cross_entropy_forward(const real[:, :, ::1] x not None, const int64_t[:, ::1] target not None,
                          const real[::1] weight not None, double smoothing, real[:, :, ::1] prob not None,
                          real[:, ::1] loss not None, int n_threads):
    if x.size:
        compare(x, &target[0, 0], NULL, weight, smoothing, &loss[0, 0], NULL, prob, n_threads)


def cross_entropy_backward(const real[:, ::1] dloss not None, const real[:, :, ::1] prob not None,
                           const int64_t[:, ::1] target not None, const real[::1] weight not None, double smoothing,
                           real[:, :, ::1] dx not None, int n_threads):
    if prob.size:
        compare(prob, &target[0, 0], NULL, weight, smoothing, NULL, &dloss[0, 0], dx, n_threads)


def soft_cross_entropy_forward(const real[:, :, ::1] x not None, const real[:, :, ::1] target not None,
                               const real[::1] weight not None, double smoothing, real[:, :, ::1] prob not None,
                               real[:, ::1] loss not None, int n_threads):
    if x.size:
        compare(x, NULL, &target[0, 0, 0], weight, smoothing, &loss[0, 0], NULL, prob, n_threads)


def soft_cross_entropy_backward(const real[:, ::1] dloss not None, const real[:, :, ::1] prob not None,
                                const real[:, :, ::1] target not None, const real[::1] weight not None,
                                double smoothing, real[:, :, ::1] dx not None, int n_threads):
    if prob.size:
        compare(prob, NULL, &target[0, 0, 0], weight, smoothing, NULL, &dloss[0, 0], dx, n_threads)


cdef void compare(const real[:, :, ::1] x, const int64_t* classes, const real* soft, const real[::1] weight,
                  double smoothing, real* loss, const real* dloss, real[:, :, ::1] y, int n_threads):
    """Cross-entropy with ``classes`` or with ``soft``; forward, which has ``loss``, or backward, which has ``dloss``:
    of each pair the other is NULL. y is prob, or dx, for which x is prob."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = x.shape[0], n = x.shape[1], columns = x.shape[2], i, place, at, count
    cdef Py_ssize_t width = columns_of_task(n), strips = up(columns, width), step = rows_of_task(n)
    cdef Py_ssize_t room = (min(width, columns) + ops.lanes) * n + ops.lanes
    cdef int threads = team(n_threads, <double>rows * n * columns * (EXP if dloss == NULL else min(columns, 2)))
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef Block memory = scratch(3 * room * sizeof(real) * threads if columns > 1 else 0)
    cdef real* turned = <real*>memory.data
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        if columns == 1:
            for i in prange(0, rows, step, schedule="static"):
                compare_rows(ops, &x[i, 0, 0], classes + i if classes != NULL else NULL,
                             soft + i * n if soft != NULL else NULL, w, smoothing, loss + i if loss != NULL else NULL,
                             dloss + i if dloss != NULL else NULL, &y[i, 0, 0], min(step, rows - i), n)
        else:
            for i in prange(rows * strips, schedule="static"):
                place = i % strips * width
                count = min(width, columns - place)
                at = i // strips * n * columns + place
                place = place + i // strips * columns
                compare_columns(ops, &x[0, 0, 0] + at, classes + place if classes != NULL else NULL,
                                soft + at if soft != NULL else NULL, w, smoothing,
                                loss + place if loss != NULL else NULL, dloss + place if dloss != NULL else NULL,
                                &y[0, 0, 0] + at, count, n, columns, turned + 3 * room * thread_number(), room)
        flush_restore(mode)


cdef void compare_rows(const kn_ops* ops, const real* x, const int64_t* classes, const real* soft, const real* weight,
                       double smoothing, real* loss, const real* dloss, real* y, Py_ssize_t rows,
                       Py_ssize_t n) noexcept nogil:
    if dloss == NULL:
        ops.cross_entropy(x, classes, soft, weight, smoothing, y, loss, rows, n)
    else:
        ops.cross_entropy_backward(dloss, x, classes, soft, weight, smoothing, y, rows, n)


cdef void compare_columns(const kn_ops* ops, const real* x, const int64_t* classes, const real* soft,
                          const real* weight, double smoothing, real* loss, const real* dloss, real* y,
                          Py_ssize_t count, Py_ssize_t n, Py_ssize_t columns, real* turned,
                          Py_ssize_t room) noexcept nogil:
    """The same for so many columns, n numbers each that lie ``columns`` apart."""
    cdef Py_ssize_t i, last = count % ops.lanes
    if classes != NULL and smoothing == 0:
        if dloss != NULL:
            class_slopes(ops, x, classes, weight, dloss, y, count, n, columns, turned)
            return
        if class_losses(ops, x, classes, weight, loss, y, count, n, columns):
            return
    turn(ops, x, columns, n, count, turned)
    if soft != NULL:
        turn(ops, soft, columns, n, count, turned + 2 * room)
    compare_rows(ops, <const real*>turned, classes, <const real*>turned + 2 * room if soft != NULL else NULL, weight,
                 smoothing, loss, dloss, turned + room, count, n)
    for i in range(count // ops.lanes):
        ops.turn(turned + room + i * ops.lanes * n, n, ops.lanes, n, 0, y + i * ops.lanes, columns, n)
    if last > 0:  # whole vectors would reach beyond these columns
        ops.turn(turned + room + (count - last) * n, n, last, n, 0, turned, ops.lanes, n)
        for i in range(n):
            memcpy(y + i * columns + count - last, turned + i * ops.lanes, last * sizeof(real))


cdef bint class_losses(const kn_ops* ops, const real* x, const int64_t* classes, const real* weight, real* loss,
                       real* prob, Py_ssize_t count, Py_ssize_t n, Py_ssize_t columns) noexcept nogil:
    """The probabilities, and the losses of classes; whether they are good."""
    cdef Py_ssize_t i, c
    cdef double p
    ops.softmax_across(x, prob, n, columns, count, False)
    for i in range(count):
        c = classes[i]
        if c < 0:
            loss[i] = 0
            continue
        p = prob[c * columns + i]
        if not p >= SMALL:
            return False
        loss[i] = <real>(-ln(p) * (weight[c] if weight != NULL else 1))
    return True


cdef void class_slopes(const kn_ops* ops, const real* prob, const int64_t* classes, const real* weight,
                       const real* dloss, real* dx, Py_ssize_t count, Py_ssize_t n, Py_ssize_t columns,
                       real* slope) noexcept nogil:
    """(prob - 1 at the class) times the weight of the class and dloss; 0 where there is none."""
    cdef Py_ssize_t i, c
    for i in range(count):
        c = classes[i]
        slope[i] = 0 if c < 0 else dloss[i] if weight == NULL else dloss[i] * weight[c]
    for c in range(n):
        ops.multiply(prob + c * columns, slope, dx + c * columns, count)
    for i in range(count):
        c = classes[i]
        if c >= 0:
            dx[c * columns + i] = (prob[c * columns + i] - 1) * slope[i]
            continue
        for c in range(n):  # not the product, which may be NaN
            dx[c * columns + i] = 0


cdef void turn(const kn_ops* ops, const real* x, Py_ssize_t columns, Py_ssize_t n, Py_ssize_t count,
               real* rows) noexcept nogil:
    """So many columns of n numbers as rows: from the last vector of each on, which reaches into the next row."""
    cdef Py_ssize_t i, v
    for v in range(up(n, ops.lanes)):
        i = (up(n, ops.lanes) - 1 - v) * ops.lanes
        ops.turn(x + i * columns, columns, min(ops.lanes, n - i), count, 0, rows + i, n, count)
