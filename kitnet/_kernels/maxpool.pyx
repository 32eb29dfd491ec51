"""Maximum pooling.

Forward: a plane a lane (see _planes.pxd); the micro-kernel keeps the maximum and its place, both in registers, over all
cells of a window: one comparison and two selections a cell, no branch.

Backward: a task is a plane; it is cleared and the gradients are added at the saved places, both while it is in the
cache. Windows may overlap, so a plane is never split. Selection moves values, so nothing here flushes subnormals.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY
from libc.string cimport memset

from ._dispatch cimport kn_ops, table
from ._lines cimport Lines, Part, lines_of, part_at
from ._planes cimport Planes, Task, go_to_row, planes_of, stage, task_at, write
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Grid, grid_of, look_forward

ctypedef fused real:
    float
    double


cdef void forward_task(const kn_ops* ops, const Lines* lines, const Planes* plan, const real* x, real* y, int* index,
                       Py_ssize_t task, char* memory) noexcept nogil:
    if lines.fit:
        forward_lines(ops, lines, x, y, index, task, memory)
    else:
        forward_planes(plan, x, y, index, task, memory)


cdef void forward_planes(const Planes* plan, const real* x, real* y, int* index, Py_ssize_t number,
                         char* memory) noexcept nogil:
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* result = frame + plan.frame
    cdef char* where = result + plan.result if index != NULL else NULL
    cdef Py_ssize_t h, at = 0
    stage(plan, &task, <const char*>x, frame)
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        plan.ops.max_row(&task.row, frame, 0, task.places, result + at, where + at if index != NULL else NULL)
        at += task.line
    write(plan, &task, result, <char*>y, False)
    if index != NULL:
        write(plan, &task, where, <char*>index, True)


cdef void forward_lines(const kn_ops* ops, const Lines* plan, const real* x, real* y, int* index, Py_ssize_t number,
                        char* memory) noexcept nogil:
    cdef Part part = part_at(plan, number)
    ops.peak_rows(&part.sheet, x + part.other, memory, y + part.own, index + part.own if index != NULL else NULL)


cdef void fill(real* memory, real value, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        memory[i] = value


def maxpool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None,
                    int[:, :, :, :, ::1] index not None, kernel, stride, padding, dilation, int n_threads):
    cdef Grid grid = grid_of(&x.shape[2], (y.shape[2], y.shape[3], y.shape[4]), kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid)
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = x.shape[0] * x.shape[1], i
    cdef Lines lines = lines_of(ops, &grid, planes, 3, grid.partners)
    cdef Planes plan = planes_of(ops, &grid, planes, sizeof(real))
    cdef Py_ssize_t room = lines.room * sizeof(real) if lines.fit else plan.words + plan.frame + 2 * plan.result
    cdef Py_ssize_t tasks = lines.tasks if lines.fit else plan.tasks
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef int* wanted = NULL
    if planes == 0:
        return
    if index.shape[0]:
        wanted = &index[0, 0, 0, 0, 0]
    for i in range(threads if lines.fit else 0):
        fill(<real*>(memory.data + i * room), <real>-INFINITY, lines.room)
    if threads == 1:  # a team of one costs as much as a small plane
        with nogil:
            for i in range(tasks):
                forward_task(ops, &lines, &plan, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], wanted, i, memory.data)
    else:
        with nogil, parallel(num_threads=threads):
            for i in prange(tasks, schedule="static"):
                forward_task(ops, &lines, &plan, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], wanted, i,
                             memory.data + thread_number() * room)


cdef void backward_task(const kn_ops* ops, const real* dy, const int* index, Py_ssize_t n, real* dx,
                        Py_ssize_t plane) noexcept nogil:
    memset(dx, 0, plane * sizeof(real))
    ops.scatter(dy, index, n, dx, plane)


def maxpool_backward(const real[:, :, :, :, ::1] dy not None, const int[:, :, :, :, ::1] index not None,
                     real[:, :, :, :, ::1] dx not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], plane = dx.shape[2] * dx.shape[3] * dx.shape[4]
    cdef Py_ssize_t windows = dy.shape[2] * dy.shape[3] * dy.shape[4], i
    if planes == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>planes * (plane + windows))):
        for i in prange(planes, schedule="static"):
            backward_task(ops, &dy[0, 0, 0, 0, 0] + i * windows, &index[0, 0, 0, 0, 0] + i * windows, windows,
                          &dx[0, 0, 0, 0, 0] + i * plane, plane)
