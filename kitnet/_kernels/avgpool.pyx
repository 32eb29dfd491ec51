"""Mean and sum pooling: window sums, divided by counts that are a product over the axes.

Both directions go with a plane a lane (see _planes.pxd), through one micro-kernel that sums a list of cells in
registers. Backward is a convolution with constant weights, as a gather: each element of dx is the sum of dy / count
over the windows that see it, written once, by one task, taps in ascending order. dy is divided where it is staged,
by reciprocals taken once a call.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, table
from ._planes cimport Planes, Task, go_to_row, planes_of, stage, task_at, write
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Grid, grid_of, look_back, look_forward

ctypedef fused real:
    float
    double


cdef void forward_task(const Planes* plan, const real* x, real* y, const real* count_d, const real* count_h,
                       const real* count_w, Py_ssize_t number, char* memory) noexcept nogil:
    cdef Task task = task_at(plan, number, memory)
    cdef char* frame = memory + plan.words
    cdef char* result = frame + plan.frame
    cdef Py_ssize_t h, at = 0
    stage(plan, &task, <const char*>x, frame)
    for h in range(task.h[0], task.h[1]):
        go_to_row(plan, &task, h)
        plan.ops.sum_row(&task.row, frame, 0, count_w + task.w[0], <double>count_d[task.d] * count_h[h], result + at)
        at += task.line
    write(plan, &task, result, <char*>y, False)


def avgpool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None,
                    const real[::1] count_d not None, const real[::1] count_h not None,
                    const real[::1] count_w not None, kernel, stride, padding, dilation, int n_threads):
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
            forward_task(&plan, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], &count_d[0], &count_h[0], &count_w[0], i,
                         memory.data + thread_number() * room)
        flush_restore(mode)


cdef void backward_task(const Planes* plan, const real* dy, real* dx, const double* weight_dh, const real* weight_w,
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
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], i, od, oh
    cdef Planes plan = planes_of(table.ops[sizeof(real) == sizeof(double)], &grid, planes, sizeof(real))
    cdef Py_ssize_t room = plan.words + plan.frame + plan.result
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block memory = scratch(threads * room)
    cdef Block weights_dh = scratch(grid.d.out * grid.h.out * sizeof(double))
    cdef Block weights_w = scratch(grid.w.out * sizeof(real))
    cdef double* weight_dh = <double*>weights_dh.data
    cdef real* weight_w = <real*>weights_w.data
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    for od in range(grid.d.out):
        for oh in range(grid.h.out):
            weight_dh[od * grid.h.out + oh] = 1 / (<double>count_d[od] * count_h[oh])
    for i in range(grid.w.out):
        weight_w[i] = 1 / count_w[i]
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for i in prange(plan.tasks, schedule="static"):
            backward_task(&plan, &dy[0, 0, 0, 0, 0], &dx[0, 0, 0, 0, 0], weight_dh, weight_w, i,
                          memory.data + thread_number() * room)
        flush_restore(mode)
