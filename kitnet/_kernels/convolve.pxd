"""Convolution, forward and backward to the data: see convolve.pyx; where the results are NULL, see _choice.pxd."""

from ._choice cimport Choice
from ._pool cimport Sealed

ctypedef fused real:
    float
    double

cdef Py_ssize_t forward(const Py_ssize_t* x_shape, const Py_ssize_t* w_shape, const Py_ssize_t* y_shape,
                        const real* x, const real* weight, const real* bias, const real* residual, real* y,
                        double low, double high, stride, padding, dilation, int groups, Sealed sealed,
                        int n_threads, Choice* choice) except -1
cdef Py_ssize_t backward_data(const Py_ssize_t* y_shape, const Py_ssize_t* w_shape, const Py_ssize_t* x_shape,
                              const real* dy, const real* weight, const real* bias, real* dx, double low, double high,
                              stride, padding, dilation, int groups, Sealed sealed, int n_threads,
                              Choice* choice) except -1
