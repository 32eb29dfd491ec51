"""Convolution with kernels three wide and one vector of filters, forward and backward to the data: small groups.

    parallel, task = (group, some blocks of rows of some images):
        pack the weights, unless they are kept: for each line of the kernel and each channel three vectors of filters
        for each block, for each row, for each tile of it: threes, over all lines that do not lie in the padding
            cast_out: bias, what is to be added, clipping, transposed into the image

Nothing is staged: rows are read where they lie, and a tile knows whether there is a pixel before and behind it (see
simd/kn_threes.h). The rows of a block are transposed as one long row. Weights that are needed for some images only are
packed by the thread that uses them, in whose cache they then are. Each output element is summed in one order, which
depends on the shape of a sample alone.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memset

from ._choice cimport FEW_WEIGHTS, FILLED_LANES, SHORT_ROWS, at_least, at_most
from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._integers cimport part, up
from ._lanes cimport PIXELS, WORTH, Product, planes_alias
from ._lattice cimport Axis, Lattice, beside, inside, is_three, place, tap_indices
from ._pool cimport Block as Memory, Sealed, keep, made_of, scratch, to_keep
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number
from .broadcast cimport form, pack_panel, turned

cdef enum:
    MOST = 576              # taps times channels of a group: a few times what stays in the L1 cache
    ENOUGH = 4              # tasks for each thread
    NEAR = 32 * 1024        # bytes of a group of an image so small that the next image is fetched meanwhile
    SUMS = 16 * 1024        # bytes of sums in a block


cdef struct Plan:
    const Product* f
    Py_ssize_t rows         # of an image, in all its slices,
    Py_ssize_t blocks       # and blocks of them
    Py_ssize_t most         # rows in a block
    Py_ssize_t parts        # of all blocks of a group


cdef bint are_threes(const Product* f, const Lattice* lattice, Py_ssize_t lanes, Py_ssize_t itemsize) noexcept nogil:
    """Whether this way is for such a convolution, judged by the shape of a sample."""
    cdef const Axis* axis = &lattice.axis[0]
    return (f.rows <= lanes and is_three(&axis[2]) and axis[0].to_step == 1 and axis[1].to_step == 1
            and f.depth * axis[0].taps * axis[1].taps * 3 <= MOST
            and not planes_alias(axis, itemsize))


cdef bint threes_pay(const Product* f, const Lattice* lattice, Py_ssize_t lanes, Py_ssize_t itemsize) noexcept nogil:
    """Whether it is also the better way: rows of enough pixels, enough taps to pay for the transposition, and lanes
    that filters fill better than the pixels of a row and the gap behind it do, which cost a twentieth more."""
    cdef const Axis* axis = &lattice.axis[0]
    return (are_threes(f, lattice, lanes, itemsize)
            and at_least(&f.choice.lanes, SHORT_ROWS, axis[2].out, PIXELS)
            and at_least(&f.choice.lanes, FEW_WEIGHTS, f.depth * axis[0].taps * axis[1].taps * 3, WORTH)
            and at_most(&f.choice.lanes, FILLED_LANES, 20 * lanes * axis[2].out,
                        21 * f.rows * (axis[2].out + max(0, 2 - max(0, axis[2].pad)))))


cdef void run_block(const kn_ops* ops, const Plan* plan, const Lattice* lattice, const Py_ssize_t* offset,
                    const real* source, const real* panel, const real* bias, const real* residual, real* dest,
                    double low, double high, Py_ssize_t group, Py_ssize_t block, bint fetching,
                    real* sums) noexcept nogil:
    """A block of rows of one group of an image."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef const Product* f = plan.f
    cdef Py_ssize_t first = part(plan.rows, plan.blocks, block % plan.blocks)
    cdef Py_ssize_t end = part(plan.rows, plan.blocks, block % plan.blocks + 1)
    cdef Py_ssize_t at = block // plan.blocks * f.groups + group, row
    cdef Py_ssize_t plane = axis[0].out * axis[1].out * axis[2].out, out = axis[2].out
    cdef real* to = dest + at * f.rows * plane + first * out
    cdef Py_ssize_t ahead = f.groups * f.depth * lattice.source, size = f.depth * lattice.source, k
    for row in range(first, end):
        if fetching:
            ops.fetch(source + at * size + ahead + part(size, plan.rows, row),
                      part(size, plan.rows, row + 1) - part(size, plan.rows, row))
        for k in range(up(out, ops.lanes)):
            ops.cast_ahead(to + (row - first) * out + k * ops.lanes, f.rows, plane)
        run_row(ops, f, lattice, offset, source + at * f.depth * lattice.source, panel, row // axis[1].out,
                row % axis[1].out, sums + (row - first) * out * ops.lanes)
    ops.cast_out(sums, ops.lanes, (end - first) * out, f.rows, bias + group * ops.lanes, beside(residual, dest, to),
                 low, high, to, plane, 1)


cdef void run_row(const kn_ops* ops, const Product* f, const Lattice* lattice, const Py_ssize_t* offset,
                  const real* source, const real* panel, Py_ssize_t d, Py_ssize_t h, real* sums) noexcept nogil:
    """The sums of row h of slice d."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t first, end, low, high, i, t, q, m, line, left = 1 - axis[2].pad
    cdef Py_ssize_t tiles = up(axis[2].out, ops.cast_rows)
    inside(&axis[0], d, 0, &first, &end)
    inside(&axis[1], h, 0, &low, &high)
    source += ((d * axis[0].stride - axis[0].pad) * axis[1].size + h * axis[1].stride - axis[1].pad) * axis[2].size
    source += left
    if high - low == axis[1].taps:  # as one run of lines
        low, high = first * high, end * high
        first, end = 0, 1
    for t in range(tiles):
        q = part(axis[2].out, tiles, t)
        m = part(axis[2].out, tiles, t + 1) - q
        for i in range(first, max(end, first + 1)):
            line = (i * axis[1].taps + low) * f.depth
            ops.threes[m]((high - low) * f.depth if i < end else 0, source + q, offset + line,
                          panel + 3 * line * ops.lanes, left + q > 0, left + q + m < axis[2].size,
                          sums + q * ops.lanes, i > first)


cdef Py_ssize_t cast_threes(const Product* f, Lattice* lattice, const real* source, const real* weight,
                            const real* bias, const real* residual, real* dest, double low, double high,
                            Sealed sealed, int n_threads) except -1:
    """The loop nest of the head of this file, for a lattice whose axes are set."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef const Axis* axis = lattice.axis
    cdef Plan plan
    cdef Py_ssize_t i, j, c, t, task, _, tasks, done = 0, upto, lines = axis[0].taps * axis[1].taps
    cdef Py_ssize_t panel_size, turned_size, sums_size, own_size, size
    cdef real* panel
    cdef double macs = <double>f.batch * f.groups * f.rows * f.depth * 3 * lines
    cdef unsigned long long mode = 0
    cdef int threads
    macs *= axis[0].out * axis[1].out * axis[2].out
    lattice.taps = 3 * lines
    lattice.source = axis[0].size * axis[1].size * axis[2].size
    plan.f, plan.rows = f, axis[0].out * axis[1].out
    plan.most = max(1, SUMS // (axis[2].out * ops.lanes * <Py_ssize_t>sizeof(real)))
    plan.blocks = up(plan.rows, plan.most)
    plan.parts = min(f.batch * plan.blocks, up(ENOUGH * team(n_threads, macs / 16), f.groups))
    tasks = f.groups * plan.parts
    threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), tasks)
    cdef Memory tables = scratch((lines * f.depth + lattice.taps) * sizeof(Py_ssize_t))
    cdef Py_ssize_t* tap = <Py_ssize_t*>tables.data
    cdef Py_ssize_t* offset = tap + lattice.taps
    tap_indices(lattice, tap)
    for t in range(lines):
        for c in range(f.depth):
            i, j = t // axis[1].taps, t % axis[1].taps
            offset[t * f.depth + c] = (c * lattice.source
                                       + (place(&axis[0], i) * axis[1].size + place(&axis[1], j)) * axis[2].size)
        if place(&axis[2], 0) > place(&axis[2], 2):  # the weights stand in the order of the places
            tap[3 * t], tap[3 * t + 2] = tap[3 * t + 2], tap[3 * t]
    cdef tuple key = None if sealed is None else ("threes", *form(f, lattice, weight, tap, f.depth, True))
    cdef Memory packed = made_of(sealed, key)
    cdef bint made = packed is not None
    size = f.depth * lattice.source * sizeof(real)
    panel_size = f.depth * lattice.taps * ops.lanes
    if sealed is not None and not made:
        packed = to_keep(sealed, f.groups * panel_size * sizeof(real))
    turned_size = ops.lanes * f.taps * turned(f)
    sums_size = up(plan.most * axis[2].out * ops.lanes, 16) * 16
    own_size = up(turned_size + panel_size + sums_size, 16) * 16
    cdef Memory shift_memory = scratch(f.groups * ops.lanes * sizeof(real))
    cdef Memory memory = scratch(threads * own_size * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* shift = <real*>shift_memory.data
    cdef real* kept = <real*>packed.data if packed is not None else NULL
    cdef real* own
    if dest == NULL:
        return tables.size + shift_memory.size + memory.size + (packed.size if packed is not None else 0)
    memset(shift, 0, f.groups * ops.lanes * sizeof(real))
    for i in range(f.groups if bias != NULL else 0):
        for j in range(f.rows):
            shift[i * ops.lanes + j] = bias[i * f.rows + j]
    if kept != NULL and not made:
        with nogil, parallel(num_threads=threads):
            for task in prange(f.groups, schedule="static"):
                pack_panel(ops, weight + task * f.group_step, f, lattice, tap, f.rows, f.depth, ops.lanes,
                           <real*>memory.data + thread_number() * own_size, kept + task * panel_size)
        keep(sealed, key, packed)
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, macs))
        deal(shares, threads, done, upto)
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for _ in prange(done, upto, schedule="dynamic"):
                task = take(shares, threads)
                own = <real*>memory.data + thread_number() * own_size
                i = task // plan.parts
                panel = kept + i * panel_size
                if kept == NULL:
                    panel = own + sums_size
                    pack_panel(ops, weight + i * f.group_step, f, lattice, tap, f.rows, f.depth, ops.lanes,
                               panel + panel_size, panel)
                for j in range(part(f.batch * plan.blocks, plan.parts, task % plan.parts),
                               part(f.batch * plan.blocks, plan.parts, task % plan.parts + 1)):
                    run_block(ops, &plan, lattice, offset, source, panel, shift, residual, dest, low, high, i, j,
                              size <= NEAR and j // plan.blocks + 1 < f.batch, own)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0
