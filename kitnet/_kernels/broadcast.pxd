"""Direct convolution with the filters in the lanes, forward and backward to the data."""

from ._choice cimport Choice
from ._dispatch cimport kn_ops
from ._lattice cimport Axis, Lattice
from ._pool cimport Sealed

ctypedef fused real:
    float
    double


cdef struct Product:
    Py_ssize_t batch
    Py_ssize_t groups
    Py_ssize_t rows         # filters (backward: channels) of a group
    Py_ssize_t depth        # channels (backward: filters) of a group
    Py_ssize_t taps         # in a channel of the kernel
    Py_ssize_t row_step     # from one row to the next in the weights,
    Py_ssize_t depth_step   # and from one channel to the next
    Py_ssize_t group_step   # and from one group to the next
    Choice* choice


cdef tuple form(const Product* f, const Lattice* lattice, const real* weight, const Py_ssize_t* tap,
                Py_ssize_t channels, bint in_lanes)
cdef void inside(const Axis* axis, Py_ssize_t output, Py_ssize_t* first, Py_ssize_t* end) noexcept nogil
cdef Py_ssize_t turned(const Product* f) noexcept nogil
cdef void pack_panel(const kn_ops* ops, const real* weight, const Product* f, const Lattice* lattice,
                     const Py_ssize_t* tap, Py_ssize_t rows, Py_ssize_t channels, Py_ssize_t width, real* own,
                     real* packed) noexcept nogil
cdef bint pays(const Product* f, const Lattice* lattice, Py_ssize_t lanes) noexcept nogil
cdef Py_ssize_t broadcast(const Product* f, Lattice* lattice, const real* source, const real* weight, const real* bias,
                          const real* residual, real* dest, double low, double high, Sealed sealed,
                          int n_threads) except -1
