"""A product of matrices whose pixels are read where they lie: 1x1 kernels over few channels (see conv.pyx).

    for each panel of filters, for each tile of columns: mac, straight from the source into the result

Few planes side by side are what the hardware fetches by itself, and a copy of them would cost about as much as the
product. Only the columns behind the last whole tile are staged, so that nothing behind the source is read.
"""

from libc.math cimport INFINITY

from ._dispatch cimport kn_mac
from ._integers cimport half_tile, part
from ._lanes cimport planes_alias
from ._lattice cimport beside, lies_inside, place


cdef bint reads_straight(const Axis* axis, Py_ssize_t channels, Py_ssize_t itemsize) noexcept nogil:
    """Whether so many channels need no staging, where each plane is one row, read element by element."""
    cdef Py_ssize_t most = SOME if axis[2].size * itemsize <= SMALL else FEW
    return (channels * itemsize <= most and axis[0].taps * axis[1].taps * axis[2].taps == 1 and axis[2].stride == 1
            and lies_inside(axis) and not planes_alias(axis, itemsize))


cdef Py_ssize_t first_read(const Axis* axis) noexcept nogil:
    """Where in a plane the first output reads."""
    cdef Py_ssize_t a, at = 0
    for a in range(3):
        at = at * axis[a].size + place(&axis[a], 0) - axis[a].pad
    return at


cdef void finish(const kn_ops* ops, Py_ssize_t rows, Py_ssize_t n, double bias, const real* residual, double low,
                 double high, real* dest, Py_ssize_t dest_plane) noexcept nogil:
    """Bias, what is to be added, and clipping, if any, for what went straight into the result."""
    if bias != 0 or residual != NULL or low > -INFINITY or high < INFINITY:
        ops.rows_out(dest, dest_plane, rows, n, bias, residual, low, high, dest, dest_plane, 1)


cdef void run_straight(const kn_ops* ops, const Panels* f, Py_ssize_t first, Py_ssize_t end, const real* source,
                       Py_ssize_t columns, const real* packed, const real* residual, real* dest,
                       real* own) noexcept nogil:
    """Panels ``first`` to ``end`` under so many columns from ``source`` on. ``own`` begins with a tile of ones; behind
    it is room for a tile of each channel, and for the sums of a tile."""
    cdef Py_ssize_t[MOST + 1] near
    cdef Py_ssize_t[MOST + 1] left
    cdef Py_ssize_t taps = f.channels + f.ones, staged = columns, c, p, row, rows, width, half, whole, column
    cdef real* behind = own + f.tile
    cdef real* sums = behind + f.channels * f.tile
    cdef real* to
    cdef kn_mac mac
    for c in range(f.channels):
        near[c], left[c] = c * f.source, c * f.tile
    left[f.channels] = -f.tile
    for p in range(first, end):
        row = part(f.rows, f.panels, p)
        rows = part(f.rows, f.panels, p + 1) - row
        width = ops.mac_vectors[rows] * ops.lanes
        half = half_tile(width, ops.lanes)
        whole = filled(columns, width, ops.lanes)
        to = dest + row * f.dest
        if whole < staged:
            staged = whole
            ops.rows_in(<const char*>(source + whole), f.source, f.channels, columns - whole, 0, 1, <char*>behind,
                        f.tile, f.tile)
        column = 0
        while column < whole:
            mac = ops.mac_half[rows] if columns - column <= half else ops.mac[rows]
            near[f.channels] = own - (source + column)
            mac(taps, packed + row * taps, rows, source + column, near, to + column, f.dest, False)
            column += width
        finish(ops, rows, whole, 0, <const real*>beside(residual, dest, to), f.low, f.high, to, f.dest)
        if whole < columns:
            mac = ops.mac_half[rows] if columns - whole <= half else ops.mac[rows]
            mac(taps, packed + row * taps, rows, behind + whole - staged, left, sums, width, False)
            ops.rows_out(sums, width, rows, columns - whole, 0, beside(residual, dest, to + whole), f.low, f.high,
                         to + whole, f.dest, 1)
