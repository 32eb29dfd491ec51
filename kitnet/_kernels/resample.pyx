"""Each axis of a plane by a sparse matrix of its own: interpolation, adaptive means, and their transposes.

A row of an axis's matrix is the list of cells that one result reads, with their weights; a transpose is such lists
again, so that backward is this same gather. A task is a plane: one pass an axis, the small side of the change first,
with what lies between two passes in the task's scratch. Along W four lines share each list; along D and H whole lines
are added. A result is the sum of its list in order, by one task.
"""

from cython.parallel cimport parallel, prange
from libc.string cimport memcpy

from ._dispatch cimport flush_on, flush_restore
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef struct Axis:
    const int* start        # list j is [start[j], start[j + 1]); NULL: the axis stays as it is
    const int* index
    const void* weight
    Py_ssize_t size
    Py_ssize_t out

cdef struct Plan:
    Axis axes[3]            # in the order of the passes,
    Py_ssize_t place[3]     # which axis each one is,
    int passes              # and how many there are
    Py_ssize_t size[3]      # D, H, W of x
    Py_ssize_t cells        # of a plane of x
    Py_ssize_t results      # of a plane of y
    Py_ssize_t room         # elements between two passes, at most
    double work             # multiply-adds of a plane


cdef Axis axis_of(const int[::1] start, const int[::1] index, const real[::1] weight, Py_ssize_t size, Py_ssize_t out):
    cdef Axis axis
    axis.start, axis.index, axis.weight, axis.size, axis.out = NULL, NULL, NULL, size, out
    if start.shape[0]:
        axis.start = &start[0]
    if index.shape[0]:
        axis.index, axis.weight = &index[0], &weight[0]
    return axis


cdef Plan plan_of(Axis d, Axis h, Axis w) noexcept nogil:
    cdef Plan plan
    cdef Axis[3] axes
    cdef Py_ssize_t now
    cdef int i, k
    axes[0], axes[1], axes[2] = d, h, w
    plan.cells = d.size * h.size * w.size
    plan.results = d.out * h.out * w.out
    plan.passes, plan.room, plan.work, now = 0, 0, 0, plan.cells
    for k in range(3):
        plan.size[k] = axes[k].size
    for k in range(3):
        i = 2 - k if plan.results >= plan.cells else k
        if axes[i].start != NULL:
            now = now // axes[i].size * axes[i].out
            plan.work += <double>now * axes[i].start[axes[i].out] / axes[i].out
            plan.room = max(plan.room, now)
            plan.axes[plan.passes], plan.place[plan.passes] = axes[i], i
            plan.passes += 1
    if plan.passes < 2:
        plan.room = 0
    return plan


cdef void along_lines(const Axis* axis, const real* x, real* y, Py_ssize_t lines) noexcept nogil:
    """Every line of x, which is contiguous."""
    cdef const real* weight = <const real*>axis.weight
    cdef Py_ssize_t line = 0, n = axis.size, m = axis.out, j, t, i
    cdef real w, a, b, c, d
    while line + 4 <= lines:
        for j in range(m):
            a = b = c = d = 0
            for t in range(axis.start[j], axis.start[j + 1]):
                i, w = axis.index[t], weight[t]
                a += w * x[i]
                b += w * x[n + i]
                c += w * x[2 * n + i]
                d += w * x[3 * n + i]
            y[j], y[m + j], y[2 * m + j], y[3 * m + j] = a, b, c, d
        x, y, line = x + 4 * n, y + 4 * m, line + 4
    while line < lines:
        for j in range(m):
            a = 0
            for t in range(axis.start[j], axis.start[j + 1]):
                a += weight[t] * x[axis.index[t]]
            y[j] = a
        x, y, line = x + n, y + m, line + 1


cdef void across_lines(const Axis* axis, const real* x, real* y, Py_ssize_t blocks, Py_ssize_t inner) noexcept nogil:
    """Whole lines of ``inner`` elements, weighted and added."""
    cdef const real* weight = <const real*>axis.weight
    cdef const real* a
    cdef const real* b
    cdef Py_ssize_t _block, j, t, i, end
    cdef real v, w
    for _block in range(blocks):
        for j in range(axis.out):
            t, end = axis.start[j], axis.start[j + 1]
            if end - t == 0:
                for i in range(inner):
                    y[i] = 0
            elif end - t == 1:
                a, v = x + axis.index[t] * inner, weight[t]
                for i in range(inner):
                    y[i] = v * a[i]
            else:
                a, v = x + axis.index[t] * inner, weight[t]
                b, w = x + axis.index[t + 1] * inner, weight[t + 1]
                for i in range(inner):
                    y[i] = v * a[i] + w * b[i]
            for t in range(t + 2, end):
                a, v = x + axis.index[t] * inner, weight[t]
                for i in range(inner):
                    y[i] += v * a[i]
            y += inner
        x += axis.size * inner


cdef void one_plane(const Plan* plan, const real* x, real* y, real* between) noexcept nogil:
    cdef Py_ssize_t[3] size
    cdef Py_ssize_t outer, inner, k
    cdef const real* source = x
    cdef real* to
    cdef int step, i
    for step in range(3):
        size[step] = plan.size[step]
    if plan.passes == 0:
        memcpy(y, x, plan.cells * sizeof(real))
    for step in range(plan.passes):
        to = y if step == plan.passes - 1 else between + (step % 2) * plan.room
        i = <int>plan.place[step]
        outer = inner = 1
        for k in range(3):
            if k < i:
                outer = outer * size[k]
            elif k > i:
                inner = inner * size[k]
        if inner == 1:
            along_lines(&plan.axes[step], source, to, outer)
        else:
            across_lines(&plan.axes[step], source, to, outer, inner)
        size[i] = plan.axes[step].out
        source = to


def resample(const real[:, :, :, :, ::1] x not None,
             const int[::1] start_d not None, const int[::1] index_d not None, const real[::1] weight_d not None,
             const int[::1] start_h not None, const int[::1] index_h not None, const real[::1] weight_h not None,
             const int[::1] start_w not None, const int[::1] index_w not None, const real[::1] weight_w not None,
             real[:, :, :, :, ::1] y not None, int n_threads):
    cdef Py_ssize_t planes = x.shape[0] * x.shape[1], p
    cdef Plan plan
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    plan = plan_of(
        axis_of(start_d, index_d, weight_d, x.shape[2], y.shape[2]),
        axis_of(start_h, index_h, weight_h, x.shape[3], y.shape[3]),
        axis_of(start_w, index_w, weight_w, x.shape[4], y.shape[4]),
    )
    cdef int threads = team(n_threads, plan.work * planes)
    cdef Block memory = scratch(threads * 2 * plan.room * sizeof(real))
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for p in prange(planes, schedule="static"):
            one_plane(&plan, &x[0, 0, 0, 0, 0] + p * plan.cells, &y[0, 0, 0, 0, 0] + p * plan.results,
                      <real*>memory.data + thread_number() * 2 * plan.room)
        flush_restore(mode)
