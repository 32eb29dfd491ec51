"""Unpooling: numbers to the places of a plane that max pooling found them at, and back.

A task is a plane: it is cleared, and the numbers put in their places, both while it is in the cache. Places are in
range, and where two are the same, the later number stays. Numbers are moved, so nothing here flushes subnormals.
"""

from cython.parallel cimport prange
from libc.string cimport memset

from ._threads cimport team

ctypedef fused real:
    float
    double


cdef void put(const real* x, const int* index, Py_ssize_t n, real* y, Py_ssize_t plane) noexcept nogil:
    cdef Py_ssize_t i
    memset(y, 0, plane * sizeof(real))
    for i in range(n):
        y[index[i]] = x[i]


cdef void take(const real* dy, const int* index, Py_ssize_t n, real* dx) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        dx[i] = dy[index[i]]


def unpool_forward(const real[:, ::1] x not None, const int[:, ::1] index not None, real[:, ::1] y not None,
                   int n_threads):
    cdef Py_ssize_t planes = x.shape[0], n = x.shape[1], plane = y.shape[1], i
    if planes == 0:
        return
    for i in prange(planes, nogil=True, num_threads=team(n_threads, <double>planes * (plane + n)), schedule="static"):
        put(&x[0, 0] + i * n, &index[0, 0] + i * n, n, &y[0, 0] + i * plane, plane)


def unpool_backward(const real[:, ::1] dy not None, const int[:, ::1] index not None, real[:, ::1] dx not None,
                    int n_threads):
    cdef Py_ssize_t planes = dx.shape[0], n = dx.shape[1], plane = dy.shape[1], i
    if planes == 0:
        return
    for i in prange(planes, nogil=True, num_threads=team(n_threads, <double>planes * n), schedule="static"):
        take(&dy[0, 0] + i * plane, &index[0, 0] + i * n, n, &dx[0, 0] + i * n)
