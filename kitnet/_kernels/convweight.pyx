"""Convolution, backward to the weights: inner products along the columns of the lattice (see _lattice.pxd).

dw[k][c, tap] is the product of two rows of the same length: dy of filter k, and x of channel c from where the tap
begins. dy is staged with the pitch of the lattice and zeros between its rows, so that one long product serves all rows
of a block; nothing is transposed and no im2col exists.

    parallel, task = (chunk of images, group, block of filters, block of channels):
        for each block of columns of the chunk, in order:
            stage dy of these filters and x of these channels       (fits in half of the L2 cache)
            for each panel of filters, for each group of taps: dot, on top of the blocks before

A task owns its part of dw. Where that makes too few tasks (first layers, LeNet), the batch is cut into chunks of a size
that depends on the shape of a sample alone; each has its own dw, and they are added up in order.

0 times infinity is not 0, so the zeros between the rows would spread the NaN or infinity of one pixel to taps that
never meet it. Where a result is not finite, all is done again on a packed lattice, which has nothing between its rows.
"""

from ._choice cimport (
    DIRECT, DOUBLE, EACH_CHANNEL, FEW_TILES, IN_LANES, PACKED, TRANSFORMED, Choice, at_least, begin,
)
from ._chunks cimport in_chunks
from ._dispatch cimport kn_ops, table
from ._integers cimport up
from ._lattice cimport (
    Axis, Block, Lattice, axis_forward, axis_words, block_at, choose_blocks, column_of, count_blocks, flatten,
    tap_offsets,
)
from ._pool cimport Block as Memory, scratch
from ._staging cimport stage
from .broadweight cimport Gradient, broadcast_weight, weight_pays
from .depthwise cimport filter_channel_weights, is_depthwise
from .winograd cimport is_filtering
from .winotiles cimport Filtering, tiles_along
from .winoweight cimport filter_weights

cdef enum:
    COLUMNS = 4096          # bytes of a row of columns: six rows of dy fit in the L1 cache
    TILES = 32              # tiles of a batch that pay for Winograd's transforms
    FILTERS = 48            # filters in a block
    TAPS = 144              # channels times taps in a block
    ENOUGH = 16             # tasks that need no chunks
    CHUNK = 1 << 19         # multiply-adds in a chunk of images


cdef struct Plan:
    Py_ssize_t batch
    Py_ssize_t groups
    Py_ssize_t filters          # of a group
    Py_ssize_t channels         # of a group
    Py_ssize_t filter_blocks
    Py_ssize_t channel_blocks
    Py_ssize_t most_filters     # in a block
    Py_ssize_t most_channels
    Py_ssize_t chunk            # blocks of columns in a chunk of images
    Py_ssize_t chunks
    Py_ssize_t size             # elements of dw
    double macs
    Choice* choice


cdef void make_plan(Plan* plan, Lattice* lattice, Py_ssize_t itemsize, bint packed) noexcept nogil:
    cdef Axis* axis = lattice.axis
    cdef Py_ssize_t taps = axis[0].taps * axis[1].taps * axis[2].taps, per_image, images
    cdef double sample = <double>plan.size * axis[0].out * axis[1].out * axis[2].out
    plan.macs = sample * plan.batch
    plan.filter_blocks = up(plan.filters, FILTERS)
    plan.channel_blocks = max(1, min(plan.channels, (plan.channels * taps + TAPS - 1) // TAPS))
    plan.most_filters = up(plan.filters, plan.filter_blocks)
    plan.most_channels = up(plan.channels, plan.channel_blocks)
    choose_blocks(lattice, COLUMNS // itemsize, COLUMNS // itemsize, plan.batch, packed)
    per_image = lattice.blocks[0] * lattice.blocks[1] * lattice.blocks[2]
    plan.chunk = max(1, count_blocks(lattice, plan.batch))
    if plan.groups * plan.filter_blocks * plan.channel_blocks < ENOUGH:
        images = max(1, <Py_ssize_t>(CHUNK / sample))
        plan.chunk = max(1, images // lattice.images) * per_image
    plan.chunks = (count_blocks(lattice, plan.batch) + plan.chunk - 1) // plan.chunk


cdef void stage_rows(const kn_ops* ops, const Lattice* lattice, const Block* block, const char* dy,
                     Py_ssize_t itemsize, Py_ssize_t dy_image, Py_ssize_t filters, Py_ssize_t pitch,
                     char* staged) noexcept nogil:
    """dy on the columns of the lattice, zeros between its rows."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t k, n, d, row = axis[2].pitch * itemsize
    cdef Py_ssize_t depth, rows
    cdef const char* source
    cdef char* to
    for k in range(filters):
        for n in range(block.images):
            for d in range(axis[0].pitch):
                depth = block.first[0] + d
                rows = block.count[1] if d < block.count[0] else 0
                source = dy + ((block.image + n) * dy_image + ((k * axis[0].out + depth) * axis[1].out
                               + block.first[1]) * axis[2].out + block.first[2]) * itemsize
                to = staged + (k * pitch + column_of(lattice, n, d, 0)) * itemsize
                ops.rows_in(source, axis[2].out, rows, block.count[2], 0, 1, to, axis[2].pitch, axis[2].pitch)
                ops.rows_in(source, 0, axis[1].pitch - rows, 0, 0, 1, to + rows * row, axis[2].pitch, axis[2].pitch)


cdef void run_task(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Py_ssize_t* offset,
                   const real* dy, const real* x, real* dweight, real* dbias, Py_ssize_t task, Py_ssize_t chunk,
                   real* staged_dy, real* staged_x) noexcept nogil:
    """One part of one chunk's dw, from its first block of columns to its last."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t channel_block = task % plan.channel_blocks
    cdef Py_ssize_t filter_block = task // plan.channel_blocks % plan.filter_blocks
    cdef Py_ssize_t group = task // (plan.channel_blocks * plan.filter_blocks)
    cdef Py_ssize_t c = plan.channels * channel_block // plan.channel_blocks
    cdef Py_ssize_t channels = plan.channels * (channel_block + 1) // plan.channel_blocks - c
    cdef Py_ssize_t k = plan.filters * filter_block // plan.filter_blocks
    cdef Py_ssize_t filters = plan.filters * (filter_block + 1) // plan.filter_blocks - k
    cdef Py_ssize_t out = axis[0].out * axis[1].out * axis[2].out
    cdef Py_ssize_t pitch = lattice.images * axis[0].pitch * axis[1].pitch * axis[2].pitch
    cdef Py_ssize_t taps = channels * lattice.taps, line = plan.channels * lattice.taps
    cdef Py_ssize_t first = chunk * plan.chunk
    cdef Py_ssize_t end = min(first + plan.chunk, count_blocks(lattice, plan.batch))
    cdef Py_ssize_t index, panels = up(filters, ops.dot_rows), p, row, rows, t
    cdef Block block
    cdef real* to
    dy += (group * plan.filters + k) * out
    x += (group * plan.channels + c) * lattice.source
    dweight += (group * plan.filters + k) * line + c * lattice.taps
    for index in range(first, end):
        block = block_at(lattice, index, plan.batch)
        stage_rows(ops, lattice, &block, <const char*>dy, sizeof(real), plan.groups * plan.filters * out, filters,
                   pitch, <char*>staged_dy)
        stage(ops, lattice, &block, <const char*>x, sizeof(real), plan.groups * plan.channels * lattice.source,
              channels, True, <char*>staged_x)
        for p in range(panels):
            row = filters * p // panels
            rows = filters * (p + 1) // panels - row
            to = dweight + row * line
            for t in range(up(taps, ops.dot_cols)):
                ops.dot[rows](block.columns, staged_dy + row * pitch, pitch, staged_x, offset + t * ops.dot_cols,
                              to + t * ops.dot_cols, line, min(ops.dot_cols, taps - t * ops.dot_cols), index > first)
        if dbias != NULL and channel_block == 0:
            for row in range(filters):
                to = dbias + group * plan.filters + k + row
                to[0] = (to[0] if index > first else 0) + <real>ops.total(staged_dy + row * pitch, block.columns)


cdef struct Work:
    bint single                 # precision
    const kn_ops* ops
    const Plan* plan
    const Lattice* lattice
    const Py_ssize_t* offset
    const void* dy
    const void* x
    Py_ssize_t staged_dy        # elements of scratch


cdef void run_part(const void* context, Py_ssize_t task, Py_ssize_t chunk, void* dweight, void* dbias,
                   char* own) noexcept nogil:
    cdef const Work* work = <const Work*>context
    if work.single:
        run_task(work.ops, work.plan, work.lattice, work.offset, <const float*>work.dy, <const float*>work.x,
                 <float*>dweight, <float*>dbias, task, chunk, <float*>own, <float*>own + work.staged_dy)
    else:
        run_task(work.ops, work.plan, work.lattice, work.offset, <const double*>work.dy, <const double*>work.x,
                 <double*>dweight, <double*>dbias, task, chunk, <double*>own, <double*>own + work.staged_dy)


cdef Py_ssize_t run(Plan* plan, Lattice* lattice, const real* dy, const real* x, real* dweight, real* dbias,
                    bint packed, int n_threads) except -1:
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Axis* axis = lattice.axis
    cdef Work work
    cdef Py_ssize_t t, offsets, staged_x
    make_plan(plan, lattice, sizeof(real), packed)
    offsets = (plan.most_channels * lattice.taps + ops.dot_cols)
    cdef Memory tables = scratch(offsets * sizeof(Py_ssize_t))
    cdef Py_ssize_t* offset = <Py_ssize_t*>tables.data
    tap_offsets(lattice, plan.most_channels, offset)
    for t in range(plan.most_channels * lattice.taps, offsets):
        offset[t] = offset[plan.most_channels * lattice.taps - 1]
    work.single = real is float
    work.ops, work.plan, work.lattice, work.offset, work.dy, work.x = ops, plan, lattice, offset, dy, x
    work.staged_dy = plan.most_filters * lattice.images * axis[0].pitch * axis[1].pitch * axis[2].pitch
    work.staged_dy = (work.staged_dy + ops.lanes + 15) // 16 * 16
    staged_x = plan.most_channels * lattice.channel + ops.lanes
    if dweight == NULL:
        plan.choice.way = PACKED if lattice.packed else DIRECT
    return tables.size + in_chunks(
        run_part, &work, plan.groups * plan.filter_blocks * plan.channel_blocks, plan.chunks, plan.macs, n_threads,
        (work.staged_dy + staged_x) * sizeof(real), dweight, plan.size, dbias, plan.groups * plan.filters)


cdef void choose(const Gradient* g, const Lattice* lattice, Filtering* f, Py_ssize_t lanes,
                 bint single) noexcept nogil:
    """The algorithm, by the shape of a sample, and for Winograd's, which must pay for its transforms, by the tiles of
    the batch, too: a sum over the batch is not made of those of its samples. ``f`` is what Winograd's needs to know."""
    begin(g.choice, DOUBLE)
    f.batch, f.groups, f.rows, f.depth, f.choice = g.batch, g.groups, g.filters, g.channels, g.choice
    f.flip = False
    if (single and is_filtering(&lattice.axis[0], f, True)
            and at_least(&g.choice.algorithm, FEW_TILES, f.batch * f.out[0] * tiles_along(f, 1) * tiles_along(f, 2),
                         TILES)):
        g.choice.way = TRANSFORMED
    elif is_depthwise(g.choice, g.channels, g.filters):
        g.choice.way = EACH_CHANNEL
    elif weight_pays(g, lattice, lanes):
        g.choice.way = IN_LANES


cdef Py_ssize_t backward_weight(const Py_ssize_t* y_shape, const Py_ssize_t* x_shape, const Py_ssize_t* w_shape,
                                const real* dy, const real* x, real* dw, real* db, stride, padding, dilation,
                                int groups, int n_threads, Choice* choice) except -1:
    """By the algorithm chosen. Where a result is not finite, Winograd's is done again directly, and dot tiles again on
    a packed lattice."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Plan plan
    cdef Lattice lattice
    cdef Filtering filtering
    cdef Gradient gradient
    cdef int a
    cdef Py_ssize_t words = axis_words(w_shape[2]) + axis_words(w_shape[3]) + axis_words(w_shape[4]), used
    cdef Memory memory = scratch(words * sizeof(Py_ssize_t))
    cdef Py_ssize_t* free = <Py_ssize_t*>memory.data
    plan.batch, plan.groups, plan.choice = x_shape[0], groups, choice
    plan.filters, plan.channels = w_shape[0] // groups, w_shape[1]
    plan.size = w_shape[0] * w_shape[1] * w_shape[2] * w_shape[3] * w_shape[4]
    for a in range(3):
        axis_forward(&lattice.axis[a], free, x_shape[2 + a], w_shape[2 + a], stride[a], padding[a], dilation[a],
                     y_shape[2 + a])
        free += axis_words(w_shape[2 + a])
    flatten(lattice.axis)
    gradient.batch, gradient.groups, gradient.choice = plan.batch, groups, choice
    gradient.filters, gradient.channels = plan.filters, plan.channels
    choose(&gradient, &lattice, &filtering, ops.lanes, sizeof(real) == sizeof(float))
    if real is float:
        if choice.way == TRANSFORMED:
            used = filter_weights(&filtering, dy, x, dw, db, n_threads)
            if dw == NULL or ops.finite(dw, plan.size):
                return memory.size + used
    if choice.way == EACH_CHANNEL:
        return memory.size + filter_channel_weights(&lattice.axis[0], plan.batch, groups, plan.filters, dy, x, dw, db,
                                                    n_threads)
    if choice.way == IN_LANES:
        return memory.size + broadcast_weight(&gradient, &lattice, dy, x, dw, db, n_threads)
    used = run(&plan, &lattice, dy, x, dw, db, False, n_threads)
    if dw != NULL and not lattice.packed and not ops.finite(dw, plan.size):
        run(&plan, &lattice, dy, x, dw, db, True, n_threads)
    return memory.size + used


def conv_backward_weight(const real[:, :, :, :, ::1] dy not None, const real[:, :, :, :, ::1] x not None,
                         real[:, :, :, :, ::1] dweight not None, real[::1] dbias not None,
                         stride, padding, dilation, int groups, int n_threads):
    cdef Choice choice
    if dweight.size == 0:
        return
    if dy.size == 0:
        dweight[:] = 0
        dbias[:] = 0
        return
    backward_weight(dy.shape, x.shape, dweight.shape, &dy[0, 0, 0, 0, 0], &x[0, 0, 0, 0, 0], &dweight[0, 0, 0, 0, 0],
                    &dbias[0] if dbias.shape[0] else NULL, stride, padding, dilation, groups, n_threads, &choice)
