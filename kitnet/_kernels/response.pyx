"""Response normalisation of x (N, C, P) across its channels.

    parallel, task = a strip of the pixels of one sample
    columns of up to four vectors: divisors, their power, and backward the sums of what it gives

A pixel is a lane with all of its channels to itself, so that nothing depends on the strips. What a task keeps is a
column of tails, see kn_response.h, and backward a column of slopes.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport NAN, fmod

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_response, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 4096
    COLUMNS = 64            # of a strip: whole lines of the cache, and at least four vectors
    COST = 16               # of a number, in multiply-adds


cdef kn_response plan_of(Py_ssize_t channels, Py_ssize_t inner, Py_ssize_t before, Py_ssize_t after, double share,
                         double beta, double base) noexcept nogil:
    cdef kn_response g
    g.channels, g.inner = channels, inner
    g.before, g.after = min(before, channels - 1), min(after, channels - 1)
    g.share, g.beta, g.base = share, beta, base
    g.below = NAN if fmod(beta, 1) != 0 else 1 if fmod(beta, 2) == 0 else -1
    return g


cdef Py_ssize_t columns_of_task(Py_ssize_t channels) noexcept nogil:
    return max(COLUMNS, CHUNK // channels // COLUMNS * COLUMNS)


def response_forward(const real[:, :, ::1] x not None, real[:, :, ::1] y not None, Py_ssize_t before,
                     Py_ssize_t after, double share, double beta, double base, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t i, m
    if x.size == 0:
        return
    cdef kn_response g = plan_of(x.shape[1], x.shape[2], before, after, share, beta, base)
    cdef Py_ssize_t width = columns_of_task(g.channels), strips = up(g.inner, width)
    cdef Py_ssize_t room = (g.before + 1 + g.after) * 4 * ops.lanes * sizeof(real)
    cdef int threads = team(n_threads, <double>x.size * COST)
    cdef Block memory = scratch(threads * room)
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for m in prange(x.shape[0] * strips, schedule="static"):
            i = m % strips * width
            ops.response(&g, &x[m // strips, 0, i], &y[m // strips, 0, i], min(width, g.inner - i),
                         memory.data + thread_number() * room)
        flush_restore(mode)


def response_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] x not None,
                      real[:, :, ::1] dx not None, Py_ssize_t before, Py_ssize_t after, double share, double beta,
                      double base, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t i, m
    if x.size == 0:
        return
    cdef kn_response g = plan_of(x.shape[1], x.shape[2], before, after, share, beta, base)
    cdef Py_ssize_t width = columns_of_task(g.channels), strips = up(g.inner, width)
    cdef Py_ssize_t room = (g.channels + g.before + 1 + g.after) * 4 * ops.lanes * sizeof(real)
    cdef int threads = team(n_threads, 2.0 * x.size * COST)
    cdef Block memory = scratch(threads * room)
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for m in prange(x.shape[0] * strips, schedule="static"):
            i = m % strips * width
            ops.response_backward(&g, &dy[m // strips, 0, i], &x[m // strips, 0, i], &dx[m // strips, 0, i],
                                  min(width, g.inner - i), memory.data + thread_number() * room)
        flush_restore(mode)
