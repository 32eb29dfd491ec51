"""Winograd's algorithm for the gradient of 3x3 weights, float32: the adjoint of F(4x4, 3x3) (simd/kn_winograd.h).

    dw = G' [ sum over tiles  (A dy A') * (B' x B) ] G

In the transformed domain these are 36 products, filters x tiles times tiles x channels. Here the channels are the
lanes: rows of the images are staged with the channels innermost, so that no lane idles on narrow images, and both
factors come out the way the micro-kernel reads them.

    for each block of tiles (both factors fit in the L3 cache):
        parallel, task = (row of tiles, lanes of channels or filters): stage, transform
        parallel, task = (one of the 36 elements, block of filters):   mac, on top of the blocks before
    parallel, task = filter: transform back

Where there would be many sums, and one block holds all tiles, a task makes all 36 sums of a few filters and transforms
them back while they are near.

A task owns its part of the sums and blocks follow each other: the bits do not depend on threads.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport up
from ._lattice cimport Block, Lattice, axis_words, block_at, choose_blocks, count_blocks, widest_tile
from ._pool cimport Block as Memory, scratch
from ._threads cimport team, thread_number
from .winotiles cimport ELEMENTS, Filtering, lay_tiles, spread

cdef enum:
    TERMS = 192             # tiles of a mac at a time
    FACTORS = 1 << 24       # bytes of both factors of a block
    MOST_TILES = 512        # in a block
    PANELS = 5              # panels of filters in a task,
    NEAR = 2                # or where its sums are finished at once,
    SUMS = 1 << 23          # for there are more bytes of them than stay near


cdef struct Work:
    Lattice lattice
    Py_ssize_t most_tiles       # in a block
    Py_ssize_t channel_lines    # vectors of channels,
    Py_ssize_t filter_lines     # and of filters
    Py_ssize_t channel_pitch    # from tile to tile, and from filter to filter of the sums
    Py_ssize_t filter_pitch     # from tile to tile
    Py_ssize_t v_element        # from one of the 36 elements to the next, in the transformed x,
    Py_ssize_t d_element        # in the transformed dy,
    Py_ssize_t m_element        # and in the sums
    Py_ssize_t line             # of a staged row
    Py_ssize_t panels


cdef void transform(const kn_ops* ops, const Filtering* f, const Work* work, const Block* block, const float* x,
                    const float* dy, Py_ssize_t task, float* v, float* d, float* staged) noexcept nogil:
    """Stage and transform one row of tiles, for one vector of channels or filters."""
    cdef Py_ssize_t lines = work.channel_lines + work.filter_lines, line = task % lines, row = task // lines, i, top
    cdef Py_ssize_t n = block.image + row // block.count[1], h = block.first[1] + row % block.count[1]
    cdef Py_ssize_t tiles = block.count[2], q = row * tiles, left = 4 * block.first[2], plane, width, height, channels
    cdef const float* source
    cdef bint gradient = line >= work.channel_lines
    if gradient:
        line -= work.channel_lines
        height, width, channels = f.out[0], f.out[1], f.rows - line * ops.lanes
        source = dy + (n * f.groups * f.rows + line * ops.lanes) * height * width
        top = 4 * h
    else:
        height, width, channels = f.size[0], f.size[1], f.depth - line * ops.lanes
        source = x + (n * f.groups * f.depth + line * ops.lanes) * height * width
        top, left = 4 * h - f.pad[0], left - f.pad[1]
    plane = height * width
    for i in range(4 if gradient else 6):
        if 0 <= top + i < height:
            ops.turn(source + (top + i) * width, plane, min(channels, ops.lanes), width, left, staged + i * work.line,
                     ops.lanes, 4 * tiles + 2)
        else:
            ops.turn(source, plane, 0, 0, 0, staged + i * work.line, ops.lanes, 4 * tiles + 2)
    if gradient:
        ops.winograd_gradient_lanes(staged, work.line, tiles, d + q * work.filter_pitch + line * ops.lanes,
                                    work.d_element, work.filter_pitch)
    else:
        ops.winograd_source_lanes(staged, work.line, tiles, v + q * work.channel_pitch + line * ops.lanes,
                                  work.v_element, work.channel_pitch)


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
            for j in range(up(f.depth, width)):
                ops.mac[height](terms, d + e * work.d_element + t * TERMS * work.filter_pitch + row, work.filter_pitch,
                                v + e * work.v_element + t * TERMS * work.channel_pitch + j * width, rows,
                                m + (row - base) * work.channel_pitch + j * width, work.channel_pitch,
                                accumulate or t > 0)


cdef void transform_back(const kn_ops* ops, const Filtering* f, const Work* work, Py_ssize_t g, Py_ssize_t row,
                         const float* m, const float* dy, float* dweight, float* dbias) noexcept nogil:
    """The gradient of one filter, from its sums at m."""
    cdef Py_ssize_t j, plane = f.out[0] * f.out[1]
    cdef double total = 0
    for j in range(work.channel_lines):
        ops.winograd_weight(m + j * ops.lanes, work.m_element, min(ops.lanes, f.depth - j * ops.lanes),
                            dweight + ((g * f.rows + row) * f.depth + j * ops.lanes) * 9)
    if dbias != NULL:
        for j in range(f.batch):
            total += ops.total(dy + ((j * f.groups + g) * f.rows + row) * plane, plane)
        dbias[g * f.rows + row] = <float>total


cdef void finish_panels(const kn_ops* ops, const Filtering* f, const Work* work, Py_ssize_t tiles,
                        const Py_ssize_t* rows, Py_ssize_t g, Py_ssize_t task, const float* v, const float* d,
                        const float* dy, float* dweight, float* dbias, float* m) noexcept nogil:
    """All of the sums of a few panels, and back at once, while they are near."""
    cdef Py_ssize_t first = task * NEAR, end = min(first + NEAR, work.panels), e, row
    for e in range(ELEMENTS):
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
    cdef Py_ssize_t g, t, i, j, index, tiles, tile, staged, plane = f.out[0] * f.out[1]
    cdef Py_ssize_t x_plane = f.size[0] * f.size[1]
    cdef unsigned long long mode = 0
    cdef bint one               # block holds all tiles, and the sums are finished as they are made
    cdef int threads = team(n_threads, <double>f.batch * f.rows * f.depth * plane)
    cdef Memory tables = scratch((axis_words(3) + TERMS) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* words = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* rows = words + axis_words(3)
    lay_tiles(&work.lattice, words, f)
    tiles = FACTORS // (ELEMENTS * <Py_ssize_t>sizeof(float) * (f.rows + f.depth))
    choose_blocks(&work.lattice, max(32, min(tiles, MOST_TILES)), 0, f.batch, -1)
    work.most_tiles = work.lattice.images * work.lattice.axis[1].block * work.lattice.axis[2].block
    work.panels = up(f.rows, ops.mac_rows)
    tile = widest_tile(ops, f.rows, work.panels)
    work.channel_lines, work.filter_lines = up(f.depth, ops.lanes), up(f.rows, ops.lanes)
    work.channel_pitch = spread(max(f.depth + tile, work.channel_lines * ops.lanes))
    work.filter_pitch = spread(work.filter_lines * ops.lanes)
    work.v_element = spread(work.most_tiles * work.channel_pitch)
    work.d_element = spread(work.most_tiles * work.filter_pitch)
    one = (count_blocks(&work.lattice, f.batch) == 1
           and ELEMENTS * f.rows * work.channel_pitch * <Py_ssize_t>sizeof(float) > SUMS)
    work.m_element = spread((NEAR * ops.mac_rows if one else f.rows) * work.channel_pitch)
    work.line = (4 * work.lattice.axis[2].block + 2 + ops.lanes) * ops.lanes
    staged = spread(6 * work.line)
    for t in range(TERMS):
        rows[t] = t * work.channel_pitch
    cdef Memory v_memory = scratch(ELEMENTS * work.v_element * sizeof(float))
    cdef Memory d_memory = scratch(ELEMENTS * work.d_element * sizeof(float))
    cdef Memory m_memory = scratch((threads if one else 1) * ELEMENTS * work.m_element * sizeof(float))
    cdef Memory memory = scratch(threads * staged * sizeof(float))
    cdef float* v = <float*>v_memory.data
    cdef float* d = <float*>d_memory.data
    cdef float* m = <float*>m_memory.data
    cdef float* own = <float*>memory.data
    if dweight == NULL:
        return tables.size + v_memory.size + d_memory.size + m_memory.size + memory.size
    for g in range(f.groups):
        for index in range(count_blocks(&work.lattice, f.batch)):
            block = block_at(&work.lattice, index, f.batch)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for i in prange(block.images * block.count[1] * (work.channel_lines + work.filter_lines),
                                schedule="dynamic"):
                    transform(ops, f, &work, &block, x + g * f.depth * x_plane, dy + g * f.rows * plane, i, v, d,
                              own + thread_number() * staged)
                for i in prange(0 if one else ELEMENTS * up(work.panels, PANELS), schedule="dynamic"):
                    j = i // ELEMENTS * PANELS
                    multiply(ops, f, &work, block.images * block.count[1] * block.count[2], rows, i % ELEMENTS, j,
                             min(j + PANELS, work.panels), index > 0, v, d,
                             m + i % ELEMENTS * work.m_element + f.rows * j // work.panels * work.channel_pitch)
                for i in prange(up(work.panels, NEAR) if one else 0, schedule="dynamic"):
                    finish_panels(ops, f, &work, block.images * block.count[1] * block.count[2], rows, g, i, v, d, dy,
                                  dweight, dbias, m + thread_number() * ELEMENTS * work.m_element)
                flush_restore(mode)
            PyErr_CheckSignals()
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(0 if one else f.rows, schedule="static"):
                transform_back(ops, f, &work, g, i, m + i * work.channel_pitch, dy, dweight, dbias)
            flush_restore(mode)
    return 0
