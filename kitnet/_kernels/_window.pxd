"""The geometry of windowed kernels: which rows of the image a row of windows sees, and which rows of windows see a row
of the image. Both are tabulated once a call, an axis at a time, so that the loops over rows neither divide nor ask."""

from ._dispatch cimport kn_enter, kn_gcd, kn_phase, kn_row, kn_span
from ._pool cimport Block, scratch


cdef struct Axis:
    Py_ssize_t size         # cells of the image
    Py_ssize_t out          # windows
    Py_ssize_t kernel
    Py_ssize_t stride
    Py_ssize_t pad
    Py_ssize_t dilation
    Py_ssize_t own          # places on this side: windows (forward) or cells (backward),
    Py_ssize_t other        # and on the other side
    kn_span* span           # one a place
    Py_ssize_t tap_step
    Py_ssize_t step


cdef struct Grid:
    Axis d
    Axis h
    Axis w
    kn_row row              # the same, for the micro-kernels
    Py_ssize_t plane        # cells of the image
    Py_ssize_t windows      # windows on the image
    Py_ssize_t taps         # cells of a window
    Py_ssize_t partners     # rows on the other side that a row can have, at most


cdef struct Cursor:
    Py_ssize_t plane
    Py_ssize_t d
    Py_ssize_t h


cdef inline Axis axis_of(Py_ssize_t size, Py_ssize_t out, Py_ssize_t kernel, Py_ssize_t stride, Py_ssize_t pad,
                         Py_ssize_t dilation) noexcept nogil:
    cdef Axis axis
    axis.size, axis.out, axis.kernel, axis.stride, axis.pad, axis.dilation = size, out, kernel, stride, pad, dilation
    return axis


cdef inline Grid grid_of(const Py_ssize_t* size, tuple out, tuple kernel, tuple stride, tuple pad,
                         tuple dilation) except *:
    """The grid of windows ``out`` on an image ``size``; each argument is three integers, for D, H, W."""
    cdef Grid grid
    cdef kn_row* w = &grid.row
    grid.d = axis_of(size[0], out[0], kernel[0], stride[0], pad[0], dilation[0])
    grid.h = axis_of(size[1], out[1], kernel[1], stride[1], pad[1], dilation[1])
    grid.w = axis_of(size[2], out[2], kernel[2], stride[2], pad[2], dilation[2])
    w.size, w.out, w.kernel, w.stride, w.pad, w.dilation = size[2], out[2], kernel[2], stride[2], pad[2], dilation[2]
    w.low = kn_enter(-w.pad, w.stride, w.out)
    w.high = max(w.low, kn_enter((w.kernel - 1) * w.dilation - w.pad - w.size, w.stride, w.out))
    w.period = w.stride // kn_gcd(w.stride, w.dilation)
    w.step = w.period * w.dilation // w.stride
    grid.plane = size[0] * size[1] * size[2]
    grid.windows = grid.d.out * grid.h.out * w.out
    grid.taps = grid.d.kernel * grid.h.kernel * w.kernel
    grid.partners = grid.d.kernel * grid.h.kernel
    return grid


cdef inline void see(Axis* axis, kn_span* span) noexcept nogil:
    """The cells that each window sees."""
    cdef Py_ssize_t o, start
    axis.own, axis.other, axis.span, axis.tap_step, axis.step = axis.out, axis.size, span, 1, axis.dilation
    for o in range(axis.out):
        start = o * axis.stride - axis.pad
        span[o].tap = kn_enter(start, axis.dilation, axis.kernel)
        span[o].count = kn_enter(start - axis.size, axis.dilation, axis.kernel) - span[o].tap
        span[o].at = start + span[o].tap * axis.dilation


cdef inline void meet(Axis* axis, kn_span* span) noexcept nogil:
    """The windows that see each cell: those of the taps that leave the same remainder, from the last window on."""
    cdef Py_ssize_t i, k, at, skip
    axis.own, axis.other, axis.span = axis.size, axis.out, span
    axis.tap_step = axis.stride // kn_gcd(axis.stride, axis.dilation)
    axis.step = -(axis.tap_step * axis.dilation // axis.stride)
    for i in range(axis.size):
        k, at = 0, i + axis.pad
        while k < min(axis.tap_step, axis.kernel) and (at - k * axis.dilation) % axis.stride:
            k += 1
        at = (at - k * axis.dilation) // axis.stride
        skip = kn_enter(axis.out - 1 - at, -axis.step, axis.kernel)
        span[i].tap = k + skip * axis.tap_step
        span[i].at = at + skip * axis.step
        span[i].count = 0
        if k < min(axis.tap_step, axis.kernel) and span[i].at >= 0 and span[i].tap < axis.kernel:
            span[i].count = min(span[i].at // -axis.step, (axis.kernel - 1 - span[i].tap) // axis.tap_step) + 1


cdef inline Block look_forward(Grid* grid):
    """Tabulate what windows see; the tables live in the block that is returned."""
    cdef kn_row* row = &grid.row
    cdef Py_ssize_t places = grid.d.out + grid.h.out + row.out, k
    cdef Block block = scratch(places * sizeof(kn_span) + 2 * row.kernel * sizeof(Py_ssize_t))
    cdef kn_span* span = <kn_span*>block.data
    cdef Py_ssize_t* enter = <Py_ssize_t*>(span + places)
    see(&grid.d, span)
    see(&grid.h, span + grid.d.out)
    see(&grid.w, span + grid.d.out + grid.h.out)
    row.span, row.span_step = grid.w.span, grid.w.step
    row.enter, row.leave = enter, enter + row.kernel
    for k in range(row.kernel):
        enter[k] = kn_enter(k * row.dilation - row.pad, row.stride, row.out)
        enter[row.kernel + k] = kn_enter(k * row.dilation - row.pad - row.size, row.stride, row.out)
    return block


cdef inline Block look_back(Grid* grid):
    """Tabulate by what windows the image is seen; the tables live in the block that is returned."""
    cdef kn_row* row = &grid.row
    cdef Py_ssize_t places = grid.d.size + grid.h.size + row.size, s, k
    cdef Block block
    cdef kn_span* span
    cdef kn_phase* phase
    row.phases = min(row.stride, row.size)
    block = scratch(places * sizeof(kn_span) + row.phases * sizeof(kn_phase))
    span, phase = <kn_span*>block.data, <kn_phase*>(block.data + places * sizeof(kn_span))
    meet(&grid.d, span)
    meet(&grid.h, span + grid.d.size)
    meet(&grid.w, span + grid.d.size + grid.h.size)
    row.span, row.span_step, row.phase = grid.w.span, grid.w.step, phase
    for s in range(row.phases):
        phase[s].first = s
        phase[s].columns = (row.size - s + row.stride - 1) // row.stride
        phase[s].start = (s + row.pad) // row.stride
        k = 0
        while k < min(row.period, row.kernel) and (s + row.pad - k * row.dilation) % row.stride:
            k += 1
        phase[s].tap = k
        phase[s].taps = (row.kernel - k + row.period - 1) // row.period if k < min(row.period, row.kernel) else 0
        phase[s].place = k * row.dilation // row.stride
    return block


cdef inline Py_ssize_t partners(const Grid* grid, Py_ssize_t d, Py_ssize_t h, Py_ssize_t* rows,
                                Py_ssize_t* taps) noexcept nogil:
    """The rows on the other side that row (d, h) has to do with, and by which tap kd * KH + kh each; their number."""
    cdef const kn_span* sd = &grid.d.span[d]
    cdef const kn_span* sh = &grid.h.span[h]
    cdef Py_ssize_t i, j, row, tap, count = 0
    for i in range(sd.count):
        row = (sd.at + i * grid.d.step) * grid.h.other + sh.at
        tap = (sd.tap + i * grid.d.tap_step) * grid.h.kernel + sh.tap
        for j in range(sh.count):
            rows[count] = row + j * grid.h.step
            taps[count] = tap + j * grid.h.tap_step
            count += 1
    return count


cdef inline Cursor cursor_at(const Grid* grid, Py_ssize_t row) noexcept nogil:
    """Where row number ``row`` is, counted over all planes."""
    cdef Cursor cursor
    cursor.plane = row // (grid.d.own * grid.h.own)
    cursor.d = row // grid.h.own % grid.d.own
    cursor.h = row % grid.h.own
    return cursor


cdef inline void advance(const Grid* grid, Cursor* cursor) noexcept nogil:
    cursor.h += 1
    if cursor.h == grid.h.own:
        cursor.h = 0
        cursor.d += 1
        if cursor.d == grid.d.own:
            cursor.d = 0
            cursor.plane += 1


cdef inline Py_ssize_t chunk(Py_ssize_t width) noexcept nogil:
    """Rows of ``width`` elements in a task: a function of the shape alone, and some microseconds of work."""
    return max(1, 2048 // width)


cdef inline Py_ssize_t line_room(const Grid* grid) noexcept nogil:
    """Elements that the micro-kernels need to sort the phases of a row of the image."""
    return (grid.row.phases + 1) * (grid.row.phase.columns + 64)
