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


cdef inline Py_ssize_t half_tile(Py_ssize_t tile, Py_ssize_t lanes) noexcept nogil:
    """The width of the tile that takes what is left of a row, where that is enough; a whole one has ``tile``."""
    return up(tile, 2 * lanes) * lanes


cdef inline Py_ssize_t covered(Py_ssize_t n, Py_ssize_t tile, Py_ssize_t lanes) noexcept nogil:
    """What tiles over n compute, the last one of half the width where that is enough."""
    cdef Py_ssize_t left = n % tile
    return n - left + (0 if left == 0 else half_tile(tile, lanes) if left <= half_tile(tile, lanes) else tile)


cdef inline bint fills_tiles(Py_ssize_t n, Py_ssize_t tile, Py_ssize_t lanes, Py_ssize_t places) noexcept nogil:
    """Whether tiles over n compute at most a seventh more than so many places."""
    return 7 * covered(n, tile, lanes) <= 8 * places
