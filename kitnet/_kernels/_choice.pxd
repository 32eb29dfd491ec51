"""What a convolution does and what decided it: the kernels write it down where they decide, explain_conv reads it.

A kernel whose destination is NULL is rehearsed: it decides and asks for its scratch memory as always, but touches no
array; the bytes of that memory are what it returns.
"""

cdef enum Way:
    DIRECT
    PACKED              # direct, on a packed lattice
    IN_LANES            # direct, with the filters in the lanes
    PRODUCT             # direct, of matrices as they lie
    EACH_CHANNEL
    BY_TILES
    BY_FILTERS
    TRANSFORMED         # Winograd's algorithm for weights

cdef enum Reason:       # what ``has`` and ``needs`` are
    UNASKED
    DOUBLE
    SHAPE
    SWITCHED_OFF
    FEW_CHANNELS        # channels or filters of a group
    FEW_PRODUCTS        # channels times filters of a group
    RAGGED              # outputs computed, of so many at most
    MANY_TERMS          # channels of a group, for each piece of a kernel that is larger than 3x3
    FEW_TILES           # in the batch, for the gradient of the weights
    WORTHWHILE          # bytes of transformed weights, of so many at most that stay near
    ONE_CHANNEL         # filters of a channel, of so many at most
    SHORT_ROWS          # outputs of a row
    FEW_WEIGHTS         # of a filter, that take part
    FILLED_LANES        # the cost of a row with the filters in the lanes, and with its pixels there


cdef struct Answer:     # to the last question asked
    Reason reason
    Py_ssize_t has
    Py_ssize_t needs


cdef struct Choice:
    Way way
    Answer algorithm    # what decided between Winograd's, depthwise and direct,
    Answer lanes        # and, where it is direct, between filters and pixels in the lanes


cdef inline void begin(Choice* choice, Reason reason) noexcept nogil:
    choice.way = DIRECT
    choice.algorithm.reason, choice.algorithm.has, choice.algorithm.needs = reason, 0, 0
    choice.lanes.reason, choice.lanes.has, choice.lanes.needs = UNASKED, 0, 0


cdef inline bint at_least(Answer* answer, Reason reason, Py_ssize_t has, Py_ssize_t needs) noexcept nogil:
    """Whether ``has`` reaches ``needs``; writes down that this was asked."""
    answer.reason, answer.has, answer.needs = reason, has, needs
    return has >= needs


cdef inline bint at_most(Answer* answer, Reason reason, Py_ssize_t has, Py_ssize_t needs) noexcept nogil:
    """Whether ``has`` keeps within ``needs``; writes down that this was asked."""
    answer.reason, answer.has, answer.needs = reason, has, needs
    return has <= needs


cdef inline tuple answered(const Answer* answer):
    return (
        ("unasked", "double", "shape", "switched off", "few channels", "few products", "ragged", "many terms",
         "few tiles", "worthwhile", "one channel", "short rows", "few weights", "filled lanes")[<int>answer.reason],
        answer.has, answer.needs)


cdef inline tuple told(const Choice* choice, Py_ssize_t workspace):
    """(algorithm, answer, answer on the lanes, workspace) for Python, an answer being (reason, has, needs)."""
    return (
        ("direct", "direct, packed", "direct, filters in lanes", "direct, 1x1", "depthwise", "winograd, by tiles",
         "winograd, by filters", "winograd")[<int>choice.way],
        answered(&choice.algorithm), answered(&choice.lanes), workspace)
