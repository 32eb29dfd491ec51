"""A block of the lattice, filled from the images: phase by phase, but both phases of a stride of two at once.

What whole vectors write behind a row is written over by the next one, of the same phase or the phase behind.
"""

from ._dispatch cimport kn_ops
from ._lattice cimport Axis, Block, Lattice

cdef enum:
    AHEAD = 32 * 1024       # bytes that are fetched into the L1 cache while others are used


cdef bint halves(const Axis* axis) noexcept nogil:
    """Whether taps meet both phases of a stride of two."""
    return axis.stride == 2 and axis.phases == 2


cdef Py_ssize_t places(const Axis* axis, Py_ssize_t outputs, Py_ssize_t phase) noexcept nogil:
    """The places of a phase that so many outputs read, from the first on."""
    cdef Py_ssize_t t, reach = 0
    for t in range(axis.taps):
        if axis.tap_phase[t] == phase:
            reach = max(reach, axis.tap_place[t])
    return (outputs - 1) * axis.step + 1 + reach


cdef Py_ssize_t rows_of_both(const Axis* axis, Py_ssize_t outputs, bint between) noexcept nogil:
    """The same of two phases together; ``between``: as many of each as of the one with more."""
    cdef Py_ssize_t even = places(axis, outputs, 0), odd = places(axis, outputs, 1)
    return 2 * max(even, odd) if between else max(2 * even - 1, 2 * odd)


cdef void inside(const Axis* axis, Py_ssize_t first, Py_ssize_t count, Py_ssize_t step, Py_ssize_t* low,
                 Py_ssize_t* high) noexcept nogil:
    """Of ``count`` positions, a step apart, those from ``low`` to ``high`` lie in the source, those around them in the
    padding. Divisions only at the edges."""
    low[0], high[0] = 0, count
    if first < 0:
        low[0] = min(count, (-first + step - 1) // step)
    if first + (count - 1) * step >= axis.size:
        high[0] = max(low[0], max(0, axis.size - first + step - 1) // step)


cdef void fetch_rows(const kn_ops* ops, const Lattice* lattice, const char* row, Py_ssize_t itemsize, Py_ssize_t step,
                     Py_ssize_t rows, Py_ssize_t first, Py_ssize_t count) noexcept nogil:
    """Rows that are staged soon."""
    cdef const Axis* w = &lattice.axis[2]
    cdef Py_ssize_t r, edge = max(0, first)
    for r in range(rows):
        ops.fetch(row + (r * step * w.size + edge) * itemsize, min(w.size - edge, count * w.stride))


cdef void stage_plane(const kn_ops* ops, const Lattice* lattice, const char* source, Py_ssize_t itemsize,
                      const Py_ssize_t* first, const Py_ssize_t* count, Py_ssize_t ahead, char* staged) noexcept nogil:
    """One plane of one image: ``count`` places on each axis, from padded position ``first`` on, a stride apart. The
    same rows so many bytes ``ahead`` are the next ones, unless that is 0."""
    cdef const Axis* d = &lattice.axis[0]
    cdef const Axis* h = &lattice.axis[1]
    cdef const Axis* w = &lattice.axis[2]
    cdef Py_ssize_t z, depth, low, high, pitch = w.pitch * itemsize
    cdef const char* row
    inside(h, first[1], count[1], h.stride, &low, &high)
    for z in range(count[0]):
        depth = first[0] + z * d.stride
        if depth < 0 or depth >= d.size:
            ops.rows_in(source, 0, count[1], 0, 0, 1, staged, w.pitch, count[2])
        else:
            if low > 0:
                ops.rows_in(source, 0, low, 0, 0, 1, staged, w.pitch, count[2])
            row = source + ((depth * h.size + first[1] + low * h.stride) * w.size) * itemsize
            if ahead:
                fetch_rows(ops, lattice, row + ahead, itemsize, h.stride, high - low, first[2], count[2])
            ops.rows_in(row, h.stride * w.size, high - low, w.size, first[2], w.stride, staged + low * pitch, w.pitch,
                        count[2])
            if high < count[1]:
                ops.rows_in(source, 0, count[1] - high, 0, 0, 1, staged + high * pitch, w.pitch, count[2])
        staged += h.pitch * pitch


cdef void stage_apart(const kn_ops* ops, const Lattice* lattice, const char* source, Py_ssize_t itemsize,
                      const Py_ssize_t* first, const Py_ssize_t* count, Py_ssize_t ahead, char* staged) noexcept nogil:
    """The same for both phases of the columns, and of the rows where these have two: then ``count`` rows of both
    together, in the order of the source."""
    cdef const Axis* d = &lattice.axis[0]
    cdef const Axis* h = &lattice.axis[1]
    cdef const Axis* w = &lattice.axis[2]
    cdef bint both = halves(h)
    cdef Py_ssize_t step = 1 if both else h.stride
    cdef Py_ssize_t other = w.phases * lattice.plane if both else w.pitch
    cdef Py_ssize_t z, depth, low, high, end
    cdef const char* row
    inside(h, first[1], count[1], step, &low, &high)
    for z in range(count[0]):
        depth = first[0] + z * d.stride
        end = high if depth >= 0 and depth < d.size else low
        row = source + ((depth * h.size + first[1]) * w.size) * itemsize
        if ahead and end > low:
            fetch_rows(ops, lattice, row + ahead + low * step * w.size * itemsize, itemsize, step, end - low, first[2],
                       count[2])
        ops.rows_apart(row, step * w.size, count[1], low, end, w.size, first[2], staged, lattice.plane, other,
                       w.pitch if both else 2 * w.pitch, count[2])
        staged += h.pitch * w.pitch * itemsize


cdef void stage(const kn_ops* ops, const Lattice* lattice, const Block* block, const char* source, Py_ssize_t itemsize,
                Py_ssize_t source_image, Py_ssize_t channels, bint between, char* staged) noexcept nogil:
    """Stage ``channels`` planes of the images of a block; ``source_image`` elements lie from image to image. Of a phase
    those rows are staged that its taps read; ``between``: also what they meet between the rows of the block."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t c, i, j, k, n, a, low, slices, ahead
    cdef Py_ssize_t[3] first
    cdef Py_ssize_t[3] count
    cdef Py_ssize_t[3] base
    cdef Py_ssize_t image = axis[0].pitch * axis[1].pitch * axis[2].pitch * itemsize
    cdef bint packed = lattice.packed, apart = not packed and halves(&axis[2]), both = apart and halves(&axis[1])
    # The hardware sees rows come, but not where some are left out, nor the jump to the same part of a row further on.
    cdef bint jumps = axis[1].stride > axis[1].phases or axis[2].block < axis[2].out
    source += block.image * source_image * itemsize
    for a in range(3):
        base[a] = block.first[a] * axis[a].step * axis[a].stride - axis[a].pad
        count[a] = block.count[a] if packed else (block.count[a] - 1) * axis[a].step + 1 + axis[a].reach
    # Of a volume, each channel has a few slices here: those of the next one are fetched meanwhile.
    low = max(0, base[0])
    slices = min(axis[0].size, base[0] + ((block.count[0] - 1) * axis[0].step + axis[0].reach + 1) * axis[0].stride)
    slices = (slices - low) * axis[1].size * axis[2].size
    low *= axis[1].size * axis[2].size
    if axis[0].size == 1 or block.images * slices * itemsize > AHEAD:
        slices = 0
    ahead = lattice.source * itemsize if jumps and not packed and slices <= 0 else 0
    for c in range(channels):
        for n in range(block.images if slices > 0 and c < channels - 1 else 0):
            ops.fetch(source + (lattice.source + n * source_image + low) * itemsize, slices)
        for i in range(axis[0].taps if packed else axis[0].phases):
            first[0] = position(&axis[0], base[0], i, packed)
            if not packed and not between:
                count[0] = places(&axis[0], block.count[0], i)
            for j in range(axis[1].taps if packed else 1 if both else axis[1].phases):
                first[1] = position(&axis[1], base[1], j, packed)
                if both:
                    count[1] = rows_of_both(&axis[1], block.count[1], between)
                elif not packed and not between:
                    count[1] = places(&axis[1], block.count[1], j)
                for k in range(axis[2].taps if packed else 1 if apart else axis[2].phases):
                    first[2] = position(&axis[2], base[2], k, packed)
                    for n in range(block.images):
                        a = ahead if k == 0 and c < channels - 1 else 0
                        if apart:
                            stage_apart(ops, lattice, source + n * source_image * itemsize, itemsize, first, count, a,
                                        staged + n * image)
                        else:
                            stage_plane(ops, lattice, source + n * source_image * itemsize, itemsize, first, count, a,
                                        staged + n * image)
                    staged += (4 if both else 2 if apart else 1) * lattice.plane * itemsize
        source += lattice.source * itemsize


cdef Py_ssize_t position(const Axis* axis, Py_ssize_t base, Py_ssize_t i, bint packed) noexcept nogil:
    """Where phase i (packed: tap i) begins in the source."""
    if packed:
        return base + axis.phase[axis.tap_phase[i]] + axis.tap_place[i] * axis.stride
    return base + axis.phase[i]
