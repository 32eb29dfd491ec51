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


cdef inline Py_ssize_t even_images(Py_ssize_t batch, Py_ssize_t most, Py_ssize_t tasks, int threads) noexcept nogil:
    """Images in a block, ``most`` at most, so that the threads have equal work; ``tasks`` for each block."""
    cdef Py_ssize_t images, cost, least = 0, best = most
    for images in range(most, most // 2, -1):
        cost = (up(batch, images) * tasks + threads - 1) // threads * images
        if least == 0 or cost < least:
            least, best = cost, images
    return best


cdef inline Py_ssize_t joined_rows(Py_ssize_t width, Py_ssize_t most, Py_ssize_t lanes) noexcept nogil:
    """The rows, ``most`` at most, that fill whole vectors best one behind the other."""
    cdef Py_ssize_t rows, best = 1
    for rows in range(2, most + 1):
        if up(rows * width, lanes) * best < up(best * width, lanes) * rows:
            best = rows
    return best
