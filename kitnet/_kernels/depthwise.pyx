"""Depthwise convolution: each filter reads one channel alone (forward; backward to data and weights).

    parallel, task = (image, some channels): for each channel, each of its filters, each phase: filter the plane
    backward to the weights, task = some channels: for each image, in order, add the products of dy and the plane

There is no product to tile here: a plane is read where it lies and written once, and memory is the limit (see
simd/kn_window.h). Backward, the phases of the stride (see _lattice.pyx) fill a plane while it is in the cache.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.math cimport INFINITY
from libc.string cimport memset

from ._dispatch cimport KN_NOWHERE, flush_on, flush_restore, kn_ops, kn_plane, table
from ._integers cimport up
from ._lattice cimport Axis, place
from ._pool cimport Block as Memory, scratch
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number

cdef enum:
    WORK = 1 << 16          # multiply-adds in a task, at least,
    RUN = 8                 # and planes, where there are many: what is fetched ahead is often the next plane
    NEAR = 4096             # bytes of a plane so small that planes of the next image are fetched,
    AHEAD = 2048            # else elements so far ahead
    HELD = 32 << 20         # bytes that the caches hold: a result beyond that need not go through them


cdef struct Phase:
    kn_plane plane
    const Axis* axis
    Py_ssize_t* top         # of each line of the kernel,
    Py_ssize_t* left        # of each tap of a line,
    Py_ssize_t* tap         # and its place in the kernel
    Py_ssize_t first        # tap, in the packed weights


cdef Py_ssize_t count_taps(const Axis* axis) noexcept nogil:
    return axis[0].taps * axis[1].taps * axis[2].taps


cdef Py_ssize_t phase_words(const Axis* axis) noexcept nogil:
    """The words that the tables of a phase take."""
    return axis[0].taps * axis[1].taps + axis[2].taps + count_taps(axis)


cdef Py_ssize_t rising(const Axis* axis, Py_ssize_t i) noexcept nogil:
    """The i-th tap in the order of their places."""
    return axis.taps - 1 - i if axis.taps > 1 and place(axis, 0) > place(axis, 1) else i


cdef void make_phase(Phase* phase, const Axis* axis, Py_ssize_t* words) noexcept nogil:
    """The plane's geometry and the order of its taps, by their places."""
    cdef Py_ssize_t i, j, k, t = 0, a, b, c
    cdef kn_plane* plane = &phase.plane
    phase.axis = axis
    phase.top = words
    phase.left = phase.top + axis[0].taps * axis[1].taps
    phase.tap = phase.left + axis[2].taps
    plane.height, plane.width = axis[1].size, axis[2].size
    plane.rows, plane.columns = axis[1].out, axis[2].out
    plane.lines, plane.taps = axis[0].taps * axis[1].taps, axis[2].taps
    plane.step_h, plane.step_w = axis[1].stride * axis[1].step, axis[2].stride * axis[2].step
    plane.to_row, plane.to_step = axis[1].to_step * axis[2].to_size, axis[2].to_step
    plane.top, plane.left, plane.base = phase.top, phase.left, NULL
    for k in range(axis[2].taps):
        phase.left[k] = place(&axis[2], rising(&axis[2], k)) - axis[2].pad
    for i in range(axis[0].taps):
        for j in range(axis[1].taps):
            b = rising(&axis[1], j)
            phase.top[i * axis[1].taps + j] = place(&axis[1], b) - axis[1].pad
            for k in range(axis[2].taps):
                a, c = axis[0].tap[rising(&axis[0], i)], axis[2].tap[rising(&axis[2], k)]
                phase.tap[t] = (a * axis[1].kernel + axis[1].tap[b]) * axis[2].kernel + c
                t += 1
    plane.square = plane.past = 0
    if axis[0].kernel == 1 and axis[0].taps == 1 and axis[0].size == 1 and axis[0].pad == 0:
        if axis[1].taps == axis[2].taps and axis[1].taps > 0:
            a = axis[1].taps - 1
            if a < 7 and phase.top[a] - phase.top[0] == a and phase.left[a] - phase.left[0] == a:
                plane.square = a + 1


cdef void make_bases(const Phase* phase, Py_ssize_t d, Py_ssize_t* base) noexcept nogil:
    """Where the lines of the kernel begin for the output slice ``d``; KN_NOWHERE in the padding."""
    cdef const Axis* axis = phase.axis
    cdef Py_ssize_t i, j, z
    for i in range(axis[0].taps):
        z = d * axis[0].stride * axis[0].step + place(&axis[0], rising(&axis[0], i)) - axis[0].pad
        for j in range(axis[1].taps):
            base[i * axis[1].taps + j] = z * axis[1].size * axis[2].size if 0 <= z < axis[0].size else KN_NOWHERE


cdef bint filter_woven(const kn_ops* ops, const Phase* phases, Py_ssize_t filters, Py_ssize_t k, const real* source,
                       const real* weight, double bias, double low, double high, real* dest) noexcept nogil:
    """The four phases of a plane in steps of two at once, where there is a kernel for it."""
    cdef const kn_plane* planes[4]
    cdef const void* taps[4]
    cdef Py_ssize_t p, a
    for a in range(1, 3):
        if phases[0].axis[a].to_step != 2 or phases[0].axis[a].to_size < 2:
            return False
    for p in range(4):
        planes[p] = &phases[p].plane
        taps[p] = weight + phases[p].first * filters + k * count_taps(phases[p].axis)
    return ops.window_back(planes, source, taps, bias, low, high, dest)


cdef void filter_channel(const kn_ops* ops, const Phase* phases, Py_ssize_t count, Py_ssize_t filters,
                         const real* source, const real* weight, const real* bias, real* dest, double low, double high,
                         Py_ssize_t* base) noexcept nogil:
    """All filters of one channel of one image; ``weight`` has the taps of each phase for each filter."""
    cdef const Axis* axis
    cdef Py_ssize_t k, p, d
    cdef kn_plane plane, odd
    cdef const real* taps
    cdef real* to
    for k in range(filters):
        to = dest + k * phases[0].axis[0].to_size * phases[0].axis[1].to_size * phases[0].axis[2].to_size
        if count == 4 and filter_woven(ops, phases, filters, k, source, weight, bias[k] if bias != NULL else 0, low,
                                       high, to):
            continue
        for p in range(count):
            axis = phases[p].axis
            if axis[2].to_step == 2 and axis[2].to_first == 1:
                continue  # done with the even columns
            plane = phases[p].plane
            plane.base = base
            taps = weight + phases[p].first * filters + k * count_taps(axis)
            for d in range(axis[0].out):
                make_bases(&phases[p], d, base)
                to = dest + k * axis[0].to_size * axis[1].to_size * axis[2].to_size
                to += ((d * axis[0].to_step + axis[0].to_first) * axis[1].to_size + axis[1].to_first) * axis[2].to_size
                if axis[2].to_step == 2 and axis[2].to_size > 1:
                    odd = phases[p + 1].plane
                    odd.base = base
                    ops.window_pair(&plane, &odd, source, taps,
                                    weight + phases[p + 1].first * filters + k * count_taps(phases[p + 1].axis),
                                    bias[k] if bias != NULL else 0, low, high, to)
                else:
                    ops.window(&plane, source, taps, bias[k] if bias != NULL else 0, low, high,
                               to + axis[2].to_first)


cdef Py_ssize_t filter_channels(const Axis* axes, Py_ssize_t phases, Py_ssize_t batch, Py_ssize_t channels,
                                Py_ssize_t filters, const real* source, const real* weight, const real* bias,
                                const real* residual, real* dest, double low, double high, int n_threads) except -1:
    """dest[n, c * filters + k] = clip(source[n, c] filtered by weight[c * filters + k]); three axes for each phase. A
    residual, where there is one, is added to planes that were just written."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t p, k, c, t, n, task, _, tasks, parts, at_once, done = 0, upto, words = 0, taps = 0, lines = 0
    cdef Py_ssize_t source_plane = axes[0].size * axes[1].size * axes[2].size
    cdef Py_ssize_t dest_plane = axes[0].to_size * axes[1].to_size * axes[2].to_size
    cdef Py_ssize_t kernel = axes[0].kernel * axes[1].kernel * axes[2].kernel
    cdef unsigned long long mode = 0
    cdef double macs = 0, nbytes = <double>batch * channels * (source_plane + filters * dest_plane) * sizeof(real)
    cdef int threads
    for p in range(phases):
        words += phase_words(axes + 3 * p)
        taps += count_taps(axes + 3 * p)
        lines = max(lines, axes[3 * p].taps * axes[3 * p + 1].taps)
        macs += (<double>count_taps(axes + 3 * p) + 1) * filters * axes[3 * p].out * axes[3 * p + 1].out \
            * axes[3 * p + 2].out
    at_once = max(<Py_ssize_t>(WORK / max(macs, 1)), min(channels // RUN, <Py_ssize_t>RUN))
    at_once = max(1, min(channels, at_once))
    parts = up(channels, at_once)
    tasks = batch * parts
    macs *= batch * channels
    threads = <int>min(<Py_ssize_t>team(n_threads, macs / 4), tasks)
    cdef Memory tables = scratch(phases * sizeof(Phase) + (words + threads * lines) * sizeof(Py_ssize_t))
    cdef Memory memory = scratch(channels * filters * taps * sizeof(real))
    cdef Phase* phase = <Phase*>tables.data
    cdef Py_ssize_t* free = <Py_ssize_t*>(phase + phases)
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* packed = <real*>memory.data
    if dest == NULL:
        return tables.size + memory.size
    taps = 0
    for p in range(phases):
        make_phase(&phase[p], axes + 3 * p, free)
        phase[p].first = taps
        phase[p].plane.past = nbytes > HELD and residual == NULL
        free += phase_words(axes + 3 * p)
        taps += count_taps(axes + 3 * p)
    for c in range(channels):
        for p in range(phases):
            for k in range(filters):
                for t in range(count_taps(axes + 3 * p)):
                    packed[c * filters * taps + phase[p].first * filters + k * count_taps(axes + 3 * p) + t] = (
                        weight[(c * filters + k) * kernel + phase[p].tap[t]])
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, 8 * macs))
        deal(shares, threads, done, upto)
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for _ in prange(done, upto, schedule="dynamic"):
                task = take(shares, threads)
                n = task // parts
                for c in range(task % parts * at_once, min(channels, (task % parts + 1) * at_once)):
                    filter_channel(ops, phase, phases, filters, source + (n * channels + c) * source_plane,
                                   packed + c * filters * taps, bias + c * filters if bias != NULL else NULL,
                                   dest + (n * channels + c) * filters * dest_plane,
                                   low if residual == NULL else -INFINITY, high if residual == NULL else INFINITY,
                                   free + thread_number() * lines)
                    if residual != NULL:  # a bias of -0.0 changes no number, not even the sign of a zero
                        ops.rows_out(dest + (n * channels + c) * filters * dest_plane, 0, 1, filters * dest_plane, -0.0,
                                     residual + (n * channels + c) * filters * dest_plane, low, high,
                                     dest + (n * channels + c) * filters * dest_plane, 0, 1)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0


cdef void weight_channels(const kn_ops* ops, const Phase* phase, Py_ssize_t batch, Py_ssize_t channels,
                          Py_ssize_t filters, const real* dy, const real* x, real* dweight, real* dbias,
                          Py_ssize_t first, Py_ssize_t count, Py_ssize_t* base, real* sums,
                          double* totals) noexcept nogil:
    """The gradient of all filters of ``count`` channels, over the images in order."""
    cdef const Axis* axis = phase.axis
    cdef Py_ssize_t n, i, k, d, t, taps = count_taps(axis)
    cdef Py_ssize_t source = axis[0].size * axis[1].size * axis[2].size
    cdef Py_ssize_t slice = axis[1].out * axis[2].out, out = axis[0].out * slice
    cdef Py_ssize_t source_ahead = AHEAD, ahead = AHEAD
    cdef kn_plane plane = phase.plane
    plane.base = base
    if source * <Py_ssize_t>sizeof(real) <= NEAR:  # the same planes of the next image
        source_ahead, ahead = channels * source, channels * filters * out
    memset(sums, 0, count * filters * taps * ops.lanes * sizeof(real))
    memset(totals, 0, count * filters * sizeof(double))
    for n in range(batch):
        for i in range(count * filters):
            for d in range(axis[0].out):
                make_bases(phase, d, base)
                totals[i] += ops.window_weight(
                    &plane, dy + ((n * channels + first) * filters + i) * out + d * slice, ahead,
                    x + (n * channels + first + i // filters) * source, source_ahead, sums + i * taps * ops.lanes)
    for i in range(count * filters):
        k = first * filters + i
        for t in range(taps):
            dweight[k * taps + phase.tap[t]] = <real>ops.total(sums + (i * taps + t) * ops.lanes, ops.lanes)
        if dbias != NULL:
            dbias[k] = <real>totals[i]


cdef Py_ssize_t filter_channel_weights(const Axis* axes, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                       const real* dy, const real* x, real* dweight, real* dbias,
                                       int n_threads) except -1:
    """The gradient of the weights of ``filter_channels``, and of its bias where ``dbias`` is not NULL."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Phase phase
    cdef Py_ssize_t task, _, done = 0, upto, taps = count_taps(axes), lines = axes[0].taps * axes[1].taps
    cdef unsigned long long mode = 0
    cdef double macs = <double>batch * channels * filters * taps * axes[0].out * axes[1].out * axes[2].out
    cdef Py_ssize_t at_once = max(1, min(channels // RUN, <Py_ssize_t>RUN)), tasks = up(channels, at_once)
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 4), tasks)
    cdef Py_ssize_t sums = up(at_once * filters * taps * ops.lanes, 16) * 16
    cdef Memory tables = scratch((phase_words(axes) + threads * lines) * sizeof(Py_ssize_t))
    cdef Memory totals = scratch(threads * at_once * filters * sizeof(double))
    cdef Memory memory = scratch(threads * sums * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef Py_ssize_t* base = <Py_ssize_t*>tables.data + phase_words(axes)
    if dweight == NULL:
        return tables.size + totals.size + memory.size
    make_phase(&phase, axes, <Py_ssize_t*>tables.data)
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, 8 * macs))
        deal(shares, threads, done, upto)
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for _ in prange(done, upto, schedule="dynamic"):
                task = take(shares, threads)
                weight_channels(ops, &phase, batch, channels, filters, dy, x, dweight, dbias, task * at_once,
                                min(at_once, channels - task * at_once), base + thread_number() * lines,
                                <real*>memory.data + thread_number() * sums,
                                <double*>totals.data + thread_number() * at_once * filters)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0
