"""Geometry of the lattice (see _lattice.pxd): from the arguments of a convolution to blocks of columns."""

from ._dispatch cimport kn_ops
from ._integers cimport up


cdef Py_ssize_t widest_tile(const kn_ops* ops, Py_ssize_t rows, Py_ssize_t panels) noexcept nogil:
    """The columns of the widest mac tile, among those of ``rows`` cut into equal panels."""
    cdef Py_ssize_t p, widest = 0
    for p in range(panels):
        widest = max(widest, ops.mac_vectors[rows * (p + 1) // panels - rows * p // panels])
    return widest * ops.lanes


cdef Py_ssize_t axis_words(Py_ssize_t kernel) noexcept nogil:
    """The words that the tables of one axis take."""
    return 4 * kernel


cdef void begin(Axis* axis, Py_ssize_t* words, Py_ssize_t kernel) noexcept nogil:
    axis.kernel = kernel
    axis.tap = words
    axis.tap_phase = words + kernel
    axis.tap_place = words + 2 * kernel
    axis.phase = words + 3 * kernel
    axis.taps = axis.phases = axis.reach = axis.split[0] = axis.split[1] = 0
    axis.step = axis.woven = axis.unit = 1


cdef void add_tap(Axis* axis, Py_ssize_t tap, Py_ssize_t position, Py_ssize_t place) noexcept nogil:
    """One more tap, which reads phase ``position`` at ``place``."""
    cdef Py_ssize_t p = 0
    while p < axis.phases and axis.phase[p] != position:
        p += 1
    if p == axis.phases:
        axis.phase[p] = position
        axis.phases += 1
    axis.tap[axis.taps] = tap
    axis.tap_phase[axis.taps] = p
    axis.tap_place[axis.taps] = place
    axis.reach = max(axis.reach, place)
    axis.taps += 1
    axis.split[axis.woven] = axis.taps


cdef void axis_forward(Axis* axis, Py_ssize_t* words, Py_ssize_t size, Py_ssize_t kernel, Py_ssize_t stride,
                       Py_ssize_t pad, Py_ssize_t dilation, Py_ssize_t out) noexcept nogil:
    """y[o] = sum_r x[o * stride + r * dilation - pad] w[r]."""
    cdef Py_ssize_t r
    begin(axis, words, kernel)
    axis.size, axis.pad, axis.stride, axis.out = size, pad, stride, out
    axis.to_size, axis.to_step, axis.to_first = out, 1, 0
    for r in range(kernel):
        add_tap(axis, r, r * dilation % stride, r * dilation // stride)


cdef void axis_backward(Axis* axis, Py_ssize_t* words, Py_ssize_t size, Py_ssize_t kernel, Py_ssize_t stride,
                        Py_ssize_t pad, Py_ssize_t dilation, Py_ssize_t out, Py_ssize_t phase,
                        Py_ssize_t woven) noexcept nogil:
    """The gradient for the inputs i = phase + stride * t: dx[i] = sum_r dy[t + e(r)] w[r], over the taps r for which
    e(r) = (phase + pad - r * dilation) / stride is an integer. The source is dy, of size ``out``. Also for the phases
    behind this one, ``woven`` in all, one after the other."""
    cdef Py_ssize_t p, r, e, least = 0, found = 0
    begin(axis, words, kernel)
    axis.size, axis.stride = out, 1
    axis.out = (size - phase + stride - 1) // stride if phase < size else 0
    axis.to_size, axis.to_step, axis.to_first = size, stride, phase
    for p in range(woven):
        for r in range(kernel):
            e = phase + p + pad - r * dilation
            if e % stride == 0:
                least = min(least, e // stride) if found else e // stride
                found = 1
    for p in range(woven):
        axis.woven, axis.split[p + 1] = p + 1, axis.taps
        for r in range(kernel):
            e = phase + p + pad - r * dilation
            if e % stride == 0:
                add_tap(axis, r, 0, e // stride - least)
    axis.pad = -least


cdef Py_ssize_t place(const Axis* axis, Py_ssize_t tap) noexcept nogil:
    """Where a tap of the first output stands on the padded axis."""
    return axis.phase[axis.tap_phase[tap]] + axis.tap_place[tap] * axis.stride


cdef bint lies_inside(const Axis* axis) noexcept nogil:
    """Whether no output meets the padding of its three axes."""
    cdef Py_ssize_t a, t, first
    for a in range(3):
        for t in range(axis[a].taps):
            first = place(&axis[a], t) - axis[a].pad
            if first < 0 or first + (axis[a].out - 1) * axis[a].step * axis[a].stride >= axis[a].size:
                return False
    return True


cdef bint is_three(const Axis* axis) noexcept nogil:
    """Whether three taps lie side by side, in steps of one, and no middle one meets the padding."""
    return (axis.taps == 3 and axis.kernel == 3 and axis.stride == 1 and axis.step == 1 and axis.woven == 1
            and axis.to_step == 1 and axis.reach == 2 and axis.tap_place[1] == 1 and axis.pad <= 1
            and axis.out - axis.pad < axis.size)


cdef void flatten(Axis* axis) noexcept nogil:
    """A convolution that reads each element of a plane for itself alone (1x1, stride 1) has one long axis."""
    cdef int a
    cdef Py_ssize_t plane = axis[0].size * axis[1].size * axis[2].size
    for a in range(3):
        if (axis[a].kernel != 1 or axis[a].stride != 1 or axis[a].pad != 0 or axis[a].to_step != 1
                or axis[a].out != axis[a].size):
            return
    for a in range(3):
        axis[a].size = axis[a].out = axis[a].to_size = plane if a == 2 else 1


cdef void make_dense(Axis* axis, Py_ssize_t step) noexcept nogil:
    """Stage the places of so many phases side by side, for kernels that can step over them; ``step`` divides the
    stride, and taps meet all phases."""
    cdef Py_ssize_t t, position
    axis.step, axis.stride, axis.phases, axis.reach = step, axis.stride // step, axis.stride // step, 0
    for t in range(axis.taps):
        position = axis.tap_place[t] * axis.stride * step + axis.phase[axis.tap_phase[t]]
        axis.tap_place[t] = position // axis.stride
        axis.tap_phase[t] = position % axis.stride
        axis.reach = max(axis.reach, axis.tap_place[t])
    for t in range(axis.phases):
        axis.phase[t] = t


cdef Py_ssize_t zeros_shared(const Axis* axis) noexcept nogil:
    """The places that the end of one row can share with the beginning of the next: those that are zero at both ends
    of a phase, and those at the end of a phase that none of its taps reads."""
    cdef Py_ssize_t p, t, reach, before, after, shared = axis.reach
    for p in range(axis.phases):
        reach = 0
        for t in range(axis.taps):
            if axis.tap_phase[t] == p:
                reach = max(reach, axis.tap_place[t])
        before = max(0, axis.pad - axis.phase[p] + axis.stride - 1) // axis.stride
        after = (axis.out - 1) * axis.step + 1 + reach
        after -= max(0, axis.size + axis.pad - axis.phase[p] + axis.stride - 1) // axis.stride
        shared = min(shared, axis.reach - reach + max(0, min(before, after)))
    return max(shared, 0)


cdef void set_block(Axis* axis, Py_ssize_t block, bint packed) noexcept nogil:
    """Cut the outputs into blocks of about ``block``, of equal size but for what makes whole vectors."""
    cdef Py_ssize_t n = max(1, up(axis.out, block))
    axis.block = up(axis.out, n)
    if n > 1 and up(axis.block, axis.unit) * axis.unit <= block:
        axis.block = up(axis.block, axis.unit) * axis.unit
    axis.shared = 0 if packed or n > 1 else zeros_shared(axis)
    axis.pitch = axis.block if packed else (axis.block - 1) * axis.step + 1 + axis.reach - axis.shared


cdef Py_ssize_t set_blocks(Lattice* lattice, Py_ssize_t columns, bint packed) noexcept nogil:
    """Blocks of at most about ``columns`` columns: whole images, or else slices, or rows, or parts of rows."""
    cdef Axis* d = &lattice.axis[0]
    cdef Axis* h = &lattice.axis[1]
    cdef Axis* w = &lattice.axis[2]
    cdef bint whole
    set_block(w, columns, packed)
    set_block(h, max(1, columns // (w.pitch * h.step)) if w.block == w.out else 1, packed)
    whole = h.block == h.out and w.block == w.out
    set_block(d, max(1, columns // (w.pitch * h.pitch * d.step)) if whole else 1, packed)
    return d.pitch * h.pitch * w.pitch


cdef void choose_blocks(Lattice* lattice, Py_ssize_t columns, Py_ssize_t packed_columns, Py_ssize_t images,
                        int packed) noexcept nogil:
    """Cut the problem into blocks, for about ``columns`` columns each; ``images`` is the most that one may hold,
    1 in ``packed`` forces packing and -1 forbids it."""
    cdef Axis* axis = lattice.axis
    cdef Py_ssize_t a, size, useful, computed
    size = set_blocks(lattice, columns, False)
    useful = axis[0].block * axis[1].block * axis[2].block
    lattice.taps = axis[0].taps * axis[1].taps * axis[2].taps
    lattice.phases = axis[0].phases * axis[1].phases * axis[2].phases
    lattice.packed = packed > 0
    if packed == 0 and axis[0].block == axis[0].out and axis[1].block == axis[1].out:
        lattice.packed = 5 * useful < 2 * size
    elif packed == 0:  # what is staged around a part of an image is not all computed
        computed = column_of(lattice, 0, axis[0].block - 1, axis[1].block - 1) + axis[2].block
        lattice.packed = 5 * useful < 2 * computed or lattice.taps * useful < lattice.phases * size
    if lattice.packed:
        columns = packed_columns
        size = set_blocks(lattice, columns, True)
    for a in range(3):
        lattice.blocks[a] = (axis[a].out + axis[a].block - 1) // max(1, axis[a].block)
    lattice.images = 1
    if lattice.blocks[0] * lattice.blocks[1] * lattice.blocks[2] == 1:
        lattice.images = max(1, min(images, columns // max(1, size)))
    # The shared zeros of the last row, slice and image stand behind the block.
    lattice.plane = lattice.images * size
    if not lattice.packed:
        lattice.plane += (axis[0].shared * axis[1].pitch + axis[1].shared) * axis[2].pitch + axis[2].shared
    lattice.channel = lattice.plane * (lattice.taps if lattice.packed else lattice.phases)
    lattice.source = axis[0].size * axis[1].size * axis[2].size


cdef Py_ssize_t column_of(const Lattice* lattice, Py_ssize_t image, Py_ssize_t d, Py_ssize_t h) noexcept nogil:
    """The column of the first output of a row, in a block."""
    return ((image * lattice.axis[0].pitch + d) * lattice.axis[1].pitch + h) * lattice.axis[2].pitch


cdef void tap_offsets(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t* offset) noexcept nogil:
    """offset[channel * taps + tap]: where the staged elements of a tap begin."""
    cdef const Axis* d = &lattice.axis[0]
    cdef const Axis* h = &lattice.axis[1]
    cdef const Axis* w = &lattice.axis[2]
    cdef Py_ssize_t c, i, j, k, t = 0, phase
    for c in range(channels):
        for i in range(d.taps):
            for j in range(h.taps):
                for k in range(w.taps):
                    if lattice.packed:
                        offset[t] = t * lattice.plane
                    else:
                        phase = (d.tap_phase[i] * h.phases + h.tap_phase[j]) * w.phases + w.tap_phase[k]
                        offset[t] = (c * lattice.channel + phase * lattice.plane
                                     + column_of(lattice, 0, d.tap_place[i], h.tap_place[j]) + w.tap_place[k])
                    t += 1


cdef void source_offsets(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t* offset) noexcept nogil:
    """The same in the source itself, where no output meets the padding."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t c, i, j, k, t = 0
    for c in range(channels):
        for i in range(axis[0].taps):
            for j in range(axis[1].taps):
                for k in range(axis[2].taps):
                    offset[t] = (c * lattice.source + place(axis + 2, k)
                                 + (place(axis, i) * axis[1].size + place(axis + 1, j)) * axis[2].size)
                    t += 1


cdef Py_ssize_t before(const Axis* axis, Py_ssize_t d, Py_ssize_t h) noexcept nogil:
    """The taps of the phases in front of this one of the slices and rows, in that order."""
    return ((axis[0].split[d] * axis[1].taps + (axis[0].split[d + 1] - axis[0].split[d]) * axis[1].split[h])
            * axis[2].taps)


cdef Py_ssize_t item(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t channel, Py_ssize_t tap,
                     Py_ssize_t* apart) noexcept nogil:
    """The place of a tap in the order of the sums: phase by phase, if some are woven, line by line of the kernel, each
    over all channels of a block; that of the next channel is so far ``apart``."""
    cdef const Axis* axis = &lattice.axis[0]
    cdef Py_ssize_t[3] at, size, p
    cdef int a
    for a in range(2, -1, -1):
        at[a] = tap % axis[a].taps
        tap //= axis[a].taps
        p[a] = 0
        while at[a] >= axis[a].split[p[a] + 1]:
            p[a] += 1
        at[a] -= axis[a].split[p[a]]
        size[a] = axis[a].split[p[a] + 1] - axis[a].split[p[a]]
    apart[0] = size[2]
    return ((before(axis, p[0], p[1]) + size[0] * size[1] * axis[2].split[p[2]]) * channels
            + ((at[0] * size[1] + at[1]) * channels + channel) * size[2] + at[2])


cdef void make_offsets(const Lattice* lattice, bint in_place, Py_ssize_t channels, Py_ssize_t* taps,
                       Py_ssize_t* offset) noexcept nogil:
    """offset[item]: where a tap stands in the staged block, or in the source; ``taps`` is room for as many words."""
    cdef Py_ssize_t c, t, i, apart = 0
    if in_place:
        source_offsets(lattice, channels, taps)
    else:
        tap_offsets(lattice, channels, taps)
    for t in range(lattice.taps):
        i = item(lattice, channels, 0, t, &apart)
        for c in range(channels):
            offset[i + c * apart] = taps[c * lattice.taps + t]


cdef void tap_indices(const Lattice* lattice, Py_ssize_t* tap) noexcept nogil:
    """tap[t]: the place of the lattice's tap t in the kernel."""
    cdef const Axis* d = &lattice.axis[0]
    cdef const Axis* h = &lattice.axis[1]
    cdef const Axis* w = &lattice.axis[2]
    cdef Py_ssize_t i, j, k, t = 0
    for i in range(d.taps):
        for j in range(h.taps):
            for k in range(w.taps):
                tap[t] = (d.tap[i] * h.kernel + h.tap[j]) * w.kernel + w.tap[k]
                t += 1


cdef void inside(const Axis* axis, Py_ssize_t output, Py_ssize_t phase, Py_ssize_t* first,
                 Py_ssize_t* end) noexcept nogil:
    """The taps from ``first`` to ``end``, of those of a phase, lie in the source for this output, those around them in
    the padding."""
    cdef Py_ssize_t t, at, base = output * axis.step * axis.stride - axis.pad
    first[0] = end[0] = axis.split[phase]
    for t in range(axis.split[phase], axis.split[phase + 1]):
        at = base + place(axis, t)
        if at >= 0 and at < axis.size:
            if end[0] == first[0]:
                first[0] = t
            end[0] = t + 1


cdef Py_ssize_t count_blocks(const Lattice* lattice, Py_ssize_t images) noexcept nogil:
    """The blocks of a batch."""
    return up(images, lattice.images) * lattice.blocks[0] * lattice.blocks[1] * lattice.blocks[2]


cdef Block block_at(const Lattice* lattice, Py_ssize_t index, Py_ssize_t images) noexcept nogil:
    """Block number ``index`` of a batch."""
    cdef Block block
    cdef Py_ssize_t a, place
    for a in range(2, -1, -1):
        place = index % lattice.blocks[a]
        index //= lattice.blocks[a]
        block.first[a] = place * lattice.axis[a].block
        block.count[a] = min(lattice.axis[a].block, lattice.axis[a].out - block.first[a])
    block.image = index * lattice.images
    block.images = min(lattice.images, images - block.image)
    block.columns = column_of(lattice, block.images - 1, block.count[0] - 1, block.count[1] - 1) + block.count[2]
    return block
