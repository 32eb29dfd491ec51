"""Winograd convolution F(4x4, 3x3) for float32: see winograd.pyx."""

from ._choice cimport Choice
from ._lattice cimport Axis, Lattice

cdef enum:
    ELEMENTS = 36           # of a transformed tile


cdef struct Filtering:
    Py_ssize_t batch
    Py_ssize_t groups
    Py_ssize_t rows         # filters (backward: channels) of a group
    Py_ssize_t depth        # channels (backward: filters) of a group
    Py_ssize_t row_step     # from one row to the next in the weights,
    Py_ssize_t depth_step   # from one channel to the next,
    Py_ssize_t group_step   # and from one group to the next
    bint flip               # the kernel is turned by 180 degrees (backward)
    Py_ssize_t[2] size      # of a source plane
    Py_ssize_t[2] out       # of a result plane
    Py_ssize_t[2] pad       # before
    Choice* choice          # what was decided, and by what


cdef Py_ssize_t up(Py_ssize_t n, Py_ssize_t unit) noexcept nogil
cdef Py_ssize_t spread(Py_ssize_t n) noexcept nogil
cdef void lay_tiles(Lattice* lattice, Py_ssize_t* words, const Filtering* f) noexcept nogil
cdef bint is_filtering(const Axis* axis, Filtering* f) noexcept nogil
cdef Py_ssize_t filter_planes(Filtering* f, const float* source, const float* weight, const float* bias, float* dest,
                              double low, double high, char* spoilt, int n_threads) except -1
