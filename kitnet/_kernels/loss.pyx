"""Losses of single elements: fixed chunks of the flat arrays are the tasks, in one pass whatever the loss.

Forward, each chunk leaves its sum in double, and the sums are added in their order: the bits do not depend on the
threads. So it is with the classes of places, of which each picks one number of x (M, C, P). Backward from there is
zeros with a number here and there, both written to a strip of the P columns of a sample while it is in the cache, or to
a few whole samples.

Dice's loss is the sums of rows, and backward a multiple of the target and a constant, in the same task: the micro-
kernels of normalisation. A row that is longer than the caches is cut into pieces, whose sums are added in their order.

The scores of a sample are compared with that of its class in one task.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY
from libc.stdint cimport int64_t
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, kn_loss_name, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384
    COST = 4                # of a loss, in multiply-adds
    PICK = 16               # and of a number anywhere in memory
    PLACES = 2048           # that are one task
    STRIP = 65536           # elements of a sample that fit into the L2 cache, and so do the rows of two arrays
    BLOCK = 4096            # what is summed in single precision

cdef dict LOSSES = {}
while kn_loss_name(len(LOSSES)) != NULL:
    LOSSES[kn_loss_name(len(LOSSES)).decode()] = len(LOSSES)


def loss_forward(str kind not None, const real[::1] x not None, const real[::1] target not None,
                 real[::1] loss not None, real[::1] total not None, double a, double b, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = x.shape[0], chunks = up(n, CHUNK), i
    cdef int number = LOSSES[kind]
    cdef bint each = loss.shape[0] > 0
    cdef Block memory = scratch(chunks * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef double result = 0
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(chunks, schedule="static"):
            sums[i] = ops.loss(number, &x[i * CHUNK], &target[i * CHUNK], &loss[i * CHUNK] if each else NULL,
                               min(CHUNK, n - i * CHUNK), a, b)
        flush_restore(mode)
    for i in range(chunks):
        result += sums[i]
    total[0] = <real>result


def loss_backward(str kind not None, const real[::1] dy not None, const real[::1] x not None,
                  const real[::1] target not None, real[::1] dx not None, double a, double b, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = x.shape[0], i
    cdef int number = LOSSES[kind]
    cdef bint one = dy.shape[0] == 1
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>n * COST)):
        mode = flush_on()
        for i in prange(0, n, CHUNK, schedule="static"):
            ops.loss_backward(number, &dy[0 if one else i], one, &x[i], &target[i], &dx[i], min(CHUNK, n - i), a, b)
        flush_restore(mode)


def class_targets(const int64_t[::1] target not None, const real[::1] weight not None, Py_ssize_t count, int64_t ignore,
                  int64_t[::1] classes not None, double[::1] totals not None, int n_threads):
    cdef Py_ssize_t n = target.shape[0], chunks = up(n, PLACES), i
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef Block memory = scratch(2 * chunks * sizeof(double))
    cdef double* sums = <double*>memory.data
    with nogil, parallel(num_threads=team(n_threads, n)):
        for i in prange(chunks, schedule="static"):
            check_classes(&target[i * PLACES], min(PLACES, n - i * PLACES), w, count, ignore, &classes[i * PLACES],
                          sums + 2 * i)
    totals[:] = 0
    for i in range(2 * chunks):
        totals[i % 2] += sums[i]


cdef void check_classes(const int64_t* target, Py_ssize_t n, const real* weight, Py_ssize_t count, int64_t ignore,
                        int64_t* classes, double* sums) noexcept nogil:
    cdef Py_ssize_t i, counted = 0, wrong = 0
    cdef double weights = 0
    cdef bint ignored, known
    for i in range(n):
        ignored = target[i] == ignore
        known = not ignored and 0 <= target[i] < count
        classes[i] = target[i] if known else -1
        counted += known
        wrong += not (known or ignored)
        if weight != NULL and known:
            weights += weight[target[i]]
    sums[0] = weights if weight != NULL else counted
    sums[1] = wrong


def nll_forward(const real[:, :, ::1] x not None, const int64_t[:, ::1] target not None,
                const real[::1] weight not None, real[:, ::1] loss not None, double[::1] total not None, int n_threads):
    cdef Py_ssize_t places = target.shape[0] * target.shape[1], chunks = up(places, PLACES), i
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef real* each = &loss[0, 0] if loss.shape[0] * loss.shape[1] else NULL
    cdef Block memory = scratch(chunks * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef unsigned long long mode = 0
    total[0] = 0
    if places == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>places * PICK)):
        mode = flush_on()
        for i in prange(chunks, schedule="static"):
            sums[i] = pick(&x[0, 0, 0], &target[0, 0], w, each, i * PLACES, min(places, (i + 1) * PLACES), x.shape[1],
                           x.shape[2])
        flush_restore(mode)
    for i in range(chunks):
        total[0] += sums[i]


cdef double pick(const real* x, const int64_t* target, const real* weight, real* loss, Py_ssize_t first,
                 Py_ssize_t end, Py_ssize_t classes, Py_ssize_t columns) noexcept nogil:
    """The losses of some places, which may lie in many samples, and their sum."""
    cdef Py_ssize_t m = first // columns, p = first % columns, i, c
    cdef double sum = 0, value
    for i in range(first, end):
        c = target[i]
        value = 0
        if c >= 0:
            value = -<double>x[(m * classes + c) * columns + p]
            if weight != NULL:
                value *= weight[c]
        if loss != NULL:
            loss[i] = <real>value
        sum += value
        p += 1
        if p == columns:
            p = 0
            m += 1
    return sum


def nll_backward(const real[:, ::1] dy not None, const int64_t[:, ::1] target not None,
                 const real[::1] weight not None, real[:, :, ::1] dx not None, int n_threads):
    cdef Py_ssize_t samples = dx.shape[0], classes = dx.shape[1], columns = dx.shape[2], i
    cdef Py_ssize_t width = max(64, STRIP // classes // 64 * 64), strips = up(columns, width)
    cdef Py_ssize_t step = max(1, CHUNK // (classes * columns))
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef bint one = dy.shape[0] * dy.shape[1] == 1
    cdef unsigned long long mode = 0
    if samples == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>samples * classes * columns)):
        mode = flush_on()
        for i in prange(up(samples, step) * strips, schedule="static"):
            put(&dy[0, 0], one, &target[0, 0], w, &dx[0, 0, 0], i // strips * step,
                min(samples, (i // strips + 1) * step), i % strips * width, min(columns, (i % strips + 1) * width),
                classes, columns)
        flush_restore(mode)


cdef void put(const real* dy, bint one, const int64_t* target, const real* weight, real* dx, Py_ssize_t first,
              Py_ssize_t end, Py_ssize_t left, Py_ssize_t right, Py_ssize_t classes, Py_ssize_t columns) noexcept nogil:
    """The gradients of the columns from left to right of the samples from first to end."""
    cdef Py_ssize_t m, c, p
    cdef real slope
    if right - left == columns:
        memset(dx + first * classes * columns, 0, (end - first) * classes * columns * sizeof(real))
    else:
        for m in range(first, end):
            for c in range(classes):
                memset(dx + (m * classes + c) * columns + left, 0, (right - left) * sizeof(real))
    for m in range(first, end):
        for p in range(left, right):
            c = target[m * columns + p]
            if c >= 0:
                slope = -dy[0 if one else m * columns + p]
                dx[(m * classes + c) * columns + p] = slope if weight == NULL else slope * weight[c]


def dice_forward(const real[:, ::1] x not None, const real[:, ::1] target not None, double smooth,
                 real[::1] loss not None, int n_threads):
    cdef Py_ssize_t rows = x.shape[0], i
    cdef Rows cut
    if x.shape[0] * x.shape[1] == 0:
        return
    cut_rows(&cut, rows, x.shape[1])
    cdef Block memory = scratch(2 * rows * cut.pieces * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef double common, whole
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>rows * x.shape[1])):
        mode = flush_on()
        for i in prange(cut.tasks, schedule="static"):
            overlap(&cut, i, &x[0, 0], &target[0, 0], sums)
        flush_restore(mode)
    for i in range(rows):
        add_up(sums + 2 * i * cut.pieces, cut.pieces, smooth, &common, &whole)
        loss[i] = <real>(1 - common / whole)


def dice_backward(const real[::1] dy not None, const real[:, ::1] x not None, const real[:, ::1] target not None,
                  double smooth, real[:, ::1] dx not None, int n_threads):
    cdef Py_ssize_t rows = x.shape[0], i
    cdef bint one = dy.shape[0] == 1
    cdef Rows cut
    if x.shape[0] * x.shape[1] == 0:
        return
    cut_rows(&cut, rows, x.shape[1])
    cdef Block memory = scratch(2 * rows * cut.pieces * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>rows * x.shape[1])):
        mode = flush_on()
        for i in prange(cut.tasks, schedule="static"):
            overlap(&cut, i, &x[0, 0], &target[0, 0], sums)
            if cut.pieces == 1:
                overlap_slope(&cut, i, &dy[0], one, &target[0, 0], sums, smooth, &dx[0, 0])
        if cut.pieces > 1:
            for i in prange(cut.tasks, schedule="static"):
                overlap_slope(&cut, i, &dy[0], one, &target[0, 0], sums, smooth, &dx[0, 0])
        flush_restore(mode)


cdef struct Rows:
    Py_ssize_t rows, size               # of the array
    Py_ssize_t at_once                  # rows of a task
    Py_ssize_t pieces                   # of a row
    Py_ssize_t tasks


cdef void cut_rows(Rows* cut, Py_ssize_t rows, Py_ssize_t size) noexcept nogil:
    cut.rows = rows
    cut.size = size
    cut.at_once = max(1, CHUNK // size)
    cut.pieces = up(size, STRIP)
    cut.tasks = up(rows, cut.at_once) * cut.pieces


cdef void overlap(const Rows* cut, Py_ssize_t task, const real* x, const real* target, double* sums) noexcept nogil:
    """Of each piece of the task, twice the sum of x target, and the sum of both."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t first = task // cut.pieces * cut.at_once, piece = task % cut.pieces, row, block, at, n
    cdef Py_ssize_t size = min(STRIP, cut.size - piece * STRIP)
    cdef double[2] some
    cdef double* to
    cdef real zero = 0
    for row in range(first, min(cut.rows, first + cut.at_once)):
        to = sums + 2 * (row * cut.pieces + piece)
        to[0] = to[1] = 0
        for block in range(up(size, BLOCK)):
            at = row * cut.size + piece * STRIP + block * BLOCK
            n = min(BLOCK, size - block * BLOCK)
            ops.norm_slopes(x + at, target + at, &zero, n, 1, n, False, some)
            to[0] += 2 * some[1]
            to[1] += some[0] + ops.total(target + at, n)


cdef void add_up(const double* sums, Py_ssize_t pieces, double smooth, double* common, double* whole) noexcept nogil:
    cdef Py_ssize_t i
    common[0] = whole[0] = smooth
    for i in range(pieces):
        common[0] += sums[2 * i]
        whole[0] += sums[2 * i + 1]


cdef void overlap_slope(const Rows* cut, Py_ssize_t task, const real* dy, bint one, const real* target,
                        const double* sums, double smooth, real* dx) noexcept nogil:
    """What a task writes of the gradient: target near + far, for each row."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t first = task // cut.pieces * cut.at_once, left = task % cut.pieces * STRIP, row
    cdef Py_ssize_t n = min(STRIP, cut.size - left)
    cdef double common, whole, share
    cdef real[2] slope
    for row in range(first, min(cut.rows, first + cut.at_once)):
        add_up(sums + 2 * row * cut.pieces, cut.pieces, smooth, &common, &whole)
        share = dy[0 if one else row] / whole
        slope[0] = <real>(-2 * share)
        slope[1] = <real>(share * (common / whole))
        ops.norm_apply(target + row * cut.size + left, slope, 1, -INFINITY, INFINITY, dx + row * cut.size + left, n, 1,
                       n, False)


def margin_forward(const real[:, ::1] x not None, const int64_t[::1] target not None, const real[::1] weight not None,
                   int p, double margin, real[::1] loss not None, int n_threads):
    cdef Py_ssize_t rows = x.shape[0], classes = x.shape[1], i
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef unsigned long long mode = 0
    if rows == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * classes * COST)):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            loss[i] = <real>margins(&x[i, 0], classes, target[i], w, p, margin)
        flush_restore(mode)


def margin_backward(const real[::1] dy not None, const real[:, ::1] x not None, const int64_t[::1] target not None,
                    const real[::1] weight not None, int p, double margin, real[:, ::1] dx not None, int n_threads):
    cdef Py_ssize_t rows = x.shape[0], classes = x.shape[1], i
    cdef const real* w = &weight[0] if weight.shape[0] else NULL
    cdef bint one = dy.shape[0] == 1
    cdef unsigned long long mode = 0
    if rows == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * classes * COST)):
        mode = flush_on()
        for i in prange(rows, schedule="static"):
            margin_slopes(dy[0 if one else i], &x[i, 0], classes, target[i], w, p, margin, &dx[i, 0])
        flush_restore(mode)


cdef double reach(const real* x, Py_ssize_t c, Py_ssize_t own, double margin) noexcept nogil:
    """How far a score comes within the margin of that of the own class, whose own reach is 0. NaN is no less."""
    cdef double far = margin - x[own] + x[c]
    return 0 if c == own or far <= 0 else far


cdef double margins(const real* x, Py_ssize_t classes, Py_ssize_t own, const real* weight, int p,
                    double margin) noexcept nogil:
    cdef Py_ssize_t c
    cdef double sum = 0, far
    for c in range(classes):
        far = reach(x, c, own, margin)
        sum += far if p == 1 else far * far
    return sum * (weight[own] if weight != NULL else 1) / classes


cdef void margin_slopes(double dy, const real* x, Py_ssize_t classes, Py_ssize_t own, const real* weight, int p,
                        double margin, real* dx) noexcept nogil:
    cdef Py_ssize_t c
    cdef double sum = 0, far, slope
    cdef double scale = dy * (weight[own] if weight != NULL else 1) / classes
    for c in range(classes):
        far = reach(x, c, own, margin)
        slope = 0 if far == 0 else scale if p == 1 and far == far else scale * 2 * far
        dx[c] = <real>slope
        sum += slope
    dx[own] = <real>-sum
