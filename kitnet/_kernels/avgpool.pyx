"""Mean and sum pooling: window sums, divided by counts that are a product over the axes.

Forward: a task is a chunk of rows of windows; the micro-kernel sums a vector of windows in registers over all taps.

Backward is a convolution with constant weights, as a gather: a task is a chunk of rows of dx, and each row is the sum
of dy / count over the windows that see it. Every element is written once, by one task, taps in ascending order. The
reciprocals are taken once: along the row in a table, for the other axes once a row of windows.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_row, table
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport (
    Cursor, Grid, advance, chunk, cursor_at, grid_of, line_room, look_back, look_forward, partners,
)

ctypedef fused real:
    float
    double


cdef void forward_rows(const kn_ops* ops, const Grid* grid, const real* x, real* y, const real* count_d,
                       const real* count_h, const real* count_w, Py_ssize_t first, Py_ssize_t end, Py_ssize_t* rows,
                       real* line) noexcept nogil:
    """The rows of windows [first, end), counted over all planes."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, first)
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] *= row.size
        ops.sum_row(&row, x + at.plane * grid.plane, 0, count_w, <double>count_d[at.d] * count_h[at.h], line,
                    y + r * row.out)
        advance(grid, &at)


def avgpool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None,
                    const real[::1] count_d not None, const real[::1] count_h not None,
                    const real[::1] count_w not None, kernel, stride, padding, dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], (y.shape[2], y.shape[3], y.shape[4]), kernel, stride, padding, dilation)
    cdef Block tables = look_forward(&grid)
    cdef Py_ssize_t total = y.shape[0] * y.shape[1] * y.shape[2] * y.shape[3], step = chunk(y.shape[4]), r, t = 0
    cdef int threads = team(n_threads, <double>total * grid.w.out * grid.taps)
    cdef Block rows = scratch(threads * 2 * grid.partners * sizeof(Py_ssize_t))
    cdef Block line = scratch(threads * grid.w.size * sizeof(real))
    cdef unsigned long long mode = 0
    if total == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        t = thread_number()
        for r in prange(0, total, step, schedule="static"):
            forward_rows(ops, &grid, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], &count_d[0], &count_h[0], &count_w[0], r,
                         min(r + step, total), <Py_ssize_t*>rows.data + 2 * t * grid.partners,
                         <real*>line.data + t * grid.w.size)
        flush_restore(mode)


cdef void backward_rows(const kn_ops* ops, const Grid* grid, const real* dy, real* dx, const double* weight_dh,
                        const real* weight_w, Py_ssize_t first, Py_ssize_t end, Py_ssize_t* rows, double* scale,
                        real* lines) noexcept nogil:
    """The rows of dx [first, end), counted over all planes."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, first)
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            scale[i] = weight_dh[rows[i]]
            rows[i] *= row.out
        ops.mean_row(&row, dy + at.plane * grid.windows, weight_w, scale, lines, dx + r * row.size)
        advance(grid, &at)


def avgpool_backward(const real[:, :, :, :, ::1] dy not None, const real[::1] count_d not None,
                     const real[::1] count_h not None, const real[::1] count_w not None,
                     real[:, :, :, :, ::1] dx not None, kernel, stride, padding, dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&dx.shape[2], (dy.shape[2], dy.shape[3], dy.shape[4]), kernel, stride, padding, dilation)
    cdef Block tables = look_back(&grid)
    cdef Py_ssize_t total = dx.shape[0] * dx.shape[1] * dx.shape[2] * dx.shape[3], step = chunk(dx.shape[4]), r, t = 0
    cdef Py_ssize_t room = line_room(&grid), od, oh
    cdef int threads = team(n_threads, <double>dx.shape[0] * dx.shape[1] * grid.windows * grid.taps)
    cdef Block rows = scratch(threads * 2 * grid.partners * sizeof(Py_ssize_t))
    cdef Block scales = scratch(threads * grid.partners * sizeof(double)), lines = scratch(threads * room * sizeof(real))
    cdef Block weights_dh = scratch(grid.d.out * grid.h.out * sizeof(double))
    cdef Block weights_w = scratch(grid.w.out * sizeof(real))
    cdef double* weight_dh = <double*>weights_dh.data
    cdef real* weight_w = <real*>weights_w.data
    cdef unsigned long long mode = 0
    if total == 0:
        return
    for od in range(grid.d.out):
        for oh in range(grid.h.out):
            weight_dh[od * grid.h.out + oh] = 1 / (<double>count_d[od] * count_h[oh])
    for t in range(grid.w.out):
        weight_w[t] = 1 / count_w[t]
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        t = thread_number()
        for r in prange(0, total, step, schedule="static"):
            backward_rows(ops, &grid, &dy[0, 0, 0, 0, 0], &dx[0, 0, 0, 0, 0], weight_dh, weight_w, r,
                          min(r + step, total), <Py_ssize_t*>rows.data + 2 * t * grid.partners,
                          <double*>scales.data + t * grid.partners, <real*>lines.data + t * room)
        flush_restore(mode)
