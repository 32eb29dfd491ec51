"""Which thread runs which task: first its own share, then what others have left of theirs.

The tasks of a kernel are dealt in equal shares of neighbours, and a thread that is done takes from the others. So a
thread finds in its cache what it wrote there in the call before, and what the layer before left there for it: with
tasks given to whoever came first, half of that lay in another core's. Where the cores share no cache, as on two
chiplets of a processor, calls whose results fit in the caches took up to twice as long.

No result depends on who runs a task: each output element has one.
"""

from ._integers cimport part
from ._threads cimport thread_number

cdef extern from "kn_atomic.h" nogil:
    Py_ssize_t kn_draw(Py_ssize_t* counter, Py_ssize_t end)

# Multiply-adds for one thread in less than about 0.2 s.
cdef double UNBROKEN = 2.0 ** 31


cdef Py_ssize_t tasks_at_once(Py_ssize_t tasks, int threads, double macs) noexcept nogil:
    """How many of ``tasks``, with ``macs`` multiply-adds in all, to run between two looks for Ctrl-C."""
    return max(threads, <Py_ssize_t>min(<double>tasks, threads * (UNBROKEN / (macs / tasks + 1))))


cdef void deal(Share* shares, int threads, Py_ssize_t first, Py_ssize_t end) noexcept nogil:
    """Deal the tasks from ``first`` to ``end``, before the team begins."""
    cdef int i
    for i in range(threads):
        shares[i].next = first + part(end - first, threads, i)
        shares[i].end = first + part(end - first, threads, i + 1)


cdef Py_ssize_t take(Share* shares, int threads) noexcept nogil:
    """A task for the thread that asks, which may ask as often as there are tasks, together with the others."""
    cdef int me = thread_number(), i
    cdef Py_ssize_t task = 0
    cdef Share* share
    for i in range(threads):
        share = shares + (me + i) % threads
        task = kn_draw(&share.next, share.end)
        if task < share.end:
            break
    return task
