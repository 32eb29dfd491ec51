"""p-norm pooling on |x|: (sum |x|^p)^(1/p), the largest |x| for p = inf.

Both directions go with a plane a lane (see _planes.pxd). p = 1 is a sum and p = inf a maximum, by the micro-kernels of
those pools; p = 2 needs one root a window, any other p one pow() a cell. Backward, each element of dx is the sum of
dy (|x| / y)^(p - 1) sign(x) over the windows that see it, written once, by one task, taps in ascending order. For
p = inf a task is a plane: the first largest |x| of each window is looked for again, and dy is added there.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY, fabs
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, table
from ._planes cimport Planes, Task, go_to_row, planes_of, stage, stage_own, task_at, write
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Cursor, Grid, advance, cursor_at, grid_of, look_back, look_forward, partners

ctypedef fused real:
    float
    double


cdef void forward_task(const Planes* plan, const real* x, real* y, double p, Py_ssize_t number,
                       char* memory) noexcept nogil:
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* result = frame + plan.frame
    cdef Py_ssize_t h, at = 0
    stage(plan, &task, <const char*>x, frame)
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        if p == 1:
            plan.ops.sum_row(&task.row, frame, 1, NULL, 1, result + at)
        elif p == INFINITY:
            plan.ops.max_row(&task.row, frame, 1, task.places, result + at, NULL)
        else:
            plan.ops.norm_row(&task.row, frame, p, result + at)
        at += task.line
    write(plan, &task, result, <char*>y, False)


def lppool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None, double p, kernel, stride,
                   padding, dilation, int n_threads):
    cdef Grid grid = grid_of(&x.shape[2], (y.shape[2], y.shape[3], y.shape[4]), kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid)
    cdef Py_ssize_t planes = x.shape[0] * x.shape[1], i
    cdef Planes plan = planes_of(table.ops[sizeof(real) == sizeof(double)], &grid, planes, sizeof(real))
    cdef Py_ssize_t room = plan.words + plan.frame + plan.result
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for i in prange(plan.tasks, schedule="static"):
            forward_task(&plan, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], p, i, memory.data + thread_number() * room)
        flush_restore(mode)


cdef void backward_task(const Planes* plan, const real* dy, const real* x, const real* y, double p, real* dx,
                        Py_ssize_t number, char* memory) noexcept nogil:
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* norm = frame + plan.frame
    cdef char* own = norm + plan.frame
    cdef char* result = own + plan.result
    cdef Py_ssize_t h, at = 0
    stage(plan, &task, <const char*>dy, frame)
    stage(plan, &task, <const char*>y, norm)
    stage_own(plan, &task, <const char*>x, own)
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        plan.ops.slope_row(&task.row, frame, norm, own + at, p, result + at)
        at += task.line
    write(plan, &task, result, <char*>dx, False)


cdef Py_ssize_t largest(const Grid* grid, const real* x, Py_ssize_t column, const Py_ssize_t* rows,
                        Py_ssize_t count) noexcept nogil:
    """The cell of the first largest |x| of window ``column`` on ``rows``, NaN before all; -1: there is none."""
    cdef Py_ssize_t r, i, cell, found = -1
    cdef real v, best = -1
    for r in range(count):
        for i in range(grid.w.span[column].count):
            cell = rows[r] * grid.w.size + grid.w.span[column].at + i * grid.w.step
            v = <real>fabs(x[cell])
            if v > best or (v != v and best == best):
                best, found = v, cell
    return found


cdef void backward_largest(const Grid* grid, const real* dy, const real* x, const real* y, real* dx,
                           Py_ssize_t* rows) noexcept nogil:
    """One plane for p = inf: dy sign(x) at the first largest |x| of each window."""
    cdef Cursor at = cursor_at(grid, 0)
    cdef Py_ssize_t r, o, count, cell
    cdef real v
    memset(dx, 0, grid.plane * sizeof(real))
    for r in range(grid.d.out * grid.h.out):
        count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for o in range(grid.w.out):
            if y[r * grid.w.out + o] != 0:
                cell = largest(grid, x, o, rows, count)
                v = x[cell]
                dx[cell] += dy[r * grid.w.out + o] * (1 if v > 0 else -1 if v < 0 else v)
        advance(grid, &at)


def lppool_backward(const real[:, :, :, :, ::1] dy not None, const real[:, :, :, :, ::1] x not None,
                    const real[:, :, :, :, ::1] y not None, double p, real[:, :, :, :, ::1] dx not None, kernel,
                    stride, padding, dilation, int n_threads):
    cdef Grid grid = grid_of(&dx.shape[2], (dy.shape[2], dy.shape[3], dy.shape[4]), kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid) if p == INFINITY else look_back(&grid)
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], i
    cdef Planes plan = planes_of(table.ops[sizeof(real) == sizeof(double)], &grid, planes, sizeof(real))
    cdef Py_ssize_t room = plan.words + 2 * (plan.frame + plan.result)
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        if p == INFINITY:
            for i in prange(planes, schedule="static"):
                backward_largest(&grid, &dy[0, 0, 0, 0, 0] + i * grid.windows, &x[0, 0, 0, 0, 0] + i * grid.plane,
                                 &y[0, 0, 0, 0, 0] + i * grid.windows, &dx[0, 0, 0, 0, 0] + i * grid.plane,
                                 <Py_ssize_t*>(memory.data + thread_number() * room))
        else:
            for i in prange(plan.tasks, schedule="static"):
                backward_task(&plan, &dy[0, 0, 0, 0, 0], &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], p, &dx[0, 0, 0, 0, 0],
                              i, memory.data + thread_number() * room)
        flush_restore(mode)
