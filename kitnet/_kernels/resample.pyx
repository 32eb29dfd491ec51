"""Each axis of a plane by a sparse matrix of its own: interpolation, adaptive means, and their transposes.

A row of an axis's matrix is the list of cells that one result reads, with their weights; a transpose is such lists
again, so that backward is this same gather. Where the cells of a line can be picked by tables (kn_resample.h), H and W
are one pass; elsewhere there is one pass an axis. The small side of the change comes first, with what lies between two
passes in the task's scratch. A result is the sum of its lists in order, by one task.

Where each result is a copy of one cell, and the planes are small (nearest neighbours of the last feature maps), H and W
are one axis: rows end within vectors, which are full, and written where the lines of the cache begin.

A task is some small planes or a strip of a large one: some results along H. Where W goes by itself and first, it makes
the lines that they read, so that a few are made twice. Volumes are tasks as they are. Where all lists along H are of
one length, the planes of a task are one tall plane to the micro-kernel.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy

from ._dispatch cimport flush_on, flush_restore, kn_lists, kn_ops, kn_pick, table
from ._integers cimport up
from ._pool cimport Block, scratch
from ._tasks cimport tasks_at_once
from ._threads cimport team, thread_number

ctypedef fused real:
    float
    double

cdef enum:
    ELEMENTS = 32768        # of the larger side of a task: what it reads and writes stays in the L2 cache
    LINES = 8               # vectors of lines in a task, if it can have so many
    SPARSE = 3              # lanes for each result, at most, where cells are picked
    STRIP = 16              # lines of a strip at least
    FLAT = 4096             # results of a plane whose rows are one line, at most: the tables stay in the L1 cache
    TOGETHER = 4            # rows that the micro-kernel makes together
    SHARED = 8              # channels, at least, for which such tables are made
    COST = 8                # of a multiply-add, in those of a convolution: memory is the limit

cdef struct Plan:
    kn_lists[3] axes        # of D, H, W
    int[3] order            # the axes of the passes, W perhaps with H,
    int passes              # and how many there are
    Py_ssize_t planes
    Py_ssize_t[3] size      # D, H, W of x
    Py_ssize_t cells        # of a plane of x
    Py_ssize_t results      # of a plane of y
    Py_ssize_t room         # elements of a task between two passes, at most
    double work             # multiply-adds of a plane
    Py_ssize_t group        # planes of a task
    kn_lists stack          # H of so many planes, one below the other,
    Py_ssize_t stacked      # where W is picked; else of one
    Py_ssize_t strip        # results along H of a task,
    Py_ssize_t strips       # and how many strips there are


cdef kn_lists lists_of(const int[::1] start, const int[::1] index, const real[::1] weight, Py_ssize_t size,
                       Py_ssize_t out):
    cdef kn_lists axis
    axis.start, axis.index, axis.weight, axis.picks, axis.size, axis.out = NULL, NULL, NULL, NULL, size, out
    if start.shape[0]:
        axis.start = &start[0]
    if index.shape[0]:
        axis.index, axis.weight = &index[0], &weight[0]
    return axis


cdef void put(real* to, int number) noexcept nogil:
    """An integer as wide as a real."""
    if real is float:
        (<int*>to)[0] = number
    else:
        (<long long*>to)[0] = number


cdef void reach(const kn_lists* axis, Py_ssize_t first, Py_ssize_t end, Py_ssize_t* low,
                Py_ssize_t* high) noexcept nogil:
    """The cells [low, high) that the lists from ``first`` to ``end`` read."""
    cdef Py_ssize_t t
    low[0], high[0] = axis.size, 0
    for t in range(axis.start[first], axis.start[end]):
        low[0] = min(low[0], axis.index[t])
        high[0] = max(high[0], axis.index[t] + 1)
    low[0] = min(low[0], high[0])


cdef kn_pick block_at(const kn_lists* axis, Py_ssize_t first, Py_ssize_t lanes, Py_ssize_t window) noexcept nogil:
    """The results from ``first`` on, as many as have a vector and read within a window; perhaps none."""
    cdef kn_pick p
    cdef Py_ssize_t low = axis.size, high = 0, j, t
    p.cell, p.cells, p.result, p.results, p.taps = 0, 0, first, 0, 0
    p.number, p.weight = NULL, NULL
    for j in range(first, min(axis.out, first + lanes)):
        for t in range(axis.start[j], axis.start[j + 1]):
            low, high = min(low, axis.index[t]), max(high, axis.index[t] + 1)
        if high - low > window:
            break
        p.results += 1
        p.taps = max(p.taps, axis.start[j + 1] - axis.start[j])
        if high:
            p.cell, p.cells = low, high - low
    return p


cdef bint copies(const kn_lists* axis, real like) noexcept nogil:
    """Whether each result is one cell, as it is."""
    cdef const real* weight = <const real*>axis.weight
    cdef Py_ssize_t j
    for j in range(axis.out if axis.start != NULL else 0):
        if axis.start[j + 1] - axis.start[j] != 1 or weight[axis.start[j]] != 1:
            return False
    return True


cdef Py_ssize_t cell_of(const kn_lists* axis, Py_ssize_t j) noexcept nogil:
    """The one cell that result j copies."""
    return j if axis.start == NULL else axis.index[axis.start[j]]


cdef Block flattened(kn_lists* h, kn_lists* w, const kn_ops* ops, real like):
    """Make one axis of both, if all results are copies and each vector of them can be picked; None elsewhere."""
    cdef Py_ssize_t size = h.size * w.size, results = h.out * w.out, lanes = ops.lanes, window = ops.pick_cells
    cdef Py_ssize_t blocks = up(results, lanes), k, i, j, low, high
    cdef kn_pick* picks
    cdef real* number
    if h.start == NULL or results > FLAT or window == 0 or size < window or not (copies(h, like) and copies(w, like)):
        return None
    cdef Block memory = scratch((blocks + 1) * sizeof(kn_pick) + blocks * lanes * (sizeof(real) + 2 * sizeof(int))
                                + sizeof(int))
    picks = <kn_pick*>memory.data
    number = <real*>(picks + blocks + 1)
    cdef int* cells = <int*>(number + blocks * lanes)
    cdef int* start = cells + blocks * lanes
    for j in range(blocks * lanes):
        i = min(j, results - 1)
        cells[j] = <int>(cell_of(h, i // w.out) * w.size + cell_of(w, i % w.out))
    for k in range(blocks):
        low, high = size, 0
        for i in range(lanes):
            low, high = min(low, cells[k * lanes + i]), max(high, cells[k * lanes + i])
        if high - low >= window:
            return None
        low = min(low, size - window)
        for i in range(lanes):
            put(number + k * lanes + i, <int>(cells[k * lanes + i] - low))
        picks[k].cell, picks[k].cells, picks[k].taps = low, window, 1
        picks[k].result, picks[k].results = k * lanes, min(lanes, results - k * lanes)
        picks[k].number, picks[k].weight = number + k * lanes, NULL
    picks[blocks].results = 0
    for j in range(results + 1):
        start[j] = <int>j
    h.start, h.size, h.out = NULL, 1, 1
    w.start, w.index, w.weight, w.picks, w.size, w.out = start, cells, NULL, picks, size, results
    return memory


cdef Block picks_of(kn_lists* axis, const kn_ops* ops, const real[::1] weights):
    """Give an axis the tables by which cells are picked, where that can be, and is worth it; None elsewhere."""
    cdef Py_ssize_t lanes = ops.lanes, blocks = 0, rows = 0, j = 0, i, k, t, at
    cdef kn_pick p
    cdef kn_pick* picks
    cdef real* weight
    cdef real* number
    if axis.start == NULL or ops.pick_cells == 0:
        return None
    while j < axis.out:
        p = block_at(axis, j, lanes, ops.pick_cells)
        if p.results == 0:
            return None
        j, blocks, rows = j + p.results, blocks + 1, rows + p.taps
    if blocks * lanes > SPARSE * axis.out:
        return None
    cdef Block memory = scratch((blocks + 1) * sizeof(kn_pick) + 2 * rows * lanes * sizeof(real))
    picks = <kn_pick*>memory.data
    weight = <real*>(picks + blocks + 1)
    j = 0
    for k in range(blocks):
        picks[k] = p = block_at(axis, j, lanes, ops.pick_cells)
        number = weight + p.taps * lanes
        picks[k].weight, picks[k].number = weight, number
        for i in range(lanes):
            at = axis.start[min(j + i, axis.out - 1)]
            for t in range(p.taps):
                weight[t * lanes + i] = 0
                put(number + t * lanes + i, -1)
                if i < p.results and at + t < axis.start[j + i + 1]:
                    weight[t * lanes + i] = weights[at + t]
                    put(number + t * lanes + i, axis.index[at + t] - p.cell)
        j += p.results
        weight = number + p.taps * lanes
    picks[blocks].results = 0
    axis.picks = picks
    return memory


cdef Plan plan_of(Py_ssize_t planes, kn_lists d, kn_lists h, kn_lists w, Py_ssize_t lanes) noexcept nogil:
    cdef Plan g
    cdef Py_ssize_t now, largest, lines, i, low, high
    cdef int k, axis
    g.axes[0], g.axes[1], g.axes[2] = d, h, w
    g.planes = planes
    for k in range(2):      # an axis that stays, before all that move, is as good as more planes
        if g.axes[k].start != NULL:
            break
        g.planes *= g.axes[k].size
        g.axes[k].size = g.axes[k].out = 1
    g.cells = g.axes[0].size * g.axes[1].size * g.axes[2].size
    g.results = g.axes[0].out * g.axes[1].out * g.axes[2].out
    g.passes, g.room, g.work, now = 0, 0, 0, g.cells
    largest = max(g.cells, g.results)
    for k in range(3):
        g.size[k] = g.axes[k].size
    for k in range(3):
        axis = 2 - k if g.results >= g.cells else k
        if g.axes[axis].start != NULL:
            now = now // g.axes[axis].size * g.axes[axis].out
            g.work += <double>now * g.axes[axis].start[g.axes[axis].out] / g.axes[axis].out
            g.room = max(g.room, now)
            if w.picks == NULL or axis != 1:
                g.order[g.passes] = axis
                g.passes += 1
    if g.passes < 2:
        g.room = 0
    lines = g.size[0] * g.size[1] if g.results >= g.cells else g.axes[0].out * g.axes[1].out
    g.group = max(1, min(LINES * lanes // lines + 1, ELEMENTS // largest))
    g.strip, g.strips = g.axes[1].out, 1
    if g.axes[1].start != NULL and g.axes[0].out * g.size[0] == 1 and largest > 2 * ELEMENTS:
        g.strip = min(h.out, max(STRIP, ELEMENTS // max(w.size, w.out)))
        g.strips = up(h.out, g.strip)
        if g.passes == 2:
            g.room = g.strip * w.size
            for i in range(g.strips if g.order[0] == 2 else 0):
                reach(&g.axes[1], i * g.strip, min(h.out, (i + 1) * g.strip), &low, &high)
                g.room = max(g.room, (high - low) * w.out)
    g.room = (g.group * g.room + 15) // 16 * 16     # each on a line of the cache
    return g


cdef Block stack_planes(Plan* g, real like):
    """Let rows go over from plane to plane, if all lists are of one length: the sums of each are made alike then, as
    those of planes of fewer rows than go together are not."""
    cdef const kn_lists* h = &g.axes[1]
    cdef Py_ssize_t n, entries, i, j
    g.stack, g.stacked = h[0], 1
    if h.start == NULL or h.out < TOGETHER or g.axes[2].picks == NULL or g.strips > 1:
        return None
    n = h.start[1]
    for j in range(h.out):
        if h.start[j + 1] - h.start[j] != n:
            return None
    entries, g.stacked = h.out * n, g.group
    cdef Block memory = scratch(g.group * entries * (sizeof(real) + sizeof(int)) + (g.group * h.out + 1) * sizeof(int))
    cdef real* weight = <real*>memory.data
    cdef int* index = <int*>(weight + g.group * entries)
    cdef int* start = index + g.group * entries
    for i in range(g.group):
        memcpy(weight + i * entries, h.weight, entries * sizeof(real))
        for j in range(entries):
            index[i * entries + j] = <int>(i * h.size) + h.index[j]
    for j in range(g.group * h.out + 1):
        start[j] = <int>(j * n)
    g.stack.start, g.stack.index, g.stack.weight = start, index, weight
    g.stack.size, g.stack.out = g.group * h.size, g.group * h.out
    return memory


cdef void whole_planes(const Plan* g, const kn_ops* ops, const real* x, real* y, Py_ssize_t planes,
                       real* between) noexcept nogil:
    cdef Py_ssize_t[3] size
    cdef Py_ssize_t outer, inner, k, i
    cdef const real* source = x
    cdef const kn_lists* lists
    cdef const kn_lists* h = &g.axes[1]
    cdef real* to
    cdef int step, axis
    for k in range(3):
        size[k] = g.size[k]
    if g.passes == 0:
        memcpy(y, x, planes * g.cells * sizeof(real))
    for step in range(g.passes):
        to = y if step == g.passes - 1 else between + (step % 2) * g.room
        axis = g.order[step]
        lists = &g.axes[axis]
        outer, inner = planes, 1
        for k in range(3):
            if k < axis:
                outer = outer * size[k]
            elif k > axis:
                inner = inner * size[k]
        if axis == 2 and lists.picks != NULL:
            outer = outer // h.size if h.start != NULL else 1
            for i in range(up(outer, g.stacked)):
                k = i * g.stacked
                ops.resample_plane(&g.stack, lists, source + k * h.size * lists.size, to + k * h.out * lists.out, 0,
                                   min(g.stacked, outer - k) * h.out if h.start != NULL
                                   else planes * size[0] * size[1])
            size[1] = h.out
        elif inner == 1:
            ops.resample_along(lists, source, to, outer)
        else:
            for i in range(outer):
                ops.resample_across(lists, 0, lists.out, source + i * lists.size * inner, 0,
                                    to + i * lists.out * inner, inner)
        size[axis] = lists.out
        source = to


cdef void one_strip(const Plan* g, const kn_ops* ops, const real* x, real* y, Py_ssize_t first,
                    real* between) noexcept nogil:
    """The results along H from ``first`` on."""
    cdef const kn_lists* h = &g.axes[1]
    cdef const kn_lists* w = &g.axes[2]
    cdef Py_ssize_t end = min(h.out, first + g.strip), low, high
    if w.picks != NULL:
        ops.resample_plane(h, w, x, y, first, end)
        return
    y += first * w.out
    if g.passes == 1:
        ops.resample_across(h, first, end, x, 0, y, w.size)
    elif g.order[0] == 1:
        ops.resample_across(h, first, end, x, 0, between, w.size)
        ops.resample_along(w, between, y, end - first)
    else:
        reach(h, first, end, &low, &high)
        ops.resample_along(w, x + low * w.size, between, high - low)
        ops.resample_across(h, first, end, between, low, y, w.out)


def resample(const real[:, :, :, :, ::1] x not None,
             const int[::1] start_d not None, const int[::1] index_d not None, const real[::1] weight_d not None,
             const int[::1] start_h not None, const int[::1] index_h not None, const real[::1] weight_h not None,
             const int[::1] start_w not None, const int[::1] index_w not None, const real[::1] weight_w not None,
             real[:, :, :, :, ::1] y not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t planes = x.shape[0] * x.shape[1], done = 0, upto, tasks, task, first
    cdef kn_lists d = lists_of(start_d, index_d, weight_d, x.shape[2], y.shape[2])
    cdef kn_lists h = lists_of(start_h, index_h, weight_h, x.shape[3], y.shape[3])
    cdef kn_lists w = lists_of(start_w, index_w, weight_w, x.shape[4], y.shape[4])
    cdef Block _tables = None   # lives as long as they are used,
    cdef Block _stack           # and so does this
    cdef real like = 0
    cdef Plan g
    cdef unsigned long long mode = 0
    if planes == 0:
        return
    if x.shape[1] >= SHARED:
        _tables = flattened(&h, &w, ops, like)
    if _tables is None:
        _tables = picks_of(&w, ops, weight_w)
    g = plan_of(planes, d, h, w, ops.lanes)
    _stack = stack_planes(&g, like)
    tasks = up(g.planes, g.group) * g.strips
    cdef int threads = team(n_threads, (g.work + g.results) * g.planes)
    cdef Block memory = scratch(threads * 2 * g.room * sizeof(real))
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, COST * (g.work + g.results) * g.planes))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for task in prange(done, upto, schedule="static"):
                first = task // g.strips * g.group
                if g.strips > 1:
                    one_strip(&g, ops, &x[0, 0, 0, 0, 0] + first * g.cells, &y[0, 0, 0, 0, 0] + first * g.results,
                              task % g.strips * g.strip, <real*>memory.data + thread_number() * 2 * g.room)
                else:
                    whole_planes(&g, ops, &x[0, 0, 0, 0, 0] + first * g.cells,
                                 &y[0, 0, 0, 0, 0] + first * g.results, min(g.group, g.planes - first),
                                 <real*>memory.data + thread_number() * 2 * g.room)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
