"""Which thread runs which task."""


cdef struct Share:          # of a thread, on a cache line of its own
    Py_ssize_t next
    Py_ssize_t end
    Py_ssize_t[6] apart


cdef Py_ssize_t tasks_at_once(Py_ssize_t tasks, int threads, double macs) noexcept nogil
cdef void deal(Share* shares, int threads, Py_ssize_t first, Py_ssize_t end) noexcept nogil
cdef Py_ssize_t take(Share* shares, int threads) noexcept nogil
