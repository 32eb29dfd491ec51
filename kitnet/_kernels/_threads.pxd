"""How many threads a kernel uses, and which one it is on."""

cdef int team(int n_threads, double work) noexcept nogil
cdef int thread_number() noexcept nogil
