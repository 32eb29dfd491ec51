"""What broke other libraries: a table of bad calls, the error, and the argument that it names.

The rows follow the CVEs against the kernels of TensorFlow, PyTorch and ONNX Runtime.
"""

import math

import numpy as np
import pytest
from functional.bad_elements import ACTIVATIONS, ELEMENTS, LOSSES, ints, zeros

from kitnet import functional as F

X, W, DY = zeros(2, 4, 6, 6), zeros(4, 4, 3, 3), zeros(2, 4, 4, 4)
V = ValueError
T = TypeError

CONVOLUTION = [
    # empty arrays: divisions by zero, null pointers (CVE-2021-29517, -29522 .. -29527, -29538, -41209)
    (lambda: F.conv2d(zeros(2, 0, 6, 6), W), V, "x"),
    (lambda: F.conv2d(zeros(2, 4, 0, 6), W), V, "x"),
    (lambda: F.conv2d(zeros(2, 4, 6, 0), W), V, "x"),
    (lambda: F.conv2d(zeros(2, 4, 0, 6), W, padding=3), V, "x"),
    (lambda: F.conv3d(zeros(2, 4, 0, 6, 6), zeros(4, 4, 3, 3, 3), padding=2), V, "x"),
    (lambda: F.conv1d(zeros(2, 4, 0), zeros(4, 4, 3)), V, "x"),
    (lambda: F.conv2d(X, zeros(0, 4, 3, 3)), V, "weight"),
    (lambda: F.conv2d(X, zeros(4, 0, 3, 3)), V, "weight"),
    (lambda: F.conv2d(X, zeros(4, 4, 0, 3)), V, "weight"),
    (lambda: F.conv2d(X, zeros(4, 4, 3, 0)), V, "weight"),
    (lambda: F.conv2d(zeros(2, 0, 6, 6), zeros(4, 0, 3, 3)), V, "x"),
    (lambda: F.conv2d_backward(DY, zeros(2, 4, 0, 6), W), V, "x"),
    (lambda: F.conv2d_backward(DY, X, zeros(4, 4, 3, 0)), V, "weight"),
    (lambda: F.conv2d_backward(DY, X, zeros(0, 4, 3, 3)), V, "weight"),
    (lambda: F.conv2d(X, W, zeros(0)), V, "bias"),
    (lambda: F.linear(zeros(2, 0), zeros(3, 0)), V, "weight"),
    (lambda: F.linear(zeros(2, 4), zeros(0, 4)), V, "weight"),
    (lambda: F.locally_connected1d(zeros(1, 1, 7), zeros(5, 1, 1, 0)), V, "weight"),
    (lambda: F.locally_connected1d(zeros(1, 1, 7), zeros(0, 1, 1, 3)), V, "weight"),
    # strides, dilations, groups (CVE-2021-29594, -29602; ONNX Runtime's strides=[0,1])
    (lambda: F.conv2d(X, W, stride=0), V, "stride"),
    (lambda: F.conv2d(X, W, stride=(0, 1)), V, "stride"),
    (lambda: F.conv2d(X, W, stride=-1), V, "stride"),
    (lambda: F.conv2d(X, W, stride=(1,)), V, "stride"),
    (lambda: F.conv2d(X, W, stride=(1, 1, 1)), V, "stride"),
    (lambda: F.conv2d(X, W, stride=2**31), V, "stride"),
    (lambda: F.conv2d(X, W, stride=10**30), V, "stride"),
    (lambda: F.conv2d(X, W, stride=1.5), T, "stride"),
    (lambda: F.conv2d(X, W, stride=None), T, "stride"),
    (lambda: F.conv2d(X, W, stride=True), T, "stride"),
    (lambda: F.conv2d(X, W, stride=(1, True)), T, "stride"),
    (lambda: F.conv2d(X, W, stride="1"), T, "stride"),
    (lambda: F.conv2d(X, W, stride=[[1], [1]]), T, "stride"),
    (lambda: F.conv2d(X, W, dilation=0), V, "dilation"),
    (lambda: F.conv2d(X, W, dilation=(1, -2)), V, "dilation"),
    (lambda: F.conv2d(X, W, dilation=2.0), T, "dilation"),
    (lambda: F.conv2d(X, W, dilation=3), V, "weight"),  # a window of 7 on an image of 6
    (lambda: F.conv2d(X, W, dilation=2**31 - 1), V, "weight"),
    (lambda: F.conv2d(X, W, groups=0), V, "groups"),
    (lambda: F.conv2d(X, W, groups=-1), V, "groups"),
    (lambda: F.conv2d(X, W, groups=3), V, "groups"),
    (lambda: F.conv2d(X, zeros(3, 2, 3, 3), groups=2), V, "groups"),
    (lambda: F.conv2d(X, W, groups=1.0), T, "groups"),
    (lambda: F.conv2d(X, W, groups=True), T, "groups"),
    (lambda: F.conv2d(X, W, groups=2), V, "weight"),
    (lambda: F.conv2d(X, zeros(4, 3, 3, 3)), V, "weight"),
    (lambda: F.conv2d(X, zeros(4, 4, 7, 3)), V, "weight"),
    # padding
    (lambda: F.conv2d(X, W, padding=-1), V, "padding"),
    (lambda: F.conv2d(X, W, padding=(0, -1)), V, "padding"),
    (lambda: F.conv2d(X, W, padding=((0, 0), (0, -1))), V, "padding"),
    (lambda: F.conv2d(X, W, padding=((0, 0),)), V, "padding"),
    (lambda: F.conv2d(X, W, padding=((0,), (0,))), V, "padding"),
    (lambda: F.conv2d(X, W, padding=(1, (1, 1))), T, "padding"),
    (lambda: F.conv2d(X, W, padding=()), V, "padding"),
    (lambda: F.conv2d(X, W, padding="full"), V, "padding"),
    (lambda: F.conv2d(X, W, padding=0.5), T, "padding"),
    (lambda: F.conv2d(X, W, padding=None), T, "padding"),
    # sizes whose product overflows (CVE-2021-41197, -29520)
    (lambda: F.conv2d(X, W, padding=2**31 - 1), V, "padding"),
    (lambda: F.conv2d(X, W, padding=2**30 - 8), V, "padding"),
    (lambda: F.conv3d(zeros(1, 1, 1, 1, 1), zeros(1, 1, 1, 1, 1), padding=2**30 - 1), V, "padding"),
    (lambda: F.im2col(X, 2**20, padding=2**20), V, "kernel_size"),
    (lambda: F.unfold(X, 2**20, padding=2**20), V, "kernel_size"),
    # gradients and biases of other shapes (CVE-2021-29520, -29540, CVE-2022-35969)
    (lambda: F.conv2d(X, W, zeros(3)), V, "bias"),
    (lambda: F.conv2d(X, W, zeros(4, 1)), V, "bias"),
    (lambda: F.conv2d_backward(zeros(3, 4, 4, 4), X, W), V, "dy"),
    (lambda: F.conv2d_backward(zeros(2, 3, 4, 4), X, W), V, "dy"),
    (lambda: F.conv2d_backward(zeros(2, 4, 5, 4), X, W), V, "dy"),
    (lambda: F.conv2d_backward(zeros(2, 4, 4, 3), X, W), V, "dy"),
    (lambda: F.conv2d_backward(zeros(2, 4, 0, 4), X, W), V, "dy"),
    (lambda: F.conv2d_backward(DY, X, W, dilation=2), V, "dy"),  # forward had 1 (CVE-2021-29566)
    (lambda: F.conv2d_backward(DY, X, W, stride=2), V, "dy"),
    (lambda: F.conv3d_backward(zeros(1, 1, 1, 1, 1), zeros(1, 1, 2, 9, 9), zeros(1, 1, 2, 2, 2), (1, 89, 0)),
     V, "stride"),
    (lambda: F.linear_backward(zeros(2, 4), zeros(2, 3), zeros(5, 3)), V, "dy"),
    (lambda: F.linear(zeros(2, 4), zeros(3, 5)), V, "x"),
    (lambda: F.linear(zeros(2, 4), zeros(3, 4), zeros(4)), V, "bias"),
    (lambda: F.locally_connected1d(zeros(1, 1, 7), zeros(4, 1, 1, 3)), V, "weight"),
    (lambda: F.locally_connected1d(zeros(1, 2, 7), zeros(5, 1, 1, 3)), V, "weight"),
    # fused activation
    (lambda: F.conv2d(X, W, clip=(1, 0)), V, "clip"),
    (lambda: F.conv2d(X, W, clip=(0, math.nan)), V, "clip"),
    (lambda: F.conv2d(X, W, clip=(0,)), T, "clip"),
    (lambda: F.conv2d(X, W, clip=("0", "1")), T, "clip"),
    (lambda: F.linear(zeros(2, 4), zeros(3, 4), clip=0), T, "clip"),
    # what is added
    (lambda: F.conv2d(X, W, residual=zeros(1)), V, "residual"),
    (lambda: F.conv2d(X, W, residual=X), V, "residual"),
    (lambda: F.conv2d(X[0], W, residual=F.conv2d(X, W)), V, "residual"),
    (lambda: F.conv2d(X, W, residual=F.conv2d(X, W).astype(np.float64)), T, "residual"),
    (lambda: F.conv2d(X, W, residual=F.conv2d(X, W).tolist()), T, "residual"),
]  # fmt: skip

TRANSPOSED = [
    (lambda: F.conv_transpose2d(zeros(2, 0, 6, 6), W), V, "x"),
    (lambda: F.conv_transpose2d(zeros(2, 4, 0, 6), W), V, "x"),
    (lambda: F.conv_transpose2d(zeros(2, 3, 6, 6), W), V, "weight"),
    (lambda: F.conv_transpose2d(X, zeros(4, 0, 3, 3)), V, "weight"),
    (lambda: F.conv_transpose2d(X, W, groups=3), V, "groups"),
    (lambda: F.conv_transpose2d(X, W, groups=0), V, "groups"),
    (lambda: F.conv_transpose2d(X, W, zeros(4), groups=2), V, "bias"),  # there are 8
    (lambda: F.conv_transpose2d(X, W, stride=0), V, "stride"),
    (lambda: F.conv_transpose2d(X, W, stride=2**31 - 1), V, "stride"),
    (lambda: F.conv_transpose2d(X, W, stride=2**28), V, "stride"),  # no memory for 2^60 numbers
    (lambda: F.conv_transpose2d(X, W, dilation=2**31 - 1), V, "stride"),
    (lambda: F.conv_transpose2d(X, W, padding=4), V, "padding"),
    (lambda: F.conv_transpose2d(X, W, padding=2**31 - 1), V, "padding"),
    (lambda: F.conv_transpose2d(X, W, padding="full"), V, "padding"),
    (lambda: F.conv_transpose2d(X, W, output_padding=1), V, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, output_padding=2), V, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=(2, 1), output_padding=1), V, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, output_padding=-1), V, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, output_padding=(1,)), V, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, output_padding=0.5), T, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, output_padding=None), T, "output_padding"),
    (lambda: F.conv_transpose2d(X, W, stride=2, padding="same", output_padding=1), V, "output_padding"),
    (lambda: F.conv_transpose2d_backward(zeros(2, 4, 8, 7), X, W), V, "dy"),
    (lambda: F.conv_transpose2d_backward(zeros(2, 4, 8, 8), X, W, 2), V, "dy"),
    (lambda: F.conv_transpose2d(X, W, clip=(1, 0)), V, "clip"),
]

PADDING = [
    (lambda: F.pad(X, 1), T, "pad"),
    (lambda: F.pad(X, None), T, "pad"),
    (lambda: F.pad(X, "11"), T, "pad"),
    (lambda: F.pad(X, (1, 1.0)), T, "pad"),
    (lambda: F.pad(X, (1, True)), T, "pad"),
    (lambda: F.pad(X, (1,)), V, "pad"),
    (lambda: F.pad(X, ()), V, "pad"),
    (lambda: F.pad(X, (1,) * 10), V, "pad"),
    (lambda: F.pad(X, (2**40, 0)), V, "pad"),
    (lambda: F.pad(X, (2**31 - 6, 0)), V, "pad"),
    (lambda: F.pad(X, (2**30, 0, 2**30, 0)), V, "pad"),
    (lambda: F.pad(X, (-3, -3)), V, "pad"),
    (lambda: F.pad(X, (-7, 9)), V, "pad"),
    (lambda: F.pad(X, (6, 0), "reflect"), V, "pad"),
    (lambda: F.pad(X, (0, 7), "circular"), V, "pad"),
    (lambda: F.pad(X, (0, -1), "replicate"), V, "pad"),
    (lambda: F.pad(zeros(2, 0), (0, 1), "replicate"), V, "pad"),
    (lambda: F.pad(zeros(2, 0), (0, 1), "circular"), V, "pad"),
    (lambda: F.pad(X, (1, 1), "edge"), V, "mode"),
    (lambda: F.pad(X, (1, 1), None), V, "mode"),
    (lambda: F.pad(X, (1, 1), "reflect", 1.0), V, "value"),
    (lambda: F.pad(X, (1, 1), value=math.nan), V, "value"),
    (lambda: F.pad(X, (1, 1), value=None), T, "value"),
    (lambda: F.pad_backward(X, (2, 4, 6, 4), (1, 2)), V, "dy"),
    (lambda: F.pad_backward(X, (2, 4, 6), (1, 2)), V, "dy"),
    (lambda: F.pad_backward(X, 6, (1, 2)), T, "input_shape"),
    (lambda: F.pad_backward(X, (2, 4, -6, 4), (1, 1)), V, "input_shape"),
    (lambda: F.pad_backward(X, (2, 4, 6, 3), (3, 0), "reflect"), V, "pad"),
]

POOLING = [
    # windows (CVE-2022-35941, CVE-2021-41196, -29586, -37684, CVE-2025-2953)
    (lambda: F.max_pool2d(X, 0), V, "kernel_size"),
    (lambda: F.max_pool2d(X, -1), V, "kernel_size"),
    (lambda: F.max_pool2d(X, (2, 0)), V, "kernel_size"),
    (lambda: F.max_pool2d(X, (2, 2, 2)), V, "kernel_size"),
    (lambda: F.max_pool2d(X, ()), V, "kernel_size"),
    (lambda: F.max_pool2d(X, 7), V, "kernel_size"),
    (lambda: F.max_pool2d(X, 2.0), T, "kernel_size"),
    (lambda: F.max_pool2d(X, "22"), T, "kernel_size"),
    (lambda: F.max_pool2d(X, None), T, "kernel_size"),
    (lambda: F.max_pool3d(zeros(1, 1, 4, 4, 4), (2, 2, -1)), V, "kernel_size"),
    (lambda: F.avg_pool2d(X, 0), V, "kernel_size"),
    (lambda: F.sum_pool1d(zeros(1, 1, 4), 5), V, "kernel_size"),
    (lambda: F.lp_pool2d(X, 2, (0, 2)), V, "kernel_size"),
    (lambda: F.max_pool2d(X, 2, 0), V, "stride"),
    (lambda: F.max_pool2d(X, 2, (0, 1)), V, "stride"),
    (lambda: F.avg_pool2d(X, 2, (1, 0)), V, "stride"),
    (lambda: F.lp_pool2d(X, 2, 2, -2), V, "stride"),
    (lambda: F.max_pool2d(X, 2, dilation=0), V, "dilation"),
    (lambda: F.max_pool2d(X, 2, padding=-1), V, "padding"),
    (lambda: F.max_pool2d(X, 2, padding=2), V, "padding"),
    (lambda: F.max_pool2d(X, 3, padding=((1, 2), (0, 0))), V, "padding"),
    (lambda: F.avg_pool2d(X, 3, padding=2), V, "padding"),
    (lambda: F.sum_pool2d(X, 1, padding=1), V, "padding"),
    (lambda: F.lp_pool2d(X, 2, 3, padding=2), V, "padding"),
    (lambda: F.max_pool1d(zeros(1, 1, 1), 2, 1, 1, 2), V, "dilation"),  # both taps beside the only cell
    (lambda: F.max_pool2d(zeros(2, 0, 6, 6), 2), V, "x"),
    (lambda: F.max_pool2d(zeros(2, 4, 6, 0), 2, padding=1), V, "x"),
    (lambda: F.avg_pool2d(zeros(2, 4, 0, 6), 2, padding=1), V, "x"),
    (lambda: F.max_pool2d(zeros(0, 1, 2**16, 2**16), 2), V, "x"),  # indices have 32 bits
    (lambda: F.max_pool2d(zeros(6, 6), 2), V, "x"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=0), V, "divisor_override"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=-2), V, "divisor_override"),
    (lambda: F.avg_pool2d(X, 2, divisor_override=1.5), T, "divisor_override"),
    (lambda: F.lp_pool2d(X, 0, 2), V, "norm_type"),
    (lambda: F.lp_pool2d(X, 0.5, 2), V, "norm_type"),
    (lambda: F.lp_pool2d(X, math.nan, 2), V, "norm_type"),
    (lambda: F.lp_pool2d(X, 10**400, 2), V, "norm_type"),
    (lambda: F.lp_pool2d(X, "2", 2), T, "norm_type"),
    (lambda: F.lp_pool2d(X, True, 2), T, "norm_type"),
    # saved indices (CVE-2021-29569 .. -29571, -29573, -29579, -37674)
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4, fill=36), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4, fill=-1), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, np.full(DY.shape, 2**32), X.shape), V, "indices"),  # 0 in 32 bits
    (lambda: F.max_pool2d_backward(DY, np.full(DY.shape, 2**64 - 1, np.uint64), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, np.full(DY.shape, -1, ">i8"), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, np.full(DY.shape, 36, ">i8"), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 3), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, ints(0), X.shape), V, "indices"),
    (lambda: F.max_pool2d_backward(DY, zeros(2, 4, 4, 4), X.shape), T, "indices"),
    (lambda: F.max_pool2d_backward(zeros(2, 4, 0, 4), ints(2, 4, 0, 4), X.shape), V, "dy"),
    (lambda: F.max_pool2d_backward(zeros(2, 0, 4, 4), ints(2, 0, 4, 4), X.shape), V, "dy"),
    # input shapes that are believed (CVE-2021-29577, CVE-2022-35959, CVE-2023-25664, CVE-2022-29196)
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 3, 6, 6)), V, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 4, 6, -6)), V, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 4, 6, 0)), V, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 4, 6)), V, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 4, 2**16, 2**16)), V, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), 6), T, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), None), T, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), np.ones((4, 4), int)), T, "input_shape"),
    (lambda: F.max_pool2d_backward(DY, ints(2, 4, 4, 4), (2, 4, 6.0, 6)), T, "input_shape"),
    (lambda: F.avg_pool2d_backward(DY, (2, 4, 6, 7), 3, 1), V, "dy"),
    (lambda: F.avg_pool2d_backward(DY, (2, 3, 6, 6), 3, 1), V, "dy"),
    (lambda: F.avg_pool2d_backward(DY, (2, 4, -536870912, 6), 3, 1), V, "input_shape"),
    (lambda: F.avg_pool2d_backward(DY, (2, 4, 1879048192, 6), 3, 1), V, "dy"),
    (lambda: F.avg_pool2d_backward(DY, (2, 4, 0, 6), 3, 1, 1), V, "input_shape"),
    (lambda: F.avg_pool2d_backward(DY, (2, 4, 2, 2), 3, 1), V, "kernel_size"),
    (lambda: F.avg_pool2d_backward(zeros(1, 1, 1, 1), (1, 1, 2**31 - 1, 2**31 - 1), 2**31 - 1),
     V, "input_shape"),
    (lambda: F.avg_pool3d_backward(zeros(1, 1, 1, 1, 1), (1, 1, 4), 4), V, "input_shape"),
    (lambda: F.lp_pool2d_backward(zeros(2, 4, 4, 3), X, DY, 2, 3, 1), V, "dy"),
    (lambda: F.lp_pool2d_backward(DY, X, zeros(2, 4, 3, 4), 2, 3, 1), V, "y"),
]  # fmt: skip

WINDOWS = [
    (lambda: F.unfold(X, 7), V, "kernel_size"),
    (lambda: F.unfold(X, 2, stride=0), V, "stride"),
    (lambda: F.unfold(X, 2, dilation=0), V, "dilation"),
    (lambda: F.unfold(zeros(2, 4), 2), V, "x"),
    (lambda: F.unfold(zeros(1, 1, 1, 1, 1, 1), 1), V, "x"),
    (lambda: F.im2col(zeros(1, 1, 0, 3), 1, padding=1), V, "x"),
    (lambda: F.fold(zeros(1, 9, 4), (3, 3), 2), V, "cols"),
    (lambda: F.fold(zeros(1, 8, 5), (3, 3), 2), V, "cols"),
    (lambda: F.fold(zeros(1, 0, 4), (3, 3), 2), V, "cols"),
    (lambda: F.fold(zeros(8, 4), (3, 3), 2), V, "cols"),
    (lambda: F.fold(zeros(1, 8, 4), (0, 3), 2, padding=1), V, "output_size"),
    (lambda: F.fold(zeros(1, 8, 4), (3, -3), 2), V, "output_size"),
    (lambda: F.fold(zeros(1, 8, 4), (3, 3, 3, 3), 2), V, "output_size"),
    (lambda: F.fold(zeros(1, 8, 4), (3, 3.0), 2), T, "output_size"),
    (lambda: F.fold(zeros(1, 8, 4), None, 2), T, "output_size"),
    (lambda: F.fold(zeros(1, 1, 1), 2**31 - 1, 1, stride=2**31 - 1), V, "output_size"),
    (lambda: F.col2im(zeros(4, 5), (1, 1, 3, 3), 2), V, "cols"),
    (lambda: F.col2im(zeros(5, 4), (1, 1, 3, 3), 2), V, "cols"),
    (lambda: F.col2im(zeros(2, 2, 4), (1, 1, 3, 3), 2), V, "cols"),
    (lambda: F.col2im(zeros(4, 4), (1, 1), 2), V, "input_shape"),
    (lambda: F.col2im(zeros(4, 4), 9, 2), T, "input_shape"),
    (lambda: F.col2im(zeros(4, 4), (1, 0, 3, 3), 2), V, "input_shape"),
]


def frozen(array):
    array.flags.writeable = False
    return array


P = zeros(6)
STEPS = [
    (lambda: F.sgd_step(frozen(zeros(6)), zeros(6)), V, "param"),
    (lambda: F.sgd_step(zeros(12)[::2], zeros(6)), V, "param"),
    (lambda: F.sgd_step(np.asfortranarray(zeros(2, 3)), zeros(2, 3)), V, "param"),
    (lambda: F.sgd_step(zeros(6), zeros(7)), V, "grad"),
    (lambda: F.sgd_step(zeros(6), zeros(2, 3)), V, "grad"),
    (lambda: F.sgd_step(P, P), V, "grad"),
    (lambda: F.sgd_step(P[:4], P[2:]), V, "grad"),
    (lambda: F.sgd_step(zeros(6), P, P, momentum=0.9), V, "velocity"),
    (lambda: F.sgd_step(zeros(6), zeros(6), zeros(5), momentum=0.9), V, "velocity"),
    (lambda: F.sgd_step(zeros(6), zeros(6), frozen(zeros(6)), momentum=0.9), V, "velocity"),
    (lambda: F.sgd_step(zeros(6), zeros(6), None, momentum=0.9), V, "velocity"),
    (lambda: F.sgd_step(zeros(6), zeros(6), lr=-1), V, "lr"),
    (lambda: F.sgd_step(zeros(6), zeros(6), lr=math.nan), V, "lr"),
    (lambda: F.sgd_step(zeros(6), zeros(6), lr="1"), T, "lr"),
    (lambda: F.sgd_step(zeros(6), zeros(6), zeros(6), momentum=-0.5), V, "momentum"),
    (lambda: F.sgd_step(zeros(6), zeros(6), dampening=-1), V, "dampening"),
    (lambda: F.sgd_step(zeros(6), zeros(6), weight_decay=-1), V, "weight_decay"),
    (lambda: F.sgd_step(zeros(6), zeros(6), nesterov=True), V, "nesterov"),
    (lambda: F.sgd_step(zeros(6), zeros(6), zeros(6), 0.1, 0.9, 0.1, nesterov=True), V, "nesterov"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(5), zeros(6), 1), V, "m"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6)[::-1], 1), V, "v"),
    (lambda: F.adam_step(zeros(6), zeros(6), P, P, 1), V, "v"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6), 0), V, "step"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6), 1.0), T, "step"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6), 1, beta1=1.0), V, "beta1"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6), 1, beta2=-0.1), V, "beta2"),
    (lambda: F.adam_step(zeros(6), zeros(6), zeros(6), zeros(6), 1, eps=-1), V, "eps"),
]


@pytest.mark.parametrize(
    ("wrong", "error", "argument"),
    [*CONVOLUTION, *TRANSPOSED, *PADDING, *POOLING, *WINDOWS, *ELEMENTS, *ACTIVATIONS, *LOSSES, *STEPS],
)
def test_bad_arguments_are_refused_by_name(wrong, error, argument):
    with pytest.raises(error, match=rf"^{argument}: expected .*, got "):
        wrong()


def test_huge_strides_are_no_error():
    """CVE-2021-29522 took strides (1, 89, 29)."""
    y = F.conv3d(zeros(1, 1, 2, 3, 3) + 1, zeros(1, 1, 2, 2, 2) + 1, stride=(1, 89, 29))
    np.testing.assert_array_equal(y, [[[[[8]]]]])


def test_a_step_that_is_refused_changes_nothing():
    arrays = [zeros(6) + i for i in range(4)]
    with pytest.raises(ValueError, match=r"^v: "):
        F.adam_step(*arrays[:3], zeros(5), 1)
    with pytest.raises(ValueError, match=r"^lr: "):
        F.adam_step(*arrays, 1, lr=-1)
    for i, array in enumerate(arrays):
        np.testing.assert_array_equal(array, np.full(6, i))
