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
from libc.string cimport memset

from ._integers cimport up
from ._threads cimport team

cdef extern from "kn_moves.h" nogil:
    void kn_copy(char* to, const char* source, Py_ssize_t size)
    void kn_prefetch(const char* p, Py_ssize_t size)

ctypedef fused real:
    float
    double

cdef enum:
    PIECE = 8192            # elements of a task, about: enough to hide what a task costs
    AHEAD = 4096            # bytes of x that are asked for before they are read,
    HELD = 1 << 20          # where y has more than these, as x is not in the caches then


cdef struct Job:
    const char* x           # NULL: it has no elements
    char* y
    Py_ssize_t x_sample, x_row, y_sample, y_row     # how far these lie apart, in bytes
    const int64_t* number   # of a row of x, or NULL: they are as they come
    const int64_t* runs
    Py_ssize_t count        # of the runs
    Py_ssize_t width        # of a row of y
    Py_ssize_t rows         # of y in a sample,
    Py_ssize_t total        # and in all
    bint ahead              # whether to ask for rows ahead

cdef struct Cursor:
    Py_ssize_t sample, row


cdef void put(const real* x, real* y, Py_ssize_t n, real value) noexcept nogil:
    """n elements of y: those of x, or border."""
    cdef Py_ssize_t i
    if n == 1:
        y[0] = value if x == NULL else x[0]
    elif x != NULL:
        kn_copy(<char*>y, <const char*>x, n * sizeof(real))
    else:
        for i in range(n):
            y[i] = value


cdef void put_row(const Job* job, const real* x, real* y, real value) noexcept nogil:
    cdef const int64_t* run = job.runs
    cdef const real* source
    for _ in range(job.count):
        source = NULL
        if x != NULL and run[0] >= 0:
            source = x + run[0]
        put(source, y, run[1], value)
        y += run[1]
        run += 2


cdef void put_part(const Job* job, const real* x, real* y, Py_ssize_t low, Py_ssize_t high, real value) noexcept nogil:
    """The columns from ``low`` to ``high`` of a row."""
    cdef const int64_t* run = job.runs
    cdef const real* source
    cdef Py_ssize_t at = 0, first, end
    for _ in range(job.count):
        first, end = max(at, low), min(at + run[1], high)
        source = NULL
        if x != NULL and run[0] >= 0:
            source = x + run[0] + first - at
        if first < end:
            put(source, y + first, end - first, value)
        at += run[1]
        run += 2


cdef inline Cursor cursor_at(const Job* job, Py_ssize_t i) noexcept nogil:
    """Where row i of y is, counted over all samples."""
    cdef Cursor at
    at.sample, at.row = i // job.rows, i % job.rows
    return at


cdef inline void advance(const Job* job, Cursor* at) noexcept nogil:
    at.row += 1
    if at.row == job.rows:
        at.sample, at.row = at.sample + 1, 0


cdef inline const char* source_of(const Job* job, Cursor at) noexcept nogil:
    """The row of x that a row of y is; NULL: border."""
    cdef Py_ssize_t r = at.row if job.number == NULL else job.number[at.row]
    return job.x + at.sample * job.x_sample + r * job.x_row if job.x != NULL and r >= 0 else NULL


cdef void some_rows(const Job* job, Py_ssize_t first, Py_ssize_t end, Py_ssize_t low, Py_ssize_t high,
                    real value) noexcept nogil:
    """The rows of y from ``first`` to ``end``, and of these the columns from ``low`` to ``high``."""
    cdef Py_ssize_t size = (high - low) * sizeof(real), onward = max(1, AHEAD // size), i
    cdef Cursor at = cursor_at(job, first), later = cursor_at(job, first + onward)
    cdef const char* source
    cdef real* row
    for i in range(first, end):
        if job.ahead and i + onward < job.total:
            source = source_of(job, later)
            if source != NULL:
                kn_prefetch(source + low * sizeof(real), min(size, AHEAD))
            advance(job, &later)
        source, row = source_of(job, at), <real*>(job.y + at.sample * job.y_sample + at.row * job.y_row)
        if high - low == job.width:
            put_row(job, <const real*>source, row, value)
        else:
            put_part(job, <const real*>source, row, low, high, value)
        advance(job, &at)


def take_rows(const real[:, :, :] x not None, const int64_t[::1] rows not None, const int64_t[:, ::1] runs not None,
              real[:, :, :] y not None, double value, int n_threads):
    cdef Py_ssize_t width = y.shape[2], total = y.shape[0] * y.shape[1], task
    if total * width == 0:
        return
    cdef Py_ssize_t cuts = up(width, 2 * PIECE), cut = up(width, cuts), group = max(1, PIECE // width)
    cdef Job job
    job.x = <const char*>&x[0, 0, 0] if x.shape[0] * x.shape[1] * x.shape[2] else NULL
    job.y = <char*>&y[0, 0, 0]
    job.x_sample, job.x_row, job.y_sample, job.y_row = x.strides[0], x.strides[1], y.strides[0], y.strides[1]
    job.number = &rows[0] if rows.shape[0] else NULL
    job.runs, job.count, job.width = &runs[0, 0], runs.shape[0], width
    job.rows, job.total = y.shape[1], total
    job.ahead = total * width * <Py_ssize_t>sizeof(real) > HELD
    for task in prange(up(total, group) * cuts, nogil=True, num_threads=team(n_threads, <double>total * width),
                       schedule="static"):
        some_rows(&job, task // cuts * group, min(total, (task // cuts + 1) * group), task % cuts * cut,
                  min(width, (task % cuts + 1) * cut), <real>value)


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


cdef void spread(const real* x, const int* index, Py_ssize_t n, real* y, Py_ssize_t plane) noexcept nogil:
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
        spread(&x[0, 0] + i * n, &index[0, 0] + i * n, n, &y[0, 0] + i * plane, plane)


def unpool_backward(const real[:, ::1] dy not None, const int[:, ::1] index not None, real[:, ::1] dx not None,
                    int n_threads):
    cdef Py_ssize_t planes = dx.shape[0], n = dx.shape[1], plane = dy.shape[1], i
    if planes == 0:
        return
    for i in prange(planes, nogil=True, num_threads=team(n_threads, <double>planes * n), schedule="static"):
        take(&dy[0, 0] + i * plane, &index[0, 0] + i * n, n, &dx[0, 0] + i * n)
