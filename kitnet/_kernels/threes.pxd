"""Convolution with kernels three wide and one vector of filters."""

from ._lanes cimport Product
from ._lattice cimport Lattice
from ._pool cimport Sealed

ctypedef fused real:
    float
    double


cdef bint are_threes(const Product* f, const Lattice* lattice, Py_ssize_t lanes, Py_ssize_t itemsize) noexcept nogil
cdef bint threes_pay(const Product* f, const Lattice* lattice, Py_ssize_t lanes, Py_ssize_t itemsize) noexcept nogil
cdef Py_ssize_t cast_threes(const Product* f, Lattice* lattice, const real* source, const real* weight,
                            const real* bias, const real* residual, real* dest, double low, double high,
                            Sealed sealed, int n_threads) except -1
