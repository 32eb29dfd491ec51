"""What a convolution does and what decided it: the kernels write it down where they decide, explain_conv reads it.

A kernel whose destination is NULL is rehearsed: it decides and asks for its scratch memory as always, but touches no
array; the bytes of that memory are what it returns.
"""

cdef enum Way:
    DIRECT
    PACKED              # direct, on a packed lattice
    PRODUCT             # direct, of matrices as they lie
    EACH_CHANNEL
    BY_TILES
    BY_FILTERS
    TRANSFORMED         # Winograd's algorithm for weights

cdef enum Reason:       # what ``has`` and ``needs`` are
    DOUBLE
    SHAPE
    SWITCHED_OFF
    FEW_CHANNELS        # channels or filters of a group
    FEW_PRODUCTS        # channels times filters of a group
    RAGGED              # outputs computed, of so many at most
    WORTHWHILE          # bytes of transformed weights, of so many at most that stay near
    ONE_CHANNEL         # filters of a channel, of so many at most


cdef struct Choice:
    Way way
    Reason reason
    Py_ssize_t has
    Py_ssize_t needs


cdef inline bint at_least(Choice* choice, Reason reason, Py_ssize_t has, Py_ssize_t needs) noexcept nogil:
    """Whether ``has`` reaches ``needs``; writes down that this was asked."""
    choice.reason, choice.has, choice.needs = reason, has, needs
    return has >= needs


cdef inline bint at_most(Choice* choice, Reason reason, Py_ssize_t has, Py_ssize_t needs) noexcept nogil:
    """Whether ``has`` keeps within ``needs``; writes down that this was asked."""
    choice.reason, choice.has, choice.needs = reason, has, needs
    return has <= needs


cdef inline tuple told(const Choice* choice, Py_ssize_t workspace):
    """(algorithm, reason, has, needs, workspace) for Python."""
    return (
        ("direct", "direct, packed", "direct, 1x1", "depthwise", "winograd, by tiles", "winograd, by filters",
         "winograd")[<int>choice.way],
        ("double", "shape", "switched off", "few channels", "few products", "ragged", "worthwhile",
         "one channel")[<int>choice.reason],
        choice.has, choice.needs, workspace)
