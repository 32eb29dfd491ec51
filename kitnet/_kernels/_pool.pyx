"""The pooled allocator of results and scratch: 64-byte aligned blocks that go back to the pool when they die.

A training step asks for the same sizes again and again; from the pool it gets memory that is mapped already, so that a
steady step causes no page faults. Blocks come in size classes, four to each power of two, each with a list of free
blocks. The pool never holds more than was in use at once, plus a quarter: what exceeds that goes back to the system.

Scratch memory of a kernel call comes from the arena, which each call uses from its beginning, so that one call after
another works on the same lines of the caches: with blocks of their own, a layer's gradients to data and to weights
took up to half longer one after the other than each for itself. The arena grows, between two calls, to what one call
wanted; meanwhile, and where calls of several threads overlap, blocks help out.

Sealed memory cannot change: no array on it can be written to. So what kernels make of its content alone, such as
transformed weights, is kept with it, without a question when that became stale, and dies with it.
"""

from cpython.buffer cimport PyBuffer_FillInfo
from cython cimport critical_section
from libc.string cimport memcpy

cdef extern from "kn_memory.h" nogil:
    void* kn_allocate(size_t size)
    void kn_free(void* p)

cdef enum:
    CLASSES = 4 * 48
    MOST_KEPT = 2           # of what is made of the content of sealed memory: two forms, each for images of some size

# A free block holds the pointer to the next free block of its class in its first bytes.
cdef void* free_blocks[CLASSES]
cdef Py_ssize_t in_use = 0
cdef Py_ssize_t most_in_use = 0
cdef Py_ssize_t waiting = 0
# What changes the pool has the interpreter's lock, and where there is none, this one.
cdef object turn = object()

cdef char* arena = NULL
cdef Py_ssize_t arena_size = 0
cdef Py_ssize_t arena_top = 0       # what lies below may be in use
cdef Py_ssize_t users = 0           # scratch blocks that live, in the arena or not,
cdef Py_ssize_t wanted = 0          # and their bytes, since there were none
cdef Py_ssize_t most_wanted = 0


cdef int size_class(Py_ssize_t nbytes, Py_ssize_t* capacity) noexcept nogil:
    """The class of blocks for ``nbytes``, and their size: (4 + step) / 4 of a power of two, at least 256."""
    cdef int power = 8
    cdef int step = 0
    while ((<Py_ssize_t>1) << (power + 1)) <= nbytes:
        power += 1
    while (<Py_ssize_t>(4 + step)) << (power - 2) < nbytes:
        step += 1
    capacity[0] = (<Py_ssize_t>(4 + step)) << (power - 2)
    return 4 * power + step - 32


cdef void release(Py_ssize_t most_waiting) noexcept nogil:
    """Give free blocks back to the system, the largest first, until at most ``most_waiting`` bytes wait."""
    global waiting
    cdef int k = CLASSES - 1
    cdef void* block
    while k >= 0 and waiting > most_waiting:
        block = free_blocks[k]
        if block == NULL:
            k -= 1
            continue
        free_blocks[k] = (<void**>block)[0]
        waiting -= (<Py_ssize_t>(4 + k % 4)) << (k // 4 + 6)
        kn_free(block)


cdef void drop_arena() noexcept nogil:
    global arena, arena_size, waiting
    waiting -= arena_size
    kn_free(arena)
    arena, arena_size = NULL, 0


cdef char* from_arena(Py_ssize_t nbytes) noexcept nogil:
    """The next ``nbytes`` bytes of the arena, or NULL if it has not so many."""
    global arena, arena_size, arena_top, users, wanted, most_wanted, waiting
    cdef char* place = arena + arena_top
    if users == 0:
        arena_top = wanted = 0
        if most_wanted > arena_size:
            drop_arena()
            size_class(most_wanted, &arena_size)
            release(max(0, most_in_use + most_in_use // 4 - in_use - arena_size))
            arena = <char*>kn_allocate(arena_size)
            if arena == NULL:
                arena_size = 0
            waiting += arena_size
        place = arena
    users += 1
    wanted += nbytes
    most_wanted = max(most_wanted, wanted)
    if arena_top + nbytes > arena_size:
        return NULL
    arena_top += nbytes
    waiting -= nbytes
    return place


cdef class Block:
    """Pooled memory with the buffer protocol: what ``pooled`` arrays stand on; ``brief``: from the arena, if it can."""

    def __cinit__(self, Py_ssize_t nbytes, bint brief=False):
        global in_use, most_in_use, waiting
        cdef int k
        if nbytes < 0 or nbytes > (<Py_ssize_t>1) << 46:
            raise MemoryError(f"cannot allocate {nbytes} bytes")
        self.size, self.brief = nbytes, brief
        k = size_class(nbytes, &self.capacity)
        with critical_section(turn):
            if brief:
                self.data = from_arena((nbytes + 63) // 64 * 64)
            if self.data != NULL:
                self.in_arena, self.capacity = True, (nbytes + 63) // 64 * 64
            elif free_blocks[k] != NULL:
                self.data = <char*>free_blocks[k]
                free_blocks[k] = (<void**>self.data)[0]
                waiting -= self.capacity
            else:
                release(max(0, most_in_use + most_in_use // 4 - in_use - self.capacity))
                self.data = <char*>kn_allocate(self.capacity)
            if self.data != NULL:
                in_use += self.capacity
                most_in_use = max(most_in_use, in_use)
        if self.data == NULL:
            raise MemoryError(f"cannot allocate {nbytes} bytes")

    def __dealloc__(self):
        global in_use, waiting, users
        cdef Py_ssize_t capacity
        cdef int k
        with critical_section(turn):
            users -= self.brief
            if self.data != NULL:
                in_use -= self.capacity
                waiting += self.capacity
            if self.data != NULL and not self.in_arena:
                k = size_class(self.capacity, &capacity)
                (<void**>self.data)[0] = free_blocks[k]
                free_blocks[k] = self.data

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 0, flags)


cdef class Sealed(Block):
    """Memory whose content cannot change: arrays on it are read-only for good."""

    def __cinit__(self, Py_ssize_t nbytes):
        self.made = {}

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.size, 1, flags)


def sealed(const unsigned char[::1] content not None):
    """A sealed copy of ``content``, to be the buffer of an array."""
    cdef Sealed block = Sealed(content.shape[0])
    if content.shape[0]:
        memcpy(block.data, &content[0], content.shape[0])
    return block


cdef Sealed sealed_memory(object array):
    """The sealed memory on which an array stands, or None."""
    while array is not None and type(array) is not Sealed:
        array = getattr(array, "base", None)
    return array


cdef Block made_of(Sealed sealed, tuple key):
    """What was kept under ``key``, or None."""
    return None if sealed is None else sealed.made.get(key)


cdef int keep(Sealed sealed, tuple key, Block block) except -1:
    """Keep what was made of sealed memory, and MOST_KEPT - 1 older things; several threads may come with the same."""
    if sealed is not None:
        older = [item for item in sealed.made.items() if item[0] != key]
        sealed.made = dict([*older[-(MOST_KEPT - 1):], (key, block)])
    return 0


def pooled(Py_ssize_t nbytes, bint brief=False):
    """A block of ``nbytes`` bytes with arbitrary content, to be the buffer of an array; ``brief``: as for a kernel."""
    return Block(nbytes, brief)


cdef Block scratch(Py_ssize_t nbytes):
    """A block for the length of a kernel call; use its ``data`` as long as the object lives."""
    return Block(nbytes, True)


cdef Block to_keep(Sealed sealed, Py_ssize_t nbytes):
    """The same, for what will be kept with sealed memory if that is not None."""
    return Block(nbytes, sealed is None)


def empty_cache():
    """Give the memory that waits in the pool back to the system."""
    global most_in_use, most_wanted
    with critical_section(turn):
        release(0)
        if users == 0:
            drop_arena()
            most_wanted = 0
        most_in_use = in_use


def memory_stats():
    """The pool in bytes: in use, the most that was in use at once, waiting to be used again."""
    return {"in_use": in_use, "most_in_use": most_in_use, "waiting": waiting}
