"""Depthwise convolution."""

from ._choice cimport ONE_CHANNEL, Choice, at_most
from ._lattice cimport Axis

ctypedef fused real:
    float
    double

cdef enum:
    MOST_FILTERS = 2        # of a group up to which each channel is filtered for itself


cdef inline bint is_depthwise(Choice* choice, Py_ssize_t channels, Py_ssize_t filters) noexcept nogil:
    return channels == 1 and at_most(&choice.algorithm, ONE_CHANNEL, filters, MOST_FILTERS)


cdef Py_ssize_t filter_channels(const Axis* axes, Py_ssize_t phases, Py_ssize_t batch, Py_ssize_t channels,
                                Py_ssize_t filters, const real* source, const real* weight, const real* bias,
                                const real* residual, real* dest, double low, double high, int n_threads) except -1
cdef Py_ssize_t filter_channel_weights(const Axis* axes, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                       const real* dy, const real* x, real* dweight, real* dbias,
                                       int n_threads) except -1
