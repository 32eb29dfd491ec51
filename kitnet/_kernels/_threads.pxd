"""How many threads a kernel uses, and which one it is on."""

cdef int team(int n_threads, double work) noexcept nogil
cdef int thread_number() noexcept nogil
cdef Py_ssize_t tasks_at_once(Py_ssize_t tasks, int threads, double macs) noexcept nogil
