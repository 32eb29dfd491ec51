"""Arithmetic of sizes."""


cdef inline Py_ssize_t up(Py_ssize_t n, Py_ssize_t unit) noexcept nogil:
    """How many units hold n."""
    return (n + unit - 1) // unit


cdef inline Py_ssize_t part(Py_ssize_t n, Py_ssize_t parts, Py_ssize_t i) noexcept nogil:
    """Where part i of n begins, cut into equal parts."""
    return n * i // parts
