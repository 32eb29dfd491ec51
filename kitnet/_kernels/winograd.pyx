"""Winograd convolution F(4x4, 3x3), forward and backward to the data, float32 (the transforms: simd/kn_winograd.h).

Each tile of 4x4 outputs reads 6x6 elements of the source, one tile a lane of a vector. In the transformed domain the
convolution is 36 matrix products, filters x channels times channels x tiles.

    by tiles: U = transformed filters, in panels                        (parallel over panels)
    parallel, task = (block of tiles, block of filters, group):
        V = transformed source, all channels of the block, compact      (tiles of all rows side by side)
        for each sub-block of filters:
            for each of the 36 elements: for each panel, for each tile of columns: mac
            transform the results, write the rows out with bias and clipping

A block holds enough tiles to pay for the reading of U from where it lies: the more filters and channels, the more.
Many filters on small images turn this round, for U is four times as large as the weights and would not leave the cache
again:

    by filters: for each block of tiles, as many as fit in the L3 cache:
        parallel, task = some channels:        V = transformed source
        parallel, task = sub-block of filters: U = its transformed filters, then as above

The sums and differences of a tile would spread one infinite or NaN element over all its outputs. Images whose results
are not all finite are marked, for the caller to convolve them directly.

Error, for normal data, against float64 and in the norm: at most 5 times that of a plain float32 sum over (c, kh, kw),
or 4 epsilons where that is more; measured 1.3 to 3.7 times (tests/kernels/test_accuracy.py). The textbook's points
0, +-1, +-2 break this bound.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._choice cimport BY_FILTERS, FEW_CHANNELS, FEW_PRODUCTS, RAGGED, SHAPE, SWITCHED_OFF, WORTHWHILE
from ._choice cimport at_least, at_most
from ._dispatch cimport KN_NOWHERE, flush_on, flush_restore, kn_ops, kn_tiles, table
from ._lattice cimport Axis, Block, Lattice, axis_forward, axis_words, block_at, choose_blocks, count_blocks
from ._lattice cimport widest_tile
from ._pool cimport Block as Memory, scratch
from ._threads cimport tasks_at_once, team, thread_number

cdef enum:
    TERMS = 256             # channels of a mac at a time
    FILTERS = 64            # filters in a sub-block
    NEAR = 1 << 19          # bytes of U that stay near: in half of the L2 cache,
    SHARED = 1 << 24        # or in the L3 cache
    SOURCE = 1 << 24        # bytes of V in a block, by filters;
    MOST_TILES = 256        # and the most tiles of it
    FEW_TILES = 16          # tiles of an image that does not repay a large U
    CHANNELS = 16           # channels in a task, by filters
    ENOUGH = 8              # tasks a sample, where it is worth splitting
    # What makes the detour worthwhile:
    FEWEST = 16             # channels and filters of a group,
    PRODUCTS = 1024         # their product,
    WASTE = 240             # and computed outputs of tiles that are at most so many percent of the wanted ones

cdef bint enabled = True


def set_winograd(bint on):
    """Whether convolutions may use Winograd's algorithm."""
    global enabled
    enabled = on


def get_winograd():
    """Whether convolutions may use Winograd's algorithm."""
    return enabled


cdef Py_ssize_t up(Py_ssize_t n, Py_ssize_t unit) noexcept nogil:
    return (n + unit - 1) // unit


cdef Py_ssize_t spread(Py_ssize_t n) noexcept nogil:
    """At least n floats, and an odd number of cache lines: 36 streams so far apart do not fall into one cache set."""
    return (up(n, 16) | 1) * 16


cdef bint is_filtering(const Axis* axis, Filtering* f) noexcept nogil:
    """Whether the axes are those of a 3x3 convolution of stride 1 (in one of its directions) for which this is the
    better way, judged by the shape of a sample; if so, the sizes are put in f, whose other fields are set."""
    cdef int a
    cdef Py_ssize_t tiles, out
    f.choice.algorithm.reason = SHAPE
    for a in range(3):
        if axis[a].kernel != (3 if a else 1) or axis[a].stride != 1 or axis[a].to_step != 1:
            return False
        if a and (axis[a].reach != 2 or axis[a].taps != 3):
            return False
    if axis[0].size != 1 or axis[0].out != 1 or axis[0].pad != 0:
        return False
    f.choice.algorithm.reason = SWITCHED_OFF
    if not enabled:
        return False
    for a in range(2):
        f.size[a], f.out[a], f.pad[a] = axis[a + 1].size, axis[a + 1].out, axis[a + 1].pad
    tiles, out = up(f.out[0], 4) * up(f.out[1], 4), f.out[0] * f.out[1]
    return (at_least(&f.choice.algorithm, FEW_CHANNELS, min(f.rows, f.depth), FEWEST)
            and at_least(&f.choice.algorithm, FEW_PRODUCTS, f.rows * f.depth, PRODUCTS)
            and at_most(&f.choice.algorithm, RAGGED, 16 * tiles, out * WASTE // 100))


cdef void lay_tiles(Lattice* lattice, Py_ssize_t* words, const Filtering* f) noexcept nogil:
    """The lattice whose outputs are the tiles, side by side; ``words`` has room for the tables of three axes."""
    cdef int a
    axis_forward(&lattice.axis[0], words, 1, 1, 1, 0, 1, 1)
    for a in range(2):
        words += axis_words(1)
        axis_forward(&lattice.axis[a + 1], words, up(f.out[a], 4), 1, 1, 0, 1, up(f.out[a], 4))


cdef struct Work:
    Filtering* f
    bint by_filters
    Lattice lattice
    Py_ssize_t panels
    Py_ssize_t parts            # tasks among which the filters of a block are divided
    Py_ssize_t tile             # the widest tile of mac, in columns
    Py_ssize_t most_tiles       # in a block
    Py_ssize_t pitch            # of a row of V and of M
    Py_ssize_t line             # of a row of results
    Py_ssize_t u_element        # from one of the 36 elements to the next, in U,
    Py_ssize_t v_element        # in V,
    Py_ssize_t m_element        # and in M
    Py_ssize_t sub              # panels in a sub-block
    Py_ssize_t groups           # vectors of tiles in a block
    Py_ssize_t v                # floats of scratch for each use
    Py_ssize_t m
    Py_ssize_t results


cdef Py_ssize_t first_row(const Work* work, Py_ssize_t panel) noexcept nogil:
    return work.f.rows * panel // work.panels


cdef void make_work(Work* work, const kn_ops* ops) noexcept nogil:
    cdef Filtering* f = work.f
    cdef Axis* axis = work.lattice.axis
    cdef Py_ssize_t u = ELEMENTS * f.rows * f.depth * sizeof(float), wanted, near
    cdef Py_ssize_t blocks
    work.panels = up(f.rows, ops.mac_rows)
    work.tile = widest_tile(ops, f.rows, work.panels)
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
    work.sub = max(1, FILTERS // ops.mac_rows)
    blocks = work.lattice.blocks[1] * work.lattice.blocks[2] * f.groups
    work.parts = max(1, min(up(ENOUGH, blocks), work.panels // 2))
    work.u_element = spread((work.sub * ops.mac_rows if work.by_filters else f.rows) * f.depth)
    work.v_element = spread(f.depth * work.pitch)
    work.m_element = spread((work.sub + 1) * ops.mac_rows * work.pitch)
    work.v = ELEMENTS * work.v_element
    work.m = ELEMENTS * work.m_element
    work.results = 4 * work.line


cdef void transform_filters(const kn_ops* ops, const Work* work, const float* weight, Py_ssize_t panel,
                            Py_ssize_t group, float* u, float* own) noexcept nogil:
    """One panel: u[e][c][row]."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t row = first_row(work, panel), rows = first_row(work, panel + 1) - row, c, i, b, channels
    # Channels at a time: as many as follow each other in memory (forward), else one by one.
    cdef Py_ssize_t most = ops.lanes if f.depth_step == 9 else 1
    weight += group * f.group_step + row * f.row_step
    for b in range(up(f.depth, most)):
        channels = min(most, f.depth - b * most)
        for i in range(up(rows, ops.lanes)):
            ops.turn(weight + b * most * f.depth_step + i * ops.lanes * f.row_step, f.row_step,
                     min(ops.lanes, rows - i * ops.lanes), 9 * channels, 0, own, ops.lanes, 9 * channels)
            for c in range(channels):
                ops.winograd_filter(own + c * 9 * ops.lanes, ops.lanes, min(ops.lanes, rows - i * ops.lanes), f.flip,
                                    u + (b * most + c) * rows + i * ops.lanes, work.u_element)


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


cdef void tiles_task(const kn_ops* ops, const Work* work, const Py_ssize_t* columns, const float* source,
                     const float* u, const float* bias, float* dest, double low, double high, Py_ssize_t task,
                     kn_tiles* groups, char* spoilt, float* own) noexcept nogil:
    """By tiles: a block of tiles, and a part of the filters."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t part = task % work.parts
    cdef Py_ssize_t group = task // work.parts % f.groups
    cdef Block block = block_at(&work.lattice, task // (work.parts * f.groups), f.batch)
    cdef Py_ssize_t tiles = block.images * block.count[1] * block.count[2]
    cdef Py_ssize_t panel = work.panels * part // work.parts, last = work.panels * (part + 1) // work.parts, end
    cdef float* v = own
    cdef float* m = v + work.v
    transform_source(ops, work, source + group * f.depth * f.size[0] * f.size[1], groups,
                     find_tiles(work, ops, &block, groups), 0, f.depth, v)
    while panel < last:
        end = min(panel + work.sub, last)
        multiply(ops, work, tiles, columns, panel, end,
                 u + group * ELEMENTS * work.u_element + first_row(work, panel) * f.depth, v, m)
        finish(ops, work, &block, group, panel, end, m, bias, dest, low, high, spoilt, m + work.m)
        panel = end


cdef Py_ssize_t by_tiles(Work* work, const Py_ssize_t* columns, const float* source, const float* weight,
                         const float* bias, float* dest, double low, double high, char* spoilt, double macs,
                         int n_threads) except -1:
    cdef const kn_ops* ops = table.ops[0]
    cdef Filtering* f = work.f
    cdef Py_ssize_t tasks = count_blocks(&work.lattice, f.batch) * f.groups * work.parts, task, done = 0, upto, i, p
    cdef Py_ssize_t own = up(work.v + work.m + work.results, 16) * 16
    cdef unsigned long long mode = 0
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), tasks)
    cdef Memory u_memory = scratch((f.groups * ELEMENTS * work.u_element) * sizeof(float))
    cdef Memory memory = scratch(threads * own * sizeof(float))
    cdef Memory groups_memory = scratch(threads * work.groups * sizeof(kn_tiles))
    cdef kn_tiles* groups = <kn_tiles*>groups_memory.data
    cdef float* u = <float*>u_memory.data
    cdef float* scratches = <float*>memory.data
    if dest == NULL:
        return u_memory.size + memory.size + groups_memory.size
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        for i in prange(f.groups * work.panels, schedule="static"):
            p = i % work.panels
            transform_filters(ops, work, weight, p, i // work.panels,
                              u + i // work.panels * ELEMENTS * work.u_element + first_row(work, p) * f.depth,
                              scratches + thread_number() * own)
        flush_restore(mode)
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, macs / 2))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for task in prange(done, upto, schedule="dynamic"):
                tiles_task(ops, work, columns, source, u, bias, dest, low, high, task,
                           groups + thread_number() * work.groups, spoilt, scratches + thread_number() * own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0


cdef void filters_task(const kn_ops* ops, const Work* work, const Block* block, const Py_ssize_t* columns,
                       Py_ssize_t group, const float* weight, const float* v, const float* bias, float* dest,
                       double low, double high, Py_ssize_t task, char* spoilt, float* own) noexcept nogil:
    """By filters: a sub-block of filters, on a block of tiles."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t panel = task * work.sub, end = min(panel + work.sub, work.panels), p
    cdef float* u = own
    cdef float* m = u + ELEMENTS * work.u_element
    for p in range(panel, end):
        transform_filters(ops, work, weight, p, group, u + (first_row(work, p) - first_row(work, panel)) * f.depth, m)
    multiply(ops, work, block.images * block.count[1] * block.count[2], columns, panel, end, u, v, m)
    finish(ops, work, block, group, panel, end, m, bias, dest, low, high, spoilt, m + work.m)


cdef Py_ssize_t by_filters(Work* work, const Py_ssize_t* columns, const float* source, const float* weight,
                           const float* bias, float* dest, double low, double high, char* spoilt, double macs,
                           int n_threads) except -1:
    cdef const kn_ops* ops = table.ops[0]
    cdef Filtering* f = work.f
    cdef Block block
    cdef Py_ssize_t i, n, group, index, tasks = up(work.panels, work.sub)
    cdef Py_ssize_t own = up(ELEMENTS * work.u_element + work.m + work.results, 16) * 16
    cdef unsigned long long mode = 0
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), tasks)
    cdef Memory v_memory = scratch(work.v * sizeof(float))
    cdef Memory memory = scratch(threads * own * sizeof(float))
    cdef Memory groups_memory = scratch(work.groups * sizeof(kn_tiles))
    cdef kn_tiles* groups = <kn_tiles*>groups_memory.data
    cdef float* v = <float*>v_memory.data
    cdef float* scratches = <float*>memory.data
    if dest == NULL:
        return v_memory.size + memory.size + groups_memory.size
    for group in range(f.groups):
        for index in range(count_blocks(&work.lattice, f.batch)):
            block = block_at(&work.lattice, index, f.batch)
            n = find_tiles(work, ops, &block, groups)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for i in prange(up(f.depth, CHANNELS), schedule="dynamic"):
                    transform_source(ops, work, source + group * f.depth * f.size[0] * f.size[1], groups, n,
                                     i * CHANNELS, min(f.depth, (i + 1) * CHANNELS), v)
                for i in prange(tasks, schedule="dynamic"):
                    filters_task(ops, work, &block, columns, group, weight, v, bias, dest, low, high, i, spoilt,
                                 scratches + thread_number() * own)
                flush_restore(mode)
            PyErr_CheckSignals()
    return 0


cdef Py_ssize_t filter_planes(Filtering* f, const float* source, const float* weight, const float* bias, float* dest,
                              double low, double high, char* spoilt, int n_threads) except -1:
    """dest = clip(the filtered source + bias): a 3x3 convolution of stride 1, in either direction. Sets ``spoilt``,
    which is zero, for each image whose results are not all finite."""
    cdef Work work
    cdef Py_ssize_t t
    cdef double macs = <double>f.batch * f.groups * f.rows * f.depth * f.out[0] * f.out[1] * 9
    cdef Memory tables = scratch((axis_words(3) + TERMS) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* words = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* columns = words + axis_words(3)
    work.f = f
    lay_tiles(&work.lattice, words, f)
    make_work(&work, table.ops[0])
    for t in range(TERMS):
        columns[t] = t * work.pitch
    if work.by_filters:
        return by_filters(&work, columns, source, weight, bias, dest, low, high, spoilt, macs, n_threads)
    return by_tiles(&work, columns, source, weight, bias, dest, low, high, spoilt, macs, n_threads)
