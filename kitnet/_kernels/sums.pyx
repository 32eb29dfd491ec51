"""The sums of channels over x (N, C, P): the bias gradient of a transposed convolution.

    parallel, task = one channel of one sample: its sum
    the samples of each channel, in order, in double

Memory is the limit. Each sum has one order, whatever the threads are.
"""

from cython.parallel cimport parallel, prange

from ._dispatch cimport flush_on, flush_restore, kn_ops, table
from ._pool cimport Block, scratch
from ._threads cimport team

ctypedef fused real:
    float
    double


def channel_sums(const real[:, :, ::1] x not None, real[::1] sums not None, int n_threads):
    cdef const kn_ops* ops = table.ops[sizeof(real) == sizeof(double)]
    cdef Py_ssize_t samples = x.shape[0], channels = x.shape[1], pixels = x.shape[2], i, c
    cdef unsigned long long mode = 0
    cdef double total
    if x.size == 0:
        sums[:] = 0
        return
    cdef Block memory = scratch(samples * channels * sizeof(double))
    cdef double* partial = <double*>memory.data
    cdef const real* first = &x[0, 0, 0]
    with nogil, parallel(num_threads=team(n_threads, <double>samples * channels * pixels / 4)):
        mode = flush_on()
        for i in prange(samples * channels, schedule="static"):
            partial[i] = ops.total(first + i * pixels, pixels)
        flush_restore(mode)
    for c in range(channels):
        total = 0
        for i in range(samples):
            total += partial[i * channels + c]
        sums[c] = <real>total
