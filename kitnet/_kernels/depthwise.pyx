"""Depthwise convolution: each filter reads one channel alone (forward; backward to data and weights).

    parallel, task = (image, some channels); backward to the weights: task = some channels, all images in order
        for each channel: stage its plane (see _lattice.pxd), which stays in the L1 cache
            for each of its filters: filter the rows straight into the result  (simd/kn_window.h)

There is no product to tile here: a plane is read once and written once, and memory is the limit. Large planes are
staged in bands.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._lattice cimport Block, Lattice, block_at, choose_blocks, column_of, count_blocks, stage, tap_offsets
from ._pool cimport Block as Memory, scratch
from ._threads cimport tasks_at_once, team, thread_number

cdef enum:
    STAGED = 24 * 1024      # bytes of a staged plane, or of a band of it
    WORK = 1 << 16          # multiply-adds in a task


cdef struct Plan:
    Py_ssize_t batch
    Py_ssize_t channels
    Py_ssize_t filters          # of a channel
    Py_ssize_t at_once          # channels in a task
    Py_ssize_t staged           # elements of a staged band, of all phases
    double macs


cdef void make_plan(Plan* plan, Lattice* lattice, const kn_ops* ops, Py_ssize_t itemsize) noexcept nogil:
    cdef Py_ssize_t taps = lattice.axis[0].taps * lattice.axis[1].taps * lattice.axis[2].taps
    cdef Py_ssize_t phases = lattice.axis[0].phases * lattice.axis[1].phases * lattice.axis[2].phases
    cdef double plane = <double>lattice.axis[0].out * lattice.axis[1].out * lattice.axis[2].out * taps * plan.filters
    choose_blocks(lattice, max(1, STAGED // (max(phases, 1) * itemsize)), 0, 1, -1)
    plan.at_once = max(1, min(plan.channels, <Py_ssize_t>(WORK / max(plane, 1))))
    plan.macs = plane * plan.channels * plan.batch
    plan.staged = (lattice.channel + ops.lanes + 15) // 16 * 16


cdef void forward_plane(const kn_ops* ops, const Lattice* lattice, const Py_ssize_t* offset, Py_ssize_t taps,
                        Py_ssize_t filters, const real* source, const real* weight, const real* bias, real* dest,
                        double low, double high, real* staged) noexcept nogil:
    """All filters of one channel of one image."""
    cdef Py_ssize_t b, k, d
    cdef Py_ssize_t plane = lattice.axis[0].to_size * lattice.axis[1].to_size * lattice.axis[2].to_size
    cdef Block block
    cdef real* to
    for b in range(count_blocks(lattice, 1)):
        block = block_at(lattice, b, 1)
        stage(ops, lattice, &block, <const char*>source, sizeof(real), 0, 1, <char*>staged)
        for k in range(filters):
            for d in range(block.count[0]):
                to = dest + k * plane
                to += (((block.first[0] + d) * lattice.axis[0].to_step + lattice.axis[0].to_first)
                       * lattice.axis[1].to_size
                       + block.first[1] * lattice.axis[1].to_step + lattice.axis[1].to_first) * lattice.axis[2].to_size
                to += block.first[2] * lattice.axis[2].to_step + lattice.axis[2].to_first
                ops.window(staged + column_of(lattice, 0, d, 0), lattice.axis[2].pitch, offset, weight + k * taps, taps,
                           block.count[1], block.count[2], bias[k] if bias != NULL else 0, low, high, to,
                           lattice.axis[1].to_step * lattice.axis[2].to_size, lattice.axis[2].to_step)


cdef Py_ssize_t filter_channels(Lattice* lattice, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                const real* source, const real* weight, const real* bias, real* dest, double low,
                                double high, int n_threads) except -1:
    """dest[n, c * filters + k] = clip(source[n, c] filtered by weight[c * filters + k]), taps as the lattice has."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Plan plan
    cdef Py_ssize_t task, tasks, parts, done = 0, upto, c, n
    cdef Py_ssize_t plane = lattice.axis[0].to_size * lattice.axis[1].to_size * lattice.axis[2].to_size
    cdef unsigned long long mode = 0
    plan.batch, plan.channels, plan.filters = batch, channels, filters
    make_plan(&plan, lattice, ops, sizeof(real))
    parts = (channels + plan.at_once - 1) // plan.at_once
    tasks = batch * parts
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, plan.macs / 4), tasks)
    cdef Memory tables = scratch(lattice.taps * sizeof(Py_ssize_t))
    cdef Py_ssize_t* offset = <Py_ssize_t*>tables.data
    cdef Memory memory = scratch(threads * plan.staged * sizeof(real))
    cdef real* own = <real*>memory.data
    if dest == NULL:
        return tables.size + memory.size
    tap_offsets(lattice, 1, offset)
    while done < tasks:
        upto = min(tasks, done + tasks_at_once(tasks, threads, 8 * plan.macs))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for task in prange(done, upto, schedule="dynamic"):
                n = task // parts
                for c in range(task % parts * plan.at_once, min(channels, (task % parts + 1) * plan.at_once)):
                    forward_plane(ops, lattice, offset, lattice.taps, filters,
                                  source + (n * channels + c) * lattice.source, weight + c * filters * lattice.taps,
                                  bias + c * filters if bias != NULL else NULL,
                                  dest + (n * channels + c) * filters * plane, low, high,
                                  own + thread_number() * plan.staged)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0


cdef void weight_channel(const kn_ops* ops, const Lattice* lattice, const Py_ssize_t* offset, const Plan* plan,
                         const real* dy, const real* x, real* dweight, real* dbias, Py_ssize_t c,
                         real* staged) noexcept nogil:
    """The gradient of all filters of one channel, over the images in order."""
    cdef Py_ssize_t n, b, k, d, taps = lattice.taps, out
    cdef Block block
    cdef const real* from_
    cdef double total
    out = lattice.axis[0].out * lattice.axis[1].out * lattice.axis[2].out
    for n in range(plan.batch):
        for b in range(count_blocks(lattice, 1)):
            block = block_at(lattice, b, 1)
            stage(ops, lattice, &block, <const char*>(x + (n * plan.channels + c) * lattice.source), sizeof(real), 0, 1,
                  <char*>staged)
            for k in range(plan.filters):
                for d in range(block.count[0]):
                    from_ = dy + ((n * plan.channels + c) * plan.filters + k) * out
                    from_ += ((block.first[0] + d) * lattice.axis[1].out + block.first[1]) * lattice.axis[2].out
                    ops.window_weight(from_ + block.first[2], lattice.axis[2].out,
                                      staged + column_of(lattice, 0, d, 0), lattice.axis[2].pitch, offset, taps,
                                      block.count[1], block.count[2], dweight + (c * plan.filters + k) * taps,
                                      n + b + d > 0)
    if dbias != NULL:
        for k in range(plan.filters):
            total = 0
            for n in range(plan.batch):
                total += ops.total(dy + ((n * plan.channels + c) * plan.filters + k) * out, out)
            dbias[c * plan.filters + k] = <real>total


cdef Py_ssize_t filter_channel_weights(Lattice* lattice, Py_ssize_t batch, Py_ssize_t channels, Py_ssize_t filters,
                                       const real* dy, const real* x, real* dweight, real* dbias,
                                       int n_threads) except -1:
    """The gradient of the weights of ``filter_channels``, and of its bias where ``dbias`` is not NULL."""
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Plan plan
    cdef Py_ssize_t c, done = 0, upto
    cdef unsigned long long mode = 0
    plan.batch, plan.channels, plan.filters = batch, channels, filters
    make_plan(&plan, lattice, ops, sizeof(real))
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, plan.macs / 4), channels)
    cdef Memory tables = scratch(lattice.taps * sizeof(Py_ssize_t))
    cdef Py_ssize_t* offset = <Py_ssize_t*>tables.data
    cdef Memory memory = scratch(threads * plan.staged * sizeof(real))
    cdef real* own = <real*>memory.data
    if dweight == NULL:
        return tables.size + memory.size
    tap_offsets(lattice, 1, offset)
    while done < channels:
        upto = min(channels, done + tasks_at_once(channels, threads, 8 * plan.macs))
        with nogil, parallel(num_threads=threads):
            mode = flush_on()
            for c in prange(done, upto, schedule="dynamic"):
                weight_channel(ops, lattice, offset, &plan, dy, x, dweight, dbias, c,
                               own + thread_number() * plan.staged)
            flush_restore(mode)
        done = upto
        PyErr_CheckSignals()
    return 0
