"""Winograd's algorithm for the gradient of the weights: see winoweight.pyx."""

from .winotiles cimport Filtering

cdef Py_ssize_t filter_weights(Filtering* f, const float* dy, const float* x, float* dweight, float* dbias,
                               int n_threads) except -1
