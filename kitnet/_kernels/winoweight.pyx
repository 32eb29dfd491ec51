"""Winograd's algorithm for the gradient of the weights, float32: the adjoint of F(4x4, 3x3) or F(4x4, 2x2)
(simd/kn_winograd.h).

    dw = G' [ sum over tiles  (A dy A') * (B' x B) ] G

In the transformed domain these are 36 (25) products, filters x tiles times tiles x channels (of each piece of the
kernel, see winograd.pyx). Here the channels are the lanes: rows of the images are staged with the channels innermost,
so that no lane idles on narrow images, and both factors come out the way the micro-kernel reads them. Under a dilation
the tiles of all phases of the columns take turns in a row.

    for each block of tiles (both factors fit in the L3 cache):
        parallel, task = (row of tiles, lanes of channels or filters): stage, transform
        parallel, task = (element of the tiles, block of filters):     mac, on top of the blocks before
    parallel, task = filter: transform back

Where there would be many sums, and one block holds all tiles, a task makes all sums of a few filters and transforms
them back while they are near.

A task owns its part of the sums and blocks follow each other: the bits do not depend on threads.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_piece, table
from ._integers cimport up, volume
from ._lattice cimport Block, Lattice, axis_words, block_at, choose_blocks, count_blocks, widest_tile
from ._pool cimport Block as Memory, scratch
from ._tasks cimport Share, deal, take
from ._threads cimport team, thread_number
from .winotiles cimport (
    Filtering, elements, first_weight, lay_tiles, piece_at, place_of, slices, spread, tiles_of, transforms,
    whole_units,
)

cdef enum:
    TERMS = 192             # tiles of a mac at a time
    FACTORS = 1 << 24       # bytes of both factors of a block
    MOST_TILES = 128        # in a block
    PANELS = 5              # panels of filters in a task,
    NEAR = 2                # or where its sums are finished at once,
    SUMS = 1 << 23          # for there are more bytes of them than stay near


cdef struct Work:
    Lattice lattice
    Py_ssize_t most_tiles       # in a block
    Py_ssize_t channel_lines    # vectors of channels, for each piece of the kernel,
    Py_ssize_t filter_lines     # and of filters
    Py_ssize_t columns          # channels, for each piece of the kernel from a vector on
    Py_ssize_t channel_pitch    # from tile to tile, and from filter to filter of the sums
    Py_ssize_t filter_pitch     # from tile to tile
    Py_ssize_t v_element        # from one element of a tile to the next, in the transformed x,
    Py_ssize_t d_element        # in the transformed dy,
    Py_ssize_t m_element        # and in the sums
    Py_ssize_t line             # of a staged row
    Py_ssize_t panels


cdef void transform(const kn_ops* ops, Filtering* f, const Work* work, const Block* block, const float* x,
                    const float* dy, Py_ssize_t task, float* v, float* d, float* staged) noexcept nogil:
    """Stage and transform one row of tiles, for one vector of filters, or of channels for all pieces of a slice of the
    kernel."""
    cdef Py_ssize_t lines = f.kernel[0] * work.channel_lines, line = task % (lines + work.filter_lines)
    cdef Py_ssize_t row = task // (lines + work.filter_lines), image_slice = row // block.count[1]
    cdef Py_ssize_t n = block.image + image_slice // block.count[0], tiles = block.count[2], q = row * tiles
    cdef Py_ssize_t high = up(f.kernel[1], f.taps), wide = up(f.kernel[2], f.taps), channels, column, i, p, y, slice = 0
    cdef Py_ssize_t woven = f.dilation[2], columns = 4 * tiles + (f.taps * wide - 1) * woven
    cdef Py_ssize_t[3] first
    cdef const float* source
    cdef bint gradient = line >= lines
    cdef const Py_ssize_t* size = &f.out[0] if gradient else &f.size[0]
    first[0] = block.first[0] + image_slice % block.count[0]
    first[1], first[2] = place_of(f, 1, block.first[1] + row % block.count[1]), 4 * block.first[2]
    if gradient:
        column = (line - lines) * ops.lanes
        channels = f.rows - column
        source = dy + (n * f.groups * f.rows + column) * volume(size)
    else:
        slice = line // work.channel_lines
        column = line % work.channel_lines * ops.lanes
        channels = f.depth - column
        source = x + (n * f.groups * f.depth + column) * volume(size)
        first[0] += slice * f.dilation[0]
        for i in range(3):
            first[i] -= f.pad[i]
    for i in range(4 if gradient else f.taps * high + 3):
        y = first[1] + i * f.dilation[1]
        if 0 <= first[0] < size[0] and 0 <= y < size[1]:
            ops.turn(source + (first[0] * size[1] + y) * size[2], volume(size), min(channels, ops.lanes), size[2],
                     first[2], staged + i * work.line, ops.lanes, columns)
        else:
            ops.turn(source, volume(size), 0, 0, 0, staged + i * work.line, ops.lanes, columns)
    for p in range(woven):
        if gradient:
            transforms(ops, f).gradient_lanes(
                staged + p * ops.lanes, work.line, woven * ops.lanes, tiles // woven,
                d + (q + p) * work.filter_pitch + column, work.d_element, woven * work.filter_pitch)
        for i in range(0 if gradient else high * wide):
            transforms(ops, f).source_lanes(
                staged + i // wide * f.taps * work.line + (i % wide * f.taps * woven + p) * ops.lanes, work.line,
                woven * ops.lanes, tiles // woven, v + (q + p) * work.channel_pitch
                + (slice * high * wide + i) * work.channel_lines * ops.lanes + column, work.v_element,
                woven * work.channel_pitch)


cdef void multiply(const kn_ops* ops, const Filtering* f, const Work* work, Py_ssize_t tiles, const Py_ssize_t* rows,
                   Py_ssize_t e, Py_ssize_t first, Py_ssize_t end, bint accumulate, const float* v, const float* d,
                   float* m) noexcept nogil:
    """sums[filter][channel] (+)= sum over tiles d[e][tile][filter] v[e][tile][channel], for the filters of the panels
    from ``first`` to ``end``; the sums begin with the first of them."""
    cdef Py_ssize_t p, t, j, row, height, width, terms, base = f.rows * first // work.panels
    for t in range(up(tiles, TERMS)):
        terms = min(TERMS, tiles - t * TERMS)
        for p in range(first, end):
            row = f.rows * p // work.panels
            height = f.rows * (p + 1) // work.panels - row
            width = ops.mac_vectors[height] * ops.lanes
            for j in range(up(work.columns, width)):
                ops.mac[height](terms, d + e * work.d_element + t * TERMS * work.filter_pitch + row, work.filter_pitch,
                                v + e * work.v_element + t * TERMS * work.channel_pitch + j * width, rows,
                                m + (row - base) * work.channel_pitch + j * width, work.channel_pitch,
                                accumulate or t > 0)


cdef void transform_back(const kn_ops* ops, const Filtering* f, const Work* work, Py_ssize_t g, Py_ssize_t row,
                         const float* m, const float* dy, float* dweight, float* dbias) noexcept nogil:
    """The gradient of one filter, from its sums at m."""
    cdef Py_ssize_t j, p, plane = volume(f.out), taps = volume(f.kernel)
    cdef double total = 0
    cdef kn_piece piece
    dweight += (g * f.rows + row) * f.depth * taps
    for p in range(f.pieces):
        piece = piece_at(f, p)
        for j in range(work.channel_lines):
            transforms(ops, f).weight(
                m + (p * work.channel_lines + j) * ops.lanes, work.m_element, min(ops.lanes, f.depth - j * ops.lanes),
                &piece, dweight + j * ops.lanes * taps + first_weight(f, &piece), taps, f.kernel[2])
    if dbias != NULL:
        for j in range(f.batch):
            total += ops.total(dy + ((j * f.groups + g) * f.rows + row) * plane, plane)
        dbias[g * f.rows + row] = <float>total


cdef void finish_panels(const kn_ops* ops, const Filtering* f, const Work* work, Py_ssize_t tiles,
                        const Py_ssize_t* rows, Py_ssize_t g, Py_ssize_t task, const float* v, const float* d,
                        const float* dy, float* dweight, float* dbias, float* m) noexcept nogil:
    """All of the sums of a few panels, and back at once, while they are near."""
    cdef Py_ssize_t first = task * NEAR, end = min(first + NEAR, work.panels), e, row
    for e in range(elements(f)):
        multiply(ops, f, work, tiles, rows, e, first, end, False, v, d, m + e * work.m_element)
    for row in range(f.rows * first // work.panels, f.rows * end // work.panels):
        transform_back(ops, f, work, g, row, m + (row - f.rows * first // work.panels) * work.channel_pitch, dy,
                       dweight, dbias)


cdef Py_ssize_t filter_weights(Filtering* f, const float* dy, const float* x, float* dweight, float* dbias,
                               int n_threads) except -1:
    """The gradient of the weights, and of the bias where ``dbias`` is not NULL, of the convolution f (forward)."""
    cdef const kn_ops* ops = table.ops[0]
    cdef Work work
    cdef Block block
    cdef Py_ssize_t g, t, i, j, task, _, tasks, index, tiles, tile, staged, lines
    cdef unsigned long long mode = 0
    cdef bint one               # block holds all tiles, and the sums are finished as they are made
    cdef int threads = team(n_threads, <double>f.batch * f.rows * f.depth * volume(f.out))
    cdef Memory tables = scratch((axis_words(3) + TERMS) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* words = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* rows = words + axis_words(3)
    lay_tiles(&work.lattice, words, f)
    tiles = FACTORS // (elements(f) * <Py_ssize_t>sizeof(float) * (f.rows + f.pieces * f.depth))
    choose_blocks(&work.lattice, whole_units(&work.lattice, max(32, min(tiles, MOST_TILES))), 0, f.batch, -1)
    work.most_tiles = work.lattice.axis[0].block * work.lattice.axis[1].block * work.lattice.axis[2].block
    work.most_tiles *= work.lattice.images
    work.panels = up(f.rows, ops.mac_rows)
    tile = widest_tile(ops, f.rows, work.panels)
    work.channel_lines, work.filter_lines = up(f.depth, ops.lanes), up(f.rows, ops.lanes)
    work.columns = (f.pieces - 1) * work.channel_lines * ops.lanes + f.depth
    work.channel_pitch = spread(max(work.columns + tile, f.pieces * work.channel_lines * ops.lanes))
    lines = f.kernel[0] * work.channel_lines + work.filter_lines
    work.filter_pitch = spread(work.filter_lines * ops.lanes)
    work.v_element = spread(work.most_tiles * work.channel_pitch)
    work.d_element = spread(work.most_tiles * work.filter_pitch)
    one = (count_blocks(&work.lattice, f.batch) == 1
           and elements(f) * f.rows * work.channel_pitch * <Py_ssize_t>sizeof(float) > SUMS)
    work.m_element = spread((NEAR * ops.mac_rows if one else f.rows) * work.channel_pitch)
    work.line = 4 * work.lattice.axis[2].block + (f.taps * up(f.kernel[2], f.taps) - 1) * f.dilation[2] + ops.lanes
    work.line *= ops.lanes
    staged = spread((f.taps * up(f.kernel[1], f.taps) + 3) * work.line)
    for t in range(TERMS):
        rows[t] = t * work.channel_pitch
    cdef Memory v_memory = scratch(elements(f) * work.v_element * sizeof(float))
    cdef Memory d_memory = scratch(elements(f) * work.d_element * sizeof(float))
    cdef Memory m_memory = scratch((threads if one else 1) * elements(f) * work.m_element * sizeof(float))
    cdef Memory memory = scratch(threads * staged * sizeof(float))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef float* v = <float*>v_memory.data
    cdef float* d = <float*>d_memory.data
    cdef float* m = <float*>m_memory.data
    cdef float* own = <float*>memory.data
    if dweight == NULL:
        return tables.size + v_memory.size + d_memory.size + m_memory.size + memory.size
    for g in range(f.groups):
        for index in range(count_blocks(&work.lattice, f.batch)):
            block = block_at(&work.lattice, index, f.batch)
            tasks = up(work.panels, NEAR) if one else elements(f) * up(work.panels, PANELS)
            deal(shares, threads, 0, tasks)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for i in prange(slices(&block) * block.count[1] * lines, schedule="dynamic"):
                    transform(ops, f, &work, &block, x + g * f.depth * volume(f.size),
                              dy + g * f.rows * volume(f.out), i, v, d, own + thread_number() * staged)
                for _ in prange(tasks, schedule="dynamic"):
                    task = take(shares, threads)
                    j = task // elements(f) * PANELS
                    if one:
                        finish_panels(ops, f, &work, tiles_of(&block), rows, g, task, v, d, dy, dweight, dbias,
                                      m + thread_number() * elements(f) * work.m_element)
                    else:
                        multiply(ops, f, &work, tiles_of(&block), rows, task % elements(f), j,
                                 min(j + PANELS, work.panels), index > 0, v, d, m + task % elements(f) * work.m_element
                                 + f.rows * j // work.panels * work.channel_pitch)
                flush_restore(mode)
            PyErr_CheckSignals()
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(0 if one else f.rows, schedule="static"):
                transform_back(ops, f, &work, g, i, m + i * work.channel_pitch, dy, dweight, dbias)
            flush_restore(mode)
    return 0
