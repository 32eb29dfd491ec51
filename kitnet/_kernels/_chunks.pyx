"""Sums over a batch in chunks of images: the gradients of weights.

Where the parts of dw are too few to keep the threads busy, the batch is cut into chunks, of a size that depends on the
shape of a sample alone. Each chunk has its own dw, some chunks at a time, and they are added up in order.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange
from libc.string cimport memset

from ._dispatch cimport flush_on, flush_restore
from ._integers cimport up
from ._pool cimport Block as Memory, scratch
from ._tasks cimport Share, deal, take, tasks_at_once
from ._threads cimport team, thread_number

cdef enum:
    CHUNKS = 64             # chunks at a time,
    PARTIAL = 1 << 23       # but no more than this many bytes of them
    AT_ONCE = 2048          # elements that are added up at a time


cdef Py_ssize_t in_chunks(part_of_chunk run, const void* work, Py_ssize_t parts, Py_ssize_t chunks, double macs,
                          int n_threads, Py_ssize_t own_size, real* dweight, Py_ssize_t size, real* dbias,
                          Py_ssize_t bias_size) except -1:
    """Run all parts of all chunks; ``own_size`` is the scratch of a task in bytes. Where ``dweight`` is NULL, only the
    scratch of all is counted."""
    cdef Py_ssize_t task, _, tasks, done, upto, chunk = 0, i, total = size + bias_size
    cdef Py_ssize_t at_once = max(1, min(min(chunks, CHUNKS), PARTIAL // (total * <Py_ssize_t>sizeof(real))))
    cdef int threads = <int>min(<Py_ssize_t>team(n_threads, macs / 16), parts * at_once)
    cdef unsigned long long mode = 0
    own_size = (own_size + 63) // 64 * 64
    cdef Memory memory = scratch(threads * own_size)
    cdef Memory partial = scratch((total * at_once if chunks > 1 else 0) * sizeof(real))
    cdef Memory shares_memory = scratch(threads * sizeof(Share))
    cdef Share* shares = <Share*>shares_memory.data
    cdef real* sums = <real*>partial.data
    if dweight == NULL:
        return memory.size + partial.size
    while chunk < chunks:
        tasks = parts * min(at_once, chunks - chunk)
        done = 0
        while done < tasks:
            upto = min(tasks, done + tasks_at_once(tasks, threads, macs * tasks / (parts * chunks)))
            deal(shares, threads, done, upto)
            with nogil, parallel(num_threads=threads):
                mode = flush_on()
                for _ in prange(done, upto, schedule="dynamic"):
                    task = take(shares, threads)
                    i = task // parts * total
                    if chunks == 1:
                        run(work, task, 0, dweight, dbias, memory.data + thread_number() * own_size)
                    else:
                        run(work, task % parts, chunk + task // parts, sums + i,
                            sums + i + size if dbias != NULL else NULL, memory.data + thread_number() * own_size)
                flush_restore(mode)
            done = upto
            PyErr_CheckSignals()
        if chunks > 1:
            with nogil:
                add_up(sums, tasks // parts, total, size, dweight, chunk > 0, threads)
                if dbias != NULL:
                    add_up(sums + size, tasks // parts, total, bias_size, dbias, chunk > 0, 1)
        chunk += at_once
    return 0


cdef void add_up(const real* sums, Py_ssize_t chunks, Py_ssize_t pitch, Py_ssize_t n, real* to,
                 bint accumulate, int threads) noexcept nogil:
    """to (+)= the chunks' sums, in order."""
    cdef Py_ssize_t block
    for block in prange(up(n, AT_ONCE), num_threads=team(threads, <double>n * chunks / 4), schedule="static"):
        add_block(sums + block * AT_ONCE, chunks, pitch, min(AT_ONCE, n - block * AT_ONCE), to + block * AT_ONCE,
                  accumulate)


cdef void add_block(const real* sums, Py_ssize_t chunks, Py_ssize_t pitch, Py_ssize_t n, real* to,
                    bint accumulate) noexcept nogil:
    """Some elements of that, while they stay in the L1 cache."""
    cdef Py_ssize_t chunk, i
    if not accumulate:
        memset(to, 0, n * sizeof(real))
    for chunk in range(chunks):
        for i in range(n):
            to[i] += sums[chunk * pitch + i]
