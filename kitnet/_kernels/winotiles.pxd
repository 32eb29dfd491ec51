"""The steps of Winograd convolution on a block of tiles: see winotiles.pyx."""

from ._choice cimport Choice
from ._dispatch cimport kn_ops, kn_piece, kn_tiles, kn_winograd
from ._integers cimport up
from ._lattice cimport Block, Lattice

cdef enum:
    TERMS = 128             # of a sum at a time


cdef struct Filtering:
    Py_ssize_t batch
    Py_ssize_t groups
    Py_ssize_t rows         # filters (backward: channels) of a group
    Py_ssize_t depth        # channels (backward: filters) of a group
    Py_ssize_t row_step     # from one row to the next in the weights,
    Py_ssize_t depth_step   # from one channel to the next,
    Py_ssize_t group_step   # and from one group to the next
    bint flip               # the kernel is turned by 180 degrees (backward)
    Py_ssize_t[3] size      # of a channel of the source: slices, rows, columns
    Py_ssize_t[3] out       # of a channel of the result
    Py_ssize_t[3] pad       # before
    Py_ssize_t[3] kernel
    Py_ssize_t[3] dilation  # so many tiles are woven along an axis, each with every so-many-th place
    Py_ssize_t taps         # 2 or 3: F(4x4, taps x taps)
    Py_ssize_t pieces       # of so many taps at most, whose sums are one: so many times the channels are its terms
    Choice* choice          # what was decided, and by what


cdef struct Work:
    Filtering* f
    bint by_filters
    bint cast                   # by filters, and too few tiles to fill the lanes: the filters do
    bint pieced                 # then U of some channels at a time, which stays in the L2 cache
    Lattice lattice
    Py_ssize_t panel            # filters in a panel
    Py_ssize_t panels
    Py_ssize_t parts            # tasks among which the filters of a block are divided; no sum is in two of them
    Py_ssize_t most_tiles       # in a block
    Py_ssize_t pitch            # of a row of V and of M
    Py_ssize_t line             # of a row of results
    Py_ssize_t u_element        # from one element of a transformed tile to the next, in U,
    Py_ssize_t v_element        # in V,
    Py_ssize_t m_element        # and in M
    Py_ssize_t sub              # panels in a sub-block (by filters: in a part), at most
    Py_ssize_t terms            # of a sum: the channels, for each piece of the kernel
    Py_ssize_t[2]* run          # those that are summed at a time: the first, and how many
    Py_ssize_t[5] runs          # where those begin of an element inside a tile, at the end of a row, a column, of both
    Py_ssize_t groups           # vectors of tiles in a block
    Py_ssize_t v                # floats of scratch for each use
    Py_ssize_t m
    Py_ssize_t results


cdef inline Py_ssize_t elements(const Filtering* f) noexcept nogil:
    """Of a transformed tile."""
    return (f.taps + 3) * (f.taps + 3)


cdef inline const kn_winograd* transforms(const kn_ops* ops, const Filtering* f) noexcept nogil:
    return &ops.winograd[f.taps - 2]


cdef inline Py_ssize_t points(const Filtering* f, int axis, Py_ssize_t taps) noexcept nogil:
    """Elements along an axis of a transformed tile, as a piece of so many taps needs them: the last one, at infinity,
    is zero in filters of fewer taps. Where no piece has more it is computed all the same."""
    return f.taps + 2 + (taps == f.taps or f.kernel[axis] < f.taps)


cdef inline Py_ssize_t products(const Filtering* f) noexcept nogil:
    """Multiplications for a tile, and for each channel and filter."""
    cdef Py_ssize_t n = f.kernel[0], rest
    cdef int a
    for a in range(1, 3):
        rest = f.kernel[a] % f.taps
        n *= f.kernel[a] // f.taps * (f.taps + 3) + (points(f, a, rest) if rest else 0)
    return n


cdef inline Py_ssize_t tiles_along(const Filtering* f, int axis) noexcept nogil:
    """Tiles along an axis, which are as many in each phase of a dilation; slices have one of their own."""
    return f.dilation[axis] * up(up(f.out[axis], f.dilation[axis]), 4) if axis else f.out[0]


cdef inline Py_ssize_t place_of(const Filtering* f, int axis, Py_ssize_t tile) noexcept nogil:
    """Where a tile begins on an axis: those of all phases take turns."""
    return tile // f.dilation[axis] * 4 * f.dilation[axis] + tile % f.dilation[axis]


cdef inline Py_ssize_t slices(const Block* block) noexcept nogil:
    """Planes of results, of all images of a block."""
    return block.images * block.count[0]


cdef inline Py_ssize_t tiles_of(const Block* block) noexcept nogil:
    return slices(block) * block.count[1] * block.count[2]


cdef Py_ssize_t spread(Py_ssize_t n) noexcept nogil
cdef kn_piece piece_at(const Filtering* f, Py_ssize_t index) noexcept nogil
cdef Py_ssize_t first_weight(const Filtering* f, const kn_piece* piece) noexcept nogil
cdef void lay_tiles(Lattice* lattice, Py_ssize_t* words, const Filtering* f) noexcept nogil
cdef Py_ssize_t whole_units(const Lattice* lattice, Py_ssize_t tiles) noexcept nogil
cdef Py_ssize_t first_row(const Work* work, Py_ssize_t panel) noexcept nogil
cdef Py_ssize_t most_runs(const Filtering* f) noexcept nogil
cdef void make_work(Work* work, const kn_ops* ops, Py_ssize_t* words, int threads) noexcept nogil
cdef void transform_filters(const kn_ops* ops, const Work* work, const float* weight, Py_ssize_t panel,
                            Py_ssize_t group, Py_ssize_t first, Py_ssize_t end, float* u, float* own) noexcept nogil
cdef Py_ssize_t find_tiles(const Work* work, const kn_ops* ops, const Block* block, Py_ssize_t index,
                           kn_tiles* groups) noexcept nogil
cdef void transform_source(const kn_ops* ops, const Work* work, const float* source, const kn_tiles* groups,
                           Py_ssize_t n, Py_ssize_t index, Py_ssize_t first, Py_ssize_t end, float* v) noexcept nogil
cdef void multiply(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns, Py_ssize_t panel,
                   Py_ssize_t end, const float* u, const float* v, float* m) noexcept nogil
cdef void multiply_few(const kn_ops* ops, const Work* work, Py_ssize_t tiles, const Py_ssize_t* columns,
                       Py_ssize_t chunk, const float* u, const float* v, float* sums) noexcept nogil
cdef void turn_few(const kn_ops* ops, const Work* work, Py_ssize_t tiles, Py_ssize_t rows, const float* sums,
                   float* m) noexcept nogil
cdef void write_results(const kn_ops* ops, const Work* work, const Block* block, const float* m, double bias,
                        const float* residual, double low, double high, float* dest, Py_ssize_t dest_image,
                        char* spoilt, float* results) noexcept nogil
cdef void finish(const kn_ops* ops, const Work* work, const Block* block, Py_ssize_t group, Py_ssize_t panel,
                 Py_ssize_t end, const float* m, const float* bias, const float* residual, float* dest, double low,
                 double high, char* spoilt, float* results) noexcept nogil
