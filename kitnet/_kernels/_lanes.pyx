"""Filters or pixels in the lanes: which is the better way for a direct convolution (see broadcast.pyx, conv.pyx)."""

from ._choice cimport FEW_WEIGHTS, FILLED_LANES, SHORT_ROWS, at_least, at_most
from ._integers cimport covered, fills_tiles, up
from ._lattice cimport Axis, Lattice, all_woven, lies_inside

cdef enum:
    STRAIGHT = 96           # taps that pay where the other way needs no detour: it fills its tiles (conv.pyx),
    WOVEN = 8               # or where it writes every second element, or single ones,
    SINGLE = 16             # each of which costs as much as so many taps
    ALIAS = 4096            # planes of a multiple of this many bytes fall into the same sets of a cache


cdef bint pays(const Product* f, const Lattice* lattice, Py_ssize_t lanes) noexcept nogil:
    """Whether this is the better way, judged by the shape of a sample: rows of enough pixels, enough taps, and lanes
    that filters fill better than the pixels of a row and the gap behind it do. A panel of one vector costs half more,
    pixels in the lanes a twentieth; the costs are in tenths."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t vectors = up(f.rows, lanes)
    cdef Py_ssize_t cast = lanes * (10 * vectors + 5 * (vectors % WIDTH)) * axis[2].out
    cdef Py_ssize_t mac = 21 * f.rows * (axis[2].out + max(0, axis[2].reach - max(0, axis[2].pad))) // 2
    cdef Py_ssize_t taps = f.depth * axis[0].taps * axis[1].taps * axis[2].taps // all_woven(axis)
    cdef Py_ssize_t run = axis[2].out * (axis[1].out if axis[2].reach == 0 and axis[1].to_step == 1 else 1)
    cdef Py_ssize_t needed = WOVEN if axis[2].woven > 1 else WORTH
    if axis[2].woven > 1:
        mac = 3 * mac // 2 if axis[2].to_step == 2 else 2 * mac + SINGLE * mac // max(1, taps)
    if axis[2].to_step == 1 and fills_tiles(run, 2 * lanes, lanes, run):
        needed = STRAIGHT  # and where it fills them to the last, and nothing can be read in place, more than a block
        if 24 * covered(run, 2 * lanes, lanes) <= 25 * run and not reads_in_place(axis):
            needed = KC + 1
    return (at_least(&f.choice.lanes, SHORT_ROWS, axis[2].out, PIXELS)
            and at_least(&f.choice.lanes, FEW_WEIGHTS, taps, needed)
            and at_most(&f.choice.lanes, FILLED_LANES, cast, mac))


cdef bint reads_in_place(const Axis* axis) noexcept nogil:
    """Whether the source need not be staged: no output meets the padding, and a tile can step over it."""
    return lies_inside(axis) and (axis[2].stride == 1 or axis[2].stride == 2 and axis[2].phases == 2)


cdef bint planes_alias(const Axis* axis, Py_ssize_t itemsize) noexcept nogil:
    """Whether the same places of all planes of the source fall into the same sets of a cache."""
    return axis[0].size * axis[1].size * axis[2].size * itemsize % ALIAS == 0
