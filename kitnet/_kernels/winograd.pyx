"""Winograd convolution F(4x4, 3x3), or F(4x4, 2x2), forward and backward to the data, float32 (the transforms:
simd/kn_winograd.h).

Each tile of 4x4 outputs reads 6x6 (5x5) elements of the source, one tile a lane of a vector. In the transformed domain
the convolution is 36 (25) matrix products, filters x terms times terms x tiles.

A larger kernel, or a 3-D one, is cut into pieces of at most 3x3 (2x2) taps of one slice. Each piece sees the source
from where its first tap stands, and the channels of all pieces are the terms of one sum. The last element of a tile, at
infinity, is zero in filters of fewer taps: those terms are left out. 5x5 takes 8 multiplications instead of 25, 4x4
takes 6 instead of 16, 3x3x3 takes 7 instead of 27. Taps of the smaller size are chosen where their pieces take fewer
multiplications.

A dilation of d makes d x d plain convolutions, each of every d-th row and column. Along an axis their tiles take turns,
so that a block is what stands together. Of the columns, d tiles side by side are woven in the lanes, as units of d
elements: no more is loaded or stored than without a dilation, for a d of 2 or 4.

    by tiles: U = transformed filters, in panels                        (parallel over panels)
    parallel, task = (block of tiles, block of filters, group):
        V = transformed source, all terms of the block, compact         (tiles of all rows side by side)
        for each sub-block of filters:
            for each element: for each panel, for each tile of columns: mac
            transform the results, write the rows out with bias, what is to be added, and clipping

A block holds enough tiles to pay for the reading of U from where it lies: the more filters and channels, the more.
Many filters turn this round, and so do few tiles, for U is four times as large as the weights and would not leave the
caches again:

    by filters: for each block of tiles, as many as fit in the L3 cache with ease:
        parallel, task = some channels:        V = transformed source
        parallel, task = sub-block of filters: U = its transformed filters, then as above
                                               (few tiles: of some terms at a time, near the core)

U is kept with sealed weights (see _pool.pyx), whole in either way, and made only once.

The sums and differences of a tile would spread one infinite or NaN element over all its outputs. Images whose results
are not all finite are marked, for the caller to convolve them directly.

Error, for normal data, against float64 and in the norm: at most 5 times that of a plain float32 sum over (c, kh, kw),
or 4 epsilons where that is more; measured 1.3 to 3.7 times (tests/kernels/test_accuracy.py). The textbook's points
0, +-1, +-2 break this bound.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._choice cimport FEW_CHANNELS, FEW_PRODUCTS, MANY_TERMS, RAGGED, SHAPE, SWITCHED_OFF, at_least, at_most
from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_tiles, table
from ._integers cimport part, up, volume
from ._lattice cimport Axis, Block, axis_words, block_at, count_blocks
from ._pool cimport Block as Memory, Sealed, keep, made_of, scratch, to_keep
from ._threads cimport tasks_at_once, team, thread_number
from .winotiles cimport (
    TERMS, Filtering, Work, elements, find_tiles, finish, first_row, lay_tiles, make_work, most_runs, multiply,
    multiply_few, products, spread, tiles_along, tiles_of, transform_filters, transform_source, turn_few,
)

cdef enum:
    CHANNELS = 16           # channels in a task, by filters
    # What makes the detour worthwhile:
    FEWEST = 16             # channels and filters of a group,
    PRODUCTS = 1024         # their product, or half of it for the gradient of the weights, and for several pieces,
    MANY = 24               # if there are so many filters to pay for the transforms of the source,
    FEWEST_OF_TWO = 64      # and the same for pieces of 2x2,
    PRODUCTS_OF_TWO = 8192
    OF_DIRECT = 60          # multiplications that are at most so many percent of the direct ones,
    OF_LARGE = 40           # or so many for kernels of more than 3x3 taps, except for the gradient of their weights,
    MOST_TERMS = 768        # and then at most so many terms of a sum, for scratch memory near the core

cdef bint enabled = True


def set_winograd(bint on):
    """Whether convolutions may use Winograd's algorithm."""
    global enabled
    enabled = on


def get_winograd():
    """Whether convolutions may use Winograd's algorithm."""
    return enabled


cdef bint is_filtering(const Axis* axis, Filtering* f, bint of_weights) noexcept nogil:
    """Whether the axes are those of a convolution of stride 1 (in one of its directions) for which this is the better
    way, judged by the shape of a sample; if so, the sizes are put in f, whose other fields are set."""
    cdef int a
    cdef Py_ssize_t percent, outputs, least
    f.choice.algorithm.reason = SHAPE
    for a in range(3):
        f.dilation[a] = max(1, axis[a].reach // max(1, axis[a].kernel - 1))
        if axis[a].stride != 1 or axis[a].to_step != 1 or axis[a].reach != f.dilation[a] * (axis[a].kernel - 1):
            return False
        if a == 2 and f.dilation[2] not in (1, 2, 4) and not of_weights:  # there no lanes are woven
            return False
        f.size[a], f.out[a], f.pad[a], f.kernel[a] = axis[a].size, axis[a].out, axis[a].pad, axis[a].kernel
    f.taps = 3
    if 25 * up(f.kernel[1], 2) * up(f.kernel[2], 2) < 36 * up(f.kernel[1], 3) * up(f.kernel[2], 3):
        f.taps = 2
    f.pieces = f.kernel[0] * up(f.kernel[1], f.taps) * up(f.kernel[2], f.taps)
    percent = OF_LARGE if f.pieces > 1 and not of_weights else OF_DIRECT
    outputs = 16 * volume(f.kernel) * percent // (elements(f) * f.pieces if of_weights else products(f))
    if outputs < 100:  # that may be computed for 100
        return False
    f.choice.algorithm.reason = SWITCHED_OFF
    if not enabled:
        return False
    least = PRODUCTS_OF_TWO if f.taps == 2 else PRODUCTS
    if of_weights or f.taps == 3 and f.pieces > 1 and f.rows >= MANY:
        least //= 2
    return (at_least(&f.choice.algorithm, FEW_CHANNELS, min(f.rows, f.depth), FEWEST_OF_TWO if f.taps == 2 else FEWEST)
            and at_least(&f.choice.algorithm, FEW_PRODUCTS, f.rows * f.depth, least)
            and (of_weights or f.pieces == 1
                 or at_most(&f.choice.algorithm, MANY_TERMS, f.pieces * f.depth, MOST_TERMS))
            and at_most(&f.choice.algorithm, RAGGED, 16 * f.out[0] * tiles_along(f, 1) * tiles_along(f, 2),
                        volume(f.out) * outputs // 100))


cdef tuple form(const Work* work, const float* weight):
    """All that U depends on, but for the numbers that lie at ``weight``."""
    cdef const Filtering* f = work.f
    return ("winograd", <size_t>table, <size_t>weight, f.groups, f.rows, f.depth, f.kernel[0], f.kernel[1], f.kernel[2],
            f.row_step, f.depth_step, f.group_step, bool(f.flip), work.parts if work.by_filters else 0, bool(work.cast))


cdef void tiles_task(const kn_ops* ops, const Work* work, const Py_ssize_t* columns, const float* source,
                     const float* u, const float* bias, const float* residual, float* dest, double low, double high,
                     Py_ssize_t task, kn_tiles* groups, char* spoilt, float* own) noexcept nogil:
    """By tiles: a block of tiles, and a part of the filters."""
    cdef const Filtering* f = work.f
    cdef Py_ssize_t share = task % work.parts
    cdef Py_ssize_t group = task // work.parts % f.groups
    cdef Block block = block_at(&work.lattice, task // (work.parts * f.groups), f.batch)
    cdef Py_ssize_t tiles = tiles_of(&block), p
    cdef Py_ssize_t panel = part(work.panels, work.parts, share), last = part(work.panels, work.parts, share + 1), end
    cdef float* v = own
    cdef float* m = v + work.v
    for p in range(f.pieces):
        transform_source(ops, work, source + group * f.depth * volume(f.size), groups,
                         find_tiles(work, ops, &block, p, groups), p, 0, f.depth, v)
    while panel < last:
        end = min(panel + work.sub, last)
        multiply(ops, work, tiles, columns, panel, end,
                 u + group * elements(f) * work.u_element + first_row(work, panel) * work.terms, v, m)
        finish(ops, work, &block, group, panel, end, m, bias, residual, dest, low, high, spoilt, m + work.m)
        panel = end


cdef Py_ssize_t by_tiles(Work* work, const Py_ssize_t* columns, const float* source, const float* weight,
                         const float* bias, const float* residual, float* dest, double low, double high,
                         char* spoilt, double macs, Sealed sealed, int n_threads) except -1:
    cdef const kn_ops* ops = table.ops[0]
    cdef Filtering* f = work.f
    cdef Py_ssize_t tasks = count_blocks(&work.lattice, f.batch) * f.groups * work.parts, task, done = 0, upto, i, p
    cdef Py_ssize_t own = up(work.v + work.m + work.results, 16) * 16
    cdef unsigned long long mode = 0
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), tasks)
    cdef tuple key = None if sealed is None else form(work, weight)
    cdef Memory u_memory = made_of(sealed, key)
    cdef bint made = u_memory is not None
    if not made:
        u_memory = to_keep(sealed, (f.groups * elements(f) * work.u_element) * sizeof(float))
    cdef Memory memory = scratch(threads * own * sizeof(float))
    cdef Memory groups_memory = scratch(threads * work.groups * sizeof(kn_tiles))
    cdef kn_tiles* groups = <kn_tiles*>groups_memory.data
    cdef float* u = <float*>u_memory.data
    cdef float* scratches = <float*>memory.data
    if dest == NULL:
        return u_memory.size + memory.size + groups_memory.size
    if not made:
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for i in prange(f.groups * work.panels, schedule="static"):
                p = i % work.panels
                transform_filters(ops, work, weight, p, i // work.panels, 0, f.depth,
                                  u + i // work.panels * elements(f) * work.u_element + first_row(work, p) * work.terms,
                                  scratches + thread_number() * own)
            flush_restore(mode)
        keep(sealed, key, u_memory)
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, macs / 2))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for task in prange(done, upto, schedule="dynamic"):
                tiles_task(ops, work, columns, source, u, bias, residual, dest, low, high, task,
                           groups + thread_number() * work.groups, spoilt, scratches + thread_number() * own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0


cdef void filters_task(const kn_ops* ops, const Work* work, const Block* block, const Py_ssize_t* columns,
                       Py_ssize_t group, const float* weight, float* u, bint made, const float* v, const float* bias,
                       const float* residual, float* dest, double low, double high, Py_ssize_t task, char* spoilt,
                       float* m) noexcept nogil:
    """By filters: a sub-block of filters, on a block of tiles; ``made``: its U is."""
    cdef Py_ssize_t panel = part(work.panels, work.parts, task), end = part(work.panels, work.parts, task + 1)
    cdef Py_ssize_t depth = work.f.depth, tiles = tiles_of(block), p, chunks = up(work.terms, TERMS)
    for p in range(panel, panel if made or work.pieced else end):
        transform_filters(ops, work, weight, p, group, 0, depth,
                          u + (first_row(work, p) - first_row(work, panel)) * work.terms, m)
    for p in range(0 if not work.cast else chunks if work.pieced else 1):
        if work.pieced:
            transform_filters(ops, work, weight, panel, group, p * TERMS, min((p + 1) * TERMS, work.terms), u, m)
        multiply_few(ops, work, tiles, columns, p, u, v, m + work.m)
    if work.cast:
        turn_few(ops, work, tiles, first_row(work, end) - first_row(work, panel), m + work.m, m)
    else:
        multiply(ops, work, tiles, columns, panel, end, u, v, m)
    finish(ops, work, block, group, panel, end, m, bias, residual, dest, low, high, spoilt, m + work.m)


cdef Py_ssize_t by_filters(Work* work, const Py_ssize_t* columns, const float* source, const float* weight,
                           const float* bias, const float* residual, float* dest, double low, double high,
                           char* spoilt, double macs, Sealed sealed, int n_threads) except -1:
    cdef const kn_ops* ops = table.ops[0]
    cdef Filtering* f = work.f
    cdef Block block
    cdef Py_ssize_t i, n = 0, p, group, index, slots = up(f.depth, CHANNELS)
    cdef Py_ssize_t own = up(work.m + work.results, 16) * 16
    cdef unsigned long long mode = 0
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), work.parts)
    cdef Py_ssize_t u_task
    cdef tuple key = None if sealed is None else form(work, weight)
    cdef Memory u_memory = made_of(sealed, key)
    cdef bint made = u_memory is not None, whole = sealed is not None
    if work.cast and not whole and f.pieces == 1:
        work.pieced = True
        work.u_element = spread(work.panel * TERMS)
    u_task = elements(f) * work.u_element
    if not made:  # of each thread, or of all tasks
        u_memory = to_keep(sealed, (f.groups * work.parts if whole else threads) * u_task * sizeof(float))
    cdef Memory v_memory = scratch(work.v * sizeof(float))
    cdef Memory memory = scratch(threads * own * sizeof(float))
    cdef Memory groups_memory = scratch(f.pieces * work.groups * sizeof(kn_tiles))
    cdef kn_tiles* groups = <kn_tiles*>groups_memory.data
    cdef float* u = <float*>u_memory.data
    cdef float* v = <float*>v_memory.data
    cdef float* scratches = <float*>memory.data
    if dest == NULL:
        return u_memory.size + v_memory.size + memory.size + groups_memory.size
    for group in range(f.groups):
        for index in range(count_blocks(&work.lattice, f.batch)):
            block = block_at(&work.lattice, index, f.batch)
            for p in range(f.pieces):
                n = find_tiles(work, ops, &block, p, groups + p * work.groups)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for i in prange(f.pieces * slots, schedule="dynamic"):
                    transform_source(ops, work, source + group * f.depth * volume(f.size),
                                     groups + i // slots * work.groups, n, i // slots, i % slots * CHANNELS,
                                     min(f.depth, (i % slots + 1) * CHANNELS), v)
                for i in prange(work.parts, schedule="dynamic"):
                    filters_task(ops, work, &block, columns, group, weight,
                                 u + (group * work.parts + i if whole else thread_number()) * u_task,
                                 made or whole and index > 0, v, bias, residual, dest, low, high, i, spoilt,
                                 scratches + thread_number() * own)
                flush_restore(mode)
            PyErr_CheckSignals()
    if not made:
        keep(sealed, key, u_memory)
    return 0


cdef Py_ssize_t filter_planes(Filtering* f, const float* source, const float* weight, const float* bias,
                              const float* residual, float* dest, double low, double high, char* spoilt,
                              Sealed sealed, int n_threads) except -1:
    """dest = clip(the filtered source + bias + residual, if that is not NULL): a convolution of stride 1, in either
    direction. Sets ``spoilt``, which is zero, for each image whose results are not all finite. ``sealed``: the memory
    of the weights, or None."""
    cdef Work work
    cdef Py_ssize_t t
    cdef double macs = <double>f.batch * f.groups * f.rows * f.depth * volume(f.out) * volume(f.kernel)
    cdef Memory tables = scratch((axis_words(3) + TERMS + 2 * most_runs(f)) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* words = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* columns = words + axis_words(3)
    work.f = f
    lay_tiles(&work.lattice, words, f)
    make_work(&work, table.ops[0], columns + TERMS, team(n_threads, macs / 16))
    for t in range(TERMS):
        columns[t] = t * work.pitch
    if work.by_filters:
        return by_filters(&work, columns, source, weight, bias, residual, dest, low, high, spoilt, macs, sealed,
                          n_threads)
    return by_tiles(&work, columns, source, weight, bias, residual, dest, low, high, spoilt, macs, sealed, n_threads)
