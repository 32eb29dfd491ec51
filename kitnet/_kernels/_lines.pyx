"""Blocks and scratch for pooling of planes as they lie (see _lines.pxd)."""

from ._dispatch cimport kn_ops, kn_sheet, kn_span
from ._integers cimport up
from ._window cimport Axis, Grid

cdef enum:
    WIDEST = 8192           # elements of the longest row that is pooled as it lies
    SCRATCH = 2048          # elements of scratch for each part of a line, if there is room for the lines of one row
    MOST = 65536            # elements of scratch, at most
    TASK = 4096             # elements of a task, about


cdef Lines lines_of(const kn_ops* ops, const Grid* grid, Py_ssize_t planes, Py_ssize_t parts,
                    Py_ssize_t least) noexcept nogil:
    """The plan for a grid with its tables (look_forward or look_back). Lines have ``parts`` parts, and there are
    ``least`` of them or more."""
    cdef Lines plan
    cdef const Axis* w = &grid.w
    cdef Py_ssize_t lanes = ops.lanes, longest = max(w.own, w.other), last
    if w.step > 0:  # forward: by windows
        last = (w.out - 1) // lanes * lanes
        plan.reach = w.stride * (last + lanes) + w.kernel - w.pad
    else:
        last = ((w.size - 1) // w.stride) // lanes * lanes
        plan.reach = max(last + up(w.pad, w.stride), (w.out - 1) // lanes * lanes) + lanes
    plan.grid, plan.planes = grid, planes
    plan.spilling = (up(w.own, lanes) * lanes - 1) // w.own
    plan.columns = longest + 2 * lanes
    plan.blocks = min(grid.h.own, max(1, grid.h.own * longest // TASK))
    plan.group = max(1, TASK // (grid.d.own * grid.h.own * longest))
    plan.tasks = up(planes, plan.group) * plan.blocks * grid.d.own
    plan.sheet.row = &grid.row
    plan.sheet.step = w.step
    plan.sheet.width, plan.sheet.height = w.other, grid.h.other
    plan.sheet.cells = grid.d.other * grid.h.other * w.other
    plan.sheet.own = grid.d.own * grid.h.own * w.own
    plan.sheet.joined = (plan.blocks == 1 and grid.d.own == 1
                         and plan.sheet.own >= lanes and plan.sheet.cells >= plan.reach)
    plan.sheet.before = (max(w.pad, w.kernel) + lanes - 1) // lanes * lanes
    plan.sheet.pitch = plan.sheet.before + (max(plan.reach, w.other, lanes) + lanes - 1) // lanes * lanes
    plan.sheet.lines = max(least, SCRATCH // plan.sheet.pitch)
    plan.room = parts * plan.sheet.lines * plan.sheet.pitch
    plan.fit = (w.stride <= 2 and grid.d.dilation == 1 and grid.h.dilation == 1 and w.dilation == 1
                and 2 * w.own >= lanes and (plan.sheet.own >= 2 * lanes or plan.sheet.joined)
                and longest + w.kernel + w.pad <= WIDEST and plan.room <= MOST)
    return plan


cdef inline bint past(const Lines* plan, const kn_span* d, const kn_span* h) noexcept nogil:
    """Whether vectors that begin in the rows that d and h name may pass the end of the plane."""
    cdef const kn_sheet* s = &plan.sheet
    cdef Py_ssize_t row = max(d.at, d.at + (d.count - 1) * s.step) * s.height + max(h.at, h.at + (h.count - 1) * s.step)
    return row * s.width + plan.reach > s.cells


cdef Part part_at(const Lines* plan, Py_ssize_t index) noexcept nogil:
    """Task number ``index``: along the rows, the slices, then the groups of planes."""
    cdef const Grid* grid = plan.grid
    cdef Part part
    cdef Py_ssize_t block = index % plan.blocks, slice = index // plan.blocks % grid.d.own
    cdef Py_ssize_t plane = index // plan.blocks // grid.d.own * plan.group
    cdef Py_ssize_t first = grid.h.own * block // plan.blocks, end = grid.h.own * (block + 1) // plan.blocks
    part.sheet = plan.sheet
    part.sheet.d, part.sheet.h, part.sheet.rows = grid.d.span + slice, grid.h.span + first, end - first
    part.sheet.planes = min(plan.group, plan.planes - plane)
    part.sheet.whole = max(0, end - first - plan.spilling)
    while part.sheet.whole and past(plan, part.sheet.d, part.sheet.h + part.sheet.whole - 1):
        part.sheet.whole -= 1
    part.row = slice * grid.h.own + first
    part.other, part.own = plane * plan.sheet.cells, plane * plan.sheet.own + part.row * grid.w.own
    return part
