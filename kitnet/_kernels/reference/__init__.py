"""Every kernel in plain NumPy, written to be read: the specification of the library.

The compiled kernels have the same names and parameters and are tested against these. Callers have checked
all arguments and allocated all outputs, which are overwritten whole. Windowed kernels see images as
(N, C, D, H, W): 1-D and 2-D ones have unit axes in front. ``kernel``, ``out``, ``stride``, ``padding`` and
``dilation`` have one integer per axis D, H, W; ``padding`` is the border before the image, the one after it
follows from the output size. An array of size 0 stands for "absent" (a bias) or "not wanted" (an output).
Sums run in float64, results are rounded once, and ``n_threads`` is ignored.

Shapes: N samples, C channels in, K channels out, D H W an image, OD OH OW an output, KD KH KW a window,
L = OD OH OW.
"""

from .columns import col2im, fold, im2col, unfold
from .convolution import conv_backward_data, conv_backward_weight, conv_forward
from .dense import (
    linear_backward_data,
    linear_backward_weight,
    linear_forward,
    local_backward,
    local_forward,
)
from .elementwise import multiply, relu_backward, relu_forward
from .norm import batchnorm_backward, batchnorm_forward, batchnorm_statistics
from .optim import adam_step, sgd_step
from .pooling import (
    avgpool_backward,
    avgpool_forward,
    lppool_backward,
    lppool_forward,
    maxpool_backward,
    maxpool_forward,
)
from .resample import resample
from .softmax import cross_entropy_backward, cross_entropy_forward, softmax_backward, softmax_forward

__all__ = [
    "adam_step",
    "avgpool_backward",
    "avgpool_forward",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_statistics",
    "col2im",
    "conv_backward_data",
    "conv_backward_weight",
    "conv_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "fold",
    "im2col",
    "linear_backward_data",
    "linear_backward_weight",
    "linear_forward",
    "local_backward",
    "local_forward",
    "lppool_backward",
    "lppool_forward",
    "maxpool_backward",
    "maxpool_forward",
    "multiply",
    "relu_backward",
    "relu_forward",
    "resample",
    "sgd_step",
    "softmax_backward",
    "softmax_forward",
    "unfold",
]
