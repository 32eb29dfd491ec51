"""Tiles straight into the result, read where the pixels lie: see _straight.pyx."""

from ._dispatch cimport kn_ops
from ._integers cimport covered
from ._lattice cimport Axis

ctypedef fused real:
    float
    double

cdef enum:
    SMALL = 16 * 1024       # bytes of a plane up to which
    SOME = 256              # bytes of a column of all channels are read side by side without being staged,
    FEW = 128               # else so many
    MOST = 64               # channels of SOME bytes


cdef struct Panels:         # of filters, under the pixels of a plane
    Py_ssize_t channels
    Py_ssize_t source       # from one plane of the source to the next
    Py_ssize_t dest         # and of the result
    Py_ssize_t rows         # filters in all,
    Py_ssize_t panels       # in so many panels
    Py_ssize_t ones         # 1 where the bias is a tap
    Py_ssize_t tile         # columns of the widest tile
    double low
    double high


cdef inline Py_ssize_t filled(Py_ssize_t n, Py_ssize_t width, Py_ssize_t lanes) noexcept nogil:
    """The columns of n that tiles fill to the last: the others take a detour."""
    return n if covered(n, width, lanes) == n else n // width * width


cdef bint reads_straight(const Axis* axis, Py_ssize_t channels, Py_ssize_t itemsize) noexcept nogil
cdef Py_ssize_t first_read(const Axis* axis) noexcept nogil
cdef void finish(const kn_ops* ops, Py_ssize_t rows, Py_ssize_t n, double bias, const real* residual, double low,
                 double high, real* dest, Py_ssize_t dest_plane) noexcept nogil
cdef void run_straight(const kn_ops* ops, const Panels* f, Py_ssize_t first, Py_ssize_t end, const real* source,
                       Py_ssize_t columns, const real* packed, const real* residual, real* dest,
                       real* own) noexcept nogil
