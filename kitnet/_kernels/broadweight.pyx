"""Convolution, backward to the weights, with the filters in the lanes (see simd/kn_cast.h: cast_weight).

    parallel, task = (chunk of images, group, block of filters, block of channels):
        for each block of pixels of the chunk, in order:
            stage these channels of the block (see _staging.pyx), unless they can be read where they lie
            for each panel of two vectors of filters:
                turn dy of these filters, so that they stand side by side, pixel by pixel
                for each tile of taps: cast_weight, or of channels: threes_weight, on top of the pixels before
        write the sums to dw, filter by filter

One vector of filters under 3x3 kernels takes threes_weight (see simd/kn_threes.h), which reads x where it lies.

No pixel but those of dy is met, so that NaN and infinities stay where they belong. A task owns its part of dw; where
that makes too few tasks, there are chunks (see _chunks.pyx).
"""

from libc.math cimport INFINITY
from libc.string cimport memset

from ._choice cimport FEW_WEIGHTS, FILLED_LANES, at_least, at_most
from ._chunks cimport in_chunks
from ._dispatch cimport kn_ops, kn_threes, table
from ._integers cimport part, up
from ._lanes cimport planes_alias
from ._lattice cimport (
    Axis, Block, Lattice, block_at, choose_blocks, column_of, count_blocks, is_three, lies_inside, make_dense, place,
    source_offsets, tap_offsets,
)
from ._pool cimport Block as Memory, scratch
from ._staging cimport stage

cdef enum:
    WIDTH = 2               # vectors of filters in a panel
    PIXELS = 256            # in a block: a panel of dy fits in the L1 cache
    FILTERS = 128           # in a block of filters, four times as many under 1x1 kernels,
    TAPS = 288              # channels times taps in a block, then half as many
    STAGED = 256 * 1024     # bytes of x in a block
    ENOUGH = 16             # tasks that need no chunks
    WORTH = 9               # taps that pay for the turning of dy
    CHUNK = 1 << 21         # multiply-adds in a chunk of the batch,
    MANY = 1024             # and at least so many pixels


cdef struct Plan:
    const Gradient* g
    Py_ssize_t vectors          # of filters of a group
    Py_ssize_t filter_blocks
    Py_ssize_t channel_blocks
    Py_ssize_t most_vectors     # in a block
    Py_ssize_t most_channels
    Py_ssize_t chunk            # blocks of pixels in a chunk of images
    Py_ssize_t chunks
    Py_ssize_t pixels           # in a block, at most
    Py_ssize_t size             # elements of dw
    bint in_place               # x is read where it lies,
    bint threes                 # by kernels three wide (see simd/kn_threes.h)
    double macs


cdef bint are_threes(const Axis* axis, Py_ssize_t vectors) noexcept nogil:
    """Whether the kernel is 3x3, in steps of one along the rows, without gaps, and there is one vector of filters."""
    return (vectors == 1 and axis[0].kernel == 1 and axis[0].size == 1 and axis[0].pad == 0 and axis[1].kernel == 3
            and is_three(&axis[2]) and axis[2].out > 1)


cdef bint weight_pays(const Gradient* g, const Lattice* lattice, Py_ssize_t lanes) noexcept nogil:
    """Whether this is the better way, judged by the shape of a sample: enough taps, and lanes that filters fill better
    than the pixels of a row and the gap behind it do. A panel of one vector costs a fifth more, but for threes, and
    pixels in the lanes a quarter; the costs are in tenths."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t vectors = up(g.filters, lanes)
    cdef Py_ssize_t single = 0 if are_threes(axis, vectors) else vectors % WIDTH
    cdef Py_ssize_t cast = lanes * (10 * vectors + 2 * single) * axis[2].out
    cdef Py_ssize_t dot = 25 * g.filters * (axis[2].out + max(0, axis[2].reach - max(0, axis[2].pad))) // 2
    return (at_least(&g.choice.lanes, FEW_WEIGHTS, g.channels * axis[0].taps * axis[1].taps * axis[2].taps, WORTH)
            and at_most(&g.choice.lanes, FILLED_LANES, cast, dot))


cdef void make_plan(Plan* plan, Lattice* lattice, const kn_ops* ops, Py_ssize_t itemsize) noexcept nogil:
    cdef Axis* axis = lattice.axis
    cdef const Gradient* g = plan.g
    cdef Py_ssize_t taps = axis[0].taps * axis[1].taps * axis[2].taps
    plan.size = g.groups * g.filters * g.channels * taps
    plan.macs = <double>plan.size * axis[0].out * axis[1].out * axis[2].out * g.batch
    plan.vectors = up(g.filters, ops.lanes)
    plan.filter_blocks = up(g.filters, 4 * FILTERS if taps == 1 else FILTERS)
    plan.channel_blocks = max(1, min(g.channels, up(g.channels * taps, TAPS)))
    if taps == 1 and g.channels > TAPS // 2:  # two tasks, though for each dy is turned again
        plan.channel_blocks = max(2, plan.channel_blocks)
    plan.most_vectors = up(up(plan.vectors, WIDTH), plan.filter_blocks) * WIDTH
    plan.most_channels = up(g.channels, plan.channel_blocks)
    if axis[2].stride == 2 and axis[2].phases == 2:
        make_dense(&axis[2], 2)
    plan.in_place = lies_inside(axis) and axis[2].stride == 1 and not planes_alias(axis, itemsize)
    plan.threes = are_threes(axis, plan.vectors)
    plan.in_place = plan.in_place or plan.threes
    choose_blocks(lattice, max(1, min(PIXELS * axis[2].step,
                                      STAGED // (plan.most_channels * axis[0].phases * axis[1].phases * axis[2].phases
                                                 * itemsize))), 0, g.batch, -1)
    plan.pixels = lattice.images * axis[0].block * axis[1].block * axis[2].block
    plan.chunk = max(1, count_blocks(lattice, g.batch))
    if g.groups * plan.filter_blocks * plan.channel_blocks < ENOUGH:
        plan.chunk = max(1, max(CHUNK // plan.size, MANY) // plan.pixels)
    plan.chunks = up(count_blocks(lattice, g.batch), plan.chunk)


cdef void turn_rows(const kn_ops* ops, const Lattice* lattice, const Block* block, const real* dy, Py_ssize_t image,
                    Py_ssize_t filters, Py_ssize_t width, real* turned) noexcept nogil:
    """turned[pixel * width + filter], zeros where there is no filter."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t n, d, h, v, rows = block.count[1], wide = block.count[2]
    cdef Py_ssize_t plane = axis[0].out * axis[1].out * axis[2].out
    cdef const real* source
    if wide == axis[2].out:  # one row without a gap
        rows, wide = 1, rows * wide
    for n in range(block.images):
        for d in range(block.count[0]):
            for h in range(rows):
                source = dy + n * image
                source += ((block.first[0] + d) * axis[1].out + block.first[1] + h) * axis[2].out + block.first[2]
                for v in range(width // ops.lanes):
                    ops.turn(source + v * ops.lanes * plane, plane, max(0, min(ops.lanes, filters - v * ops.lanes)),
                             wide, 0, turned + v * ops.lanes, width, wide)
                turned += wide * width


cdef void run_task(const Work* work, const real* dy, const real* x, real* dweight, real* dbias, Py_ssize_t task,
                   Py_ssize_t chunk, real* staged) noexcept nogil:
    """One part of one chunk's dw, from its first block of pixels to its last."""
    cdef const kn_ops* ops = work.ops
    cdef const Plan* plan = work.plan
    cdef const Lattice* lattice = work.lattice
    cdef const Axis* axis = &lattice.axis[0]
    cdef const Gradient* g = plan.g
    cdef real* turned = staged + work.staged
    cdef real* sums = turned + work.turned
    cdef Py_ssize_t channel_block = task % plan.channel_blocks
    cdef Py_ssize_t filter_block = task // plan.channel_blocks % plan.filter_blocks
    cdef Py_ssize_t group = task // (plan.channel_blocks * plan.filter_blocks)
    cdef Py_ssize_t panels = up(plan.vectors, WIDTH)
    cdef Py_ssize_t first_panel = part(panels, plan.filter_blocks, filter_block)
    cdef Py_ssize_t end_panel = part(panels, plan.filter_blocks, filter_block + 1)
    cdef Py_ssize_t c = part(g.channels, plan.channel_blocks, channel_block)
    cdef Py_ssize_t channels = part(g.channels, plan.channel_blocks, channel_block + 1) - c
    cdef Py_ssize_t plane = axis[0].out * axis[1].out * axis[2].out
    cdef Py_ssize_t items = channels * lattice.taps, line = g.channels * lattice.taps
    cdef Py_ssize_t first = chunk * plan.chunk, end = min(chunk * plan.chunk + plan.chunk,
                                                          count_blocks(lattice, g.batch))
    cdef Py_ssize_t index, p, k, row, width, filters, image = g.groups * g.filters * plane
    cdef Block block
    cdef real* sum
    dy += group * g.filters * plane
    x += (group * g.channels + c) * lattice.source
    for index in range(first, end):
        block = block_at(lattice, index, g.batch)
        if not plan.in_place:
            stage(ops, lattice, &block, <const char*>x, sizeof(real), g.groups * g.channels * lattice.source, channels,
                  False, <char*>staged)
        for p in range(first_panel, end_panel):
            k = WIDTH * p * ops.lanes
            width = min(WIDTH, plan.vectors - WIDTH * p) * ops.lanes
            filters = min(width, g.filters - k)
            turn_rows(ops, lattice, &block, dy + block.image * image + k * plane, image, filters, width, turned)
            sum = sums + WIDTH * (p - first_panel) * ops.lanes * items
            if plan.threes:
                add_threes(ops, plan, lattice, &block, x + block.image * g.groups * g.channels * lattice.source,
                           <const real*>work.zeros, channels, turned, index > first, sum)
            else:
                add_block(ops, plan, lattice, &block, work.offset, <const real*>staged,
                          x + block.image * g.groups * g.channels * lattice.source, turned, items, width,
                          index > first, sum)
            for row in range(filters if dbias != NULL and channel_block == 0 else 0):
                add_bias(ops, lattice, &block, dy + block.image * image + (k + row) * plane, image, index > first,
                         dbias + group * g.filters + k + row)
    for p in range(first_panel, end_panel):
        k = WIDTH * p * ops.lanes
        width = min(WIDTH, plan.vectors - WIDTH * p) * ops.lanes
        ops.cast_out(sums + WIDTH * (p - first_panel) * ops.lanes * items, width, items, min(width, g.filters - k),
                     work.zeros, NULL, -INFINITY, INFINITY, dweight + (group * g.filters + k) * line + c * lattice.taps,
                     line, 1)


cdef void add_block(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Block* block,
                    const Py_ssize_t* offset, const real* staged, const real* x, const real* turned, Py_ssize_t items,
                    Py_ssize_t width, bint accumulate, real* sums) noexcept nogil:
    """sums[channel and tap][filter] (+)= the pixels of one block."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t n, d, t, item, m, rows = block.count[1], wide = block.count[2], step = axis[2].step, pitch
    cdef Py_ssize_t tiles = up(items, ops.cast_weight_rows)
    cdef const real* at
    cdef const real* row = turned
    for t in range(tiles):
        item = part(items, tiles, t)
        m = part(items, tiles, t + 1) - item
        row = turned
        for n in range(block.images):
            for d in range(block.count[0]):
                if plan.in_place:
                    at = x + n * plan.g.groups * plan.g.channels * lattice.source
                    at += (((block.first[0] + d) * axis[0].stride - axis[0].pad) * axis[1].size
                           + block.first[1] * axis[1].stride - axis[1].pad) * axis[2].size
                    at += block.first[2] * step - axis[2].pad
                    pitch = axis[1].stride * axis[2].size
                else:
                    at = staged + column_of(lattice, n, d, 0)
                    pitch = axis[2].pitch
                ops.cast_weight[2 * (step - 1) + width // ops.lanes - 1][m](
                    rows, wide, at, offset + item, pitch - wide * step, row, sums + item * width,
                    accumulate or n + d > 0)
                row += rows * wide * width


cdef void add_threes(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Block* block, const real* x,
                     const real* zeros, Py_ssize_t channels, const real* turned, bint accumulate,
                     real* sums) noexcept nogil:
    """The same for kernels of 3x3: two channels at a time."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef kn_threes g
    cdef Py_ssize_t n, c, left = block.first[2] + 1 - axis[2].pad
    g.rows, g.n, g.height, g.width = block.count[1], block.count[2], axis[1].size, axis[2].size
    g.y, g.step = block.first[1] * axis[1].stride - axis[1].pad, axis[1].stride
    g.apart = place(&axis[1], 1) - place(&axis[1], 0)
    g.before, g.behind = left > 0, left + g.n < g.width
    for n in range(block.images):
        for c in range(0, channels, 2):
            ops.threes_weight(&g, x + n * plan.g.groups * plan.g.channels * lattice.source + c * lattice.source + left,
                              min(2, channels - c), lattice.source, zeros + 1, turned, sums + 9 * c * ops.lanes,
                              accumulate or n > 0)
        turned += g.rows * g.n * ops.lanes


cdef void add_bias(const kn_ops* ops, const Lattice* lattice, const Block* block, const real* dy, Py_ssize_t image,
                   bint accumulate, real* dbias) noexcept nogil:
    """dbias (+)= the sum of one filter's dy over the pixels of a block."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t n, d, h, rows = block.count[1], wide = block.count[2]
    cdef double total = dbias[0] if accumulate else 0
    if wide == axis[2].out:  # one row without a gap
        rows, wide = 1, rows * wide
    for n in range(block.images):
        for d in range(block.count[0]):
            for h in range(rows):
                total += ops.total(dy + n * image + ((block.first[0] + d) * axis[1].out + block.first[1] + h)
                                   * axis[2].out + block.first[2], wide)
    dbias[0] = <real>total


cdef struct Work:
    bint single                 # precision
    const kn_ops* ops
    const Plan* plan
    const Lattice* lattice
    const Py_ssize_t* offset
    const void* dy
    const void* x
    const void* zeros
    Py_ssize_t staged           # elements of scratch for each use
    Py_ssize_t turned


cdef void run_part(const void* context, Py_ssize_t task, Py_ssize_t chunk, void* dweight, void* dbias,
                   char* own) noexcept nogil:
    cdef const Work* work = <const Work*>context
    if work.single:
        run_task(work, <const float*>work.dy, <const float*>work.x, <float*>dweight, <float*>dbias, task, chunk,
                 <float*>own)
    else:
        run_task(work, <const double*>work.dy, <const double*>work.x, <double*>dweight, <double*>dbias, task, chunk,
                 <double*>own)


cdef Py_ssize_t broadcast_weight(const Gradient* g, Lattice* lattice, const real* dy, const real* x, real* dweight,
                                 real* dbias, int n_threads) except -1:
    """The loop nest of the head of this file, for a lattice whose axes are set."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Plan plan
    cdef Work work
    cdef Py_ssize_t sums
    plan.g = g
    make_plan(&plan, lattice, ops, sizeof(real))
    cdef Memory tables = scratch(plan.most_channels * lattice.taps * sizeof(Py_ssize_t))
    cdef Py_ssize_t words = WIDTH * ops.lanes + lattice.axis[2].block + 2
    cdef Memory zeros = scratch(words * sizeof(real))
    memset(zeros.data, 0, words * sizeof(real))
    if plan.in_place:
        source_offsets(lattice, plan.most_channels, <Py_ssize_t*>tables.data)
    else:
        tap_offsets(lattice, plan.most_channels, <Py_ssize_t*>tables.data)
    work.single = real is float
    work.ops, work.plan, work.lattice, work.offset = ops, &plan, lattice, <const Py_ssize_t*>tables.data
    work.dy, work.x, work.zeros = dy, x, zeros.data
    work.staged = 0 if plan.in_place else up(plan.most_channels * lattice.channel + ops.lanes, 16) * 16
    work.turned = plan.pixels * WIDTH * ops.lanes
    sums = plan.most_vectors * ops.lanes * plan.most_channels * lattice.taps
    return tables.size + zeros.size + in_chunks(
        run_part, &work, g.groups * plan.filter_blocks * plan.channel_blocks, plan.chunks, plan.macs, n_threads,
        (work.staged + work.turned + sums) * sizeof(real), dweight, plan.size, dbias, g.groups * g.filters)
