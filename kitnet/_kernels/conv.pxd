"""Direct convolution with the pixels in the lanes: see conv.pyx; where the result is NULL, see _choice.pxd."""

from ._lattice cimport Lattice
from ._pool cimport Sealed
from ._lanes cimport Product

ctypedef fused real:
    float
    double

cdef Py_ssize_t direct(const Product* f, Lattice* lattice, const real* source, const real* weight, const real* bias,
                       const real* residual, real* dest, double low, double high, Sealed sealed,
                       int n_threads) except -1
