"""Blocks, staging and writing for pooling with a plane a lane (see _planes.pxd)."""

from ._dispatch cimport kn_ops
from ._integers cimport up
from ._window cimport Axis, Grid

cdef enum:
    FRAME = 256 * 1024      # bytes of a frame


cdef void seen(const Axis* axis, Py_ssize_t first, Py_ssize_t end, Py_ssize_t* other) noexcept nogil:
    """The partners of the places [first, end) of an axis: from, to."""
    cdef Py_ssize_t i, a, b
    other[0], other[1] = axis.other, 0
    for i in range(first, end):
        if axis.span[i].count:
            a, b = axis.span[i].at, axis.span[i].at + (axis.span[i].count - 1) * axis.step
            other[0], other[1] = min(other[0], a, b), max(other[1], a + 1, b + 1)
    if other[1] == 0:
        other[0] = 0


cdef Py_ssize_t widest(const Axis* axis, Py_ssize_t blocks) noexcept nogil:
    """The most partners that a block of an axis has, from the first to the last."""
    cdef Py_ssize_t b, most = 0
    cdef Py_ssize_t[2] other
    for b in range(blocks):
        seen(axis, axis.own * b // blocks, axis.own * (b + 1) // blocks, other)
        most = max(most, other[1] - other[0])
    return most


cdef Planes planes_of(const kn_ops* ops, const Grid* grid, Py_ssize_t planes, Py_ssize_t itemsize) noexcept nogil:
    """Halve the rows of a block, then its columns, until its frame fits."""
    cdef Planes plan
    cdef Py_ssize_t cell = ops.lanes * itemsize, slices = 0, i, h, w
    plan.ops, plan.grid, plan.itemsize, plan.planes = ops, grid, itemsize, planes
    for i in range(grid.d.own):
        slices = max(slices, grid.d.span[i].count)
    plan.blocks[0], plan.blocks[1], plan.blocks[2] = grid.d.own, 1, 1
    while True:
        h, w = plan.blocks[1], plan.blocks[2]
        plan.frame = slices * widest(&grid.h, h) * widest(&grid.w, w) * cell
        plan.result = up(grid.h.own, h) * up(grid.w.own, w) * cell
        if max(plan.frame, plan.result) <= FRAME or h == grid.h.own and w == grid.w.own:
            break
        if h < grid.h.own:
            plan.blocks[1] = min(2 * h, grid.h.own)
        else:
            plan.blocks[2] = min(2 * w, grid.w.own)
    plan.words = (2 * grid.partners * sizeof(Py_ssize_t) + 63) // 64 * 64
    plan.tasks = up(planes, ops.lanes) * plan.blocks[0] * plan.blocks[1] * plan.blocks[2]
    return plan


cdef Task task_at(const Planes* plan, Py_ssize_t index, char* words) noexcept nogil:
    """Task number ``index``: along the columns, the rows, the slices, then the groups of planes."""
    cdef const Axis* h = &plan.grid.h
    cdef const Axis* w = &plan.grid.w
    cdef Task task
    cdef Py_ssize_t b
    b = index % plan.blocks[2]
    task.w[0], task.w[1] = w.own * b // plan.blocks[2], w.own * (b + 1) // plan.blocks[2]
    index //= plan.blocks[2]
    b = index % plan.blocks[1]
    task.h[0], task.h[1] = h.own * b // plan.blocks[1], h.own * (b + 1) // plan.blocks[1]
    index //= plan.blocks[1]
    task.d = index % plan.blocks[0]
    task.plane = index // plan.blocks[0] * plan.ops.lanes
    task.planes = min(plan.ops.lanes, plan.planes - task.plane)
    seen(h, task.h[0], task.h[1], task.other_h)
    seen(w, task.w[0], task.w[1], task.other_w)
    task.row = plan.grid.row
    task.row.out = task.w[1] - task.w[0]
    task.row.span = plan.grid.row.span + task.w[0]
    task.row.rows = <Py_ssize_t*>words
    task.places = <Py_ssize_t*>words + plan.grid.partners
    task.line = task.row.out * plan.ops.lanes * plan.itemsize
    return task


cdef void stage_rows(const Planes* plan, const Task* task, const char* source, Py_ssize_t plane, Py_ssize_t width,
                     Py_ssize_t row, Py_ssize_t rows, Py_ssize_t first, Py_ssize_t columns, char* frame) noexcept nogil:
    """Rows of the planes of a task, transposed; all at once where they are contiguous."""
    cdef Py_ssize_t lanes = plan.ops.lanes, r
    source += (task.plane * plane + row * width + first) * plan.itemsize
    if columns == width:
        rows, columns = 1, rows * columns
    for r in range(rows):
        plan.ops.planes_in(source + r * width * plan.itemsize, plane, task.planes, columns, 0,
                           frame + r * columns * lanes * plan.itemsize, lanes)


cdef void stage(const Planes* plan, const Task* task, const char* other, char* frame) noexcept nogil:
    """What the task sees of the other side: all partner slices, one after the other."""
    cdef const Axis* d = &plan.grid.d
    cdef Py_ssize_t rows = task.other_h[1] - task.other_h[0], columns = task.other_w[1] - task.other_w[0], i
    cdef Py_ssize_t height = plan.grid.h.other, width = plan.grid.w.other
    for i in range(d.span[task.d].count):
        stage_rows(plan, task, other, d.other * height * width, width,
                   (d.span[task.d].at + i * d.step) * height + task.other_h[0], rows, task.other_w[0], columns,
                   frame + i * rows * columns * plan.ops.lanes * plan.itemsize)


cdef void stage_own(const Planes* plan, const Task* task, const char* own, char* frame) noexcept nogil:
    """The block of a task itself, of an array on the side that is written."""
    cdef Py_ssize_t height = plan.grid.h.own, width = plan.grid.w.own
    stage_rows(plan, task, own, plan.grid.d.own * height * width, width, task.d * height + task.h[0],
               task.h[1] - task.h[0], task.w[0], task.w[1] - task.w[0], frame)


cdef void go_to_row(const Planes* plan, Task* task, Py_ssize_t h) noexcept nogil:
    """List the partners of row ``h``: where they begin in the frame (column 0 of the other side) and in the plane."""
    cdef const Grid* grid = plan.grid
    cdef Py_ssize_t height = task.other_h[1] - task.other_h[0], width = task.other_w[1] - task.other_w[0]
    cdef Py_ssize_t* rows = <Py_ssize_t*>task.row.rows
    cdef Py_ssize_t i, j, row, count = 0
    for i in range(grid.d.span[task.d].count):
        for j in range(grid.h.span[h].count):
            row = grid.h.span[h].at + j * grid.h.step
            rows[count] = (i * height + row - task.other_h[0]) * width - task.other_w[0]
            task.places[count] = ((grid.d.span[task.d].at + i * grid.d.step) * grid.h.other + row) * grid.w.other
            count += 1
    task.row.count = count


cdef void write(const Planes* plan, const Task* task, const char* result, char* own, bint index) noexcept nogil:
    """The results of a task, to the side that is written; index: from the bits of the dtype to 32-bit integers."""
    cdef Py_ssize_t height = plan.grid.h.own, width = plan.grid.w.own, plane = plan.grid.d.own * height * width
    cdef Py_ssize_t rows = task.h[1] - task.h[0], columns = task.w[1] - task.w[0], r
    cdef Py_ssize_t size = sizeof(int) if index else plan.itemsize
    own += (task.plane * plane + (task.d * height + task.h[0]) * width + task.w[0]) * size
    if columns == width:
        rows, columns = 1, rows * columns
    for r in range(rows):
        plan.ops.planes_out(result + r * columns * plan.ops.lanes * plan.itemsize, columns, task.planes,
                            own + r * width * size, plane, index)
