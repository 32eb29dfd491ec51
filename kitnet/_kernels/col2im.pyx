"""col2im and fold: the transposes of im2col and unfold. Each element of x is the sum of what the windows hold there,
taps in ascending order, summed in registers and written once, by one task: a gather, in two layouts.

fold (a window a column): a task is a chunk of rows of x; cols is read once, a row of windows of one tap after another.

col2im (a window a row): a task is a block of rows of x for a block of channels of a sample. It turns the rows of
windows that the next row of x needs into fold's layout, each once, in a ring of rows that fits in the L2 cache, and
gathers from there. Only the windows at the edge between two blocks are turned twice.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, kn_row, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._threads cimport team, thread_number
from ._window cimport Cursor, Grid, advance, chunk, cursor_at, grid_of, line_room, look_back, partners

ctypedef fused real:
    float
    double

cdef enum:
    RING = 256 * 1024       # bytes of a ring
    LARGE = 1 << 18         # elements of a sample that are worth splitting,
    ENOUGH = 8              # into so many tasks


cdef void fold_rows(const kn_ops* ops, const Grid* grid, const real* cols, real* x, Py_ssize_t first, Py_ssize_t end,
                    Py_ssize_t* rows, real* lines) noexcept nogil:
    """The rows of x [first, end), counted over all planes."""
    cdef kn_row row = grid.row
    cdef Cursor at = cursor_at(grid, first)
    cdef Py_ssize_t r, i
    row.rows = rows
    for r in range(first, end):
        row.count = partners(grid, at.d, at.h, rows, rows + grid.partners)
        for i in range(row.count):
            rows[i] = rows[grid.partners + i] * row.kernel * grid.windows + rows[i] * row.out
        ops.fold_row(&row, cols + at.plane * grid.taps * grid.windows, grid.windows, grid.taps * grid.windows,
                     lines, x + r * row.size)
        advance(grid, &at)


def fold(const real[:, :, ::1] cols not None, real[:, :, :, :, ::1] x not None, kernel, out, stride, padding,
         dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], out, kernel, stride, padding, dilation)
    cdef Block _tables = look_back(&grid)
    cdef Py_ssize_t total = x.shape[0] * x.shape[1] * x.shape[2] * x.shape[3], step = chunk(grid.row.size), r, t = 0
    cdef Py_ssize_t room = line_room(&grid)
    cdef int threads = team(n_threads, <double>cols.shape[0] * cols.shape[1] * cols.shape[2])
    cdef Block rows = scratch(threads * 2 * grid.partners * sizeof(Py_ssize_t))
    cdef Block lines = scratch(threads * room * sizeof(real))
    cdef unsigned long long mode = 0
    if total == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        t = thread_number()
        for r in prange(0, total, step, schedule="static"):
            fold_rows(ops, &grid, &cols[0, 0, 0], &x[0, 0, 0, 0, 0], r, min(r + step, total),
                      <Py_ssize_t*>rows.data + 2 * t * grid.partners, <real*>lines.data + t * room)
        flush_restore(mode)


cdef struct Blocks:
    Py_ssize_t channels     # in all
    Py_ssize_t channel_blocks
    Py_ssize_t row_blocks
    Py_ssize_t pitch        # elements of a turned row of windows, whole vectors
    Py_ssize_t slot         # elements of a slot of the ring: all taps of a block of channels
    Py_ssize_t slots        # slots for each tap kd
    Py_ssize_t ring         # elements of the ring


cdef Blocks blocks_of(const Grid* grid, Py_ssize_t channels, Py_ssize_t lanes, Py_ssize_t itemsize) noexcept nogil:
    """As many channels as fit in a ring; more blocks of rows if a large sample makes few tasks."""
    cdef Blocks blocks
    cdef Py_ssize_t some, span = grid.h.dilation * (grid.h.kernel - 1) + 1
    blocks.channels = channels
    blocks.pitch = up(grid.row.out, lanes) * lanes
    blocks.slots = min(grid.h.out, (span - 1) // grid.h.stride + 1)
    some = RING // (grid.d.kernel * blocks.slots * grid.taps * blocks.pitch * itemsize)
    some = max(1, min(channels, some))
    blocks.channel_blocks = up(channels, some)
    some = up(channels, blocks.channel_blocks)
    blocks.slot = some * grid.taps * blocks.pitch
    blocks.ring = grid.d.kernel * blocks.slots * blocks.slot
    blocks.row_blocks = 1
    if channels * grid.taps * grid.windows >= LARGE:
        blocks.row_blocks = (ENOUGH - 1) // (blocks.channel_blocks * grid.d.size) + 1
        blocks.row_blocks = max(1, min(blocks.row_blocks, grid.h.size // (4 * span)))
    return blocks


cdef void col2im_task(const kn_ops* ops, const Grid* grid, const Blocks* blocks, const real* cols, real* x,
                      Py_ssize_t task, Py_ssize_t* rows, Py_ssize_t* turned, real* lines, real* ring) noexcept nogil:
    """The block (n, channel block, id, row block), ``task`` counting them. turned: the row in each slot of the ring."""
    cdef kn_row row = grid.row
    cdef Py_ssize_t block = task % blocks.row_blocks, id = task // blocks.row_blocks % grid.d.size
    cdef Py_ssize_t begin = grid.h.size * block // blocks.row_blocks
    cdef Py_ssize_t stop = grid.h.size * (block + 1) // blocks.row_blocks
    cdef Py_ssize_t pitch = blocks.channels * grid.taps, n, channel, channels, ih, i, c, o, at, slot
    cdef Py_ssize_t* taps = rows + grid.partners
    task //= blocks.row_blocks * grid.d.size
    n, block = task // blocks.channel_blocks, task % blocks.channel_blocks
    channel = blocks.channels * block // blocks.channel_blocks
    channels = blocks.channels * (block + 1) // blocks.channel_blocks - channel
    cols += n * grid.windows * pitch + channel * grid.taps
    x += ((n * blocks.channels + channel) * grid.d.size + id) * grid.h.size * row.size
    row.rows = rows
    for i in range(grid.d.kernel * blocks.slots):
        turned[i] = -1
    for ih in range(begin, stop):
        row.count = partners(grid, id, ih, rows, taps)
        for i in range(row.count):
            at = rows[i]
            slot = taps[i] // grid.h.kernel * blocks.slots + at % grid.h.out % blocks.slots
            if turned[slot] != at:
                turned[slot] = at
                for c in range(blocks.pitch // ops.lanes):
                    o = c * ops.lanes
                    ops.planes_in(cols + (at * row.out + o) * pitch, pitch, min(ops.lanes, row.out - o),
                                  channels * grid.taps, ops.lanes * pitch, ring + slot * blocks.slot + o, blocks.pitch)
            rows[i] = slot * blocks.slot + taps[i] * row.kernel * blocks.pitch
        for c in range(channels):
            ops.fold_row(&row, ring + c * grid.taps * blocks.pitch, blocks.pitch, 0, lines,
                         x + c * grid.plane + ih * row.size)


def col2im(const real[:, :, ::1] cols not None, real[:, :, :, :, ::1] x not None, kernel, out, stride, padding,
           dilation, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Grid grid = grid_of(&x.shape[2], out, kernel, stride, padding, dilation)
    cdef Block _tables = look_back(&grid)
    cdef Blocks blocks = blocks_of(&grid, max(1, x.shape[1]), ops.lanes, sizeof(real))
    cdef Py_ssize_t tasks = x.shape[0] * blocks.channel_blocks * grid.d.size * blocks.row_blocks, i, t = 0
    cdef Py_ssize_t room = line_room(&grid), words = 2 * grid.partners + grid.d.kernel * blocks.slots
    cdef int threads = team(n_threads, <double>cols.shape[0] * cols.shape[1] * cols.shape[2])
    cdef Block rows = scratch(threads * words * sizeof(Py_ssize_t)), lines = scratch(threads * room * sizeof(real))
    cdef Block rings = scratch(threads * blocks.ring * sizeof(real))
    cdef unsigned long long mode = 0
    if x.shape[0] * x.shape[1] == 0:
        return
    with nogil, parallel(num_threads=threads):
        mode = flush_on()
        t = thread_number()
        for i in prange(tasks, schedule="static"):
            col2im_task(ops, &grid, &blocks, &cols[0, 0, 0], &x[0, 0, 0, 0, 0], i,
                        <Py_ssize_t*>rows.data + t * words, <Py_ssize_t*>rows.data + t * words + 2 * grid.partners,
                        <real*>lines.data + t * room, <real*>rings.data + t * blocks.ring)
        flush_restore(mode)
