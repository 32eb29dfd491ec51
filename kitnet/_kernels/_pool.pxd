cdef class Block:
    cdef char* data
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity
    cdef bint brief
    cdef bint in_arena


cdef class Sealed(Block):
    cdef dict made


cdef Block scratch(Py_ssize_t nbytes)
cdef Block to_keep(Sealed sealed, Py_ssize_t nbytes)
cdef Sealed sealed_memory(object array)
cdef Block made_of(Sealed sealed, tuple key)
cdef int keep(Sealed sealed, tuple key, Block block) except -1
