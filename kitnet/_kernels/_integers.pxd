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


cdef inline Py_ssize_t common(Py_ssize_t power, Py_ssize_t n) noexcept nogil:
    """The largest power of two that divides both."""
    return min(power, n & -n)


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


cdef inline Py_ssize_t even_columns(Py_ssize_t columns, Py_ssize_t blocks, Py_ssize_t tasks, Py_ssize_t unit,
                                    bint fewer, int threads) noexcept nogil:
    """Columns in a block, of so many ``blocks``, or one more, or one ``fewer``, if the threads have more equal work
    then; ``tasks`` for each block, and tiles of ``unit``."""
    cdef Py_ssize_t n, cost, best = blocks, least = up(blocks * tasks, threads) * up(up(columns, blocks), unit)
    least -= least // 16
    for n in range(max(1, blocks - fewer), blocks + 2):
        cost = up(n * tasks, threads) * up(up(columns, n), unit)
        if cost < least:
            least, best = cost, n
    return up(columns, best)
