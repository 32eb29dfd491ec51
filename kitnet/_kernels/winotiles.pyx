"""The steps of Winograd convolution, on a block of tiles: transform, multiply, transform back.

winograd.pyx says what for and in which order; the transforms themselves are in simd/kn_winograd.h. V is the transformed
source, U the transformed filters, M their products, each by the elements of a tile.
"""

from libc.math cimport INFINITY

from ._choice cimport BY_FILTERS, WORTHWHILE, at_most
from ._dispatch cimport KN_NOWHERE, kn_ops, kn_piece, kn_tiles
from ._integers cimport part, up, volume
from ._lattice cimport Axis, Block, Lattice, axis_forward, axis_words, beside, choose_blocks, count_blocks

cdef enum:
    FILTERS = 64            # filters in a sub-block
    NEAR = 1 << 19          # bytes of U that stay near: in half of the L2 cache,
    SHARED = 1 << 22        # or in the L3 cache, beside what else is there
    SOURCE = 3 << 22        # bytes of V in a block, by filters;
    MOST_TILES = 128        # and the most tiles of it
    LEAST_TILES = 32        # in a block
    V_BYTES = 3 << 20       # of a block, by tiles
    CAST = 2                # vectors of filters in a panel, where they fill the lanes
    AS_FILTERS = 26         # to transform a block of the source takes as long as so many filters of it

cdef double WELL = 0.85     # of the columns computed, so many are wanted
cdef float[64] zeros
zeros[:] = [0] * 64


cdef Py_ssize_t spread(Py_ssize_t n) noexcept nogil:
    """At least n floats, and an odd number of cache lines: streams so far apart do not fall into one cache set."""
    return (up(n, 16) | 1) * 16


cdef void lay_tiles(Lattice* lattice, Py_ssize_t* words, const Filtering* f) noexcept nogil:
    """The lattice whose outputs are the tiles, side by side; ``words`` has room for the tables of three axes."""
    cdef int a
    cdef Py_ssize_t tiles
    for a in range(3):
        tiles = tiles_along(f, a)
        axis_forward(&lattice.axis[a], words, tiles, 1, 1, 0, 1, tiles)
        words += axis_words(1)
    lattice.axis[2].unit = f.dilation[2]


cdef Py_ssize_t whole_units(const Lattice* lattice, Py_ssize_t tiles) noexcept nogil:
    """About so many tiles, by which a row can be cut without parting any that are woven."""
    return max(1, tiles // lattice.axis[2].unit) * lattice.axis[2].unit


cdef kn_piece piece_at(const Filtering* f, Py_ssize_t index) noexcept nogil:
    cdef kn_piece piece
    cdef Py_ssize_t high = up(f.kernel[1], f.taps), wide = up(f.kernel[2], f.taps)
    piece.shift[0] = index // (high * wide)
    piece.shift[1], piece.shift[2] = index // wide % high * f.taps, index % wide * f.taps
    piece.high, piece.wide = min(f.taps, f.kernel[1] - piece.shift[1]), min(f.taps, f.kernel[2] - piece.shift[2])
    return piece


cdef Py_ssize_t first_weight(const Filtering* f, const kn_piece* piece) noexcept nogil:
    """The place of a piece's first tap among the weights of a channel."""
    cdef Py_ssize_t tap = (piece.shift[0] * f.kernel[1] + piece.shift[1]) * f.kernel[2] + piece.shift[2]
    return volume(f.kernel) - 1 - tap if f.flip else tap


cdef Py_ssize_t first_row(const Work* work, Py_ssize_t panel) noexcept nogil:
    return min(work.f.rows, panel * work.panel) if work.cast else work.f.rows * panel // work.panels


cdef Py_ssize_t computed(const kn_ops* ops, Py_ssize_t rows, Py_ssize_t tiles) noexcept nogil:
    """The columns that the mac tiles of any panel of ``rows`` compute for so many tiles."""
    cdef Py_ssize_t p, width, most = 0, panels = up(rows, ops.mac_rows)
    for p in range(panels):
        width = ops.mac_vectors[rows * (p + 1) // panels - rows * p // panels] * ops.lanes
        most = max(most, up(tiles, width) * width)
    return most


cdef Py_ssize_t cut(Work* work, Py_ssize_t wanted) noexcept nogil:
    """Cut the batch into blocks of at most about so many tiles; gives the tiles of one."""
    cdef Lattice* lattice = &work.lattice
    choose_blocks(lattice, whole_units(lattice, wanted), 0, work.f.batch, -1)
    lattice.images = up(work.f.batch, up(work.f.batch, lattice.images))
    return lattice.images * lattice.axis[0].block * lattice.axis[1].block * lattice.axis[2].block


cdef void cut_well(Work* work, const kn_ops* ops, bint small) noexcept nogil:
    """Blocks that nearly fill the mac tiles, and whose V is not too large."""
    cdef Py_ssize_t i, wanted, tiles, best = LEAST_TILES, element = elements(work.f) * work.terms * sizeof(float)
    cdef double filled, most = 0
    for i in range(3):
        wanted = LEAST_TILES + 16 * (i if small else 2 - i)
        if wanted == LEAST_TILES or wanted * element <= V_BYTES:
            tiles = cut(work, wanted)
            filled = tiles / <double>computed(ops, work.f.rows, tiles)
            if most < WELL and filled > most:
                best, most = wanted, filled
    cut(work, best)


cdef Py_ssize_t parts_of(Py_ssize_t blocks, Py_ssize_t rows, Py_ssize_t panels, int threads) noexcept nogil:
    """Among how many tasks to divide the filters of a block, each of which transforms the source for itself. Parts have
    no say in the order of a sum, so threads may decide."""
    cdef Py_ssize_t parts, best = 1
    cdef double time, least = 0
    for parts in range(1, max(2, panels // 2 + 1)):
        time = up(blocks * parts, threads) * (AS_FILTERS + rows / <double>parts)
        if parts == 1 or time < least:
            best, least = parts, time
    return best


cdef Py_ssize_t most_runs(const Filtering* f) noexcept nogil:
    """Of the elements of a tile, which are of four kinds."""
    return 4 * (up(f.pieces * f.depth, TERMS) + f.pieces)


cdef void lay_runs(Work* work) noexcept nogil:
    """Cut the terms of each kind of element into runs: all of them, or those of the pieces that have this element. The
    first piece has them all."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t n = 0, p, start, end
    cdef int kind
    cdef kn_piece piece
    for kind in range(4):
        work.runs[kind] = n
        start = end = 0
        for p in range(f.pieces):
            piece = piece_at(f, p)
            if ((kind // 2 == 0 or points(f, 1, piece.high) == f.taps + 3)
                    and (kind % 2 == 0 or points(f, 2, piece.wide) == f.taps + 3)):
                start = p * f.depth if end < p * f.depth else start
                end = (p + 1) * f.depth
            if end == (p + 1) * f.depth and p + 1 < f.pieces:
                continue
            while start < end:
                work.run[n][0], work.run[n][1] = start, min(TERMS, end - start)
                start += work.run[n][1]
                n += 1
    work.runs[4] = n


cdef int kind_of(const Filtering* f, Py_ssize_t e) noexcept nogil:
    """Whether an element stands at the end of a column of its tile, of a row."""
    return 2 * (e // (f.taps + 3) == f.taps + 2) + (e % (f.taps + 3) == f.taps + 2)


cdef void make_work(Work* work, const kn_ops* ops, Py_ssize_t* words, int threads) noexcept nogil:
    """``words``: room for two of each run."""
    cdef Filtering* f = work.f
    cdef Axis* axis = work.lattice.axis
    cdef Py_ssize_t u = elements(f) * f.rows * f.pieces * f.depth * sizeof(float), v
    work.terms = f.pieces * f.depth
    work.run = <Py_ssize_t[2]*>words
    lay_runs(work)
    v = elements(f) * work.terms * f.batch * axis[0].out * axis[1].out * axis[2].out * sizeof(float)
    work.by_filters = not at_most(&f.choice.algorithm, WORTHWHILE, u, min(SHARED, max(4 * NEAR, v)))
    if work.by_filters:
        f.choice.way = BY_FILTERS
        cut(work, max(LEAST_TILES, min(MOST_TILES, SOURCE // (elements(f) * work.terms * <Py_ssize_t>sizeof(float)))))
    else:
        cut_well(work, ops, u <= NEAR)
    work.most_tiles = work.lattice.images * axis[0].block * axis[1].block * axis[2].block
    work.groups = work.lattice.images * axis[0].block * axis[1].block * up(axis[2].block, ops.lanes)
    work.pitch = computed(ops, f.rows, work.most_tiles) + ops.lanes
    work.line = 4 * (work.most_tiles + ops.lanes)
    work.pieced = False
    work.cast = work.by_filters and 4 * computed(ops, f.rows, work.most_tiles) > 5 * work.most_tiles
    work.panel = CAST * ops.lanes if work.cast else ops.mac_rows
    work.panels = up(f.rows, work.panel)
    work.sub = 1 if work.cast else max(1, FILTERS // work.panel)
    if work.by_filters:
        work.parts = min(work.panels, up(up(work.panels, work.sub), threads) * threads)
        work.sub = up(work.panels, work.parts)
    else:
        work.parts = parts_of(count_blocks(&work.lattice, f.batch) * f.groups, f.rows, work.panels, threads)
    work.u_element = spread((work.sub * work.panel if work.by_filters else f.rows) * work.terms)
    work.v_element = spread(work.terms * work.pitch)
    work.m_element = spread((work.sub + 1) * work.panel * work.pitch)
    work.v = elements(f) * work.v_element
    work.m = elements(f) * work.m_element
    work.results = max(4 * work.line, elements(f) * work.panel * work.most_tiles if work.cast else 0)


cdef void transform_filters(const kn_ops* ops, const Work* work, const float* weight, Py_ssize_t panel,
                            Py_ssize_t group, Py_ssize_t first, Py_ssize_t end, float* u, float* own) noexcept nogil:
    """One panel, channels from ``first`` to ``end``: u[e][term][row]."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t row = first_row(work, panel), rows = first_row(work, panel + 1) - row, c, i, b, channels
    cdef Py_ssize_t pitch = work.panel if work.cast else rows
    cdef Py_ssize_t taps = volume(f.kernel), turn = -1 if f.flip else 1, p
    # Channels at a time: as many as follow each other in memory (forward), else one by one.
    cdef Py_ssize_t most = ops.lanes if f.depth_step == taps else 1
    cdef kn_piece piece
    weight += group * f.group_step + row * f.row_step + first * f.depth_step
    for b in range(up(end - first, most)):
        channels = min(most, end - first - b * most)
        if most == 1 and b + 1 < end - first:  # backward, they lie far apart
            ops.fetch(weight + (b + 1) * f.depth_step, taps * rows)
        for i in range(up(rows, ops.lanes)):
            ops.turn(weight + b * most * f.depth_step + i * ops.lanes * f.row_step, f.row_step,
                     min(ops.lanes, rows - i * ops.lanes), taps * channels, 0, own, ops.lanes, taps * channels)
            for p in range(f.pieces):
                piece = piece_at(f, p)
                for c in range(channels):
                    transforms(ops, f).filter(
                        own + (c * taps + first_weight(f, &piece)) * ops.lanes, &piece,
                        turn * f.kernel[2] * ops.lanes, turn * ops.lanes, min(ops.lanes, rows - i * ops.lanes),
                        u + (p * (end - first) + b * most + c) * pitch + i * ops.lanes, work.u_element)


cdef Py_ssize_t find_tiles(const Work* work, const kn_ops* ops, const Block* block, Py_ssize_t index,
                           kn_tiles* groups) noexcept nogil:
    """Gather the tiles of a block into vectors: whole ones from wide rows, two or four narrow rows to a vector; as a
    piece of the kernel sees them."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t wide = block.count[2], rows = slices(block) * block.count[1], row = 0, column, n = 0, s, i, strip
    cdef Py_ssize_t strips = 4 if 4 * wide <= ops.lanes else 2 if 2 * wide <= ops.lanes else 1
    cdef Py_ssize_t image = f.groups * f.depth * volume(f.size), slice, depth, top, left, line
    cdef kn_piece piece = piece_at(f, index)
    cdef kn_tiles* group
    while row < rows:
        for column in range(up(wide, ops.lanes)):
            group = groups + n
            group.strips, group.tiles = strips, wide if strips > 1 else min(ops.lanes, wide - column * ops.lanes)
            group.place = row * wide + column * ops.lanes
            group.woven = f.dilation[2]
            group.down, group.along = points(f, 1, piece.high), points(f, 2, piece.wide)
            for s in range(4):
                strip = row + s * strips // 4
                slice = strip // block.count[1]
                left = (block.first[2] + column * ops.lanes) * 4 - f.pad[2] + s % (4 // strips) * ops.lanes
                left += piece.shift[2] * f.dilation[2]
                top = place_of(f, 1, block.first[1] + strip % block.count[1]) - f.pad[1]
                top += piece.shift[1] * f.dilation[1]
                depth = block.first[0] + slice % block.count[0] - f.pad[0] + piece.shift[0] * f.dilation[0]
                group.low[s], group.high[s] = -left, f.size[2] - left
                for i in range(f.taps + 3):
                    group.off[s][i] = KN_NOWHERE
                    line = top + i * f.dilation[1]
                    if (strip < rows and 0 <= depth < f.size[0] and 0 <= line < f.size[1]
                            and left < f.size[2] and left + ops.lanes + 4 * f.dilation[2] > 0):
                        group.off[s][i] = ((block.image + slice // block.count[0]) * image
                                           + (depth * f.size[1] + line) * f.size[2] + left)
            n += 1
        row += strips
    return n


cdef void transform_source(const kn_ops* ops, const Work* work, const float* source, const kn_tiles* groups,
                           Py_ssize_t n, Py_ssize_t index, Py_ssize_t first, Py_ssize_t end, float* v) noexcept nogil:
    """v[e][term][tile] of a piece's channels from ``first`` to ``end``: tiles of all rows of a block side by side."""
    cdef Py_ssize_t c, i
    v += index * work.f.depth * work.pitch
    for c in range(first, end):
        for i in range(n):
            transforms(ops, work.f).source(source + c * volume(work.f.size), &groups[i], v + c * work.pitch,
                                           work.v_element)


cdef void multiply(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns, Py_ssize_t panel,
                   Py_ssize_t end, const float* u, const float* v, float* m) noexcept nogil:
    """m[e][row][tile] = sum over the terms of u[e][term][row] v[e][term][tile], for some panels; u and m begin with the
    first."""
    cdef Py_ssize_t base = first_row(work, panel), e, t, p, j, row, rows, start, terms, width
    cdef int kind
    for e in range(elements(work.f)):
        kind = kind_of(work.f, e)
        for t in range(work.runs[kind], work.runs[kind + 1]):
            start, terms = work.run[t][0], work.run[t][1]
            for p in range(panel, end):
                row = first_row(work, p) - base
                rows = first_row(work, p + 1) - base - row
                width = ops.mac_vectors[rows] * ops.lanes
                for j in range(up(tiles, width)):
                    ops.mac[rows](terms, u + e * work.u_element + row * work.terms + start * rows, rows,
                                  v + e * work.v_element + start * work.pitch + j * width, columns,
                                  m + e * work.m_element + row * work.pitch + j * width, work.pitch, start > 0)


cdef void multiply_few(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns,
                       Py_ssize_t chunk, const float* u, const float* v, float* sums) noexcept nogil:
    """The same for one panel with the filters in the lanes, for a few tiles: sums[e][tile][row], in the same order. U
    in pieces: for the terms of one run, with which u begins."""
    cdef Py_ssize_t e, t, j, q, start, terms, width = work.panel, parts = up(tiles, ops.cast_rows)
    cdef int kind
    for e in range(elements(work.f)):
        kind = kind_of(work.f, e)
        for t in range(work.runs[kind], work.runs[kind + 1]):
            if work.pieced and t - work.runs[kind] != chunk:
                continue
            start, terms = work.run[t][0], work.run[t][1]
            for j in range(parts):
                q = part(tiles, parts, j)
                ops.cast[CAST - 1][part(tiles, parts, j + 1) - q](
                    terms, v + e * work.v_element + start * work.pitch + q, columns,
                    u + e * work.u_element + (0 if work.pieced else start * width), sums + (e * tiles + q) * width,
                    width, start > 0, 0)


cdef void turn_few(const kn_ops* ops, const Work* work, Py_ssize_t tiles, Py_ssize_t rows, const float* sums,
                   float* m) noexcept nogil:
    """m[e][row][tile] from these sums."""
    cdef Py_ssize_t e
    for e in range(elements(work.f)):
        ops.cast_out(sums + e * tiles * work.panel, work.panel, tiles, rows, zeros, NULL, -INFINITY, INFINITY,
                     m + e * work.m_element, work.pitch, 1)


cdef void write_results(const kn_ops* ops, const Work* work, const Block* block, const float* m, double bias,
                        const float* residual, double low, double high, float* dest, Py_ssize_t dest_image,
                        char* spoilt, float* results) noexcept nogil:
    """The results of one filter on a block, to the images at ``dest``; marks the images where one is not finite."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t n, h, row, i, column = 4 * block.first[2], wide = 4 * block.count[2], image = block.count[1] * wide
    cdef bint finite = True
    cdef float* to
    transforms(ops, f).result(m, work.m_element, tiles_of(block), f.dilation[2], results, work.line)
    for i in range(4):
        finite = finite and ops.finite(results + i * work.line, slices(block) * image)
    for n in range(slices(block)):
        for i in range(0 if finite else 4):
            if not ops.finite(results + i * work.line + n * image, image):
                spoilt[block.image + n // block.count[0]] = 1
        for h in range(block.count[1]):
            row = place_of(f, 1, block.first[1] + h)
            to = dest + (block.image + n // block.count[0]) * dest_image + column
            to += ((block.first[0] + n % block.count[0]) * f.out[1] + row) * f.out[2]
            ops.rows_out(results + (n * block.count[1] + h) * wide, work.line,
                         min(4, up(f.out[1] - row, f.dilation[1])), min(wide, f.out[2] - column), bias,
                         beside(residual, dest, to), low, high, to, f.dilation[1] * f.out[2], 1)


cdef void finish(const kn_ops* ops, const Work* work, const Block* block, Py_ssize_t group, Py_ssize_t panel,
                 Py_ssize_t end, const float* m, const float* bias, const float* residual, float* dest, double low,
                 double high, char* spoilt, float* results) noexcept nogil:
    """The results of some panels of filters on a block."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t row, base = first_row(work, panel), out = volume(f.out)
    cdef float* to
    for row in range(base, first_row(work, end)):
        to = dest + (group * f.rows + row) * out
        write_results(ops, work, block, m + (row - base) * work.pitch,
                      bias[group * f.rows + row] if bias != NULL else 0, <const float*>beside(residual, dest, to), low,
                      high, to, f.groups * f.rows * out, spoilt, results)
