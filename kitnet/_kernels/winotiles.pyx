"""The steps of Winograd convolution F(4x4, 3x3), on a block of tiles: transform, multiply, transform back.

winograd.pyx says what for and in which order; the transforms themselves are in simd/kn_winograd.h. V is the transformed
source, U the transformed filters, M their products, each by the 36 elements of a tile.
"""

from libc.math cimport INFINITY

from ._choice cimport BY_FILTERS, WORTHWHILE, at_most
from ._dispatch cimport KN_NOWHERE, kn_ops, kn_tiles
from ._integers cimport up
from ._lattice cimport Axis, Block, Lattice, axis_forward, axis_words, choose_blocks, widest_tile

cdef enum:
    FILTERS = 64            # filters in a sub-block
    NEAR = 1 << 19          # bytes of U that stay near: in half of the L2 cache,
    SHARED = 1 << 24        # or in the L3 cache
    SOURCE = 1 << 24        # bytes of V in a block, by filters;
    MOST_TILES = 256        # and the most tiles of it
    CAST = 2                # vectors of filters in a panel, where they fill the lanes
    FEW_TILES = 16          # tiles of an image that does not repay a large U
    ENOUGH = 8              # tasks a sample, where it is worth splitting

cdef float[64] zeros
zeros[:] = [0] * 64


cdef Py_ssize_t spread(Py_ssize_t n) noexcept nogil:
    """At least n floats, and an odd number of cache lines: 36 streams so far apart do not fall into one cache set."""
    return (up(n, 16) | 1) * 16


cdef void lay_tiles(Lattice* lattice, Py_ssize_t* words, const Filtering* f) noexcept nogil:
    """The lattice whose outputs are the tiles, side by side; ``words`` has room for the tables of three axes."""
    cdef int a
    axis_forward(&lattice.axis[0], words, 1, 1, 1, 0, 1, 1)
    for a in range(2):
        words += axis_words(1)
        axis_forward(&lattice.axis[a + 1], words, up(f.out[a], 4), 1, 1, 0, 1, up(f.out[a], 4))


cdef Py_ssize_t first_row(const Work* work, Py_ssize_t panel) noexcept nogil:
    return min(work.f.rows, panel * work.panel) if work.cast else work.f.rows * panel // work.panels


cdef void make_work(Work* work, const kn_ops* ops) noexcept nogil:
    cdef Filtering* f = work.f
    cdef Axis* axis = work.lattice.axis
    cdef Py_ssize_t u = ELEMENTS * f.rows * f.depth * sizeof(float), wanted, near
    cdef Py_ssize_t blocks
    work.tile = widest_tile(ops, f.rows, up(f.rows, ops.mac_rows))
    near = 4 * NEAR if axis[1].out * axis[2].out <= FEW_TILES else SHARED
    work.by_filters = not at_most(&f.choice.algorithm, WORTHWHILE, u, near)
    if work.by_filters:
        f.choice.way = BY_FILTERS
    wanted = 32 if u <= NEAR else 64
    if work.by_filters:
        wanted = max(32, min(MOST_TILES, SOURCE // (ELEMENTS * f.depth * <Py_ssize_t>sizeof(float))))
    choose_blocks(&work.lattice, wanted, 0, f.batch, -1)
    work.most_tiles = work.lattice.images * axis[1].block * axis[2].block
    work.groups = work.lattice.images * axis[1].block * up(axis[2].block, ops.lanes)
    work.pitch = up(work.most_tiles, work.tile) * work.tile + work.tile + ops.lanes
    work.line = 4 * (work.most_tiles + ops.lanes)
    work.cast = work.by_filters and 4 * up(work.most_tiles, work.tile) * work.tile > 5 * work.most_tiles
    work.panel = CAST * ops.lanes if work.cast else ops.mac_rows
    work.panels = up(f.rows, work.panel)
    work.sub = max(1, FILTERS // work.panel)
    blocks = work.lattice.blocks[1] * work.lattice.blocks[2] * f.groups
    work.parts = max(1, min(up(ENOUGH, blocks), work.panels // 2))
    work.u_element = spread((work.sub * work.panel if work.by_filters else f.rows) * f.depth)
    work.v_element = spread(f.depth * work.pitch)
    work.m_element = spread((work.sub + 1) * work.panel * work.pitch)
    work.v = ELEMENTS * work.v_element
    work.m = ELEMENTS * work.m_element
    work.results = max(4 * work.line, CAST * ops.lanes * ops.cast_rows)


cdef void transform_filters(const kn_ops* ops, const Work* work, const float* weight, Py_ssize_t panel,
                            Py_ssize_t group, float* u, float* own) noexcept nogil:
    """One panel: u[e][c][row]."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t row = first_row(work, panel), rows = first_row(work, panel + 1) - row, c, i, b, channels
    cdef Py_ssize_t pitch = work.panel if work.cast else rows
    # Channels at a time: as many as follow each other in memory (forward), else one by one.
    cdef Py_ssize_t most = ops.lanes if f.depth_step == 9 else 1
    weight += group * f.group_step + row * f.row_step
    for b in range(up(f.depth, most)):
        channels = min(most, f.depth - b * most)
        if most == 1 and b + 1 < f.depth:  # backward, they lie far apart
            ops.fetch(weight + (b + 1) * f.depth_step, 9 * rows)
        for i in range(up(rows, ops.lanes)):
            ops.turn(weight + b * most * f.depth_step + i * ops.lanes * f.row_step, f.row_step,
                     min(ops.lanes, rows - i * ops.lanes), 9 * channels, 0, own, ops.lanes, 9 * channels)
            for c in range(channels):
                ops.winograd_filter(own + c * 9 * ops.lanes, ops.lanes, min(ops.lanes, rows - i * ops.lanes), f.flip,
                                    u + (b * most + c) * pitch + i * ops.lanes, work.u_element)


cdef Py_ssize_t find_tiles(const Work* work, const kn_ops* ops, const Block* block, kn_tiles* groups) noexcept nogil:
    """Gather the tiles of a block into vectors: whole ones from wide rows, two or four narrow rows to a vector."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t wide = block.count[2], rows = block.images * block.count[1], row = 0, column, n = 0, s, i, strip
    cdef Py_ssize_t strips = 4 if 4 * wide <= ops.lanes else 2 if 2 * wide <= ops.lanes else 1
    cdef Py_ssize_t image = f.groups * f.depth * f.size[0] * f.size[1], top, left
    cdef kn_tiles* group
    while row < rows:
        for column in range(up(wide, ops.lanes)):
            group = groups + n
            group.strips, group.tiles = strips, wide if strips > 1 else min(ops.lanes, wide - column * ops.lanes)
            group.place = row * wide + column * ops.lanes
            for s in range(4):
                strip = row + s * strips // 4
                left = (block.first[2] + column * ops.lanes) * 4 - f.pad[1] + s % (4 // strips) * ops.lanes
                top = (block.first[1] + strip % block.count[1]) * 4 - f.pad[0]
                group.low[s], group.high[s] = -left, f.size[1] - left
                for i in range(6):
                    group.off[s][i] = KN_NOWHERE
                    if strip < rows and 0 <= top + i < f.size[0] and left < f.size[1] and left + ops.lanes + 4 > 0:
                        group.off[s][i] = ((block.image + strip // block.count[1]) * image + (top + i) * f.size[1]
                                           + left)
            n += 1
        row += strips
    return n


cdef void transform_source(const kn_ops* ops, const Work* work, const float* source, const kn_tiles* groups,
                           Py_ssize_t n, Py_ssize_t first, Py_ssize_t end, float* v) noexcept nogil:
    """v[e][c][tile] of the channels from ``first`` to ``end``: the tiles of all rows of a block side by side."""
    cdef Py_ssize_t c, i, plane = work.f.size[0] * work.f.size[1]
    for c in range(first, end):
        for i in range(n):
            ops.winograd_source(source + c * plane, &groups[i], v + c * work.pitch, work.v_element)


cdef void multiply(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns, Py_ssize_t panel,
                   Py_ssize_t end, const float* u, const float* v, float* m) noexcept nogil:
    """m[e][row][tile] = sum over c of u[e][c][row] v[e][c][tile], for some panels; u and m begin with the first."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t base = first_row(work, panel), e, t, p, j, row, rows, start, terms, width
    for e in range(ELEMENTS):
        for t in range(up(f.depth, TERMS)):
            start = t * TERMS
            terms = min(TERMS, f.depth - start)
            for p in range(panel, end):
                row = first_row(work, p) - base
                rows = first_row(work, p + 1) - base - row
                width = ops.mac_vectors[rows] * ops.lanes
                for j in range(up(tiles, width)):
                    ops.mac[rows](terms, u + e * work.u_element + row * f.depth + start * rows, rows,
                                  v + e * work.v_element + start * work.pitch + j * width, columns,
                                  m + e * work.m_element + row * work.pitch + j * width, work.pitch, t > 0)


cdef void multiply_few(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns,
                       Py_ssize_t panel, Py_ssize_t end, const float* u, const float* v, float* m,
                       float* own) noexcept nogil:
    """The same with the filters in the lanes, for a few tiles; sums in the same order."""
    cdef const Work* w = work
    cdef Py_ssize_t e, p, j, t, q, n, rows, terms, width = w.panel, parts = up(tiles, ops.cast_rows)
    for e in range(ELEMENTS):
        for p in range(end - panel):
            rows = first_row(w, panel + p + 1) - first_row(w, panel + p)
            for j in range(parts):
                q = tiles * j // parts
                n = tiles * (j + 1) // parts - q
                for t in range(up(w.f.depth, TERMS)):
                    terms = min(TERMS, w.f.depth - t * TERMS)
                    ops.cast[CAST - 1][n](terms, v + e * w.v_element + t * TERMS * w.pitch + q, columns,
                                          u + e * w.u_element + (p * w.f.depth + t * TERMS) * width, own, width, t > 0,
                                          0)
                ops.cast_out(own, width, n, rows, zeros, -INFINITY, INFINITY,
                             m + e * w.m_element + p * width * w.pitch + q, w.pitch, 1)


cdef void write_results(const kn_ops* ops, const Work* work, const Block* block, const float* m, double bias,
                        double low, double high, float* dest, Py_ssize_t dest_image, char* spoilt,
                        float* results) noexcept nogil:
    """The results of one filter on a block, to the images at ``dest``; marks the images where one is not finite."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t n, h, row, i, column = 4 * block.first[2], wide = 4 * block.count[2], image = block.count[1] * wide
    cdef bint finite = True
    ops.winograd_result(m, work.m_element, block.images * block.count[1] * block.count[2], results, work.line)
    for i in range(4):
        finite = finite and ops.finite(results + i * work.line, block.images * image)
    for n in range(block.images):
        for i in range(0 if finite else 4):
            if not ops.finite(results + i * work.line + n * image, image):
                spoilt[block.image + n] = 1
        for h in range(block.count[1]):
            row = 4 * (block.first[1] + h)
            ops.rows_out(results + (n * block.count[1] + h) * wide, work.line, min(4, f.out[0] - row),
                         min(wide, f.out[1] - column), bias, low, high,
                         dest + (block.image + n) * dest_image + row * f.out[1] + column, f.out[1], 1)


cdef void finish(const kn_ops* ops, const Work* work, const Block* block, Py_ssize_t group, Py_ssize_t panel,
                 Py_ssize_t end, const float* m, const float* bias, float* dest, double low, double high, char* spoilt,
                 float* results) noexcept nogil:
    """The results of some panels of filters on a block."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t row, base = first_row(work, panel), out = f.out[0] * f.out[1]
    for row in range(base, first_row(work, end)):
        write_results(ops, work, block, m + (row - base) * work.pitch,
                      bias[group * f.rows + row] if bias != NULL else 0, low, high,
                      dest + (group * f.rows + row) * out, f.groups * f.rows * out, spoilt, results)
