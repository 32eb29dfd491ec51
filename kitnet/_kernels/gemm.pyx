"""Linear, forward and backward: the three products of a matrix of samples with a matrix of weights.

    forward          y[n, k]  = sum_c x[n, c] w[k, c]       dot: both rows contiguous in c, nothing is packed
    backward, data   dx[n, c] = sum_k dy[n, k] w[k, c]      mac: rows of w in place, dy packed into panels
    backward, weight dw[k, c] = sum_n dy[n, k] x[n, c]      mac: rows of x in place, dy in place

A task is a block of the result: rows by columns of a fixed size. Tasks that follow one another read the same rows of
w or x, so that a thread's share of them reads no more of these than it must. The sums run over blocks of a fixed
length in order, so the bits depend neither on threads nor, in y and dx, on the batch.
mac works on whole vectors: the last columns, fewer than a tile, are copied to where there is room behind them.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._pool cimport Block as Memory, scratch
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef enum:
    SAMPLES = 48            # rows of x in a task of forward
    NEURONS = 32            # rows of w in a task of forward
    LENGTH = 2048           # terms of a dot product at a time: four rows of w fit in the L1 cache
    ROWS = 96               # rows of a task of the backward products
    COLUMNS = 512           # columns of one
    TERMS = 256             # terms of a mac at a time
    LIGHT = 2               # elements that are as much work as one that is copied


cdef double work(Py_ssize_t a, Py_ssize_t b, Py_ssize_t c) noexcept nogil:
    """That of a product of three sizes: multiply-adds, or where one size is small, the largest matrix's elements."""
    return max(<double>a * b * c / 16, max(<double>a * b, max(<double>b * c, <double>a * c)) / LIGHT)


cdef void forward_task(const kn_ops* ops, const real* x, const real* weight, const real* bias, real* y,
                       Py_ssize_t batch, Py_ssize_t outputs, Py_ssize_t c, double low, double high, Py_ssize_t task,
                       real* sums) noexcept nogil:
    cdef Py_ssize_t blocks = up(batch, SAMPLES)
    cdef Py_ssize_t n = task % blocks * SAMPLES, k = task // blocks * NEURONS
    cdef Py_ssize_t samples = min(SAMPLES, batch - n), neurons = min(NEURONS, outputs - k)
    cdef Py_ssize_t start, length, i, j, t, rows, panels = up(samples, ops.dot_rows)
    cdef Py_ssize_t[4] offset
    cdef real value
    for start in range(up(c, LENGTH)):
        length = min(LENGTH, c - start * LENGTH)
        for j in range(up(neurons, ops.dot_cols)):
            for t in range(ops.dot_cols):
                offset[t] = (k + min(j * ops.dot_cols + t, neurons - 1)) * c + start * LENGTH
            for i in range(panels):
                rows = samples * i // panels
                ops.dot[samples * (i + 1) // panels - rows](
                    length, x + (n + rows) * c + start * LENGTH, c, weight, &offset[0],
                    sums + rows * NEURONS + j * ops.dot_cols, NEURONS,
                    min(ops.dot_cols, neurons - j * ops.dot_cols), start > 0)
    for i in range(samples):
        for j in range(neurons):
            value = sums[i * NEURONS + j] + (bias[k + j] if bias != NULL else 0)
            value = <real>low if value < <real>low else value
            y[(n + i) * outputs + k + j] = <real>high if value > <real>high else value


def linear_forward(const real[:, ::1] x not None, const real[:, ::1] weight not None, const real[::1] bias not None,
                   real[:, ::1] y not None, double low, double high, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t n = y.shape[0], k = y.shape[1], c = x.shape[1], task, _, tasks, done = 0, upto
    cdef double macs = <double>n * k * c
    cdef unsigned long long mode = 0
    if n == 0 or k == 0:
        return
    tasks = up(n, SAMPLES) * up(k, NEURONS)
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, work(n, k, c)), tasks)
    cdef Memory memory = scratch(threads * SAMPLES * NEURONS * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* sums = <real*>memory.data
    cdef const real* b = &bias[0] if bias.shape[0] else NULL
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, macs))
        if threads == 1:  # a team of one costs as much as a small product
            with nogil:
                mode = flush_on()
                for task in range(done, upto):
                    forward_task(ops, &x[0, 0], &weight[0, 0], b, &y[0, 0], n, k, c, low, high, task, sums)
                flush_restore(mode)
        else:
            deal(shares, threads, done, upto)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for _ in prange(done, upto, schedule="dynamic"):
                    task = take(shares, threads)
                    forward_task(ops, &x[0, 0], &weight[0, 0], b, &y[0, 0], n, k, c, low, high, task,
                                 sums + thread_number() * SAMPLES * NEURONS)
                flush_restore(mode)
        done = upto
        PyErr_CheckSignals()


cdef void product_task(const kn_ops* ops, const real* a, Py_ssize_t a_row, Py_ssize_t a_term, const real* b,
                       real* y, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t column, Py_ssize_t columns,
                       Py_ssize_t terms, Py_ssize_t line, real* own) noexcept nogil:
    """y[row:row+rows, column:column+columns] = sum_t a[row * a_row + t * a_term] * b[t * line + column]"""
    cdef Py_ssize_t panels = up(rows, ops.mac_rows)
    cdef Py_ssize_t start, count, t, p, i, j, first, m, width, tiles
    cdef Py_ssize_t tile = ops.mac_vectors[1] * ops.lanes
    cdef Py_ssize_t[TERMS] offset
    cdef Py_ssize_t[TERMS] tail_offset
    cdef real* panel = own
    cdef real* tail = panel + TERMS * ops.mac_rows
    cdef real* sums = tail + TERMS * tile
    for start in range(up(terms, TERMS)):
        count = min(TERMS, terms - start * TERMS)
        for t in range(count):
            offset[t] = (start * TERMS + t) * line + column
            tail_offset[t] = t * tile
        for p in range(panels):
            first = rows * p // panels
            m = rows * (p + 1) // panels - first
            width = ops.mac_vectors[m] * ops.lanes
            tiles = columns // width
            for t in range(count):
                for i in range(m):
                    panel[t * m + i] = a[(row + first + i) * a_row + (start * TERMS + t) * a_term]
            for j in range(tiles):
                ops.mac[m](count, panel, m, b + j * width, &offset[0],
                           y + (row + first) * line + column + j * width, line, start > 0)
            j = tiles * width
            if j < columns:
                for t in range(count):
                    memcpy(tail + t * tile, b + offset[t] + j, (columns - j) * sizeof(real))
                for i in range(m):
                    memcpy(sums + i * width, y + (row + first + i) * line + column + j, (columns - j) * sizeof(real))
                ops.mac[m](count, panel, m, tail, &tail_offset[0], sums, width, start > 0)
                for i in range(m):
                    memcpy(y + (row + first + i) * line + column + j, sums + i * width, (columns - j) * sizeof(real))


cdef int product(const real* a, Py_ssize_t a_row, Py_ssize_t a_term, const real* b, real* y, Py_ssize_t rows,
                 Py_ssize_t columns, Py_ssize_t terms, int n_threads) except -1:
    """y (rows, columns) = a (rows, terms; strided) times b (terms, columns)"""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t row_blocks = up(rows, ROWS), task, _, done = 0, upto, row, column
    cdef Py_ssize_t tasks = row_blocks * up(columns, COLUMNS)
    cdef Py_ssize_t tile = ops.mac_vectors[1] * ops.lanes
    cdef Py_ssize_t size = TERMS * ops.mac_rows + TERMS * tile + ops.mac_rows * tile
    cdef double macs = <double>rows * columns * terms
    cdef unsigned long long mode = 0
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, work(rows, columns, terms)), tasks)
    cdef Memory memory = scratch(threads * size * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* own = <real*>memory.data
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, macs))
        deal(shares, threads, done, upto)
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for _ in prange(done, upto, schedule="dynamic"):
                task = take(shares, threads)
                row = task % row_blocks * ROWS
                column = task // row_blocks * COLUMNS
                product_task(ops, a, a_row, a_term, b, y, row, min(ROWS, rows - row), column,
                             min(COLUMNS, columns - column), terms, columns, own + thread_number() * size)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0


def linear_backward_data(const real[:, ::1] dy not None, const real[:, ::1] weight not None, real[:, ::1] dx not None,
                         int n_threads):
    cdef Py_ssize_t n = dx.shape[0], k = dy.shape[1], c = dx.shape[1]
    if n == 0 or c == 0:
        return
    product(&dy[0, 0], k, 1, &weight[0, 0], &dx[0, 0], n, c, k, n_threads)


def linear_backward_weight(const real[:, ::1] dy not None, const real[:, ::1] x not None,
                           real[:, ::1] dweight not None, real[::1] dbias not None, int n_threads):
    cdef Py_ssize_t n = dy.shape[0], k = dweight.shape[0], c = dweight.shape[1], i, j
    if n == 0:
        dweight[:] = 0
        dbias[:] = 0
        return
    if k and c:
        product(&dy[0, 0], 1, k, &x[0, 0], &dweight[0, 0], k, c, n, n_threads)
    if dbias.shape[0]:
        dbias[:] = 0
        for i in range(n):
            for j in range(k):
                dbias[j] += dy[i, j]
