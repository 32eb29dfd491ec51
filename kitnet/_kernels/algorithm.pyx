"""Which way a convolution goes, and why: the kernels themselves are asked, in rehearsal (see _choice.pxd)."""

from ._choice cimport Choice, told
from ._pool cimport Sealed
from .convolve cimport backward_data, forward, real
from .convweight cimport backward_weight


cdef Py_ssize_t rehearse(real* nothing, str kernel, const Py_ssize_t* x, const Py_ssize_t* w, const Py_ssize_t* y,
                         stride, padding, dilation, int groups, int n_threads, Choice* choice) except -1:
    cdef double inf = float("inf")
    cdef Sealed none = None
    if kernel == "conv_forward":
        return forward(x, w, y, nothing, nothing, nothing, nothing, nothing, -inf, inf, stride, padding, dilation,
                       groups, none, n_threads, choice)
    if kernel == "conv_backward_data":
        return backward_data(y, w, x, nothing, nothing, nothing, nothing, -inf, inf, stride, padding, dilation, groups,
                             none, n_threads, choice)
    return backward_weight(y, x, w, nothing, nothing, nothing, nothing, stride, padding, dilation, groups, n_threads,
                           choice)


def conv_algorithm(str kernel, x_shape, weight_shape, y_shape, stride, padding, dilation, int groups, int n_threads,
                   bint single):
    """What ``kernel`` would do: (algorithm, what decided, what decided on the lanes, bytes of workspace).

    Shapes have five axes, as the arrays of the kernels, and no axis of 0; ``single`` stands for float32.
    """
    cdef Choice choice
    cdef Py_ssize_t[5] x, w, y
    cdef Py_ssize_t used
    cdef int i
    for i in range(5):
        x[i], w[i], y[i] = x_shape[i], weight_shape[i], y_shape[i]
    if single:
        used = rehearse(<float*>NULL, kernel, x, w, y, stride, padding, dilation, groups, n_threads, &choice)
    else:
        used = rehearse(<double*>NULL, kernel, x, w, y, stride, padding, dilation, groups, n_threads, &choice)
    return told(&choice, used)
