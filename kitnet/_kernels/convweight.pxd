"""Convolution, backward to the weights: see convweight.pyx; where dw is NULL, see _choice.pxd."""

from ._choice cimport Choice

ctypedef fused real:
    float
    double

cdef Py_ssize_t backward_weight(const Py_ssize_t* y_shape, const Py_ssize_t* x_shape, const Py_ssize_t* w_shape,
                                const real* dy, const real* x, real* dw, real* db, stride, padding, dilation,
                                int groups, int n_threads, Choice* choice) except -1
