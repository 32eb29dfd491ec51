"""Direct convolution with the pixels in the lanes: packed implicit GEMM on the lattice (see _lattice.pxd).

    pack the weights: panels of filters, as tall as the register tile, in blocks of channels
    parallel, task = (block of columns, block of filters, group):
        for each block of channels (about KC taps in all: a panel of it fits in the L1 cache):
            stage these channels of the block                       (fits in half of the L2 cache)
            for each panel of filters, for each tile of columns: mac, on top of the channels before
        write the rows out, with bias, what is to be added, and clipping

Where rows are about as long as some tiles, and all channels make one block, tiles go row by row, straight into the
result. Where there is nothing between the rows, they go so across them; few channels of 1x1 kernels are then read where
they lie (see _straight.pyx). The bias is then one more tap, which reads a channel of ones.

Blocks of channels depend on the shape of a sample, the dtype and the instruction set alone, and each output element is
summed in one order, channel by channel, tap by tap: the bits depend neither on threads nor on the batch, which other
blocks may follow.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._choice cimport DIRECT, PACKED, PRODUCT
from ._dispatch cimport flush_on, flush_restore, kn_mac, kn_ops, table
from ._integers cimport common, covered, fills_tiles, half_tile, part, up
from ._lanes cimport KC, Product
from ._lattice cimport (
    Axis, Block, Lattice, beside, block_at, choose_blocks, column_of, count_blocks, tap_indices, tap_offsets,
    widest_tile,
)
from ._pool cimport Block as Memory, Sealed, keep, made_of, scratch, to_keep
from ._staging cimport stage
from ._straight cimport Panels, filled, finish, first_read, reads_straight, run_straight
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number
from .broadcast cimport form

cdef enum:
    STAGED = 384 * 1024     # bytes of staged source in a block
    SUMS = 256 * 1024       # bytes of sums in a block
    NEAR = 32 * 1024        # bytes of both that stay in the L1 cache
    COLUMNS = 512           # columns that pay for the reading of a panel; more only where all stays in the L1 cache
    NARROW = 256            # and that still do
    FILTERS = 128           # filters in a block
    ENOUGH = 4              # tasks for each thread, where there is work enough to split
    SPLIT = 1 << 18         # multiply-adds in a task at least
    ALONE = 4096            # weights that one thread packs


cdef struct Plan:
    const Product* f
    Py_ssize_t panels       # of filters
    Py_ssize_t filter_blocks
    Py_ssize_t channels     # in a block of channels
    Py_ssize_t blocks       # of channels
    Py_ssize_t tile         # the widest tile, in columns
    bint one_run            # straight into the result, across the rows,
    bint by_row             # or row by row,
    bint in_place           # or across them, from where the source lies;
    Py_ssize_t ones         # then 1 if the bias is a tap: where there is but one block of channels
    double macs             # multiply-adds in all


cdef void make_plan(Plan* plan, Lattice* lattice, const kn_ops* ops, Py_ssize_t itemsize,
                    int threads) noexcept nogil:
    """Choose panels, blocks of filters and channels, and blocks of columns."""
    cdef Axis* axis = lattice.axis
    cdef Py_ssize_t taps = axis[0].taps * axis[1].taps * axis[2].taps
    cdef Py_ssize_t out = axis[0].out * axis[1].out * axis[2].out, blocks
    plan.macs = <double>plan.f.batch * plan.f.rows * plan.f.groups * plan.f.depth * taps * out
    plan.panels = up(plan.f.rows, ops.mac_rows)
    plan.tile = widest_tile(ops, plan.f.rows, plan.panels)
    blocks = max(1, up(plan.f.depth * max(taps, 1), KC))
    if blocks == 2 and axis[2].to_step == 1 and covered(axis[2].out, plan.tile, ops.lanes) == axis[2].out:
        blocks = 1  # so that whole rows go straight into the result
    plan.channels = max(1, up(plan.f.depth, blocks))
    plan.blocks = up(plan.f.depth, plan.channels)
    plan.filter_blocks = 1
    cut(plan, lattice, ops, itemsize, threads, True)
    if not plan.one_run and not plan.by_row:
        plan.filter_blocks = up(plan.f.rows, FILTERS)
        cut(plan, lattice, ops, itemsize, threads, False)


cdef void cut(Plan* plan, Lattice* lattice, const kn_ops* ops, Py_ssize_t itemsize, int threads,
              bint directly) noexcept nogil:
    """Choose blocks of columns, and more blocks of filters where the threads need them; ``directly``: sums go into the
    result."""
    cdef Axis* axis = lattice.axis
    cdef Py_ssize_t taps = axis[0].taps * axis[1].taps * axis[2].taps
    cdef Py_ssize_t phases = axis[0].phases * axis[1].phases * axis[2].phases
    cdef Py_ssize_t out = axis[0].out * axis[1].out * axis[2].out
    cdef Py_ssize_t columns, packed, sums, near, wanted, rows, narrow
    # Where a slice meets its neighbours, blocks of more slices, not of more images: the neighbours are staged too.
    cdef Py_ssize_t enough = COLUMNS if axis[0].reach == 0 else 3 * COLUMNS
    cdef Py_ssize_t images = plan.f.batch if axis[0].reach == 0 else min(plan.f.batch, max(1, COLUMNS // max(1, out)))
    # Blocks of few columns rather than of few filters: these would stage the same source again.
    narrow = <Py_ssize_t>min(plan.f.batch * plan.f.groups * <double>out, 2.0 ** 31)
    narrow = max(NARROW, narrow // (ENOUGH * threads))
    axis[2].unit = ops.lanes if directly else 1
    axis[1].unit = ops.lanes // common(ops.lanes, axis[2].out) if directly and axis[2].reach == 0 else 1
    while True:
        rows = 0 if directly else up(plan.f.rows, plan.filter_blocks)
        sums = SUMS // ((rows + ops.mac_rows) * itemsize)
        near = NEAR // ((plan.channels * max(phases, 1) + rows) * itemsize)
        sums = min(sums, min(narrow, max(near, enough)))
        columns = max(plan.tile, min(STAGED // (plan.channels * max(phases, 1) * itemsize), sums))
        packed = max(plan.tile, min(STAGED // (plan.channels * max(taps, 1) * itemsize), sums))
        choose_blocks(lattice, columns, packed, images, 0)
        wanted = plan.f.groups * count_blocks(lattice, plan.f.batch)
        wanted = min((ENOUGH * threads + wanted - 1) // wanted, (plan.panels + 1) // 2)
        wanted = min(wanted, <Py_ssize_t>(plan.macs / SPLIT))
        if plan.filter_blocks >= wanted:
            break
        plan.filter_blocks = wanted
    plan.one_run = is_one_run(axis) and (lattice.images == 1 or fills_tiles(out, plan.tile, ops.lanes, out))
    if plan.one_run:
        choose_blocks(lattice, columns, packed, 1, 0)
    plan.in_place = (plan.one_run and plan.blocks == 1 and is_one_row(axis)
                     and reads_straight(axis, plan.channels, itemsize))
    plan.by_row = (not plan.one_run and plan.blocks == 1 and not lattice.packed and axis[2].to_step == 1
                   and fills_tiles(axis[2].block, plan.tile, ops.lanes, axis[2].pitch))


cdef void pack_panel(const kn_ops* ops, const real* weight, const Plan* plan, const Py_ssize_t* tap, Py_ssize_t taps,
                     Py_ssize_t rows, Py_ssize_t channels, real* packed) noexcept nogil:
    """packed[(c * taps + t) * rows + i] = weight[row i, channel c, tap t]"""
    cdef Py_ssize_t c, t, i
    cdef const real* w
    if taps == plan.f.taps and plan.f.depth_step == taps and rows <= ops.lanes and tap[0] <= tap[taps - 1]:
        ops.turn(weight, plan.f.row_step, rows, channels * taps, 0, packed, rows, channels * taps)
        return
    for c in range(channels):
        for t in range(taps):
            w = weight + c * plan.f.depth_step + tap[t]
            for i in range(rows):
                packed[i] = w[i * plan.f.row_step]
            packed += rows


cdef void pack_task(const kn_ops* ops, const Plan* plan, const real* weight, const real* bias, const Py_ssize_t* tap,
                    Py_ssize_t taps, Py_ssize_t task, real* packed) noexcept nogil:
    """One panel of one block of channels of one group, and the bias behind it where that is a tap."""
    cdef const Product* f = plan.f
    cdef Py_ssize_t p = task % plan.panels, c = task // plan.panels % plan.blocks * plan.channels
    cdef Py_ssize_t group = task // (plan.panels * plan.blocks), row = part(f.rows, plan.panels, p)
    cdef Py_ssize_t rows = part(f.rows, plan.panels, p + 1) - row, channels = min(plan.channels, f.depth - c), k
    packed += group * f.rows * (f.depth * taps + plan.ones) + c * taps * f.rows + row * (channels * taps + plan.ones)
    pack_panel(ops, weight + group * f.group_step + c * f.depth_step + row * f.row_step, plan, tap, taps, rows,
               channels, packed)
    for k in range(rows if plan.ones else 0):
        packed[channels * taps * rows + k] = bias[group * f.rows + row + k]


cdef Py_ssize_t sums_pitch(const Plan* plan, const Lattice* lattice) noexcept nogil:
    """The sums of a filter: of what its tiles do not write into the result."""
    cdef const Axis* axis = &lattice.axis[0]
    if plan.one_run or plan.by_row:
        return plan.tile
    return lattice.images * axis[0].pitch * axis[1].pitch * axis[2].pitch + plan.tile


cdef bint is_one_row(const Axis* axis) noexcept nogil:
    """Whether each plane is one row, read and written element by element: its columns are those of the result."""
    return axis[0].to_size == 1 and axis[1].to_size == 1 and axis[2].to_step == 1 and axis[2].reach == 0


cdef bint is_one_run(const Axis* axis) noexcept nogil:
    """Whether the columns of a block of one image are elements of the result that follow one another."""
    cdef bint rows = axis[0].to_size * axis[1].to_size > 1, slices = axis[0].to_size > 1
    return (axis[2].to_step == 1 and axis[2].pitch == axis[2].block and (not rows or axis[2].block == axis[2].to_size)
            and (not rows or axis[1].to_step == 1 and (axis[0].block == 1 or axis[1].pitch == axis[1].to_size))
            and (not slices or axis[0].to_step == 1))


cdef void run_task(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Py_ssize_t* offset,
                   const real* source, const real* packed, const real* bias, const real* residual, real* dest,
                   double low, double high, Py_ssize_t task, char* staged, real* sums) noexcept nogil:
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t filters = task % plan.filter_blocks
    cdef Py_ssize_t group = task // plan.filter_blocks % plan.f.groups
    cdef Block block = block_at(lattice, task // (plan.filter_blocks * plan.f.groups), plan.f.batch)
    cdef Py_ssize_t first_panel = part(plan.panels, plan.filter_blocks, filters)
    cdef Py_ssize_t end_panel = part(plan.panels, plan.filter_blocks, filters + 1)
    cdef Py_ssize_t first_row = part(plan.f.rows, plan.panels, first_panel)
    cdef Py_ssize_t pitch = sums_pitch(plan, lattice)
    cdef Py_ssize_t source_image = plan.f.groups * plan.f.depth * lattice.source
    cdef Py_ssize_t dest_plane = axis[0].to_size * axis[1].to_size * axis[2].to_size
    cdef Py_ssize_t b, c, channels, taps, p, row, rows, column, width, half, whole, n, d, h, end
    cdef real* to = dest + group * plan.f.rows * dest_plane
    cdef real* plane
    cdef const real* panel
    cdef double shift
    cdef kn_mac mac
    cdef Panels panels = [plan.channels, lattice.source, dest_plane, plan.f.rows, plan.panels, plan.ones, plan.tile,
                          low, high]
    to += row_at(axis, &block, 0, 0, plan.f.groups * plan.f.rows * dest_plane)
    source += group * plan.f.depth * lattice.source
    packed += group * plan.f.rows * (plan.f.depth * lattice.taps + plan.ones)
    if plan.in_place:
        source += block.image * source_image + first_read(axis) + block.first[2]
        run_straight(ops, &panels, first_panel, end_panel, source, block.columns, packed,
                     <const real*>beside(residual, dest, to), to, <real*>staged)
        return
    for b in range(plan.blocks):
        c = b * plan.channels
        channels = min(plan.channels, plan.f.depth - c)
        taps = channels * lattice.taps
        stage(ops, lattice, &block, <const char*>(source + c * lattice.source), sizeof(real), source_image, channels,
              False, staged)
        taps += plan.ones
        for p in range(first_panel, end_panel):
            row = part(plan.f.rows, plan.panels, p)
            rows = part(plan.f.rows, plan.panels, p + 1) - row
            panel = packed + c * lattice.taps * plan.f.rows + row * taps
            width = ops.mac_vectors[rows] * ops.lanes
            half = half_tile(width, ops.lanes)
            whole = filled(block.columns, width, ops.lanes) if plan.one_run else 0
            if plan.by_row:
                plane = dest + (group * plan.f.rows + row) * dest_plane
                run_rows(ops, lattice, &block, offset, taps, panel, rows, plan.f.groups * plan.f.rows,
                         <const real*>staged, sums, <const real*>beside(residual, dest, plane), low, high, plane)
                continue
            column = 0
            for n in range(block.images):
                for d in range(block.count[0]):
                    for h in range(block.count[1]):
                        column = max(column, column_of(lattice, n, d, h))  # behind the tile of the row before
                        end = column_of(lattice, n, d, h) + block.count[2]
                        while column < end:
                            mac = ops.mac_half[rows] if block.columns - column <= half else ops.mac[rows]
                            if column < whole:
                                mac(taps, panel, rows, staged + column * sizeof(real), offset,
                                    to + row * dest_plane + column, dest_plane, c > 0)
                            else:
                                mac(taps, panel, rows, staged + column * sizeof(real), offset,
                                    sums + (row - first_row) * pitch + column - whole, pitch, c > 0)
                            column += width
    for p in range(0 if plan.by_row else first_panel, 0 if plan.by_row else end_panel):
        rows = part(plan.f.rows, plan.panels, p + 1) - part(plan.f.rows, plan.panels, p)
        width = ops.mac_vectors[rows] * ops.lanes
        whole = filled(block.columns, width, ops.lanes) if plan.one_run else 0
        for row in range(part(plan.f.rows, plan.panels, p), part(plan.f.rows, plan.panels, p + 1)):
            shift = bias[group * plan.f.rows + row] if bias != NULL and not plan.ones else 0
            if plan.one_run:
                plane = to + row * dest_plane
                finish(ops, 1, whole, shift, <const real*>beside(residual, dest, plane), low, high, plane, 0)
                if whole < block.columns:
                    ops.rows_out(sums + (row - first_row) * pitch, 0, 1, block.columns - whole, shift,
                                 beside(residual, dest, plane + whole), low, high, plane + whole, 0, 1)
            else:
                plane = dest + (group * plan.f.rows + row) * dest_plane
                write_rows(ops, plan, lattice, &block, sums + (row - first_row) * pitch, shift,
                           <const real*>beside(residual, dest, plane), low, high, plane)


cdef void run_rows(const kn_ops* ops, const Lattice* lattice, const Block* block, const Py_ssize_t* offset,
                   Py_ssize_t taps, const real* panel, Py_ssize_t rows, Py_ssize_t planes, const real* staged,
                   real* sums, const real* residual, double low, double high, real* dest) noexcept nogil:
    """The rows of a block, for one panel of filters, whose planes of the first image are at ``dest``; an image has so
    many ``planes``."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t plane = axis[0].to_size * axis[1].to_size * axis[2].to_size
    cdef Py_ssize_t width = ops.mac_vectors[rows] * ops.lanes, half = half_tile(width, ops.lanes)
    cdef Py_ssize_t columns = block.count[2], whole = filled(columns, width, ops.lanes), n, d, column, _
    cdef const real* at
    cdef kn_mac mac
    cdef real* to
    for n in range(block.images):
        for d in range(block.count[0]):
            to = dest + row_at(axis, block, n, d, planes * plane)
            at = staged + column_of(lattice, n, d, 0)
            for _ in range(block.count[1]):
                column = 0
                while column < columns:
                    mac = ops.mac_half[rows] if columns - column <= half else ops.mac[rows]
                    if column < whole:
                        mac(taps, panel, rows, at + column, offset, to + column, plane, False)
                    else:
                        mac(taps, panel, rows, at + column, offset, sums, width, False)
                    column += width
                finish(ops, rows, whole, 0, <const real*>beside(residual, dest, to), low, high, to, plane)
                if whole < columns:
                    ops.rows_out(sums, width, rows, columns - whole, 0, beside(residual, dest, to + whole), low, high,
                                 to + whole, plane, 1)
                to += axis[1].to_step * axis[2].to_size
                at += axis[2].pitch


cdef Py_ssize_t row_at(const Axis* axis, const Block* block, Py_ssize_t n, Py_ssize_t d,
                       Py_ssize_t image) noexcept nogil:
    """Where the first row of slice d of the block's image n is written."""
    return ((block.image + n) * image
            + (((block.first[0] + d) * axis[0].to_step + axis[0].to_first) * axis[1].to_size
               + block.first[1] * axis[1].to_step + axis[1].to_first) * axis[2].to_size
            + block.first[2] * axis[2].to_step + axis[2].to_first)


cdef void write_rows(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Block* block,
                     const real* sums, double bias, const real* residual, double low, double high,
                     real* dest) noexcept nogil:
    """The sums of one filter, from the columns of the lattice to the images at ``dest``."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t image = plan.f.groups * plan.f.rows * axis[0].to_size * axis[1].to_size * axis[2].to_size, n, d
    cdef real* to
    for n in range(block.images):
        for d in range(block.count[0]):
            to = dest + row_at(axis, block, n, d, image)
            ops.rows_out(sums + column_of(lattice, n, d, 0), axis[2].pitch, block.count[1], block.count[2], bias,
                         beside(residual, dest, to), low, high, to, axis[1].to_step * axis[2].to_size, axis[2].to_step)


cdef Py_ssize_t direct(const Product* f, Lattice* lattice, const real* source, const real* weight, const real* bias,
                       const real* residual, real* dest, double low, double high, Sealed sealed,
                       int n_threads) except -1:
    """The loop nest of the head of this file, for a lattice whose axes are set."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Axis* axis = lattice.axis
    cdef Py_ssize_t i, task, _, tasks, panels, done, upto, staged_size, sums_size, words, ones
    cdef unsigned long long mode = 0
    cdef int threads
    cdef Plan plan
    plan.f = f
    make_plan(&plan, lattice, ops, sizeof(real), n_threads)
    plan.ones = bias != NULL and plan.blocks == 1 and (plan.one_run or plan.by_row)
    words = plan.channels * lattice.taps + 1 + lattice.taps
    cdef Memory tables = scratch(words * sizeof(Py_ssize_t))
    cdef Py_ssize_t* tap = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* offset = tap + lattice.taps
    tap_indices(lattice, tap)
    tap_offsets(lattice, plan.channels, offset)
    ones = plan.channels * lattice.channel + ops.lanes  # staging may pass its end
    offset[plan.channels * lattice.taps] = ones
    tasks = count_blocks(lattice, f.batch) * f.groups * plan.filter_blocks
    threads = team(n_threads, plan.macs / 16)
    threads = <int>min(<Py_ssize_t>threads, tasks)
    staged_size = up(ones + plan.ones * lattice.plane + plan.tile, 16) * 16
    sums_size = ((up(f.rows, plan.filter_blocks) + ops.mac_rows)
                 * sums_pitch(&plan, lattice) + 15) // 16 * 16
    if plan.in_place:
        ones, staged_size = 0, up((1 + plan.channels) * plan.tile, 16) * 16
    cdef tuple key = None if sealed is None else form(f, lattice, weight, tap, plan.channels, False)
    if sealed is not None and plan.ones:  # the bias lies between the weights
        key = (*key, (<const char*>bias)[:f.groups * f.rows * <Py_ssize_t>sizeof(real)])
    cdef Memory packed_memory = made_of(sealed, key)
    cdef bint made = packed_memory is not None
    if not made:
        packed_memory = to_keep(sealed, f.groups * f.rows * (f.depth * lattice.taps + 1) * sizeof(real))
    cdef Memory memory = scratch(threads * (staged_size + sums_size) * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* packed = <real*>packed_memory.data
    cdef real* own = <real*>memory.data
    if dest == NULL:
        f.choice.way = PACKED if lattice.packed else PRODUCT if is_one_row(axis) else DIRECT
        return tables.size + packed_memory.size + memory.size
    if not made:
        panels = f.groups * plan.blocks * plan.panels
        if threads == 1 or f.groups * f.rows * f.depth * lattice.taps <= ALONE:  # a team costs as much as this
            for task in range(panels):
                pack_task(ops, &plan, weight, bias, tap, lattice.taps, task, packed)
        else:
            with nogil, parallel(num_threads=threads):
                for task in prange(panels, schedule="static"):
                    pack_task(ops, &plan, weight, bias, tap, lattice.taps, task, packed)
        keep(sealed, key, packed_memory)
    for task in range(threads):
        for i in range(plan.ones * (plan.tile + (0 if plan.in_place else lattice.plane))):
            own[task * (staged_size + sums_size) + ones + i] = 1
    done = 0
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, plan.macs))
        if threads == 1:
            with nogil:
                mode = flush_on()
                for task in range(done, upto):
                    run_task(ops, &plan, lattice, offset, source, packed, bias, residual, dest, low, high, task,
                             <char*>own, own + staged_size)
                flush_restore(mode)
        else:
            deal(shares, threads, done, upto)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for _ in prange(done, upto, schedule="dynamic"):
                    task = take(shares, threads)
                    run_task(ops, &plan, lattice, offset, source, packed, bias, residual, dest, low, high, task,
                             <char*>(own + thread_number() * (staged_size + sums_size)),
                             own + thread_number() * (staged_size + sums_size) + staged_size)
                flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0
