"""PReLU and GLU: activations that see more than the element itself.

PReLU: x (N, C, P) is cut into fixed pieces of about CHUNK elements: whole channels of one sample, or a part of a large
one. Going back, each channel of a piece leaves its share of the gradient of a weight, and the shares of a channel are
added in double, in the order of samples and pieces: the bits do not depend on the threads.

GLU: x (M, 2, P); a task is a fixed number of rows of about CHUNK elements.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 16384
    COST = 8                # of a sigmoid, in multiply-adds


cdef struct Grid:
    Py_ssize_t channels     # C
    Py_ssize_t pixels       # P
    Py_ssize_t rows         # channels of a piece
    Py_ssize_t n            # elements of a row of a piece
    Py_ssize_t bands        # pieces across the channels
    Py_ssize_t parts        # pieces along a channel
    Py_ssize_t pieces       # in all


cdef Grid make_grid(Py_ssize_t samples, Py_ssize_t channels, Py_ssize_t pixels) noexcept nogil:
    cdef Grid g
    g.channels, g.pixels = channels, pixels
    g.n = max(1, min(pixels, CHUNK))
    g.rows = CHUNK // g.n
    g.parts = up(pixels, g.n)
    g.bands = up(channels, g.rows)
    g.pieces = samples * g.bands * g.parts
    return g


cdef struct Piece:
    Py_ssize_t at           # its first element
    Py_ssize_t channel      # its first channel
    Py_ssize_t rows
    Py_ssize_t n
    Py_ssize_t share        # the place of its first share, among (N, parts, C)


cdef Piece make_piece(const Grid* g, Py_ssize_t index) noexcept nogil:
    cdef Piece p
    cdef Py_ssize_t part = index % g.parts, sample = index // (g.parts * g.bands)
    p.channel = index // g.parts % g.bands * g.rows
    p.at = (sample * g.channels + p.channel) * g.pixels + part * g.n
    p.rows = min(g.rows, g.channels - p.channel)
    p.n = min(g.n, g.pixels - part * g.n)
    p.share = (sample * g.parts + part) * g.channels + p.channel
    return p


def prelu_forward(const real[:, :, ::1] x not None, const real[::1] weight not None, real[:, :, ::1] y not None,
                  int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid g = make_grid(x.shape[0], x.shape[1], x.shape[2])
    cdef Py_ssize_t i
    cdef Piece p
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, <double>x.shape[0] * g.channels * g.pixels)):
        mode = flush_on()
        for i in prange(g.pieces, schedule="static"):
            p = make_piece(&g, i)
            ops.prelu(&x[0, 0, 0] + p.at, &weight[p.channel], &y[0, 0, 0] + p.at, p.rows, p.n)
        flush_restore(mode)


def prelu_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] x not None, const real[::1] weight not None,
                   real[:, :, ::1] dx not None, real[::1] dweight not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid g = make_grid(x.shape[0], x.shape[1], x.shape[2])
    cdef Py_ssize_t i, c, k, layers = x.shape[0] * g.parts
    cdef Block memory = scratch(layers * g.channels * sizeof(double))
    cdef double* shares = <double*>memory.data
    cdef double total
    cdef Piece p
    cdef unsigned long long mode = 0
    with nogil, parallel(num_threads=team(n_threads, 2.0 * x.shape[0] * g.channels * g.pixels)):
        mode = flush_on()
        for i in prange(g.pieces, schedule="static"):
            p = make_piece(&g, i)
            ops.prelu_backward(&dy[0, 0, 0] + p.at, &x[0, 0, 0] + p.at, &weight[p.channel], &dx[0, 0, 0] + p.at,
                               shares + p.share, p.rows, p.n)
        for c in prange(g.channels, schedule="static"):
            total = 0
            for k in range(layers):
                total = total + shares[k * g.channels + c]
            dweight[c] = <real>total
        flush_restore(mode)


def glu_forward(const real[:, :, ::1] x not None, real[:, ::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = y.shape[0], n = y.shape[1], step = max(1, CHUNK // max(n, 1)), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * COST)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.glu(&x[m, 0, 0], &y[m, 0], min(step, rows - m), n)
        flush_restore(mode)


def glu_backward(const real[:, ::1] dy not None, const real[:, :, ::1] x not None, real[:, :, ::1] dx not None,
                 int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t rows = dy.shape[0], n = dy.shape[1], step = max(1, CHUNK // max(n, 1)), m
    cdef unsigned long long mode = 0
    if rows * n == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, <double>rows * n * COST)):
        mode = flush_on()
        for m in prange(0, rows, step, schedule="static"):
            ops.glu_backward(&dy[m, 0], &x[m, 0, 0], &dx[m, 0, 0], min(step, rows - m), n)
        flush_restore(mode)
