"""The gradient of the weights of a convolution, with the filters in the lanes."""

from ._choice cimport Choice
from ._lattice cimport Lattice

ctypedef fused real:
    float
    double


cdef struct Gradient:
    Py_ssize_t batch
    Py_ssize_t groups
    Py_ssize_t filters      # of a group
    Py_ssize_t channels     # of a group
    Choice* choice


cdef bint weight_pays(const Gradient* g, const Lattice* lattice, Py_ssize_t lanes) noexcept nogil
cdef Py_ssize_t broadcast_weight(const Gradient* g, Lattice* lattice, const real* dy, const real* x, real* dweight,
                                 real* dbias, int n_threads) except -1
