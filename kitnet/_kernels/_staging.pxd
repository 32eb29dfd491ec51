"""A block of the lattice (see _lattice.pxd), filled from the images."""

from ._dispatch cimport kn_ops
from ._lattice cimport Block, Lattice


cdef void stage(const kn_ops* ops, const Lattice* lattice, const Block* block, const char* source, Py_ssize_t itemsize,
                Py_ssize_t source_image, Py_ssize_t channels, bint between, char* staged) noexcept nogil
