"""Optimizer steps: everything about a parameter in one pass, as memory is what it waits for.

The flat arrays are cut into fixed chunks; a chunk is a task, and each parameter depends on its own numbers alone.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_adam, kn_ops, kn_sgd, table
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384


def sgd_step(real[::1] param not None, const real[::1] grad not None, real[::1] velocity not None, double lr,
             double momentum, double dampening, double weight_decay, bint nesterov, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef kn_sgd options
    cdef bint moving = momentum != 0
    cdef Py_ssize_t n = param.shape[0], i
    cdef unsigned long long mode = 0
    options.lr, options.momentum, options.dampening = lr, momentum, dampening
    options.weight_decay, options.nesterov = weight_decay, nesterov
    with nogil, parallel(num_threads=team(n_threads, 4.0 * n)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.sgd(&param[i], &grad[i], &velocity[i] if moving else NULL, min(CHUNK, n - i), &options)
        flush_restore(mode)


def adam_step(real[::1] param not None, const real[::1] grad not None, real[::1] m not None, real[::1] v not None,
              double lr, double beta1, double beta2, double eps, double weight_decay, bint decoupled, step,
              int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef kn_adam options
    cdef Py_ssize_t n = param.shape[0], i
    cdef unsigned long long mode = 0
    options.lr, options.beta1, options.beta2, options.eps = lr, beta1, beta2, eps
    options.weight_decay, options.decoupled = weight_decay, decoupled
    options.correction1, options.correction2 = 1 - (<object>beta1) ** step, 1 - (<object>beta2) ** step
    with nogil, parallel(num_threads=team(n_threads, 8.0 * n)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.adam(&param[i], &grad[i], &m[i], &v[i], min(CHUNK, n - i), &options)
        flush_restore(mode)
