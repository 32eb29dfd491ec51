"""Mean and sum pooling: window sums, divided by counts that are a product over the axes.

With strides 1 and 2 along the rows, planes are pooled as they lie (see _lines.pxd): whole rows are added up, then the
sums along. Everything else, and planes of very short rows, go with a plane a lane (see _planes.pxd), through one
micro-kernel that sums a list of cells in registers. Backward is a convolution with constant weights, as a gather: each
element of dx is the sum of dy / count over the windows that see it, written once, by one task. dy is divided by
reciprocals taken once a call.
"""

from cython.parallel cimport parallel, prange
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._lines cimport Lines, Part, lines_of, part_at
from ._planes cimport Planes, Task, go_to_row, planes_of, stage, task_at, write
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Grid, grid_of, look_back, look_forward

ctypedef fused real:
    float
    double


cdef void forward_lines(const kn_ops* ops, const Lines* plan, const real* x, real* y, const real* count_dh,
                        const real* count_w, Py_ssize_t number, char* memory) noexcept nogil:
    cdef Part part = part_at(plan, number)
    ops.mean_rows(&part.sheet, x + part.other, count_dh + part.row, count_w, memory, y + part.own)


cdef void forward_planes(const Planes* plan, const real* x, real* y, const real* count_dh, const real* count_w,
                         Py_ssize_t number, char* memory) noexcept nogil:
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* result = frame + plan.frame
    cdef Py_ssize_t h, at = 0
    stage(plan, &task, <const char*>x, frame)
    count_dh += task.d * plan.grid.h.out
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        plan.ops.sum_row(&task.row, frame, 0, count_w + task.w[0], count_dh[h], result + at)
        at += task.line
    write(plan, &task, result, <char*>y, False)


def avgpool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None,
                    const real[::1] count_d not None, const real[::1] count_h not None,
                    const real[::1] count_w not None, kernel, stride, padding, dilation, int n_threads):
    cdef Grid grid = grid_of(&x.shape[2], (y.shape[2], y.shape[3], y.shape[4]), kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid)
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = x.shape[0] * x.shape[1], i
    cdef Lines lines = lines_of(ops, &grid, planes, 1, 1)
    cdef Planes plan = planes_of(ops, &grid, planes, sizeof(real))
    cdef Py_ssize_t room = lines.room * sizeof(real) if lines.fit else plan.words + plan.frame + plan.result
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef Block counts = scratch((grid.d.out * grid.h.out + lines.columns) * sizeof(real))
    cdef real* by_row = <real*>counts.data
    cdef real* by_column = by_row + grid.d.out * grid.h.out
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    for i in range(grid.d.out * grid.h.out):
        by_row[i] = <real>(<double>count_d[i // grid.h.out] * count_h[i % grid.h.out])
    for i in range(lines.columns):
        by_column[i] = count_w[i] if i < grid.w.out else 1
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        if lines.fit:
            memset(memory.data + thread_number() * room, 0, room)
            for i in prange(lines.tasks, schedule="static"):
                forward_lines(ops, &lines, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], by_row, by_column, i,
                              memory.data + thread_number() * room)
        else:
            for i in prange(plan.tasks, schedule="static"):
                forward_planes(&plan, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], by_row, by_column, i,
                               memory.data + thread_number() * room)
        flush_restore(mode)


cdef void backward_lines(const kn_ops* ops, const Lines* plan, const real* dy, real* dx, const real* weight_dh,
                         const real* weight_w, Py_ssize_t number, char* memory) noexcept nogil:
    cdef Part part = part_at(plan, number)
    ops.spread_rows(&part.sheet, dy + part.other, weight_dh, weight_w, memory, dx + part.own)


cdef void backward_planes(const Planes* plan, const real* dy, real* dx, const real* weight_dh, const real* weight_w,
                          Py_ssize_t number, char* memory) noexcept nogil:
    cdef const Grid* grid = plan.grid
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* result = frame + plan.frame
    cdef Py_ssize_t height = task.other_h[1] - task.other_h[0], width = task.other_w[1] - task.other_w[0]
    cdef Py_ssize_t i, d, h, at = 0
    stage(plan, &task, <const char*>dy, frame)
    for i in range(grid.d.span[task.d].count):
        d = grid.d.span[task.d].at + i * grid.d.step
        for h in range(height):
            plan.ops.weigh(frame + (i * height + h) * width * plan.ops.lanes * sizeof(real),
                           weight_w + task.other_w[0], weight_dh[d * grid.h.out + task.other_h[0] + h], width)
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        plan.ops.sum_row(&task.row, frame, 0, NULL, 1, result + at)
        at += task.line
    write(plan, &task, result, <char*>dx, False)


def avgpool_backward(const real[:, :, :, :, ::1] dy not None, const real[::1] count_d not None,
                     const real[::1] count_h not None, const real[::1] count_w not None,
                     real[:, :, :, :, ::1] dx not None, kernel, stride, padding, dilation, int n_threads):
    cdef Grid grid = grid_of(&dx.shape[2], (dy.shape[2], dy.shape[3], dy.shape[4]), kernel, stride, padding, dilation)
    cdef Block _tables = look_back(&grid)
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], i
    cdef Lines lines = lines_of(ops, &grid, planes, 1, 1)
    cdef Planes plan = planes_of(ops, &grid, planes, sizeof(real))
    cdef Py_ssize_t room = lines.room * sizeof(real) if lines.fit else plan.words + plan.frame + plan.result
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef Block weights = scratch((grid.d.out * grid.h.out + lines.columns) * sizeof(real))
    cdef real* by_row = <real*>weights.data
    cdef real* by_column = by_row + grid.d.out * grid.h.out
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    for i in range(grid.d.out * grid.h.out):
        by_row[i] = <real>(1 / (<double>count_d[i // grid.h.out] * count_h[i % grid.h.out]))
    for i in range(lines.columns):
        by_column[i] = 1 / count_w[i] if i < grid.w.out else 0
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        if lines.fit:
            memset(memory.data + thread_number() * room, 0, room)
            for i in prange(lines.tasks, schedule="static"):
                backward_lines(ops, &lines, &dy[0, 0, 0, 0, 0], &dx[0, 0, 0, 0, 0], by_row, by_column, i,
                               memory.data + thread_number() * room)
        else:
            for i in prange(plan.tasks, schedule="static"):
                backward_planes(&plan, &dy[0, 0, 0, 0, 0], &dx[0, 0, 0, 0, 0], by_row, by_column, i,
                                memory.data + thread_number() * room)
        flush_restore(mode)
