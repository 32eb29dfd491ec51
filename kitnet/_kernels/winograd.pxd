"""Winograd convolution for float32: see winograd.pyx."""

from ._lattice cimport Axis
from ._pool cimport Sealed
from .winotiles cimport Filtering


cdef bint is_filtering(const Axis* axis, Filtering* f, bint of_weights) noexcept nogil
cdef Py_ssize_t filter_planes(Filtering* f, const float* source, const float* weight, const float* bias,
                              const float* residual, float* dest, double low, double high, char* spoilt,
                              Sealed sealed, int n_threads) except -1
