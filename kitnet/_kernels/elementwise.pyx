"""Element-wise kernels: the flat array is cut into fixed chunks, and each chunk is one task.

An activation is a name and two parameters: the table of micro-kernels knows it by number, and chooses once a chunk.
A sum keeps subnormals, which cost it nothing: so it has the same bits as NumPy's.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_activation_name, kn_ops, table
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384
    COST = 8                # of an activation, in multiply-adds

cdef dict ACTIVATIONS = {}
while kn_activation_name(len(ACTIVATIONS)) != NULL:
    ACTIVATIONS[kn_activation_name(len(ACTIVATIONS)).decode()] = len(ACTIVATIONS)


def activation_forward(str kind not None, const real[::1] x not None, real[::1] y not None, double a, double b,
                       int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = y.shape[0], i
    cdef int number = ACTIVATIONS[kind]
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.activation(number, &x[i], &y[i], min(CHUNK, n - i), a, b)
        flush_restore(mode)


def activation_backward(str kind not None, const real[::1] dy not None, const real[::1] x not None,
                        real[::1] dx not None, double a, double b, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = dx.shape[0], i
    cdef int number = ACTIVATIONS[kind]
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.activation_backward(number, &dy[i], &x[i], &dx[i], min(CHUNK, n - i), a, b)
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


def add(const real[::1] a not None, const real[::1] b not None, real[::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = y.shape[0], i
    for i in prange(0, n, CHUNK, nogil=True, num_threads=team(n_threads, n), schedule="static"):
        ops.add(&a[i], &b[i], &y[i], min(CHUNK, n - i))
