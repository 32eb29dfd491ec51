"""Winograd's algorithm for the gradient of 3x3 weights, float32: the adjoint of F(4x4, 3x3) (simd/kn_winograd.h).

    dw = G' [ sum over tiles  (A dy A') * (B' x B) ] G

In the transformed domain these are 36 products, filters x tiles times tiles x channels. Here the channels are the
lanes: rows of the images are staged with the channels innermost, so that no lane idles on narrow images, and both
factors come out the way the micro-kernel reads them.

    for each block of tiles (both factors fit in the L3 cache):
        parallel, task = (row of tiles, lanes of channels or filters): stage, transform
        parallel, task = (one of the 36 elements, block of filters):   mac, on top of the blocks before
    parallel, task = filter: transform back

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
    PANELS = 5              # panels of filters in a task


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
                   Py_ssize_t task, bint accumulate, const float* v, const float* d, float* m) noexcept nogil:
    """sums[e][filter][channel] (+)= sum over tiles d[e][tile][filter] v[e][tile][channel]"""
    cdef Py_ssize_t e = task % ELEMENTS, first = task // ELEMENTS * PANELS, p, t, j, row, height, width, terms
    for t in range(up(tiles, TERMS)):
        terms = min(TERMS, tiles - t * TERMS)
        for p in range(first, min(first + PANELS, work.panels)):
            row = f.rows * p // work.panels
            height = f.rows * (p + 1) // work.panels - row
            width = ops.mac_vectors[height] * ops.lanes
            for j in range(up(f.depth, width)):
                ops.mac[height](terms, d + e * work.d_element + t * TERMS * work.filter_pitch + row, work.filter_pitch,
                                v + e * work.v_element + t * TERMS * work.channel_pitch + j * width, rows,
                                m + e * work.m_element + row * work.channel_pitch + j * width, work.channel_pitch,
                                accumulate or t > 0)


cdef Py_ssize_t filter_weights(Filtering* f, const float* dy, const float* x, float* dweight, float* dbias,
                               int n_threads) except -1:
    """The gradient of the weights, and of the bias where ``dbias`` is not NULL, of the convolution f (forward)."""
    cdef const kn_ops* ops = table.ops[0]
    cdef Work work
    cdef Block block
    cdef Py_ssize_t g, t, i, j, index, tiles, tile, staged, plane = f.out[0] * f.out[1]
    cdef Py_ssize_t x_plane = f.size[0] * f.size[1]
    cdef unsigned long long mode = 0
    cdef double total
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
    work.m_element = spread(f.rows * work.channel_pitch)
    work.line = (4 * work.lattice.axis[2].block + 2 + ops.lanes) * ops.lanes
    staged = spread(6 * work.line)
    for t in range(TERMS):
        rows[t] = t * work.channel_pitch
    cdef Memory v_memory = scratch(ELEMENTS * work.v_element * sizeof(float))
    cdef Memory d_memory = scratch(ELEMENTS * work.d_element * sizeof(float))
    cdef Memory m_memory = scratch(ELEMENTS * work.m_element * sizeof(float))
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
                for i in prange(ELEMENTS * up(work.panels, PANELS), schedule="dynamic"):
                    multiply(ops, f, &work, block.images * block.count[1] * block.count[2], rows, i, index > 0, v, d, m)
                flush_restore(mode)
            PyErr_CheckSignals()
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(f.rows, schedule="static"):
                for j in range(work.channel_lines):
                    ops.winograd_weight(m + i * work.channel_pitch + j * ops.lanes, work.m_element,
                                        min(ops.lanes, f.depth - j * ops.lanes),
                                        dweight + ((g * f.rows + i) * f.depth + j * ops.lanes) * 9)
                if dbias != NULL:
                    total = 0
                    for j in range(f.batch):
                        total = total + ops.total(dy + ((j * f.groups + g) * f.rows + i) * plane, plane)
                    dbias[g * f.rows + i] = <float>total
            flush_restore(mode)
    return 0
