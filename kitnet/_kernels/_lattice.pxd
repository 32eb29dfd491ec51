"""The lattice: a block of the source, laid out so that every tap of a convolution is one constant offset.

Padding is staged as zeros and a stride as phases (position u of the padded axis goes to plane u % stride, place
u // stride). In the staged block the element that tap t meets at output column q stands at q + offset[t]: what
remains is a convolution of stride 1 along one axis, which the micro-kernels run on whole vectors, across row ends.
The columns between the rows are computed too and thrown away; where that would be most of the work (the kernel as
large as the image), the block is packed instead: one row a tap, and no column wasted.
"""

from ._dispatch cimport kn_ops

cdef enum:
    MOST_WOVEN = 4          # phases of an axis that are computed together,
    MOST_TOGETHER = 16      # and of all three


cdef inline const void* beside(const void* array, const void* like, const void* place) noexcept nogil:
    """Where in ``array`` stands what stands at ``place`` in ``like``; NULL where there is no such array."""
    return <const char*>array + (<const char*>place - <const char*>like) if array != NULL else NULL


cdef struct Axis:
    Py_ssize_t size         # of the source
    Py_ssize_t pad          # source index 0 stands here on the padded axis; negative crops
    Py_ssize_t stride       # a place is this many steps on the padded axis from the place before,
    Py_ssize_t step         # and an output this many places from the output before: 1, but on a dense axis
    Py_ssize_t out          # outputs
    Py_ssize_t kernel       # the kernel's size
    Py_ssize_t taps         # how many of it take part
    Py_ssize_t phases       # different phases among the taps
    Py_ssize_t reach        # the furthest place of a tap
    Py_ssize_t* tap         # per tap: its index in the kernel,
    Py_ssize_t* tap_phase   # which of the phases it reads,
    Py_ssize_t* tap_place   # and at which place
    Py_ssize_t* phase       # per phase: its position, below the stride
    Py_ssize_t woven        # backward: phases of the destination side by side, each with taps of its own,
    Py_ssize_t split[5]     # from its split on to the next; else 1
    Py_ssize_t to_size      # the destination: output o goes to o * to_step + to_first
    Py_ssize_t to_step
    Py_ssize_t to_first
    Py_ssize_t unit         # outputs that make whole vectors: a block has a multiple of them, if it can
    Py_ssize_t block        # outputs in a block
    Py_ssize_t shared       # zero places shared by neighbours: the end of one row is the beginning of the next
    Py_ssize_t pitch        # places from one row (slice, image) to the next


cdef inline Py_ssize_t all_woven(const Axis* axis) noexcept nogil:
    """Phases of the destination that are computed together, of its three axes."""
    return axis[0].woven * axis[1].woven * axis[2].woven


cdef struct Lattice:
    Axis axis[3]            # depth, height, width
    bint packed
    Py_ssize_t images       # images in a block
    Py_ssize_t blocks[3]    # blocks along each axis
    Py_ssize_t taps
    Py_ssize_t phases
    Py_ssize_t plane        # staged elements of one phase (packed: one tap) of one channel
    Py_ssize_t channel      # staged elements of one channel
    Py_ssize_t columns      # from the first to the last output column of a full block
    Py_ssize_t source       # elements of one source plane


cdef struct Block:
    Py_ssize_t image        # the first image
    Py_ssize_t images
    Py_ssize_t first[3]     # the first output on each axis
    Py_ssize_t count[3]     # outputs on each axis
    Py_ssize_t columns      # from the first to the last output column


cdef Py_ssize_t widest_tile(const kn_ops* ops, Py_ssize_t rows, Py_ssize_t panels) noexcept nogil
cdef Py_ssize_t axis_words(Py_ssize_t kernel) noexcept nogil
cdef void axis_forward(Axis* axis, Py_ssize_t* words, Py_ssize_t size, Py_ssize_t kernel, Py_ssize_t stride,
                       Py_ssize_t pad, Py_ssize_t dilation, Py_ssize_t out) noexcept nogil
cdef void axis_backward(Axis* axis, Py_ssize_t* words, Py_ssize_t size, Py_ssize_t kernel, Py_ssize_t stride,
                        Py_ssize_t pad, Py_ssize_t dilation, Py_ssize_t out, Py_ssize_t phase,
                        Py_ssize_t woven) noexcept nogil
cdef Py_ssize_t place(const Axis* axis, Py_ssize_t tap) noexcept nogil
cdef bint lies_inside(const Axis* axis) noexcept nogil
cdef bint is_three(const Axis* axis) noexcept nogil
cdef void flatten(Axis* axis) noexcept nogil
cdef void make_dense(Axis* axis, Py_ssize_t step) noexcept nogil
cdef void choose_blocks(Lattice* lattice, Py_ssize_t columns, Py_ssize_t packed_columns, Py_ssize_t images,
                        int packed) noexcept nogil
cdef void tap_offsets(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t* offset) noexcept nogil
cdef void source_offsets(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t* offset) noexcept nogil
cdef Py_ssize_t item(const Lattice* lattice, Py_ssize_t channels, Py_ssize_t channel, Py_ssize_t tap,
                     Py_ssize_t* apart) noexcept nogil
cdef void make_offsets(const Lattice* lattice, bint in_place, Py_ssize_t channels, Py_ssize_t* taps,
                       Py_ssize_t* offset) noexcept nogil
cdef void tap_indices(const Lattice* lattice, Py_ssize_t* tap) noexcept nogil
cdef Py_ssize_t before(const Axis* axis, Py_ssize_t d, Py_ssize_t h) noexcept nogil
cdef void inside(const Axis* axis, Py_ssize_t output, Py_ssize_t phase, Py_ssize_t* first,
                 Py_ssize_t* end) noexcept nogil
cdef Py_ssize_t count_blocks(const Lattice* lattice, Py_ssize_t images) noexcept nogil
cdef Block block_at(const Lattice* lattice, Py_ssize_t index, Py_ssize_t images) noexcept nogil
cdef Py_ssize_t column_of(const Lattice* lattice, Py_ssize_t image, Py_ssize_t d, Py_ssize_t h) noexcept nogil
