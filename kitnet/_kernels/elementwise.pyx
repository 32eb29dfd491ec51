"""Element-wise kernels: the flat array is cut into fixed chunks, and each chunk is one task."""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384


def relu_forward(const real[::1] x not None, real[::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = y.shape[0], i
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, n)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.relu(&x[i], &y[i], min(CHUNK, n - i))
        flush_restore(mode)


def relu_backward(const real[::1] dy not None, const real[::1] y not None, real[::1] dx not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = dx.shape[0], i
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, n)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.relu_backward(&dy[i], &y[i], &dx[i], min(CHUNK, n - i))
        flush_restore(mode)


def multiply(const real[::1] a not None, const real[::1] b not None, real[::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = y.shape[0], i
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, n)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.multiply(&a[i], &b[i], &y[i], min(CHUNK, n - i))
        flush_restore(mode)
