"""Locally connected layers: a small matrix product for each window, as no two windows share weights.

The weights are most of the memory, so they set the loops: a task is a window l, which reads its weights (K, J) once for
a block of samples, whose windows are gathered into rows (J = C KD KH KW) by a table of offsets.

    forward          y[n, k, l] = bias[k, l] + <row n, weight[l, k]>             dot, for SAMPLES rows at a time
    weight gradient  dweight[l] (K, J) = the sum over n of dy[n, :, l] row n     mac, the tile stays in registers
    data gradient    rows (n, J) = dy[n, :, l] weight[l], added to dx[n]         mac; a task is a few samples instead,
                                                                                 because windows overlap in dx

A number is always summed by one task in one order: over J; over the samples; over K, then the windows.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy, memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._tasks cimport tasks_at_once
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef enum:
    SAMPLES = 24            # rows in a block, a multiple of the widths of all dot tiles
    OWN = 8                 # samples in a task of the data gradient


cdef struct Shape:
    Py_ssize_t samples
    Py_ssize_t channels
    Py_ssize_t size[3]
    Py_ssize_t image        # elements of a sample
    Py_ssize_t kernel[3]
    Py_ssize_t out[3]
    Py_ssize_t stride[3]
    Py_ssize_t padding[3]
    Py_ssize_t dilation[3]
    Py_ssize_t windows      # L
    Py_ssize_t filters      # K
    Py_ssize_t row          # J
    Py_ssize_t widest       # tile of mac, in elements: what it may read beyond a row
    Py_ssize_t own          # scratch elements of a thread: rows, deltas or sums, a tile, weights of a window
    double macs             # multiply-adds in all


cdef Shape make_shape(const Py_ssize_t* x, Py_ssize_t filters, kernel, out, stride, padding, dilation,
                      const kn_ops* ops) except *:
    cdef Shape s
    cdef int a
    s.samples, s.channels, s.image, s.windows, s.row, s.filters = x[0], x[1], x[1], 1, x[1], filters
    for a in range(3):
        s.size[a], s.kernel[a], s.out[a] = x[2 + a], kernel[a], out[a]
        s.stride[a], s.padding[a], s.dilation[a] = stride[a], padding[a], dilation[a]
        s.image *= s.size[a]
        s.windows *= s.out[a]
        s.row *= s.kernel[a]
    s.widest = 0
    for a in range(ops.mac_rows):
        s.widest = max(s.widest, ops.mac_vectors[a + 1] * ops.lanes)
    s.own = SAMPLES * (s.row + filters) + ops.mac_rows * s.widest + filters * s.row + s.widest
    s.macs = <double>s.samples * s.windows * filters * s.row
    return s


cdef void window_offsets(const Shape* s, Py_ssize_t window, Py_ssize_t* offset) noexcept nogil:
    """Where each element of a window lies in its sample; -1 in the padding."""
    cdef Py_ssize_t first[3]
    cdef Py_ssize_t at[3]
    cdef Py_ssize_t c, i, j, k, a, left = window
    cdef bint inside
    for a in range(2, -1, -1):
        first[a] = left % s.out[a] * s.stride[a] - s.padding[a]
        left //= s.out[a]
    for c in range(s.channels):
        for i in range(s.kernel[0]):
            at[0] = first[0] + i * s.dilation[0]
            for j in range(s.kernel[1]):
                at[1] = first[1] + j * s.dilation[1]
                for k in range(s.kernel[2]):
                    at[2] = first[2] + k * s.dilation[2]
                    inside = True
                    for a in range(3):
                        inside = inside and 0 <= at[a] < s.size[a]
                    offset[0] = ((c * s.size[0] + at[0]) * s.size[1] + at[1]) * s.size[2] + at[2] if inside else -1
                    offset += 1


cdef void gather(const Shape* s, const Py_ssize_t* offset, const real* x, Py_ssize_t count, real* rows) noexcept nogil:
    """The windows of ``count`` samples as rows."""
    cdef Py_ssize_t n, j
    for n in range(count):
        for j in range(s.row):
            rows[n * s.row + j] = x[n * s.image + offset[j]] if offset[j] >= 0 else 0


cdef void multiply(const kn_ops* ops, Py_ssize_t depth, const real* a, Py_ssize_t m, const real* b,
                   const Py_ssize_t* row, Py_ssize_t n, real* c, bint accumulate, real* tile) noexcept nogil:
    """c (m, n) (+)= a (depth, m) transposed, by b (depth, n); reads up to a tile beyond the end of b."""
    cdef Py_ssize_t i = 0, j, r, count, width
    while i < m:
        count = min(ops.mac_rows, m - i)
        width = ops.mac_vectors[count] * ops.lanes
        for r in range(n // width):
            ops.mac[count](depth, a + i, m, b + r * width, row, c + i * n + r * width, n, accumulate)
        j = n - n % width
        if j < n:
            for r in range(count):
                memcpy(tile + r * width, c + (i + r) * n + j, (n - j) * sizeof(real))
            ops.mac[count](depth, a + i, m, b + j, row, tile, width, accumulate)
            for r in range(count):
                memcpy(c + (i + r) * n + j, tile + r * width, (n - j) * sizeof(real))
        i += count


cdef void forward_window(const kn_ops* ops, const Shape* s, Py_ssize_t window, const real* x, const real* weight,
                         const real* bias, real* y, Py_ssize_t* offset, const Py_ssize_t* row,
                         real* own) noexcept nogil:
    cdef real* sums = own + SAMPLES * s.row
    cdef Py_ssize_t block, first, count, k, m, j
    window_offsets(s, window, offset)
    weight += window * s.filters * s.row
    for block in range(up(s.samples, SAMPLES)):
        first = block * SAMPLES
        count = min(SAMPLES, s.samples - first)
        gather(s, offset, x + first * s.image, count, own)
        k = 0
        while k < s.filters:
            m = min(ops.dot_rows, s.filters - k)
            j = 0
            while j < count:
                ops.dot[m](s.row, weight + k * s.row, s.row, own, row + j, sums + k * SAMPLES + j, SAMPLES,
                           min(ops.dot_cols, count - j), 0)
                j += ops.dot_cols
            k += m
        for j in range(count):
            for k in range(s.filters):
                y[((first + j) * s.filters + k) * s.windows + window] = sums[k * SAMPLES + j] + (
                    bias[k * s.windows + window] if bias != NULL else 0)


cdef void backward_window(const kn_ops* ops, const Shape* s, Py_ssize_t window, const real* dy, const real* x,
                          real* dweight, Py_ssize_t* offset, const Py_ssize_t* row, real* own) noexcept nogil:
    cdef real* delta = own + SAMPLES * s.row
    cdef Py_ssize_t block, first, count, n, k
    window_offsets(s, window, offset)
    for block in range(up(s.samples, SAMPLES)):
        first = block * SAMPLES
        count = min(SAMPLES, s.samples - first)
        gather(s, offset, x + first * s.image, count, own)
        for n in range(count):
            for k in range(s.filters):
                delta[n * s.filters + k] = dy[((first + n) * s.filters + k) * s.windows + window]
        multiply(ops, count, delta, s.filters, own, row, s.row, dweight + window * s.filters * s.row, first > 0,
                 delta + SAMPLES * s.filters)


cdef void backward_samples(const kn_ops* ops, const Shape* s, Py_ssize_t first, const real* dy, const real* weight,
                           real* dx, Py_ssize_t* offset, const Py_ssize_t* row, real* own) noexcept nogil:
    cdef Py_ssize_t count = min(OWN, s.samples - first), size = s.filters * s.row, window, n, k, j
    cdef real* delta = own + SAMPLES * s.row
    cdef real* tile = delta + SAMPLES * s.filters
    cdef real* copy = tile + ops.mac_rows * s.widest
    cdef const real* w
    dy += first * s.filters * s.windows
    dx += first * s.image
    memset(dx, 0, count * s.image * sizeof(real))
    for window in range(s.windows):
        window_offsets(s, window, offset)
        for k in range(s.filters):
            for n in range(count):
                delta[k * count + n] = dy[(n * s.filters + k) * s.windows + window]
        w = weight + window * size
        if (s.windows - 1 - window) * size < s.widest:
            memcpy(copy, w, size * sizeof(real))
            w = copy
        multiply(ops, s.filters, delta, count, w, row, s.row, own, 0, tile)
        for n in range(count):
            for j in range(s.row):
                if offset[j] >= 0:
                    dx[n * s.image + offset[j]] += own[n * s.row + j]


cdef void sum_deltas(const Shape* s, Py_ssize_t filter, const real* dy, real* dbias) noexcept nogil:
    cdef Py_ssize_t n, window
    dbias += filter * s.windows
    memset(dbias, 0, s.windows * sizeof(real))
    for n in range(s.samples):
        for window in range(s.windows):
            dbias[window] += dy[(n * s.filters + filter) * s.windows + window]


def local_forward(const real[:, :, :, :, ::1] x not None, const real[:, :, ::1] weight not None,
                  const real[:, ::1] bias not None, real[:, :, ::1] y not None, kernel, out, stride, padding, dilation,
                  int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Shape s = make_shape(x.shape, weight.shape[1], kernel, out, stride, padding, dilation, ops)
    cdef int threads = team(n_threads, s.macs)
    cdef Block tables = scratch((s.row * threads + SAMPLES) * sizeof(Py_ssize_t))
    cdef Block memory = scratch(s.own * threads * sizeof(real))
    cdef Py_ssize_t* row = <Py_ssize_t*>tables.data
    cdef real* own = <real*>memory.data
    cdef const real* shift = &bias[0, 0] if bias.size else NULL
    cdef Py_ssize_t done = 0, upto, i
    cdef unsigned long long mode = 0
    for i in range(SAMPLES):
        row[i] = i * s.row
    while done < s.windows and s.samples and s.filters:
        upto = min(s.windows, done + tasks_at_once(s.windows, threads, 2 * s.macs))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(done, upto, schedule="static"):
                forward_window(ops, &s, i, &x[0, 0, 0, 0, 0], &weight[0, 0, 0], shift, &y[0, 0, 0],
                               row + SAMPLES + thread_number() * s.row, row, own + thread_number() * s.own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()


def local_backward(const real[:, :, ::1] dy not None, const real[:, :, :, :, ::1] x not None,
                   const real[:, :, ::1] weight not None, real[:, :, :, :, ::1] dx not None,
                   real[:, :, ::1] dweight not None, real[:, ::1] dbias not None, kernel, out, stride, padding,
                   dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Shape s = make_shape(x.shape, weight.shape[1], kernel, out, stride, padding, dilation, ops)
    cdef int threads = team(n_threads, 2 * s.macs)
    cdef Py_ssize_t rows = max(<Py_ssize_t>SAMPLES, s.filters)
    cdef Block tables = scratch((s.row * threads + rows) * sizeof(Py_ssize_t))
    cdef Block memory = scratch(s.own * threads * sizeof(real))
    cdef Py_ssize_t* row = <Py_ssize_t*>tables.data
    cdef real* own = <real*>memory.data
    cdef Py_ssize_t tasks = up(s.samples, OWN), done = 0, upto, i
    cdef unsigned long long mode = 0
    for i in range(rows):
        row[i] = i * s.row
    if s.samples == 0:
        memset(&dweight[0, 0, 0], 0, dweight.size * sizeof(real))
    while done < s.windows and s.samples:
        upto = min(s.windows, done + tasks_at_once(s.windows, threads, 2 * s.macs))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(done, upto, schedule="static"):
                backward_window(ops, &s, i, &dy[0, 0, 0], &x[0, 0, 0, 0, 0], &dweight[0, 0, 0],
                                row + rows + thread_number() * s.row, row, own + thread_number() * s.own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    done = 0
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, 2 * s.macs))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(done, upto, schedule="static"):
                backward_samples(ops, &s, i * OWN, &dy[0, 0, 0], &weight[0, 0, 0], &dx[0, 0, 0, 0, 0],
                                 row + rows + thread_number() * s.row, row, own + thread_number() * s.own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    if dbias.size:
        with nogil, parallel(num_threads=team(n_threads, s.samples * s.filters * s.windows)):
            mode = flush_on()
            for i in prange(s.filters, schedule="static"):
                sum_deltas(&s, i, &dy[0, 0, 0], &dbias[0, 0])
            flush_restore(mode)
