"""Pooling of planes as they lie: where strides along the rows are 1 or 2, the micro-kernels of simd/kn_line.h,
kn_narrow.h and kn_peak.h go through whole rows, and nothing is transposed.

A task is some planes, and of them a block of rows of one slice of the side that is written: some thousand elements.
"""

from ._dispatch cimport kn_ops, kn_sheet
from ._window cimport Grid


cdef struct Lines:
    const Grid* grid
    bint fit                # whether the windows are for this way, and rows neither too short nor too long
    kn_sheet sheet          # what all tasks share
    Py_ssize_t planes       # in all,
    Py_ssize_t group        # and of a task
    Py_ssize_t blocks       # of the rows of a slice
    Py_ssize_t tasks
    Py_ssize_t spilling     # rows at the end of a block whose vectors pass it
    Py_ssize_t reach        # elements from the beginning of a row of the other side on that vectors may read
    Py_ssize_t columns      # elements of a table by column that they may read
    Py_ssize_t room         # elements of scratch


cdef struct Part:
    kn_sheet sheet
    Py_ssize_t row          # its first row, counted over the slices of a plane,
    Py_ssize_t other        # where its planes begin on the other side,
    Py_ssize_t own          # and where its rows begin on this side


cdef Lines lines_of(const kn_ops* ops, const Grid* grid, Py_ssize_t planes, Py_ssize_t parts,
                    Py_ssize_t least) noexcept nogil
cdef Part part_at(const Lines* plan, Py_ssize_t index) noexcept nogil
