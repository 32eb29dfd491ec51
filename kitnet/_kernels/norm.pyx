"""Batch normalisation: x (N, C, P) is cut into fixed pieces of about CHUNK elements, which stay in the L1 cache.

Planes of some size are taken by rows: to be summed, a piece is one channel of some samples (or a part of one large
plane); to be written, some channels of one sample, each row with its coefficients. Small planes, down to the single
numbers of BatchNorm1d, are taken by columns: the C P numbers of a sample are one row, each column is summed for itself
and has its own coefficients, so that vectors are full whatever P is. Either way all passes run through the arrays in
the order of memory, which measured faster than finishing one channel, strided, while it is in the L2 cache.

Statistics read a piece twice: for its mean, and for the sums around that mean, which do not cancel. The pieces of a
channel are joined in double, in their order (Chan, Golub and LeVeque 1983, all pieces at once), so that the bits do not
depend on the threads; and few channels of many pixels are work for all threads, too.
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
    CHUNK = 8192            # elements of a piece
    COLUMNS = 128           # columns of a piece, by columns
    FULL = 2                # vectors in a plane from which on planes are taken by rows


cdef struct Grid:
    bint by_columns
    Py_ssize_t samples
    Py_ssize_t channels     # C
    Py_ssize_t pixels       # P
    Py_ssize_t stride       # C P, from one sample to the next
    Py_ssize_t copies       # of a channel's coefficients: 1; by columns, P
    Py_ssize_t bands        # parts of a sample that are summed apart: C; by columns, 1
    Py_ssize_t width        # elements of a band in a sample: P; by columns, C P
    # pieces to be summed: rows are samples
    Py_ssize_t piece        # elements in a row
    Py_ssize_t pieces       # in a band of a sample
    Py_ssize_t rows
    Py_ssize_t row_pieces   # along the samples
    Py_ssize_t summed       # in all
    Py_ssize_t sums         # pairs of sums in all
    # pieces to be written: rows are channels of one sample; by columns, samples
    Py_ssize_t out_piece    # elements in a row
    Py_ssize_t out_pieces   # in a row of the array
    Py_ssize_t out_rows
    Py_ssize_t out_height   # rows in all
    Py_ssize_t out_row_pieces
    Py_ssize_t written      # in all


cdef struct Piece:
    Py_ssize_t at           # its first element
    Py_ssize_t stride       # from one row to the next
    Py_ssize_t rows
    Py_ssize_t n            # elements in a row
    Py_ssize_t sums         # the first of its pairs of sums
    Py_ssize_t coefficient  # the first of its coefficients


cdef Py_ssize_t parts(Py_ssize_t n, Py_ssize_t size) noexcept nogil:
    return up(n, size)


cdef Grid make_grid(Py_ssize_t samples, Py_ssize_t channels, Py_ssize_t pixels, Py_ssize_t lanes) noexcept nogil:
    cdef Grid g
    g.samples, g.channels, g.pixels, g.stride = samples, channels, pixels, channels * pixels
    g.by_columns = pixels < FULL * lanes
    g.copies = pixels if g.by_columns else 1
    g.bands = 1 if g.by_columns else channels
    g.width = g.stride if g.by_columns else pixels
    g.piece = max(1, min(g.width, COLUMNS if g.by_columns else CHUNK))
    g.pieces = parts(g.width, g.piece)
    g.rows = CHUNK // g.piece
    g.row_pieces = parts(samples, g.rows)
    g.summed = g.row_pieces * g.bands * g.pieces
    g.sums = g.row_pieces * g.width if g.by_columns else g.summed
    g.out_piece = max(1, min(g.width, CHUNK))
    g.out_pieces = parts(g.width, g.out_piece)
    g.out_rows = CHUNK // g.out_piece
    g.out_height = samples if g.by_columns else channels
    g.out_row_pieces = parts(g.out_height, g.out_rows)
    g.written = (1 if g.by_columns else samples) * g.out_row_pieces * g.out_pieces
    return g


cdef Piece summed_piece(const Grid* g, Py_ssize_t index) noexcept nogil:
    cdef Piece p
    cdef Py_ssize_t along = index % g.pieces * g.piece
    cdef Py_ssize_t band = index // g.pieces % g.bands
    cdef Py_ssize_t row_piece = index // (g.pieces * g.bands)
    p.at = row_piece * g.rows * g.stride + band * g.width + along
    p.stride = g.stride
    p.rows = min(g.rows, g.samples - row_piece * g.rows)
    p.n = min(g.piece, g.width - along)
    p.sums = row_piece * g.width + along if g.by_columns else index
    p.coefficient = along if g.by_columns else band
    return p


cdef Piece written_piece(const Grid* g, Py_ssize_t index) noexcept nogil:
    cdef Piece p
    cdef Py_ssize_t along = index % g.out_pieces * g.out_piece
    cdef Py_ssize_t row = index // g.out_pieces % g.out_row_pieces * g.out_rows
    cdef Py_ssize_t sample = index // (g.out_pieces * g.out_row_pieces)
    p.at = sample * g.stride + row * g.width + along
    p.stride = g.width
    p.rows = min(g.out_rows, g.out_height - row)
    p.n = min(g.out_piece, g.width - along)
    p.sums = 0
    p.coefficient = along if g.by_columns else row
    return p


cdef Py_ssize_t pairs_of(const Grid* g, Py_ssize_t channel, Py_ssize_t row_piece, Py_ssize_t* count) noexcept nogil:
    """Where the pairs of sums of a channel begin among those of a row of pieces, and how many there are."""
    count[0] = g.pixels if g.by_columns else g.pieces
    return row_piece * g.bands * (g.width if g.by_columns else g.pieces) + channel * count[0]


cdef double elements(const Grid* g, Py_ssize_t row_piece, Py_ssize_t k) noexcept nogil:
    """The number of elements in pair k of ``pairs_of``."""
    cdef Py_ssize_t rows = min(g.rows, g.samples - row_piece * g.rows)
    return rows if g.by_columns else rows * min(g.piece, g.width - k * g.piece)


cdef void join_moments(const Grid* g, Py_ssize_t channel, const double* sums, real* mean, real* var) noexcept nogil:
    """Mean and variance of a channel from those of its pieces."""
    cdef double count = max(g.samples * g.pixels, 1), total = 0, squares = 0
    cdef Py_ssize_t i, k, first, pairs
    for i in range(g.row_pieces):
        first = pairs_of(g, channel, i, &pairs)
        for k in range(pairs):
            total = total + elements(g, i, k) * sums[2 * (first + k)]
    total = total / count
    for i in range(g.row_pieces):
        first = pairs_of(g, channel, i, &pairs)
        for k in range(pairs):
            squares = squares + sums[2 * (first + k) + 1] + elements(g, i, k) * (sums[2 * (first + k)] - total) ** 2
    mean[channel] = <real>total
    var[channel] = <real>(squares / count)


cdef void join_slopes(const Grid* g, Py_ssize_t channel, const double* sums, double invstd, double gamma,
                      real* dgamma, real* dbeta, real* coefficients) noexcept nogil:
    """dgamma and dbeta of a channel, and what gives its dx = ((dy - delta) + (x - mean) slope) scale."""
    cdef double count = max(g.samples * g.pixels, 1), total = 0, slope = 0
    cdef Py_ssize_t i, k, first, pairs, step = g.channels * g.copies
    for i in range(g.row_pieces):
        first = pairs_of(g, channel, i, &pairs)
        for k in range(pairs):
            total = total + sums[2 * (first + k)]
            slope = slope + sums[2 * (first + k) + 1]
    dbeta[channel] = <real>total
    dgamma[channel] = <real>(slope * invstd)
    coefficients += channel * g.copies
    for k in range(g.copies):
        coefficients[step + k] = <real>(total / count)
        coefficients[2 * step + k] = <real>(-invstd * invstd * slope / count)
        coefficients[3 * step + k] = <real>(gamma * invstd)
        coefficients[4 * step + k] = 1


cdef void repeat(const Grid* g, const real* values, real* to) noexcept nogil:
    """The coefficients of the channels, ``copies`` times each."""
    cdef Py_ssize_t c, k
    for c in range(g.channels):
        for k in range(g.copies):
            to[c * g.copies + k] = values[c]


def batchnorm_statistics(const real[:, :, ::1] x not None, real[::1] mean not None, real[::1] var not None,
                         int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid g = make_grid(x.shape[0], x.shape[1], x.shape[2], ops.lanes)
    cdef Block memory = scratch(2 * g.sums * sizeof(double))
    cdef double* sums = <double*>memory.data
    cdef Py_ssize_t i, c
    cdef Piece p
    cdef unsigned long long mode = 0
    if g.channels == 0:
        return
    with nogil, parallel(num_threads=team(n_threads, 2.0 * g.samples * g.stride)):
        mode = flush_on()
        for i in prange(g.summed, schedule="static"):
            p = summed_piece(&g, i)
            ops.norm_moments(&x[0, 0, 0] + p.at, p.stride, p.rows, p.n, g.by_columns, sums + 2 * p.sums)
        for c in prange(g.channels, schedule="static"):
            join_moments(&g, c, sums, &mean[0], &var[0])
        flush_restore(mode)


def batchnorm_forward(const real[:, :, ::1] x not None, const real[::1] scale not None,
                      const real[::1] shift not None, real[:, :, ::1] y not None, double low, double high,
                      int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid g = make_grid(x.shape[0], x.shape[1], x.shape[2], ops.lanes)
    cdef Py_ssize_t i, step = g.channels * g.copies
    cdef Block memory = scratch(2 * step * sizeof(real))
    cdef real* coefficients = <real*>memory.data
    cdef Piece p
    cdef unsigned long long mode = 0
    if g.written == 0:
        return
    repeat(&g, &scale[0], coefficients)
    repeat(&g, &shift[0], coefficients + step)
    with nogil, parallel(num_threads=team(n_threads, <double>g.samples * g.stride)):
        mode = flush_on()
        for i in prange(g.written, schedule="static"):
            p = written_piece(&g, i)
            ops.norm_apply(&x[0, 0, 0] + p.at, coefficients + p.coefficient, step, low, high, &y[0, 0, 0] + p.at,
                           p.stride, p.rows, p.n, g.by_columns)
        flush_restore(mode)


def batchnorm_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] x not None,
                       const real[::1] mean not None, const real[::1] invstd not None, const real[::1] gamma not None,
                       real[:, :, ::1] dx not None, real[::1] dgamma not None, real[::1] dbeta not None,
                       int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid g = make_grid(x.shape[0], x.shape[1], x.shape[2], ops.lanes)
    cdef Py_ssize_t i, c, step = g.channels * g.copies
    cdef Block memory = scratch(2 * g.sums * sizeof(double) + 5 * step * sizeof(real))
    cdef double* sums = <double*>memory.data
    cdef real* coefficients = <real*>(sums + 2 * g.sums)
    cdef Piece p
    cdef unsigned long long mode = 0
    if g.channels == 0:
        return
    repeat(&g, &mean[0], coefficients)
    with nogil, parallel(num_threads=team(n_threads, 4.0 * g.samples * g.stride)):
        mode = flush_on()
        for i in prange(g.summed, schedule="static"):
            p = summed_piece(&g, i)
            ops.norm_slopes(&dy[0, 0, 0] + p.at, &x[0, 0, 0] + p.at, coefficients + p.coefficient, p.stride, p.rows,
                            p.n, g.by_columns, sums + 2 * p.sums)
        for c in prange(g.channels, schedule="static"):
            join_slopes(&g, c, sums, invstd[c], gamma[c], &dgamma[0], &dbeta[0], coefficients)
        for i in prange(g.written, schedule="static"):
            p = written_piece(&g, i)
            ops.norm_gradient(&dy[0, 0, 0] + p.at, &x[0, 0, 0] + p.at, coefficients + p.coefficient, step,
                              &dx[0, 0, 0] + p.at, p.stride, p.rows, p.n, g.by_columns)
        flush_restore(mode)
