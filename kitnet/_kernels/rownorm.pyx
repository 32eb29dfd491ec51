"""Normalisation of rows: x (N, C, P), where a row is a group of C / G channels of one sample, with its own statistics.

Weights belong to channels. Planes of some size are taken one by one, as in norm.pyx, each with its coefficients; so is
a row without weights, as one plane. Smaller planes, down to the single numbers of a layer norm, are taken by elements:
each element of a row meets its own weight, which is repeated for the pixels of a channel.

Rows of up to ROW elements are one task from the statistics to the result, so that they are read from memory once, and
stay in the L2 cache. Larger ones are cut into fixed pieces, and go through the L3 cache some samples at once, first all
of their pieces for the sums and then all for the results; but forward, where nothing is summed over samples, rows are
whole tasks up to CACHED bytes, if there are enough of them for the threads. Sums for the weights: by planes, each plane
leaves a pair of sums; by elements, the rows of a fixed block of samples add to a line of memory while dx is written,
four rows of a piece at a time. Pairs and lines are joined in their order, in double; a single line of whole sums is the
result itself.
"""

from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY, sqrt
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double

cdef enum:
    CHUNK = 8192            # elements of a piece
    ROW = 32768             # elements of the largest row that is one task
    CACHED = 1 << 20        # bytes of the largest row that stays in the L2 cache
    SHARED = 1 << 20        # elements of the larger rows that go at once
    TOGETHER = 4            # rows whose sums for the weights are added at a time
    SAMPLES = 16            # samples of a block, by elements, at least
    PLANES = 64             # planes of a piece at most
    FULL = 2                # vectors in a plane from which on planes are taken one by one


cdef struct Plan:
    bint by_elements
    bint large              # a row is more than one task
    Py_ssize_t samples
    Py_ssize_t groups       # rows of a sample
    Py_ssize_t rows
    Py_ssize_t n            # elements of a row
    Py_ssize_t planes       # of a row
    Py_ssize_t pixels
    Py_ssize_t parts        # of a plane
    Py_ssize_t height       # planes of a piece
    Py_ssize_t pieces       # of a row
    Py_ssize_t pairs        # of sums, of a row
    Py_ssize_t block        # samples of a block, by elements
    Py_ssize_t blocks
    Py_ssize_t at_once      # samples, of large rows
    Py_ssize_t turns        # until all have gone


cdef struct Piece:
    Py_ssize_t at           # its first element in the row
    Py_ssize_t n
    Py_ssize_t plane        # its first plane
    Py_ssize_t planes
    Py_ssize_t pair         # its first pair of sums


cdef Plan make_plan(Py_ssize_t samples, Py_ssize_t channels, Py_ssize_t pixels, Py_ssize_t groups, bint weighted,
                    Py_ssize_t lanes) noexcept nogil:
    cdef Plan g
    g.samples, g.groups, g.rows = samples, groups, samples * groups
    g.n = channels // groups * pixels
    g.planes = channels // groups if weighted else 1
    g.pixels = g.n // g.planes
    g.large = g.n > ROW
    g.by_elements = g.planes > 1 and g.pixels < FULL * lanes
    g.parts = 1 if g.by_elements else up(g.pixels, CHUNK)
    g.height = max(1, min(PLANES, CHUNK // g.pixels))
    g.pieces = up(g.n, CHUNK) if g.by_elements else up(g.planes, g.height) * g.parts
    g.pairs = g.pieces if g.by_elements else g.planes * g.parts
    g.block = samples if g.large else max(SAMPLES, ROW // g.n) if g.by_elements else 1
    g.blocks = up(samples, g.block) if samples else 0
    g.at_once = max(1, SHARED // (groups * g.n))
    if g.at_once > TOGETHER:
        g.at_once -= g.at_once % TOGETHER
    g.turns = up(samples, g.at_once)
    return g


cdef Piece piece_of(const Plan* g, Py_ssize_t i) noexcept nogil:
    cdef Piece p
    if g.by_elements:
        p.at, p.plane, p.planes, p.pair = i * CHUNK, 0, 0, i
        p.n = min(CHUNK, g.n - p.at)
        return p
    p.plane = i // g.parts * g.height
    p.planes = min(g.height, g.planes - p.plane)
    p.pair = p.plane * g.parts + i % g.parts
    p.at = p.plane * g.pixels + i % g.parts * CHUNK
    p.n = min(CHUNK, g.pixels - i % g.parts * CHUNK) if g.parts > 1 else p.planes * g.pixels
    return p


cdef void moments(const Plan* g, const kn_ops* ops, const real* row, Py_ssize_t i, double* pairs) noexcept nogil:
    cdef Piece p = piece_of(g, i)
    ops.norm_moments(row + p.at, 0, 1, p.n, 0, pairs + 2 * i)


cdef void join_moments(const Plan* g, const double* pairs, bint centred, double eps, double* row) noexcept nogil:
    """The mean (0 where it is absent) and the inverse deviation of a row from the moments of its pieces."""
    cdef double total = 0, squares = 0, mean = 0
    cdef Py_ssize_t i
    if centred:
        for i in range(g.pieces):
            total = total + piece_of(g, i).n * pairs[2 * i]
        mean = total / g.n
    for i in range(g.pieces):
        squares = squares + pairs[2 * i + 1] + piece_of(g, i).n * (pairs[2 * i] - mean) ** 2
    row[0] = mean
    row[1] = 1 / sqrt(squares / g.n + eps)


cdef void apply(const Plan* g, const kn_ops* ops, const real* x, const real* gamma, const real* beta, const double* row,
                real* y, Py_ssize_t i) noexcept nogil:
    """One piece of a row; gamma and beta are those of the row, or NULL."""
    cdef Piece p = piece_of(g, i)
    cdef real coefficients[2 * PLANES]
    cdef double scale
    cdef Py_ssize_t k
    if g.by_elements:
        ops.rownorm_apply(x + p.at, gamma + p.at, beta + p.at, row[0], row[1], y + p.at, p.n)
        return
    for k in range(p.planes):
        scale = row[1] * (1.0 if gamma == NULL else gamma[p.plane + k])
        coefficients[k] = <real>scale
        coefficients[PLANES + k] = <real>((0.0 if beta == NULL else beta[p.plane + k]) - row[0] * scale)
    ops.norm_apply(x + p.at, coefficients, PLANES, -INFINITY, INFINITY, y + p.at, g.pixels, p.planes,
                   p.n // p.planes, 0)


cdef void slopes(const Plan* g, const kn_ops* ops, const real* dy, const real* x, const real* gamma, double mean,
                 double* pairs, Py_ssize_t i) noexcept nogil:
    cdef Piece p = piece_of(g, i)
    cdef real centre = <real>mean
    cdef Py_ssize_t k
    if g.by_elements:
        ops.rownorm_slopes(dy + p.at, x + p.at, gamma + p.at, mean, p.n, pairs + 2 * p.pair)
        return
    for k in range(p.planes):
        ops.norm_slopes(dy + p.at + k * g.pixels, x + p.at + k * g.pixels, &centre, 0, 1, p.n // p.planes, 0,
                        pairs + 2 * (p.pair + k * g.parts))


cdef void join_slopes(const Plan* g, const double* pairs, const real* gamma, bint centred, double mean, double invstd,
                      double* row) noexcept nogil:
    """What gives the dx of a row: mean, delta, slope, scale."""
    cdef double total = 0, slope = 0, weight = 1
    cdef Py_ssize_t i
    for i in range(g.pairs):
        if not g.by_elements and gamma != NULL:
            weight = gamma[i // g.parts]
        total = total + weight * pairs[2 * i]
        slope = slope + weight * pairs[2 * i + 1]
    row[0] = mean
    row[1] = total / g.n if centred else 0
    row[2] = -invstd * invstd * slope / g.n
    row[3] = invstd


cdef void gradient(const Plan* g, const kn_ops* ops, const real* dy, const real* x, const real* gamma,
                   const double* row, real* dx, real* dgamma, real* dbeta, Py_ssize_t samples,
                   Py_ssize_t i) noexcept nogil:
    """One piece of a row, and of the same row in the samples that follow; by elements it adds to dgamma and dbeta."""
    cdef Piece p = piece_of(g, i)
    cdef real coefficients[5 * PLANES]
    cdef Py_ssize_t j, k, s, at, sample = g.groups * g.n
    if g.by_elements:
        ops.rownorm_gradient(dy + p.at, x + p.at, gamma + p.at, row, 4 * g.groups, dx + p.at, dgamma + p.at,
                             dbeta + p.at, p.n, samples, sample)
        return
    for s in range(samples):
        at = s * sample + p.at
        for k in range(p.planes):
            for j in range(4):
                coefficients[j * PLANES + k] = <real>row[4 * s * g.groups + j]
            coefficients[4 * PLANES + k] = 1 if gamma == NULL else gamma[p.plane + k]
        ops.norm_gradient(dy + at, x + at, coefficients, PLANES, dx + at, g.pixels, p.planes, p.n // p.planes, 0)


cdef void repeat(const Plan* g, const real[::1] values, real* to) noexcept nogil:
    """The weight of each element of a sample."""
    cdef Py_ssize_t c, k
    for c in range(values.shape[0]):
        for k in range(g.pixels):
            to[c * g.pixels + k] = values[c]


def rownorm_forward(const real[:, :, ::1] x not None, const real[::1] gamma not None, const real[::1] beta not None,
                    real[:, :, ::1] y not None, real[:, ::1] mean not None, real[:, ::1] invstd not None, double eps,
                    int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef bint weighted = gamma.shape[0] > 0, centred = mean.shape[0] > 0
    cdef Plan g = make_plan(x.shape[0], x.shape[1], x.shape[2], invstd.shape[1], weighted, ops.lanes)
    cdef Py_ssize_t sample = g.groups * g.n, repeated = sample if g.by_elements and g.pixels > 1 else 0
    cdef Block memory = scratch(2 * g.rows * (g.pieces + 1) * sizeof(double) + 2 * repeated * sizeof(real))
    cdef double* pairs = <double*>memory.data
    cdef double* found = pairs + 2 * g.rows * g.pieces
    cdef real* copies = <real*>(found + 2 * g.rows)
    cdef const real* scale = NULL
    cdef const real* shift = NULL
    cdef Py_ssize_t r, i, k, s = 0, turn = 0, first = 0, m = 0, step = g.n if g.by_elements else g.planes
    cdef unsigned long long mode = 0
    if g.rows == 0:
        return
    if weighted:
        scale, shift = &gamma[0], &beta[0]
    if repeated:
        repeat(&g, gamma, copies)
        repeat(&g, beta, copies + sample)
        scale, shift = copies, copies + sample
    if not weighted:
        step = 0
    if g.rows >= 2 * n_threads and g.n * <Py_ssize_t>sizeof(real) <= CACHED:
        g.large = False
    with nogil, parallel(num_threads=team(n_threads, 3.0 * g.rows * g.n)):
        mode = flush_on()
        if g.large:
            for turn in range(g.turns):
                s = turn * g.at_once
                first, m = s * g.groups, min(g.at_once, g.samples - s) * g.groups
                for i in prange(m * g.pieces, schedule="static"):
                    r = first + i // g.pieces
                    moments(&g, ops, &x[0, 0, 0] + r * g.n, i % g.pieces, pairs + 2 * r * g.pieces)
                for i in prange(m, schedule="static"):
                    join_moments(&g, pairs + 2 * (first + i) * g.pieces, centred, eps, found + 2 * (first + i))
                for i in prange(m * g.pieces, schedule="static"):
                    r = first + i // g.pieces
                    apply(&g, ops, &x[0, 0, 0] + r * g.n, scale + r % g.groups * step, shift + r % g.groups * step,
                          found + 2 * r, &y[0, 0, 0] + r * g.n, i % g.pieces)
        else:
            for r in prange(g.rows, schedule="static"):
                for k in range(g.pieces):
                    moments(&g, ops, &x[0, 0, 0] + r * g.n, k, pairs + 2 * r * g.pieces)
                join_moments(&g, pairs + 2 * r * g.pieces, centred, eps, found + 2 * r)
                for k in range(g.pieces):
                    apply(&g, ops, &x[0, 0, 0] + r * g.n, scale + r % g.groups * step, shift + r % g.groups * step,
                          found + 2 * r, &y[0, 0, 0] + r * g.n, k)
        for r in prange(g.rows, schedule="static"):
            if centred:
                (&mean[0, 0])[r] = <real>found[2 * r]
            (&invstd[0, 0])[r] = <real>found[2 * r + 1]
        flush_restore(mode)


cdef void join_weights(const Plan* g, Py_ssize_t c, const double* pairs, const real* invstd, const real* lines,
                       real* dgamma, real* dbeta) noexcept nogil:
    """dgamma and dbeta of channel c from the pairs of its planes, or from the lines of its elements."""
    cdef double total = 0, slope = 0
    cdef Py_ssize_t i, k, row, group = c // g.planes, plane = c % g.planes, width = g.groups * g.n
    if g.by_elements:
        for i in range(g.blocks):
            for k in range(c * g.pixels, (c + 1) * g.pixels):
                slope = slope + lines[2 * i * width + k]
                total = total + lines[(2 * i + 1) * width + k]
    else:
        for i in range(g.samples):
            row = i * g.groups + group
            for k in range(plane * g.parts, (plane + 1) * g.parts):
                total = total + pairs[2 * (row * g.pairs + k)]
                slope = slope + pairs[2 * (row * g.pairs + k) + 1] * invstd[row]
    dgamma[c] = <real>slope
    dbeta[c] = <real>total


def rownorm_backward(const real[:, :, ::1] dy not None, const real[:, :, ::1] x not None,
                     const real[:, ::1] mean not None, const real[:, ::1] invstd not None,
                     const real[::1] gamma not None, real[:, :, ::1] dx not None, real[::1] dgamma not None,
                     real[::1] dbeta not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef bint weighted = gamma.shape[0] > 0, centred = mean.shape[0] > 0
    cdef Plan g = make_plan(x.shape[0], x.shape[1], x.shape[2], invstd.shape[1], weighted, ops.lanes)
    cdef Py_ssize_t sample = g.groups * g.n, repeated = sample if g.by_elements and g.pixels > 1 else 0
    cdef bint direct = g.large and g.by_elements and g.pixels == 1     # one line, an element of which is a sum
    cdef Py_ssize_t width = sample if g.by_elements and not direct else 0
    cdef Block memory = scratch((2 * g.pairs + 4) * g.rows * sizeof(double)
                                + (repeated + 2 * g.blocks * width) * sizeof(real))
    cdef double* pairs = <double*>memory.data
    cdef double* found = pairs + 2 * g.pairs * g.rows
    cdef real* lines = <real*>(found + 4 * g.rows)
    cdef real* copies = lines + 2 * g.blocks * width
    cdef const real* scale = NULL
    cdef const real* centre = NULL
    cdef real* slopes_line = lines
    cdef real* total_line = lines + width
    cdef Py_ssize_t i, r, c, s = 0, turn = 0, first = 0, m = 0, step = g.n if g.by_elements else g.planes
    cdef unsigned long long mode = 0
    if weighted:
        scale = &gamma[0]
    if repeated:
        repeat(&g, gamma, copies)
        scale = copies
    if not weighted:
        step = 0
    if centred:
        centre = &mean[0, 0]
    if direct:
        slopes_line, total_line = &dgamma[0], &dbeta[0]
    if g.rows == 0:
        for c in range(dgamma.shape[0]):
            dgamma[c] = dbeta[c] = 0
        return
    with nogil, parallel(num_threads=team(n_threads, 5.0 * g.rows * g.n)):
        mode = flush_on()
        if g.large:
            for turn in range(g.turns):
                s = turn * g.at_once
                first, m = s * g.groups, min(g.at_once, g.samples - s) * g.groups
                for i in prange(m * g.pieces, schedule="static"):
                    r = first + i // g.pieces
                    slopes(&g, ops, &dy[0, 0, 0] + r * g.n, &x[0, 0, 0] + r * g.n, scale + r % g.groups * step,
                           centre[r] if centred else 0.0, pairs + 2 * r * g.pairs, i % g.pieces)
                for i in prange(m, schedule="static"):
                    r = first + i
                    join_slopes(&g, pairs + 2 * r * g.pairs, scale + r % g.groups * step, centred,
                                centre[r] if centred else 0.0, (&invstd[0, 0])[r], found + 4 * r)
                for i in prange(g.groups * g.pieces, schedule="static"):
                    piece_gradients(&g, ops, &dy[0, 0, 0], &x[0, 0, 0], scale, step, found, &dx[0, 0, 0],
                                    slopes_line, total_line, s, i % g.groups, i // g.groups)
        else:
            for i in prange(g.blocks * g.groups, schedule="static"):
                block_gradients(&g, ops, &dy[0, 0, 0], &x[0, 0, 0], scale, step, centre, &invstd[0, 0], pairs, found,
                                &dx[0, 0, 0], lines + 2 * (i // g.groups) * width, i // g.groups, i % g.groups)
        if weighted and not direct:
            for c in prange(g.groups * g.planes, schedule="static"):
                join_weights(&g, c, pairs, &invstd[0, 0], lines, &dgamma[0], &dbeta[0])
        flush_restore(mode)


cdef void piece_gradients(const Plan* g, const kn_ops* ops, const real* dy, const real* x, const real* scale,
                          Py_ssize_t step, const double* found, real* dx, real* dgamma, real* dbeta, Py_ssize_t first,
                          Py_ssize_t group, Py_ssize_t i) noexcept nogil:
    """One piece of the rows of a group in the samples from ``first`` on that go at once."""
    cdef Piece p = piece_of(g, i)
    cdef Py_ssize_t r = first * g.groups + group, column = group * g.n
    if g.by_elements and first == 0:
        memset(dgamma + column + p.at, 0, p.n * sizeof(real))
        memset(dbeta + column + p.at, 0, p.n * sizeof(real))
    gradient(g, ops, dy + r * g.n, x + r * g.n, scale + group * step, found + 4 * r, dx + r * g.n, dgamma + column,
             dbeta + column, min(g.at_once, g.samples - first), i)


cdef void block_gradients(const Plan* g, const kn_ops* ops, const real* dy, const real* x, const real* scale,
                          Py_ssize_t step, const real* centre, const real* invstd, double* pairs, double* found,
                          real* dx, real* line, Py_ssize_t block, Py_ssize_t group) noexcept nogil:
    """The rows of a group in a block of samples, each from its sums to dx."""
    cdef real* dgamma = line + group * g.n
    cdef real* dbeta = dgamma + g.groups * g.n
    cdef Py_ssize_t s, i, r
    cdef double mean
    if g.by_elements:
        memset(dgamma, 0, g.n * sizeof(real))
        memset(dbeta, 0, g.n * sizeof(real))
    for s in range(block * g.block, min(g.samples, (block + 1) * g.block)):
        r = s * g.groups + group
        mean = 0 if centre == NULL else centre[r]
        for i in range(g.pieces):
            slopes(g, ops, dy + r * g.n, x + r * g.n, scale + group * step, mean, pairs + 2 * r * g.pairs, i)
        join_slopes(g, pairs + 2 * r * g.pairs, scale + group * step, centre != NULL, mean, invstd[r], found + 4 * r)
        for i in range(g.pieces):
            gradient(g, ops, dy + r * g.n, x + r * g.n, scale + group * step, found + 4 * r, dx + r * g.n, dgamma,
                     dbeta, 1, i)
