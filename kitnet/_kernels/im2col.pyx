"""im2col and unfold: every window of the image written out. Both are copies, bound by memory: each element of cols is
written once, by whole vectors and in the order of memory, from rows of the image that stay in the cache.

im2col (a window a row): a task is one row of windows, all channels. A vector of what one tap meets in neighbouring
windows is contiguous in the image; as many taps as there are lanes make a square block, which is transposed in
registers and written as a vector a window.

unfold (a window a column): a task is the taps (c, kd, kh) of a sample: for each tap along the row, every row of
windows is a row of the image, shifted, with zeros where the window sticks out (stride 2: deinterleaved).
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport kn_ops, kn_row, kn_span, table
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Cursor, Grid, cursor_at, grid_of, look_forward, partners

ctypedef fused real:
    float
    double


cdef void im2col_task(const kn_ops* ops, const Grid* grid, const real* x, Py_ssize_t channels, real* cols,
                      Py_ssize_t task, Py_ssize_t* rows) noexcept nogil:
    """The row of windows number ``task``, counted over all samples: rows, by tap, where there is no padding."""
    cdef kn_row row = grid.row
    cdef Cursor at = cursor_at(grid, task)
    cdef Py_ssize_t* seen = rows + grid.partners
    cdef Py_ssize_t i, count = partners(grid, at.d, at.h, seen, seen + grid.partners)
    row.rows, row.count = rows, grid.partners
    for i in range(grid.partners):
        rows[i] = -1
    for i in range(count):
        rows[seen[grid.partners + i]] = seen[i] * row.size
    ops.im2col_row(&row, x + at.plane * channels * grid.plane, channels, grid.plane,
                   grid.h.stride * row.size, cols + task * row.out * channels * grid.taps)


def im2col(const real[:, :, :, :, ::1] x not None, real[:, :, ::1] cols not None, kernel, out, stride, padding,
           dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], out, kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid)
    cdef Py_ssize_t channels = x.shape[1], tasks = x.shape[0] * grid.d.out * grid.h.out, i
    cdef int threads = team(n_threads, <double>cols.shape[0] * cols.shape[1] * cols.shape[2])
    cdef Block rows = scratch(threads * 3 * grid.partners * sizeof(Py_ssize_t))
    if tasks == 0 or channels == 0:
        return
    with nogil, parallel(num_threads=threads):
        for i in prange(tasks, schedule="static"):
            im2col_task(ops, &grid, &x[0, 0, 0, 0, 0], channels, &cols[0, 0, 0], i,
                        <Py_ssize_t*>rows.data + thread_number() * 3 * grid.partners)


cdef Py_ssize_t cell(const kn_span* span, Py_ssize_t tap, Py_ssize_t step) noexcept nogil:
    """The cell that a window sees by ``tap``; -1: none."""
    return span.at + (tap - span.tap) * step if span.tap <= tap < span.tap + span.count else -1


cdef void unfold_task(const kn_ops* ops, const Grid* grid, const real* x, real* cols, Py_ssize_t task) noexcept nogil:
    """The rows (n, c, kd, kh, all kw) of cols, ``task`` counting them."""
    cdef Py_ssize_t kh = task % grid.h.kernel, kd = task // grid.h.kernel % grid.d.kernel
    cdef Py_ssize_t out = grid.row.out, low = 0, high, kw, od, id
    while low < grid.h.out and cell(&grid.h.span[low], kh, grid.h.step) < 0:
        low += 1
    high = low
    while high < grid.h.out and cell(&grid.h.span[high], kh, grid.h.step) >= 0:
        high += 1
    x += task // (grid.h.kernel * grid.d.kernel) * grid.plane
    if low < high:
        x += cell(&grid.h.span[low], kh, grid.h.step) * grid.row.size
    cols += task * grid.row.kernel * grid.windows
    for kw in range(grid.row.kernel):
        for od in range(grid.d.out):
            id = cell(&grid.d.span[od], kd, grid.d.step)
            if id < 0:
                ops.clear(cols, grid.h.out * out)
            else:
                ops.clear(cols, low * out)
                ops.unfold_row(&grid.row, x + id * grid.h.size * grid.row.size, grid.h.stride * grid.row.size, kw,
                               high - low, cols + low * out)
                ops.clear(cols + high * out, (grid.h.out - high) * out)
            cols += grid.h.out * out


def unfold(const real[:, :, :, :, ::1] x not None, real[:, :, ::1] cols not None, kernel, out, stride, padding,
           dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], out, kernel, stride, padding, dilation)
    cdef Block _tables = look_forward(&grid)
    cdef Py_ssize_t tasks = x.shape[0] * x.shape[1] * grid.partners, i
    if tasks == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>tasks * grid.row.kernel * grid.windows)):
        for i in prange(tasks, schedule="static"):
            unfold_task(ops, &grid, &x[0, 0, 0, 0, 0], &cols[0, 0, 0], i)
