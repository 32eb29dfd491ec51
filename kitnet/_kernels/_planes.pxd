"""Pooling with a plane a lane: groups of planes, transposed to one vector a cell.

In the planes as they are, windows are strided, and most vectors have a window that sticks out. Transposed, every
kernel, stride and padding runs on whole vectors, narrow planes as well as wide ones, for a transposition each way.

A task is a group of planes and a block of the side that is written (forward: windows; backward: cells). It stages what
the block sees of the other side, transposed, in a frame that fits the L2 cache, runs a row after the other through the
micro-kernel, and transposes the results back. Padding is never staged: each place knows its partners.
"""

from ._dispatch cimport kn_ops, kn_row
from ._window cimport Grid


cdef struct Planes:
    const kn_ops* ops
    const Grid* grid
    Py_ssize_t itemsize
    Py_ssize_t planes       # in all
    Py_ssize_t blocks[3]    # blocks of the side that is written, along each axis
    Py_ssize_t tasks
    Py_ssize_t words        # bytes of the lists of a task,
    Py_ssize_t frame        # of a staged frame,
    Py_ssize_t result       # and of a block of results


cdef struct Task:
    Py_ssize_t plane        # the first plane,
    Py_ssize_t planes       # and how many
    Py_ssize_t d            # the slice
    Py_ssize_t h[2]         # rows and columns of the side that is written: from, to
    Py_ssize_t w[2]
    Py_ssize_t other_h[2]   # what these see of the other side
    Py_ssize_t other_w[2]
    kn_row row              # the row at hand: its partners in the frame,
    Py_ssize_t* places      # and where these begin in the plane
    Py_ssize_t line         # bytes of a row of results


cdef Planes planes_of(const kn_ops* ops, const Grid* grid, Py_ssize_t planes, Py_ssize_t itemsize) noexcept nogil
cdef Task task_at(const Planes* plan, Py_ssize_t index, char* words) noexcept nogil
cdef void stage(const Planes* plan, const Task* task, const char* other, char* frame) noexcept nogil
cdef void stage_own(const Planes* plan, const Task* task, const char* own, char* frame) noexcept nogil
cdef void go_to_row(const Planes* plan, Task* task, Py_ssize_t h) noexcept nogil
cdef void write(const Planes* plan, const Task* task, const char* result, char* own, bint index) noexcept nogil
