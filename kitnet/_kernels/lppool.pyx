"""p-norm pooling on |x|: (sum |x|^p)^(1/p), the largest |x| for p = inf.

Forward: a task is a chunk of rows of windows. p = 1 is a sum and p = inf a maximum, by the micro-kernels of those
pools; p = 2 has its own, and any other p goes window by window through pow().

Backward: a task is a chunk of rows of dx, each the sum of dy (|x| / y)^(p - 1) sign(x) over the windows that see it,
taps in ascending order. For p = inf a task is a plane: the places of the maxima are found again, and dy added there.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_row, table
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport (
    Cursor, Grid, advance, chunk, cursor_at, grid_of, line_room, look_back, look_forward, partners,
)

ctypedef fused real:
    float
    double


cdef void forward_rows(const kn_ops* ops, const Grid* grid, const real* x, real* y, double p, Py_ssize_t first,
                       Py_ssize_t end, Py_ssize_t* rows, real* line) noexcept nogil:
    """The rows of windows [first, end), counted over all planes."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, first)
    cdef const real* image
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] *= row.size
        image = x + at.plane * grid.plane
        if p == 1:
            ops.sum_row(&row, image, 1, NULL, 1, line, y + r * row.out)
        elif p == INFINITY:
            ops.max_row(&row, image, 1, line, NULL, y + r * row.out, NULL)
        else:
            ops.norm_row(&row, image, p, y + r * row.out)
        advance(grid, &at)


def lppool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None, double p, kernel, stride,
                   padding, dilation, int n_threads):
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
            forward_rows(ops, &grid, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], p, r, min(r + step, total),
                         <Py_ssize_t*>rows.data + 2 * t * grid.partners, <real*>line.data + t * grid.w.size)
        flush_restore(mode)


cdef void backward_rows(const kn_ops* ops, const Grid* grid, const real* dy, const real* x, const real* y, double p,
                        real* dx, Py_ssize_t first, Py_ssize_t end, Py_ssize_t* rows, real* lines) noexcept nogil:
    """The rows of dx [first, end), counted over all planes."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, first)
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] *= row.out
        ops.slope_row(&row, dy + at.plane * grid.windows, y + at.plane * grid.windows, x + r * row.size, p, lines,
                      dx + r * row.size)
        advance(grid, &at)


cdef void backward_plane(const kn_ops* ops, const Grid* grid, const real* dy, const real* x, const real* y, real* dx,
                         Py_ssize_t* rows, real* line, int* places, real* largest, int* index) noexcept nogil:
    """p = inf: dy sign(x) at the first largest |x| of each window."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, 0)
    cdef Py_ssize_t r, i
    cdef real v
    row.rows = rows
    memset(dx, 0, grid.plane * sizeof(real))
    for r in range(grid.d.own * grid.h.own):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] *= row.size
        ops.max_row(&row, x, 1, line, places, largest, index)
        for i in range(row.out):
            if y[r * row.out + i] != 0:
                v = x[index[i]]
                dx[index[i]] += dy[r * row.out + i] * (1 if v > 0 else -1 if v < 0 else v)
        advance(grid, &at)


def lppool_backward(const real[:, :, :, :, ::1] dy not None, const real[:, :, :, :, ::1] x not None,
                    const real[:, :, :, :, ::1] y not None, double p, real[:, :, :, :, ::1] dx not None, kernel,
                    stride, padding, dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&dx.shape[2], (dy.shape[2], dy.shape[3], dy.shape[4]), kernel, stride, padding, dilation)
    cdef Block tables = look_forward(&grid) if p == INFINITY else look_back(&grid)
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], total = planes * dx.shape[2] * dx.shape[3], r, t = 0
    cdef Py_ssize_t step = chunk(grid.w.size), out = grid.w.out, size = grid.w.size
    cdef Py_ssize_t room = size + out if p == INFINITY else line_room(&grid)
    cdef int threads = team(n_threads, <double>planes * grid.windows * grid.taps)
    cdef Block rows = scratch(threads * 2 * grid.partners * sizeof(Py_ssize_t))
    cdef Block lines = scratch(threads * room * sizeof(real)), places = scratch(threads * (size + out) * sizeof(int))
    cdef unsigned long long mode = 0
    if total == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        t = thread_number()
        if p == INFINITY:
            for r in prange(planes, schedule="static"):
                backward_plane(ops, &grid, &dy[0, 0, 0, 0, 0] + r * grid.windows, &x[0, 0, 0, 0, 0] + r * grid.plane,
                               &y[0, 0, 0, 0, 0] + r * grid.windows, &dx[0, 0, 0, 0, 0] + r * grid.plane,
                               <Py_ssize_t*>rows.data + 2 * t * grid.partners, <real*>lines.data + t * room,
                               <int*>places.data + t * (size + out), <real*>lines.data + t * room + size,
                               <int*>places.data + t * (size + out) + size)
        else:
            for r in prange(0, total, step, schedule="static"):
                backward_rows(ops, &grid, &dy[0, 0, 0, 0, 0], &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], p,
                              &dx[0, 0, 0, 0, 0], r, min(r + step, total),
                              <Py_ssize_t*>rows.data + 2 * t * grid.partners, <real*>lines.data + t * room)
        flush_restore(mode)
