"""Direct convolution with the filters in the lanes, forward and backward to the data (see simd/kn_cast.h).

    pack the weights: panels of two vectors of filters, in blocks of channels
    parallel, task = (block of columns, block of filters, group):
        for each block of channels:
            stage these channels of the block (see _staging.pyx), unless they can be read where they lie
            for each panel of filters, for each row of the block, for each tile of a row: cast, on top of the channels
                before; after the last ones, for some tiles or rows together, cast_out: bias, what is to be added,
                clipping, transposed into the images

The tiles of a row are of equal size, and no column between rows is computed. Rows are staged in the order of the
source, whatever the stride. Columns so if it is two, which is a step of the micro-kernel; a stride of four leaves two
phases of them. Where no window meets the padding the source is not staged at all. Backward, the phases may be woven: of
the columns, a tile has the sums of one beside those of the next, and the rows of the result are written whole; of the
rows (and slices), all that meet a row of the source are computed while it is near.

Blocks of channels depend on the shape of a sample, the dtype and the instruction set alone, and each output element is
summed in one order: the bits depend neither on threads nor on the batch. Blocks of filters have no say in that order;
there are as many as keep the threads busy.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy, memset

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport even_columns, even_images, joined_rows, part, up
from ._lanes cimport KC, WIDTH, Product, planes_alias, reads_in_place
from ._lattice cimport (
    Axis, Block, Lattice, all_woven, before, beside, block_at, choose_blocks, column_of, count_blocks, inside, item,
    make_dense, make_offsets, tap_indices,
)
from ._pool cimport Block as Memory, Sealed, keep, made_of, scratch, to_keep
from ._staging cimport stage
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number

cdef enum:
    STAGED = 384 * 1024     # bytes of the source in a block
    SUMS = 512 * 1024       # bytes of sums in a block
    ENOUGH = 4              # tasks for each thread, where there is work enough to split
    TURNED = 64             # taps that are turned at a time when the weights are packed
    SPLIT = 1 << 19         # multiply-adds in a task at least,
    ROWS = 16               # and rows of pixels, for each reading of the weights
    GROUPED = 128           # sums of a filter that are written at a time, at most
    DEEP = 640              # taps times channels in a block: a panel of it is read from the L2 cache, tile after tile


cdef struct Plan:
    const Product* f
    Py_ssize_t vectors      # of filters of a group
    Py_ssize_t panels
    Py_ssize_t filter_blocks
    Py_ssize_t channels     # in a block of channels
    Py_ssize_t blocks       # of channels
    Py_ssize_t most         # pixels in a block
    bint in_place           # the source is read where it lies
    bint merged             # a block of rows without a gap is one row
    bint shallow            # the results are fetched while so few sums are computed
    Py_ssize_t joined       # rows whose results are written together
    double macs             # multiply-adds in all


cdef struct Rows:
    Py_ssize_t height       # rows of the block, and pixels of each
    Py_ssize_t width
    Py_ssize_t channels     # in this block of channels
    Py_ssize_t vectors      # of this panel of filters
    Py_ssize_t filters
    Py_ssize_t[2] phase     # of the slices and the rows of the result, if they are woven
    Py_ssize_t place        # of the first filter in the bias
    Py_ssize_t to           # its plane in the destination
    Py_ssize_t ahead        # how far to prefetch
    const Py_ssize_t* offset
    int accumulate          # on top of the channels before
    bint last               # and then write the results
    double low
    double high


cdef void make_plan(Plan* plan, Lattice* lattice, const kn_ops* ops, Py_ssize_t itemsize,
                    int threads) noexcept nogil:
    """Choose panels, blocks of filters and channels, and blocks of columns."""
    cdef Axis* axis = lattice.axis
    cdef const Product* f = plan.f
    cdef Py_ssize_t woven = all_woven(axis), taps = axis[0].taps * axis[1].taps * axis[2].taps
    cdef Py_ssize_t a, phases, places, sums, wanted, images
    plan.macs = <double>f.batch * f.rows * f.groups * f.depth * taps * axis[0].out * axis[1].out * axis[2].out
    plan.vectors = up(f.rows, ops.lanes)
    plan.panels = up(plan.vectors, WIDTH)
    plan.blocks = up(f.depth * taps, DEEP if woven == 1 else KC * woven)
    plan.channels = up(f.depth, plan.blocks)
    plan.blocks = up(f.depth, plan.channels)
    plan.in_place = reads_in_place(axis) and not planes_alias(axis, itemsize)
    for a in range(3):
        if axis[a].stride > 1 and axis[a].phases == axis[a].stride and (a < 2 or axis[a].stride % 2 == 0):
            make_dense(&axis[a], axis[a].stride if a < 2 else 2)
    phases = axis[0].phases * axis[1].phases * axis[2].phases
    # The images are spread over the tasks first: what is staged for many filters is not staged again for others.
    images = min(<Py_ssize_t>ENOUGH * threads, <Py_ssize_t>(plan.macs / SPLIT)) // f.groups
    images = (f.batch + max(1, images) - 1) // max(1, images)
    images = max(images, (ROWS + axis[0].out * axis[1].out - 1) // (axis[0].out * axis[1].out))
    plan.filter_blocks = 1
    while True:
        sums = SUMS // (up(plan.vectors, plan.filter_blocks) * ops.lanes * itemsize * woven)
        places = STAGED // (plan.channels * phases * itemsize)
        if plan.blocks > 1:
            places = min(places, sums * axis[0].step * axis[1].step * axis[2].step)
        choose_blocks(lattice, max(ops.cast_rows, places), 0, min(images, f.batch), -1)
        wanted = f.groups * count_blocks(lattice, f.batch)
        wanted = min(min((ENOUGH * threads + wanted - 1) // wanted, <Py_ssize_t>(plan.macs / SPLIT)), plan.panels)
        if plan.filter_blocks >= wanted:
            break
        plan.filter_blocks = up(plan.panels, plan.panels // wanted)  # of equal size
    if lattice.images > 1:
        choose_blocks(lattice, max(ops.cast_rows, places), 0,
                      even_images(f.batch, lattice.images, f.groups * plan.filter_blocks, threads), -1)
    elif axis[0].out * axis[1].out == 1:
        choose_blocks(lattice, even_columns(axis[2].out, lattice.blocks[2], f.batch * f.groups * plan.filter_blocks,
                                            ops.cast_rows, plan.in_place, threads), 0, 1, -1)
    plan.merged = (not plan.in_place and lattice.blocks[2] == 1 and axis[1].reach + axis[2].reach == 0
                   and axis[2].step == 1 and axis[2].to_step == 1 and axis[2].to_size == axis[2].out
                   and axis[1].to_step == 1)
    plan.shallow = woven > 1 or f.depth * taps <= KC
    plan.joined = 1
    if (woven == 1 and lattice.blocks[2] == 1 and axis[2].to_step == 1 and axis[2].to_size == axis[2].out
            and axis[1].to_step == 1):
        plan.joined = joined_rows(axis[2].out, min(GROUPED // axis[2].out, axis[1].block), ops.lanes)
    plan.most = lattice.images * axis[0].block * axis[1].block * axis[2].block


cdef Py_ssize_t turned(const Product* f) noexcept nogil:
    """The channels whose weights pack_panel turns at a time."""
    return max(1, TURNED // f.taps) if f.depth_step == f.taps else 1


cdef void pack_panel(const kn_ops* ops, const real* weight, const Product* f, const Lattice* lattice,
                     const Py_ssize_t* tap, Py_ssize_t rows, Py_ssize_t channels, Py_ssize_t width, real* own,
                     real* packed) noexcept nogil:
    """packed[item * width + i] = weight[row i, channel and tap of the item], zeros where there is no row."""
    cdef Py_ssize_t b, c, t, v, n, i, apart = 0, count = min(rows, width), at_once = turned(f)
    cdef const real* w
    cdef real* to
    if f.row_step == f.taps and f.taps in (2, 4):  # every so-many-th number, which is quickly picked
        for t in range(lattice.taps):
            i = item(lattice, channels, 0, t, &apart)
            for c in range(channels):
                ops.rows_in(weight + c * f.depth_step, 0, 1, count * f.taps, tap[t], f.taps,
                            packed + (i + c * apart) * width, 0, width)
        return
    for b in range(up(channels, at_once)):
        n = min(at_once, channels - b * at_once)
        w = weight + b * at_once * f.depth_step
        to = packed + b * at_once * width if f.taps == 1 else own  # own[channel and tap][row]
        if f.taps == 1 and f.row_step == 1:
            memcpy(to, w, count * sizeof(real))
            memset(to + count, 0, (width - count) * sizeof(real))
        else:
            for v in range(count if at_once > 1 and b + 1 < up(channels, at_once) else 0):  # of the next channels
                ops.fetch(w + at_once * f.depth_step + v * f.row_step, n * f.taps)
            for v in range(width // ops.lanes):
                ops.turn(w + v * ops.lanes * f.row_step, f.row_step, min(ops.lanes, rows - v * ops.lanes), n * f.taps,
                         0, to + v * ops.lanes, width, n * f.taps)
        for t in range(lattice.taps if f.taps > 1 else 0):
            i = item(lattice, channels, b * at_once, t, &apart)
            for c in range(n):
                memcpy(packed + (i + c * apart) * width, own + (c * f.taps + tap[t]) * width, width * sizeof(real))


cdef void run_task(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Py_ssize_t* offsets,
                   const real* source, const real* packed, const real* bias, const real* residual, real* dest,
                   double low, double high, Py_ssize_t task, char* staged, real* sums) noexcept nogil:
    """A block of pixels under a block of filters."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef const Product* f = plan.f
    cdef Py_ssize_t filters = task % plan.filter_blocks
    cdef Py_ssize_t group = task // plan.filter_blocks % f.groups
    cdef Block block = block_at(lattice, task // (plan.filter_blocks * f.groups), f.batch)
    cdef Py_ssize_t source_image = f.groups * f.depth * lattice.source
    cdef Py_ssize_t all = block.images * block.count[0] * block.count[1] * block.count[2]
    cdef Py_ssize_t b, c, p, n, d, h, k, width, woven = all_woven(axis)
    cdef Rows rows
    cdef real* sum
    rows.height = 1 if plan.merged else block.count[1]
    rows.width = block.count[2] * (block.count[1] if plan.merged else 1)
    rows.low, rows.high = low, high
    source += block.image * source_image + group * f.depth * lattice.source
    packed += group * plan.vectors * ops.lanes * f.depth * lattice.taps
    for b in range(plan.blocks):
        c = b * plan.channels
        rows.channels = min(plan.channels, f.depth - c)
        rows.accumulate, rows.last = b > 0, b == plan.blocks - 1
        rows.offset = offsets + (plan.channels * lattice.taps if rows.last else 0)
        if not plan.in_place:
            stage(ops, lattice, &block, <const char*>(source + c * lattice.source - block.image * source_image),
                  sizeof(real), source_image, rows.channels, False, staged)
        for p in range(part(plan.panels, plan.filter_blocks, filters),
                       part(plan.panels, plan.filter_blocks, filters + 1)):
            rows.vectors = min(WIDTH, plan.vectors - WIDTH * p)
            rows.filters = min(rows.vectors * ops.lanes, f.rows - WIDTH * p * ops.lanes)
            rows.ahead = 0
            if plan.in_place and p == part(plan.panels, plan.filter_blocks, filters):
                rows.ahead = 2 * ops.cast_rows * axis[2].step
            rows.place = group * plan.vectors * ops.lanes + WIDTH * p * ops.lanes
            width = WIDTH * ops.lanes * (p - part(plan.panels, plan.filter_blocks, filters))
            sum = sums + woven * width * all if plan.blocks > 1 else sums
            for n in range(block.images):
                rows.to = (block.image + n) * f.groups * f.rows + group * f.rows + WIDTH * p * ops.lanes
                for d in range(block.count[0]):
                    for h in range(rows.height):
                        for k in range(axis[0].woven * axis[1].woven):
                            rows.phase[0], rows.phase[1] = k // axis[1].woven, k % axis[1].woven
                            run_row(ops, plan, lattice, &block, &rows, n, d, h, source + c * lattice.source,
                                    <const real*>staged,
                                    packed + (c * plan.vectors * ops.lanes + WIDTH * p * ops.lanes * rows.channels)
                                    * lattice.taps, bias, residual, dest, sum)
                            if plan.blocks > 1 and ((h + 1) % plan.joined == 0 or h + 1 == rows.height):
                                sum += (h % plan.joined + 1) * axis[2].woven * rows.width * rows.vectors * ops.lanes


cdef void run_row(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Block* block, const Rows* rows,
                  Py_ssize_t n, Py_ssize_t d, Py_ssize_t h, const real* source, const real* staged, const real* panel,
                  const real* bias, const real* residual, real* dest, real* sums) noexcept nogil:
    """One row of pixels under one panel of filters."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t plane = axis[0].to_size * axis[1].to_size * axis[2].to_size
    cdef Py_ssize_t width = rows.vectors * ops.lanes, woven = axis[2].woven, line
    cdef Py_ssize_t u = rows.phase[0], v = rows.phase[1]
    cdef Py_ssize_t down = (block.first[0] + d) * axis[0].to_step + axis[0].to_first + u
    cdef Py_ssize_t along = (block.first[1] + h) * axis[1].to_step + axis[1].to_first + v
    cdef Py_ssize_t lines = axis[1].split[v + 1] - axis[1].split[v], base = before(axis, u, v)
    cdef Py_ssize_t all = lines * (axis[0].split[u + 1] - axis[0].split[u])
    cdef Py_ssize_t tiles = up(rows.width, ops.cast_rows)
    cdef Py_ssize_t step = axis[2].step, to_step = axis[2].to_step
    cdef Py_ssize_t first, end, i, low, high, t, q, m, k, p
    cdef Py_ssize_t begun = -(h % plan.joined) * rows.width  # of the tiles that are not yet written, on this row
    cdef int accumulate
    cdef const real* at = staged
    cdef real* sum = sums - begun * width
    cdef real* to = dest + rows.to * plane
    if down >= axis[0].to_size or along >= axis[1].to_size:  # the last ones of a phase may be missing
        return
    to += (down * axis[1].to_size + along) * axis[2].to_size + block.first[2] * to_step + axis[2].to_first
    # Lines of the kernel that lie in the padding add nothing.
    first, end, low, high = axis[0].split[u], axis[0].split[u + 1], axis[1].split[v], axis[1].split[v + 1]
    if plan.in_place:
        at = source + n * plan.f.groups * plan.f.depth * lattice.source
        at += (((block.first[0] + d) * axis[0].step * axis[0].stride - axis[0].pad) * axis[1].size
               + (block.first[1] + h) * axis[1].step * axis[1].stride - axis[1].pad) * axis[2].size
        at += block.first[2] * step - axis[2].pad
    else:
        at += column_of(lattice, n, d * axis[0].step, h * axis[1].step)
        if not plan.merged:
            inside(&axis[0], block.first[0] + d, u, &first, &end)
            inside(&axis[1], block.first[1] + h, v, &low, &high)
    first, end = first - axis[0].split[u], end - axis[0].split[u]
    low, high = low - axis[1].split[v], high - axis[1].split[v]
    if high - low == lines:  # as one run of lines
        low, high = first * high, end * high
        first, end = 0, 1
    for t in range(tiles):
        q = part(rows.width, tiles, t)
        m = part(rows.width, tiles, t + 1) - q
        if rows.last:
            for k in range(up(woven * m, ops.lanes) if plan.shallow else 0):
                ops.cast_ahead(to + q * to_step + k * ops.lanes, rows.filters, plane)
            if residual != NULL:
                ops.cast_ahead(beside(residual, dest, to + q * to_step), rows.filters, plane)
        for p in range(woven):
            line = rows.channels * (axis[2].split[p + 1] - axis[2].split[p])
            accumulate = rows.accumulate
            for i in range(first, max(end, first + 1)):
                k = (base + all * axis[2].split[p]) * rows.channels + (i * lines + low) * line
                ops.cast[2 * (step - 1) + rows.vectors - 1][m]((high - low) * line if i < end else 0, at + q * step,
                                                               rows.offset + k, panel + k * width, sum + p * width,
                                                               woven * width, accumulate, rows.ahead)
                accumulate = True
        sum += woven * m * width
        if rows.last:
            if t + 1 < tiles and woven * (part(rows.width, tiles, t + 2) - begun) <= GROUPED:
                continue  # the next tile goes with this one
            if t + 1 == tiles and (h + 1) % plan.joined and h + 1 < rows.height:
                continue  # and the next row
            k = q + m - begun
            if woven > 1:
                k = min(woven * k, axis[2].to_size - (block.first[2] + begun) * woven)
            ops.cast_out(sums, width, k, rows.filters, bias + rows.place,
                         beside(residual, dest, to + begun * to_step), rows.low, rows.high, to + begun * to_step, plane,
                         to_step // woven)
            begun = q + m
        if plan.blocks > 1:
            sums = sum
        else:
            sum = sums


cdef tuple form(const Product* f, const Lattice* lattice, const real* weight, const Py_ssize_t* tap,
                Py_ssize_t channels, bint in_lanes):
    """All that packed weights depend on, but for the numbers that lie at ``weight``."""
    return ("in lanes" if in_lanes else "direct", <size_t>table, sizeof(real), <size_t>weight, f.groups, f.rows,
            f.depth, f.row_step, f.depth_step, f.group_step, channels,
            *[(a, lattice.axis[a].split[i + 1]) for a in range(3) for i in range(lattice.axis[a].woven)],
            *[tap[i] for i in range(lattice.taps)])


cdef Py_ssize_t broadcast(const Product* f, Lattice* lattice, const real* source, const real* weight, const real* bias,
                          const real* residual, real* dest, double low, double high, Sealed sealed,
                          int n_threads) except -1:
    """The loop nest of the head of this file, for a lattice whose axes are set."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Plan plan
    cdef Py_ssize_t i, k, c, p, row, task, _, tasks, done, upto, staged_size, sums_size, turned_size, padded, vectors
    cdef unsigned long long mode = 0
    cdef int threads
    plan.f = f
    make_plan(&plan, lattice, ops, sizeof(real), n_threads)
    padded = plan.vectors * ops.lanes
    # Two tables of offsets: of a block of channels, and of the last one, which may have fewer.
    k = plan.channels * lattice.taps
    cdef Memory tables = scratch((3 * k + lattice.taps) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* offset = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* tap = offset + 3 * k
    tap_indices(lattice, tap)
    make_offsets(lattice, plan.in_place, plan.channels, offset + 2 * k, offset)
    make_offsets(lattice, plan.in_place, f.depth - (plan.blocks - 1) * plan.channels, offset + 2 * k, offset + k)
    tasks = count_blocks(lattice, f.batch) * f.groups * plan.filter_blocks
    threads = team(n_threads, plan.macs / 16)
    threads = <int>min(<Py_ssize_t>threads, tasks)
    staged_size = 0 if plan.in_place else (plan.channels * lattice.channel + ops.lanes + 15) // 16 * 16
    sums_size = all_woven(lattice.axis) * plan.most if plan.blocks > 1 else GROUPED
    sums_size *= WIDTH * ops.lanes * (up(plan.panels, plan.filter_blocks) if plan.blocks > 1 else 1)
    cdef tuple key = None if sealed is None else form(f, lattice, weight, tap, plan.channels, True)
    cdef Memory packed_memory = made_of(sealed, key)
    cdef bint made = packed_memory is not None
    if not made:
        packed_memory = to_keep(sealed, f.groups * padded * f.depth * lattice.taps * sizeof(real))
    cdef Memory shift_memory = scratch(f.groups * padded * sizeof(real))
    turned_size = WIDTH * ops.lanes * f.taps * turned(f)
    cdef Memory turned_memory = scratch(threads * turned_size * sizeof(real))
    cdef Memory memory = scratch(threads * (staged_size + sums_size) * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* shift = <real*>shift_memory.data
    cdef real* packed = <real*>packed_memory.data
    cdef real* own = <real*>memory.data
    if dest == NULL:
        return tables.size + packed_memory.size + shift_memory.size + turned_memory.size + memory.size
    memset(shift, 0, f.groups * padded * sizeof(real))
    if bias != NULL:
        for i in range(f.groups):
            for k in range(f.rows):
                shift[i * padded + k] = bias[i * f.rows + k]
    if not made:
        with nogil, parallel(num_threads=threads):
            for task in prange(f.groups * plan.blocks * plan.panels, schedule="static"):
                p = task % plan.panels
                c = task // plan.panels % plan.blocks * plan.channels
                i = task // (plan.panels * plan.blocks)
                row = WIDTH * p * ops.lanes
                vectors = min(WIDTH, plan.vectors - WIDTH * p)
                k = min(plan.channels, f.depth - c)
                pack_panel(ops, weight + i * f.group_step + c * f.depth_step + row * f.row_step, f, lattice, tap,
                           f.rows - row, k, vectors * ops.lanes,
                           <real*>turned_memory.data + thread_number() * turned_size,
                           packed + (i * f.depth + c) * lattice.taps * padded + row * k * lattice.taps)
        keep(sealed, key, packed_memory)
    done = 0
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, plan.macs))
        deal(shares, threads, done, upto)
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for _ in prange(done, upto, schedule="dynamic"):
                task = take(shares, threads)
                run_task(ops, &plan, lattice, offset, source, packed, shift, residual, dest, low, high, task,
                         <char*>(own + thread_number() * (staged_size + sums_size)),
                         own + thread_number() * (staged_size + sums_size) + staged_size)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0
