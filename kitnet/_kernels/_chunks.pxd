"""Sums over a batch in chunks of images: the gradients of weights."""

ctypedef fused real:
    float
    double

# One part of the sums of one chunk: into dweight and dbias (NULL: not wanted), with scratch of its own.
ctypedef void (*part_of_chunk)(const void* work, Py_ssize_t part, Py_ssize_t chunk, void* dweight, void* dbias,
                               char* own) noexcept nogil


cdef Py_ssize_t in_chunks(part_of_chunk run, const void* work, Py_ssize_t parts, Py_ssize_t chunks, double macs,
                          int n_threads, Py_ssize_t own_size, real* dweight, Py_ssize_t size, real* dbias,
                          Py_ssize_t bias_size) except -1
