"""Rows as vectors: inner products (cosines, and the gradient of what channels are scaled by), how far they are apart,
and what moves them. A row is one task; sums and powers are double.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY, fabs, isnan, pow, sqrt
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    BLOCK = 512             # differences that stay in the L1 cache
    COST = 4                # of an element, in multiply-adds
    POWER = 40              # of one that is raised to a power


def row_products(const real[:, ::1] a not None, const real[:, ::1] b not None, double[::1] sums not None,
                 int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = a.shape[0], n = a.shape[1], i
    cdef unsigned long long mode = 0
    if a.size == 0:
        sums[:] = 0
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n)):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            sums[i] = ops.inner(&a[i, 0], &b[i, 0], n)
        flush_restore(mode)


def distance_forward(const real[:, ::1] a not None, const real[:, ::1] b not None, double p, double eps,
                     real[::1] y not None, int n_threads):
    cdef Py_ssize_t rows = a.shape[0], n = a.shape[1], i
    cdef unsigned long long mode = 0
    if a.size == 0:
        y[:] = 0
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * cost(p))):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            y[i] = <real>norm(&a[i, 0], &b[i, 0], n, p, eps)
        flush_restore(mode)


def distance_backward(const double[::1] dy not None, const real[:, ::1] a not None, const real[:, ::1] b not None,
                      const real[::1] y not None, double p, double eps, bint add, real[:, ::1] da not None,
                      real[:, ::1] db not None, int n_threads):
    cdef Py_ssize_t rows = a.shape[0], n = a.shape[1], i
    cdef unsigned long long mode = 0
    if a.size == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * cost(p))):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            pull(dy[i], &a[i, 0], &b[i, 0], y[i], n, p, eps, add, &da[i, 0], &db[i, 0])
        flush_restore(mode)


def row_sums(const double[::1] f not None, const real[:, ::1] a not None, const double[::1] g not None,
             const real[:, ::1] b not None, real[:, ::1] y not None, int n_threads):
    cdef Py_ssize_t rows = a.shape[0], n = a.shape[1], i
    cdef unsigned long long mode = 0
    if a.size == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n)):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            row_sum(<real>f[i], &a[i, 0], <real>g[i], &b[i, 0], &y[i, 0], n)
        flush_restore(mode)


cdef double cost(double p) noexcept nogil:
    return COST if p == 1 or p == 2 or p == INFINITY else POWER


cdef double power(double v, double p) noexcept nogil:
    return v if p == 1 else pow(v, p)


cdef double difference(real a, real b, double eps) noexcept nogil:
    return <double>a - b + eps


cdef double norm(const real* a, const real* b, Py_ssize_t n, double p, double eps) noexcept nogil:
    """Powers are those of shares of the largest difference, so that none overflows; squares only where they do."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef real[BLOCK] d
    cdef real more = <real>eps
    cdef double largest = 0, sum = 0, size
    cdef Py_ssize_t at, i, k, m
    if p == 2:
        for k in range(up(n, BLOCK)):
            at = k * BLOCK
            m = min(BLOCK, n - at)
            for i in range(m):
                d[i] = a[at + i] - b[at + i] + more
            sum += ops.inner(d, d, m)
        if 0 < sum < INFINITY:
            return sqrt(sum)
    for i in range(n):
        size = fabs(difference(a[i], b[i], eps))
        if size > largest or isnan(size):
            largest = size
    if p == INFINITY or largest == 0 or largest == INFINITY or isnan(largest):
        return largest
    sum = 0
    for i in range(n):
        sum += power(fabs(difference(a[i], b[i], eps)) / largest, p)
    return largest * power(sum, 1 / p)


cdef void pull(double dy, const real* a, const real* b, real norm, Py_ssize_t n, double p, double eps, bint add,
               real* da, real* db) noexcept nogil:
    cdef double d, count = 0
    cdef real slope, factor = <real>(dy / norm), more = <real>eps
    cdef Py_ssize_t i
    if not add:
        memset(da, 0, n * sizeof(real))
        memset(db, 0, n * sizeof(real))
    if p == 2 and norm > 1e-30:     # the inverse of which is a float
        for i in range(n):
            slope = factor * (a[i] - b[i] + more)
            da[i] += slope
            db[i] -= slope
        return
    if p == INFINITY:
        for i in range(n):
            count += <real>fabs(difference(a[i], b[i], eps)) == norm
        dy /= max(count, 1)
    for i in range(n):
        d = difference(a[i], b[i], eps)
        if p == INFINITY:
            d = dy * (<real>fabs(d) == norm) * sign(d)
        else:
            d = dy * (power(fabs(d) / norm, p - 1) if p != 1 and d != 0 else 1) * sign(d)
        da[i] = <real>(da[i] + d)
        db[i] = <real>(db[i] - d)


cdef double sign(double v) noexcept nogil:
    return v if v == 0 or isnan(v) else 1 if v > 0 else -1


cdef void row_sum(real f, const real* a, real g, const real* b, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = f * a[i] + g * b[i]
