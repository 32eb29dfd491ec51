"""Direct convolution with the filters in the lanes, forward and backward to the data."""

from ._dispatch cimport kn_ops
from ._lanes cimport Product
from ._lattice cimport Lattice
from ._pool cimport Sealed

ctypedef fused real:
    float
    double


cdef tuple form(const Product* f, const Lattice* lattice, const real* weight, const Py_ssize_t* tap,
                Py_ssize_t channels, bint in_lanes)
cdef Py_ssize_t turned(const Product* f) noexcept nogil
cdef void pack_panel(const kn_ops* ops, const real* weight, const Product* f, const Lattice* lattice,
                     const Py_ssize_t* tap, Py_ssize_t rows, Py_ssize_t channels, Py_ssize_t width, real* own,
                     real* packed) noexcept nogil
cdef Py_ssize_t broadcast(const Product* f, Lattice* lattice, const real* source, const real* weight, const real* bias,
                          const real* residual, real* dest, double low, double high, Sealed sealed,
                          int n_threads) except -1
