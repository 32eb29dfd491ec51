"""Maximum pooling.

Forward: a task is a chunk of rows of windows (all planes, one after the other); for each row the micro-kernel gets
the list of image rows that it sees and keeps maximum and place of a vector of windows in registers over all taps.
Rows and planes are independent, so chunks need no borders and every thread reads and writes one contiguous stretch.

Backward: a task is a plane; it is cleared and the gradients are added at the saved places, both while it is in the
cache. Windows may overlap, so a plane is never split. Selection moves values, so nothing here flushes subnormals.
"""

from cython.parallel cimport parallel, prange
from libc.string cimport memset

from ._dispatch cimport kn_ops, kn_row, table
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Cursor, Grid, advance, chunk, cursor_at, grid_of, look_forward, partners

ctypedef fused real:
    float
    double


cdef void forward_rows(const kn_ops* ops, const Grid* grid, const real* x, real* y, int* index, Py_ssize_t first,
                       Py_ssize_t end, Py_ssize_t* rows, real* line, int* places) noexcept nogil:
    """The rows of windows [first, end), counted over all planes."""
    cdef kn_row row = grid.w
    cdef Cursor at = cursor_at(grid, first)
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] *= row.size
        ops.max_row(&row, x + at.plane * grid.plane, 0, line, places, y + r * row.out,
                    index + r * row.out if index != NULL else NULL)
        advance(grid, &at)


def maxpool_forward(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None,
                    int[:, :, :, :, ::1] index not None, kernel, stride, padding, dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], (y.shape[2], y.shape[3], y.shape[4]), kernel, stride, padding, dilation)
    cdef Block tables = look_forward(&grid)
    cdef Py_ssize_t total = y.shape[0] * y.shape[1] * y.shape[2] * y.shape[3], step = chunk(y.shape[4]), r, t = 0
    cdef int threads = team(n_threads, <double>total * grid.w.out * grid.taps)
    cdef Block rows = scratch(threads * 2 * grid.partners * sizeof(Py_ssize_t))
    cdef Block line = scratch(threads * grid.w.size * sizeof(real)), places = scratch(threads * grid.w.size * sizeof(int))
    cdef int* wanted = NULL
    if total == 0:
        return
    if index.shape[0] * index.shape[1] * index.shape[2] * index.shape[3] * index.shape[4]:
        wanted = &index[0, 0, 0, 0, 0]
    with nogil, parallel(num_threads=threads):
        t = thread_number()
        for r in prange(0, total, step, schedule="static"):
            forward_rows(ops, &grid, &x[0, 0, 0, 0, 0], &y[0, 0, 0, 0, 0], wanted, r, min(r + step, total),
                         <Py_ssize_t*>rows.data + 2 * t * grid.partners, <real*>line.data + t * grid.w.size,
                         <int*>places.data + t * grid.w.size)


cdef void backward_plane(const kn_ops* ops, const real* dy, const int* index, Py_ssize_t n, real* dx,
                         Py_ssize_t plane) noexcept nogil:
    memset(dx, 0, plane * sizeof(real))
    ops.scatter(dy, index, n, dx)


def maxpool_backward(const real[:, :, :, :, ::1] dy not None, const int[:, :, :, :, ::1] index not None,
                     real[:, :, :, :, ::1] dx not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = dx.shape[0] * dx.shape[1], plane = dx.shape[2] * dx.shape[3] * dx.shape[4]
    cdef Py_ssize_t windows = dy.shape[2] * dy.shape[3] * dy.shape[4], i
    if planes == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>planes * (plane + windows))):
        for i in prange(planes, schedule="static"):
            backward_plane(ops, &dy[0, 0, 0, 0, 0] + i * windows, &index[0, 0, 0, 0, 0] + i * windows, windows,
                           &dx[0, 0, 0, 0, 0] + i * plane, plane)
