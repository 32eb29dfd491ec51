"""Depthwise convolution."""

from ._lattice cimport Axis

ctypedef fused real:
    float
    double


cdef Py_ssize_t filter_channels(const Axis* axes, Py_ssize_t phases, Py_ssize_t batch, Py_ssize_t channels,
                                Py_ssize_t filters, const real* source, const real* weight, const real* bias,
                                const real* residual, real* dest, double low, double high, int n_threads) except -1
cdef Py_ssize_t filter_channel_weights(const Axis* axes, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                       const real* dy, const real* x, real* dweight, real* dbias,
                                       int n_threads) except -1
