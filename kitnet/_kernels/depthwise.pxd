"""Depthwise convolution: see depthwise.pyx."""

from ._lattice cimport Lattice

ctypedef fused real:
    float
    double

cdef Py_ssize_t filter_channels(Lattice* lattice, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                const real* source, const real* weight, const real* bias, real* dest, double low,
                                double high, int n_threads) except -1
cdef Py_ssize_t filter_channel_weights(Lattice* lattice, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                       const real* dy, const real* x, real* dweight, real* dbias,
                                       int n_threads) except -1
