"""Optimizer steps: everything about a parameter in one pass, as memory is what it waits for.

The flat arrays are cut into chunks; a chunk is a task, and each parameter depends on its own numbers alone. Chunks end
where ``param`` is aligned to a cache line: large arrays of NumPy begin 16 bytes behind one, all of them alike, and
vectors that straddle two lines cost a third of the speed. An array of size 0 is a NULL to the rules.
"""

from cython.parallel cimport parallel, prange
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy, memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_update, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384
    STATES = 3
    LINE = 64


cdef struct Arrays:
    char* param
    const char* grad
    char* state[STATES]
    Py_ssize_t size         # of an element, in bytes
    Py_ssize_t lanes        # elements in a vector
    bint reads              # ``param`` is not written


cdef real* start(real[::1] a) noexcept nogil:
    return &a[0] if a.shape[0] else NULL


cdef const real* begin(const real[::1] a) noexcept nogil:
    return &a[0] if a.shape[0] else NULL


cdef void part(kn_update rule, const Arrays* a, Py_ssize_t first, Py_ssize_t end, const double* c) noexcept nogil:
    """The elements from ``first`` to before ``end``: whole vectors where they are, the rest as a vector of its own."""
    cdef char rest[STATES + 2][LINE]
    cdef void* state[STATES]
    cdef Py_ssize_t k, whole = (end - first) // a.lanes * a.lanes, offset = first * a.size
    for k in range(STATES):
        state[k] = NULL if a.state[k] == NULL else a.state[k] + offset
    if whole > 0:
        rule(a.param + offset, a.grad + offset, state, whole, c)
    cdef size_t nbytes = (end - first - whole) * a.size
    if nbytes == 0:
        return
    offset += whole * a.size
    memset(rest, 0, sizeof(rest))
    memcpy(rest[STATES], a.param + offset, nbytes)
    memcpy(rest[STATES + 1], a.grad + offset, nbytes)
    for k in range(STATES):
        if a.state[k] != NULL:
            memcpy(rest[k], a.state[k] + offset, nbytes)
            state[k] = rest[k]
    rule(rest[STATES], rest[STATES + 1], state, a.lanes, c)
    if not a.reads:
        memcpy(a.param + offset, rest[STATES], nbytes)
    for k in range(STATES):
        if a.state[k] != NULL:
            memcpy(a.state[k] + offset, rest[k], nbytes)


cdef int sweep(kn_update rule, real* param, const real* grad, real* first, real* second, real* third, Py_ssize_t n,
               const double* c, double work, int n_threads, bint reads=False) except -1:
    """``rule`` on all elements; ``work`` is that of one, in multiply-adds."""
    cdef Arrays a
    cdef Py_ssize_t i
    cdef unsigned long long mode = 0
    a.param, a.grad, a.size = <char*>param, <const char*>grad, sizeof(real)
    a.state[0], a.state[1], a.state[2] = <char*>first, <char*>second, <char*>third
    a.reads = reads
    a.lanes = table.ops[sizeof(real) == sizeof(double)].lanes
    cdef Py_ssize_t lead = min(n, <Py_ssize_t>((LINE - <uintptr_t>param % LINE) % LINE // sizeof(real)))
    with nogil, parallel(num_threads=team(n_threads, work * n)):
        mode = flush_on()
        for i in prange(lead - CHUNK, n, CHUNK, schedule="static"):
            part(rule, &a, max(i, 0), min(i + CHUNK, n), c)
        flush_restore(mode)
    return 0


def sgd_step(real[::1] param not None, const real[::1] grad not None, real[::1] velocity not None, double scale,
             double decay, double momentum, double share, double rate, bint nesterov, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[6] c = [scale, decay, momentum, share, rate, nesterov]
    sweep(ops.sgd, start(param), begin(grad), start(velocity), <real*>NULL, <real*>NULL, param.shape[0], c, 4,
          n_threads)


def asgd_step(real[::1] param not None, const real[::1] grad not None, real[::1] average not None, double scale,
              double decay, double keep, double rate, double weight, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[5] c = [scale, decay, keep, rate, weight]
    sweep(ops.asgd, start(param), begin(grad), start(average), <real*>NULL, <real*>NULL, param.shape[0], c, 4,
          n_threads)


def rprop_step(real[::1] param not None, const real[::1] grad not None, real[::1] previous not None,
               real[::1] size not None, double scale, double shrink, double grow, double least, double most,
               int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[5] c = [scale, shrink, grow, least, most]
    sweep(ops.rprop, start(param), begin(grad), start(previous), start(size), <real*>NULL, param.shape[0], c, 6,
          n_threads)


def lion_step(real[::1] param not None, const real[::1] grad not None, real[::1] m not None, double scale,
              double keep, double beta1, double beta2, double rate, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[5] c = [scale, keep, beta1, beta2, rate]
    sweep(ops.lion, start(param), begin(grad), start(m), <real*>NULL, <real*>NULL, param.shape[0], c, 4, n_threads)


def adam_step(real[::1] param not None, const real[::1] grad not None, real[::1] m not None, real[::1] v not None,
              real[::1] top not None, double scale, double decay, double keep, double beta1, double beta2,
              double rate, double boost, double root, double eps, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[9] c = [scale, decay, keep, beta1, beta2, rate, boost, root, eps]
    sweep(ops.adam, start(param), begin(grad), start(m), start(v), start(top), param.shape[0], c, 8, n_threads)


def adamax_step(real[::1] param not None, const real[::1] grad not None, real[::1] m not None, real[::1] u not None,
                double scale, double decay, double beta1, double beta2, double eps, double rate, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[6] c = [scale, decay, beta1, beta2, eps, rate]
    sweep(ops.adamax, start(param), begin(grad), start(m), start(u), <real*>NULL, param.shape[0], c, 6, n_threads)


def lamb_direction(const real[::1] param not None, const real[::1] grad not None, real[::1] m not None,
                   real[::1] v not None, real[::1] direction not None, double scale, double decay, double beta1,
                   double beta2, double rate, double root, double eps, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[7] c = [scale, decay, beta1, beta2, rate, root, eps]
    sweep(ops.lamb, <real*>begin(param), begin(grad), start(m), start(v), start(direction), param.shape[0], c, 8,
          n_threads, True)


def rmsprop_step(real[::1] param not None, const real[::1] grad not None, real[::1] square not None,
                 real[::1] mean not None, real[::1] velocity not None, double scale, double decay, double alpha,
                 double share, double eps, double momentum, double rate, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[7] c = [scale, decay, alpha, share, eps, momentum, rate]
    sweep(ops.rmsprop, start(param), begin(grad), start(square), start(mean), start(velocity), param.shape[0], c, 8,
          n_threads)


def adadelta_step(real[::1] param not None, const real[::1] grad not None, real[::1] square not None,
                  real[::1] change not None, double scale, double decay, double rho, double eps, double rate,
                  int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[5] c = [scale, decay, rho, eps, rate]
    sweep(ops.adadelta, start(param), begin(grad), start(square), start(change), <real*>NULL, param.shape[0], c, 8,
          n_threads)


def average_step(real[::1] average not None, const real[::1] x not None, double weight, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef double[1] c = [weight]
    sweep(ops.average, start(average), begin(x), <real*>NULL, <real*>NULL, <real*>NULL, average.shape[0], c, 2,
          n_threads)


def inner(const real[::1] a not None, const real[::1] b not None, double[::1] out not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = a.shape[0], i, chunks = up(n, CHUNK)
    cdef Block memory = scratch(chunks * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef double total = 0
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, n)):
        mode = flush_on()
        for i in prange(chunks, schedule="static"):
            sums[i] = ops.inner(&a[i * CHUNK], &b[i * CHUNK], min(CHUNK, n - i * CHUNK))
        flush_restore(mode)
    for i in range(chunks):
        total += sums[i]
    out[0] = total
