"""Arithmetic of sizes."""


cdef inline Py_ssize_t up(Py_ssize_t n, Py_ssize_t unit) noexcept nogil:
    """How many units hold n."""
    return (n + unit - 1) // unit


cdef inline Py_ssize_t part(Py_ssize_t n, Py_ssize_t parts, Py_ssize_t i) noexcept nogil:
    """Where part i of n begins, cut into equal parts."""
    return n * i // parts


cdef inline Py_ssize_t volume(const Py_ssize_t* sizes) noexcept nogil:
    """The product of the sizes of three axes."""
    return sizes[0] * sizes[1] * sizes[2]


cdef inline bint fills_tiles(Py_ssize_t n, Py_ssize_t tile, Py_ssize_t places) noexcept nogil:
    """Whether whole tiles over n compute at most a seventh more than so many places."""
    return 7 * up(n, tile) * tile <= 8 * places
