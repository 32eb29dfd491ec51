"""Convolution, forward and backward to the data: which way it goes, and over which axes.

Both directions are one convolution. Forward reads x and writes y; backward reads dy and writes dx, once for each phase
of the stride, with the taps that meet that phase: a gather, so that no two tasks ever add to the same element. Phases
go together where filters are in the lanes (see broadcast.pyx). With a bias and bounds, backward is the transposed
convolution.
"""

from cython.parallel cimport prange
from libc.string cimport memset

from ._choice cimport BY_TILES, DIRECT, DOUBLE, EACH_CHANNEL, IN_LANES, SHAPE, Choice, begin
from ._dispatch cimport table
from ._integers cimport volume
from ._lanes cimport Product, pays
from ._lattice cimport (
    MOST_TOGETHER, MOST_WOVEN, Axis, Lattice, axis_backward, axis_forward, axis_words, beside, flatten,
)
from ._pool cimport Block as Memory, Sealed, scratch, sealed_memory
from ._threads cimport team
from .broadcast cimport broadcast
from .conv cimport direct
from .depthwise cimport filter_channels, is_depthwise
from .threes cimport are_threes, cast_threes, threes_pay
from .winograd cimport filter_planes, is_filtering
from .winotiles cimport Filtering


cdef void choose(const Product* p, const Lattice* lattice, Filtering* f, bint single) noexcept nogil:
    """The algorithm, by the shape of a sample; ``f`` is what Winograd's needs to know."""
    begin(p.choice, DOUBLE)
    f.batch, f.groups, f.rows, f.depth, f.choice = p.batch, p.groups, p.rows, p.depth, p.choice
    f.row_step, f.depth_step, f.group_step = p.row_step, p.depth_step, p.group_step
    if single and is_filtering(&lattice.axis[0], f, False):
        p.choice.way = BY_TILES
    elif is_depthwise(p.choice, p.depth, p.rows):
        p.choice.way = EACH_CHANNEL
    elif (threes_pay(p, lattice, table.ops[not single].lanes, sizeof(float) if single else sizeof(double))
            or pays(p, lattice, table.ops[not single].lanes)):
        p.choice.way = IN_LANES


cdef Py_ssize_t convolve(const Product* p, Lattice* lattice, const real* source, const real* weight, const real* bias,
                         const real* residual, real* dest, double low, double high, bint backward, Sealed sealed,
                         int n_threads) except -1:
    """By the algorithm chosen; images with results of Winograd's that are not finite directly."""
    cdef Axis* axis = lattice.axis
    cdef Filtering f
    cdef Product one
    cdef Memory spoilt
    cdef real* image
    cdef Py_ssize_t n, used
    if axis[0].out * axis[1].out * axis[2].out * p.batch * p.rows * p.groups == 0:
        return 0
    choose(p, lattice, &f, sizeof(real) == sizeof(float))
    if real is float:
        if p.choice.way == BY_TILES:
            f.flip = backward
            spoilt = scratch(p.batch)
            memset(spoilt.data, 0, p.batch)
            used = filter_planes(&f, source, weight, bias, residual, dest, low, high, spoilt.data, sealed, n_threads)
            for n in range(p.batch):
                if spoilt.data[n]:
                    one = p[0]
                    one.batch = 1
                    image = dest + n * p.groups * p.rows * volume(f.out)
                    direct(&one, lattice, source + n * p.groups * p.depth * volume(f.size), weight, bias,
                           <const real*>beside(residual, dest, image), image, low, high, sealed, n_threads)
            return spoilt.size + used
    if p.choice.way == EACH_CHANNEL:
        return filter_channels(axis, 1, p.batch, p.groups, p.rows, source, weight, bias, residual, dest, low, high,
                               n_threads)
    if p.choice.way == IN_LANES and are_threes(p, lattice, table.ops[sizeof(real) == sizeof(double)].lanes,
                                               sizeof(real)):
        return cast_threes(p, lattice, source, weight, bias, residual, dest, low, high, sealed, n_threads)
    if p.choice.way == IN_LANES:
        return broadcast(p, lattice, source, weight, bias, residual, dest, low, high, sealed, n_threads)
    return direct(p, lattice, source, weight, bias, residual, dest, low, high, sealed, n_threads)


cdef Py_ssize_t forward(const Py_ssize_t* x_shape, const Py_ssize_t* w_shape, const Py_ssize_t* y_shape,
                        const real* x, const real* weight, const real* bias, const real* residual, real* y,
                        double low, double high, stride, padding, dilation, int groups, Sealed sealed,
                        int n_threads, Choice* choice) except -1:
    cdef Product product
    cdef Lattice lattice
    cdef int a
    cdef Py_ssize_t words = axis_words(w_shape[2]) + axis_words(w_shape[3]) + axis_words(w_shape[4])
    cdef Memory memory = scratch(words * sizeof(Py_ssize_t))
    cdef Py_ssize_t* free = <Py_ssize_t*>memory.data
    product.batch, product.groups, product.choice = x_shape[0], groups, choice
    product.rows, product.depth = w_shape[0] // groups, w_shape[1]
    product.taps = w_shape[2] * w_shape[3] * w_shape[4]
    product.row_step, product.depth_step = product.depth * product.taps, product.taps
    product.group_step = product.rows * product.row_step
    for a in range(3):
        axis_forward(&lattice.axis[a], free, x_shape[2 + a], w_shape[2 + a], stride[a], padding[a], dilation[a],
                     y_shape[2 + a])
        free += axis_words(w_shape[2 + a])
    flatten(lattice.axis)
    return memory.size + convolve(&product, &lattice, x, weight, bias, residual, y, low, high, False, sealed, n_threads)


cdef void fill_rows(const Axis* axis, real* dest, Py_ssize_t planes, Py_ssize_t channels, const real* bias, real low,
                    real high, int n_threads) noexcept nogil:
    """clip(bias) in the rows that a phase writes, from end to end."""
    cdef Py_ssize_t rows = axis[0].out * axis[1].out, n = axis[2].to_size, i, j, k
    cdef real value
    cdef real* row
    for i in prange(planes, num_threads=team(n_threads, <double>planes * rows * n / 4), schedule="static"):
        value = bias[i % channels] if bias != NULL else 0
        value = low if value < low else value
        value = high if value > high else value
        for k in range(rows):
            row = dest + ((i * axis[0].to_size + k // axis[1].out * axis[0].to_step + axis[0].to_first)
                          * axis[1].to_size + k % axis[1].out * axis[1].to_step + axis[1].to_first) * n
            for j in range(n):
                row[j] = value


cdef int lay_phase(Axis* axis, Py_ssize_t* free, const Py_ssize_t* y_shape, const Py_ssize_t* w_shape,
                   const Py_ssize_t* x_shape, stride, padding, dilation, const Py_ssize_t* phases, Py_ssize_t phase,
                   const Py_ssize_t* woven) except -1:
    """The three axes of one phase of the stride, of ``phases`` on each axis, or, from it on, of as many as are woven;
    ``free`` is room for their tables."""
    cdef int a
    for a in range(2, -1, -1):
        axis_backward(&axis[a], free, x_shape[2 + a], w_shape[2 + a], stride[a], padding[a], dilation[a],
                      y_shape[2 + a], phase % phases[a], woven[a])
        phase //= phases[a]
        free += axis_words(w_shape[2 + a])
    return 0


cdef bint weave(const Product* product, Lattice* lattice, Py_ssize_t* free, const Py_ssize_t* y_shape,
                const Py_ssize_t* w_shape, const Py_ssize_t* x_shape, stride, padding, dilation,
                const Py_ssize_t* phases, Py_ssize_t phase, const Py_ssize_t* woven, bint single) except -1:
    """Whether so many phases of each axis, from this one on, are computed together: where filters in the lanes are the
    better way for all of them together. Those of the columns always are among them."""
    cdef Filtering f
    cdef Py_ssize_t[3] one = [1, 1, 1]
    cdef Py_ssize_t p
    cdef int a
    if woven[2] == 1 or volume(woven) > MOST_TOGETHER:
        return False
    for a in range(3):
        if woven[a] > MOST_WOVEN or woven[a] > 1 and (phases[a] != stride[a] or woven[a] != phases[a]):
            return False
    for p in range(volume(woven)):
        lay_phase(lattice.axis, free, y_shape, w_shape, x_shape, stride, padding, dilation, phases, phase + p, one)
        choose(product, lattice, &f, single)
        if (lattice.axis[0].taps * lattice.axis[1].taps * lattice.axis[2].taps
                and product.choice.way != IN_LANES and product.choice.way != DIRECT):
            return False
    lay_phase(lattice.axis, free, y_shape, w_shape, x_shape, stride, padding, dilation, phases, phase, woven)
    if not pays(product, lattice, table.ops[not single].lanes):
        return False
    product.choice.way = IN_LANES
    return True


cdef Py_ssize_t backward_data(const Py_ssize_t* y_shape, const Py_ssize_t* w_shape, const Py_ssize_t* x_shape,
                              const real* dy, const real* weight, const real* bias, real* dx, double low, double high,
                              stride, padding, dilation, int groups, Sealed sealed, int n_threads,
                              Choice* choice) except -1:
    cdef Product product
    cdef Lattice lattice
    cdef int a
    cdef Py_ssize_t[3] phases, woven
    cdef Py_ssize_t[3] one = [1, 1, 1]
    cdef Py_ssize_t words = axis_words(w_shape[2]) + axis_words(w_shape[3]) + axis_words(w_shape[4])
    cdef Py_ssize_t phase = 0, count = 1, column, taps, most_taps = 0, used = 0
    cdef bint single = sizeof(real) == sizeof(float)
    cdef Memory memory, axes_memory
    cdef Axis* axes
    cdef Choice told
    cdef const real* nothing = NULL
    cdef bint gaps = False
    begin(choice, SHAPE)
    product.batch, product.groups, product.choice = y_shape[0], groups, choice
    product.rows, product.depth = w_shape[1], w_shape[0] // groups
    product.taps = w_shape[2] * w_shape[3] * w_shape[4]
    product.row_step, product.depth_step = product.taps, product.rows * product.taps
    product.group_step = product.depth * product.depth_step
    for a in range(3):
        phases[a] = min(<Py_ssize_t>stride[a], x_shape[2 + a])
        count *= phases[a]
    if is_depthwise(choice, product.depth, product.rows):  # all phases of a plane at once
        choice.way = EACH_CHANNEL
        memory = scratch(count * words * sizeof(Py_ssize_t))
        axes_memory = scratch(3 * count * sizeof(Axis))
        axes = <Axis*>axes_memory.data
        for phase in range(count):
            lay_phase(axes + 3 * phase, <Py_ssize_t*>memory.data + phase * words, y_shape, w_shape, x_shape, stride,
                      padding, dilation, phases, phase, one)
        return memory.size + axes_memory.size + filter_channels(
            <const Axis*>axes, count, y_shape[0], groups, product.rows, dy, weight, bias, nothing, dx, low, high,
            n_threads)
    memory = scratch(words * sizeof(Py_ssize_t))
    told = choice[0]  # where no window reaches any input; else what the phase with the most taps does
    phase = 0
    while phase < count:
        woven = phases
        if phase or not weave(&product, &lattice, <Py_ssize_t*>memory.data, y_shape, w_shape, x_shape, stride, padding,
                              dilation, phases, phase, woven, single):
            woven[0] = woven[1] = 1
            if phase % phases[2] or not weave(&product, &lattice, <Py_ssize_t*>memory.data, y_shape, w_shape, x_shape,
                                              stride, padding, dilation, phases, phase, woven, single):
                woven[2] = 1
        if phase % phases[2] == 0 and woven[2] == 1 and dx != NULL:
            # Inputs that no window touches make phases without taps, which are not visited.
            gaps = False
            for column in range(phases[2]):
                lay_phase(lattice.axis, <Py_ssize_t*>memory.data, y_shape, w_shape, x_shape, stride, padding, dilation,
                          phases, phase + column, one)
                gaps = gaps or lattice.axis[0].taps * lattice.axis[1].taps * lattice.axis[2].taps == 0
            if gaps:
                fill_rows(&lattice.axis[0], dx, x_shape[0] * x_shape[1], x_shape[1], bias, <real>low, <real>high,
                          n_threads)
        lay_phase(lattice.axis, <Py_ssize_t*>memory.data, y_shape, w_shape, x_shape, stride, padding, dilation, phases,
                  phase, woven)
        flatten(lattice.axis)
        taps = lattice.axis[0].taps * lattice.axis[1].taps * lattice.axis[2].taps
        if woven[2] > 1:
            used = max(used, broadcast(&product, &lattice, dy, weight, bias, nothing, dx, low, high, sealed, n_threads))
        elif taps:
            used = max(used, convolve(&product, &lattice, dy, weight, bias, nothing, dx, low, high, True, sealed,
                                      n_threads))
        if taps > most_taps:
            most_taps, told = taps, choice[0]
        phase += volume(woven)
    choice[0] = told
    return memory.size + used


def conv_forward(const real[:, :, :, :, ::1] x not None, const real[:, :, :, :, ::1] weight not None,
                 const real[::1] bias not None, const real[:, :, :, :, ::1] residual not None,
                 real[:, :, :, :, ::1] y not None, double low, double high, stride, padding, dilation,
                 int groups, int n_threads):
    cdef Choice choice
    if y.size:
        forward(x.shape, weight.shape, y.shape, &x[0, 0, 0, 0, 0], &weight[0, 0, 0, 0, 0],
                &bias[0] if bias.shape[0] else NULL, &residual[0, 0, 0, 0, 0] if residual.shape[0] else NULL,
                &y[0, 0, 0, 0, 0], low, high, stride, padding, dilation, groups, sealed_memory(weight.base),
                n_threads, &choice)


def conv_backward_data(const real[:, :, :, :, ::1] dy not None, const real[:, :, :, :, ::1] weight not None,
                       const real[::1] bias not None, real[:, :, :, :, ::1] dx not None, double low, double high,
                       stride, padding, dilation, int groups, int n_threads):
    cdef Choice choice
    if dx.size:
        backward_data(dy.shape, weight.shape, dx.shape, &dy[0, 0, 0, 0, 0], &weight[0, 0, 0, 0, 0],
                      &bias[0] if bias.shape[0] else NULL, &dx[0, 0, 0, 0, 0], low, high, stride, padding, dilation,
                      groups, sealed_memory(weight.base), n_threads, &choice)
