"""Mean squares of matrices (B, R, C) by rows and by columns, and steps over what they make of it: Adafactor's passes.

Small matrices, a convolution's kernels, are taken together until there is work for a task; of large ones a task has
some columns, whose sums it owns, and a part of the sum of each row, joined in the order of the parts. Sums are double.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport sqrt, sqrtf
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    COLUMNS = 512           # of a large matrix in a task
    CHUNK = 16384           # elements of small matrices in a task


cdef struct Grid:
    Py_ssize_t rows
    Py_ssize_t columns
    Py_ssize_t parts        # of a matrix
    Py_ssize_t together     # matrices in a task
    Py_ssize_t tasks
    Py_ssize_t matrices


cdef Grid make_grid(Py_ssize_t matrices, Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    cdef Grid g
    g.matrices, g.rows, g.columns = matrices, rows, columns
    g.parts = max(1, up(columns, COLUMNS))
    g.together = max(1, CHUNK // max(1, rows * columns))
    g.tasks = g.parts * up(matrices, g.together)
    return g


cdef void sum_squares(const Grid* g, Py_ssize_t task, const real* grad, double* rows, real* columns) noexcept nogil:
    """Of the matrices, or of the part of a matrix, of one task: column means, and sums of rows (B, parts, R)."""
    cdef double[COLUMNS] sums
    cdef Py_ssize_t part = task % g.parts, first = part * COLUMNS, n = min(COLUMNS, g.columns - first), b, i, j
    cdef Py_ssize_t begin = task // g.parts * g.together
    cdef const real* row
    cdef double square, total
    for b in range(begin, min(begin + g.together, g.matrices)):
        memset(sums, 0, n * sizeof(double))
        for i in range(g.rows):
            row = grad + (b * g.rows + i) * g.columns + first
            total = 0
            for j in range(n):
                square = <double>row[j] * row[j]
                sums[j] += square
                total = total + square
            rows[(b * g.parts + part) * g.rows + i] = total
        for j in range(n):
            columns[b * g.columns + first + j] = <real>(sums[j] / g.rows)


def factored_squares(const real[:, :, ::1] grad not None, real[:, ::1] rows not None, real[:, ::1] columns not None,
                     int n_threads):
    cdef Grid g = make_grid(grad.shape[0], grad.shape[1], grad.shape[2])
    cdef Block memory = scratch(g.matrices * g.parts * g.rows * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef double total
    cdef Py_ssize_t task, b, i, k
    cdef unsigned long long mode = 0
    if g.matrices * g.rows * g.columns == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, 2.0 * g.matrices * g.rows * g.columns)):
        mode = flush_on()
        for task in prange(g.tasks, schedule="static"):
            sum_squares(&g, task, &grad[0, 0, 0], sums, &columns[0, 0])
        flush_restore(mode)
    for b in range(g.matrices):
        for i in range(g.rows):
            total = 0
            for k in range(g.parts):
                total += sums[(b * g.parts + k) * g.rows + i]
            rows[b, i] = <real>(total / g.columns)


cdef void turn(const real* grad, real row, const real* columns, real least, real* direction,
               Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    cdef real square
    for j in range(n):
        square = row * columns[j]
        square = least if square < least else square
        if real is float:
            direction[j] = grad[j] / sqrtf(square)
        else:
            direction[j] = grad[j] / sqrt(square)


def factored_direction(const real[:, :, ::1] grad not None, const real[:, ::1] rows not None,
                       const real[:, ::1] columns not None, real[:, :, ::1] direction not None, double least,
                       int n_threads):
    cdef Py_ssize_t n = grad.shape[2], height = grad.shape[1], lines = grad.shape[0] * height, i
    cdef unsigned long long mode = 0
    if lines * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, 8.0 * lines * n)):
        mode = flush_on()
        for i in prange(lines, schedule="static"):
            turn(&grad[0, 0, 0] + i * n, (&rows[0, 0])[i], &columns[i // height, 0], <real>least,
                 &direction[0, 0, 0] + i * n, n)
        flush_restore(mode)
