"""Numbers moved to other places: rows that are taken, with a border or without, and cells of pixels woven.

take_rows: a task is some rows of y, or a piece of a long one. Each is runs of columns, which are one copy of memory or
border. So a padded image is written once, where filling it and copying the image into it would be two passes.

pixel_shuffle: a task is a row of pixels, R R rows of x and R of y, which are one contiguous piece.

unpool: a task is a plane: it is cleared, and the numbers put in their places, both while it is in the cache. Places are
in range, and where two are the same, the later number stays.

Memory is the limit. Numbers are moved, so nothing here flushes subnormals.
"""

from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from ._integers cimport up
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    PIECE = 8192            # elements of a task, about: enough to hide what a task costs
    SHORT = 8               # elements that a loop copies faster than a call


cdef void fill(real* y, Py_ssize_t n, real value) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(n):
        y[j] = value


cdef void copy(const real* x, real* y, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    if n > SHORT:
        memcpy(y, x, n * sizeof(real))
        return
    for j in range(n):
        y[j] = x[j]


cdef void part_of_row(const real* x, const int64_t* runs, Py_ssize_t count, Py_ssize_t low, Py_ssize_t high, real* y,
                      real value) noexcept nogil:
    """The columns of y from ``low`` to ``high``; no x: all of them are border."""
    cdef Py_ssize_t at = 0, k, source, first, end
    for k in range(count):
        source, first, end = runs[2 * k], max(at, low), min(at + runs[2 * k + 1], high)
        if end <= first:
            pass
        elif source < 0 or x == NULL:
            fill(y + first, end - first, value)
        else:
            copy(x + source + first - at, y + first, end - first)
        at += runs[2 * k + 1]


cdef void some_rows(const char* x, const Py_ssize_t* steps, const int64_t* number, Py_ssize_t taken,
                    const int64_t* runs, Py_ssize_t count, Py_ssize_t first, Py_ssize_t end, Py_ssize_t low,
                    Py_ssize_t high, char* y, real value) noexcept nogil:
    """The rows of y from ``first`` to ``end``, counted over all samples."""
    cdef Py_ssize_t b = first // taken, q = first % taken, r
    cdef const real* source
    for _ in range(first, end):
        r = q if number == NULL else number[q]
        source = NULL
        if r >= 0 and x != NULL:
            source = <const real*>(x + b * steps[0] + r * steps[1])
        part_of_row(source, runs, count, low, high, <real*>(y + b * steps[2] + q * steps[3]), value)
        q += 1
        if q == taken:
            b, q = b + 1, 0


def take_rows(const real[:, :, :] x not None, const int64_t[::1] rows not None, const int64_t[:, ::1] runs not None,
              real[:, :, :] y not None, double value, int n_threads):
    cdef Py_ssize_t taken = y.shape[1], width = y.shape[2], total = y.shape[0] * taken, task
    if total * width == 0:
        return
    cdef Py_ssize_t cuts = up(width, 2 * PIECE), cut = up(width, cuts), group = max(1, PIECE // width)
    cdef const int64_t* number = &rows[0] if rows.shape[0] else NULL
    cdef const char* source = <const char*>&x[0, 0, 0] if x.shape[0] * x.shape[1] * x.shape[2] else NULL
    cdef Py_ssize_t[4] steps = [x.strides[0], x.strides[1], y.strides[0], y.strides[1]]
    for task in prange(up(total, group) * cuts, nogil=True, num_threads=team(n_threads, <double>total * width),
                       schedule="static"):
        some_rows(source, steps, number, taken, &runs[0, 0], runs.shape[0], task // cuts * group,
                  min(total, (task // cuts + 1) * group), task % cuts * cut, min(width, (task % cuts + 1) * cut),
                  <char*>&y[0, 0, 0], <real>value)


cdef inline void weave_by(const real* x, Py_ssize_t apart, Py_ssize_t r, Py_ssize_t width, real* y) noexcept nogil:
    """y (W, R): x (R, W), whose rows lie ``apart``."""
    cdef Py_ssize_t w, j
    for w in range(width):
        for j in range(r):
            y[w * r + j] = x[j * apart + w]


cdef void weave(const real* x, Py_ssize_t apart, Py_ssize_t r, Py_ssize_t width, real* y) noexcept nogil:
    """The same: the usual factors are constants, so that the compiler makes shuffles of them."""
    if r == 2:
        weave_by(x, apart, 2, width, y)
    elif r == 3:
        weave_by(x, apart, 3, width, y)
    elif r == 4:
        weave_by(x, apart, 4, width, y)
    else:
        weave_by(x, apart, r, width, y)


cdef inline void unweave_by(const real* y, Py_ssize_t apart, Py_ssize_t r, Py_ssize_t width, real* x) noexcept nogil:
    """The way back."""
    cdef Py_ssize_t w, j
    for w in range(width):
        for j in range(r):
            x[j * apart + w] = y[w * r + j]


cdef void unweave(const real* y, Py_ssize_t apart, Py_ssize_t r, Py_ssize_t width, real* x) noexcept nogil:
    if r == 2:
        unweave_by(y, apart, 2, width, x)
    elif r == 3:
        unweave_by(y, apart, 3, width, x)
    elif r == 4:
        unweave_by(y, apart, 4, width, x)
    else:
        unweave_by(y, apart, r, width, x)


def pixel_shuffle(const real[:, :, :, :, ::1] x not None, real[:, :, :, :, ::1] y not None, int n_threads):
    cdef Py_ssize_t r = x.shape[1], height = x.shape[3], width = x.shape[4], plane = height * width
    cdef Py_ssize_t rows = y.shape[0] * height, i, k
    if rows * width * r == 0:
        return
    cdef const real* source = &x[0, 0, 0, 0, 0]
    cdef real* result = &y[0, 0, 0, 0, 0]
    for i in prange(rows, nogil=True, num_threads=team(n_threads, <double>rows * r * r * width), schedule="static"):
        for k in range(r):
            weave(source + (i // height * r + k) * r * plane + i % height * width, plane, r, width,
                  result + (i * r + k) * width * r)


def pixel_unshuffle(const real[:, :, :, :, ::1] y not None, real[:, :, :, :, ::1] x not None, int n_threads):
    cdef Py_ssize_t r = x.shape[1], height = x.shape[3], width = x.shape[4], plane = height * width
    cdef Py_ssize_t rows = y.shape[0] * height, i, k
    if rows * width * r == 0:
        return
    cdef const real* source = &y[0, 0, 0, 0, 0]
    cdef real* result = &x[0, 0, 0, 0, 0]
    for i in prange(rows, nogil=True, num_threads=team(n_threads, <double>rows * r * r * width), schedule="static"):
        for k in range(r):
            unweave(source + (i * r + k) * width * r, plane, r, width,
                    result + (i // height * r + k) * r * plane + i % height * width)


cdef void put(const real* x, const int* index, Py_ssize_t n, real* y, Py_ssize_t plane) noexcept nogil:
    cdef Py_ssize_t i
    memset(y, 0, plane * sizeof(real))
    for i in range(n):
        y[index[i]] = x[i]


cdef void take(const real* dy, const int* index, Py_ssize_t n, real* dx) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        dx[i] = dy[index[i]]


def unpool_forward(const real[:, ::1] x not None, const int[:, ::1] index not None, real[:, ::1] y not None,
                   int n_threads):
    cdef Py_ssize_t planes = x.shape[0], n = x.shape[1], plane = y.shape[1], i
    if planes == 0:
        return
    for i in prange(planes, nogil=True, num_threads=team(n_threads, <double>planes * (plane + n)), schedule="static"):
        put(&x[0, 0] + i * n, &index[0, 0] + i * n, n, &y[0, 0] + i * plane, plane)


def unpool_backward(const real[:, ::1] dy not None, const int[:, ::1] index not None, real[:, ::1] dx not None,
                    int n_threads):
    cdef Py_ssize_t planes = dx.shape[0], n = dx.shape[1], plane = dy.shape[1], i
    if planes == 0:
        return
    for i in prange(planes, nogil=True, num_threads=team(n_threads, <double>planes * n), schedule="static"):
        take(&dy[0, 0] + i * plane, &index[0, 0] + i * n, n, &dx[0, 0] + i * n)
