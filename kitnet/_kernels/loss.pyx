"""Losses of single elements: fixed chunks of the flat arrays are the tasks, in one pass whatever the loss.

Forward, each chunk leaves its sum in double, and the sums are added in their order: the bits do not depend on the
threads.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_loss_name, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384
    COST = 4                # of a loss, in multiply-adds

cdef dict LOSSES = {}
while kn_loss_name(len(LOSSES)) != NULL:
    LOSSES[kn_loss_name(len(LOSSES)).decode()] = len(LOSSES)


def loss_forward(str kind not None, const real[::1] x not None, const real[::1] target not None,
                 real[::1] loss not None, real[::1] total not None, double a, double b, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = x.shape[0], chunks = up(n, CHUNK), i
    cdef int number = LOSSES[kind]
    cdef bint each = loss.shape[0] > 0
    cdef Block memory = scratch(chunks * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef double result = 0
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(chunks, schedule="static"):
            sums[i] = ops.loss(number, &x[i * CHUNK], &target[i * CHUNK], &loss[i * CHUNK] if each else NULL,
                               min(CHUNK, n - i * CHUNK), a, b)
        flush_restore(mode)
    for i in range(chunks):
        result += sums[i]
    total[0] = <real>result


def loss_backward(str kind not None, const real[::1] dy not None, const real[::1] x not None,
                  const real[::1] target not None, real[::1] dx not None, double a, double b, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = x.shape[0], i
    cdef int number = LOSSES[kind]
    cdef bint one = dy.shape[0] == 1
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.loss_backward(number, &dy[0 if one else i], one, &x[i], &target[i], &dx[i], min(CHUNK, n - i), a, b)
        flush_restore(mode)
