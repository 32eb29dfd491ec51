"""What a convolution multiplies, and whether filters or pixels are in the lanes."""

from ._choice cimport Choice
from ._lattice cimport Axis, Lattice

cdef enum:
    WIDTH = 2               # vectors of filters in a panel, where they are in the lanes
    KC = 256                # taps times channels in a block: a panel of it fits in the L1 cache
    WORTH = 32              # taps that pay for the transposition of a tile,
    PIXELS = 4              # and the shortest row that makes one


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


cdef bint pays(const Product* f, const Lattice* lattice, Py_ssize_t lanes) noexcept nogil
cdef bint reads_in_place(const Axis* axis) noexcept nogil
cdef bint planes_alias(const Axis* axis, Py_ssize_t itemsize) noexcept nogil
