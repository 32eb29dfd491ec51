cdef class Block:
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity


cdef Block scratch(Py_ssize_t nbytes)
