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

from .activation import (
    activation_backward,
    activation_forward,
    glu_backward,
    glu_forward,
    prelu_backward,
    prelu_forward,
)
from .columns import col2im, fold, im2col, unfold
from .convolution import channel_sums, conv_backward_data, conv_backward_weight, conv_forward
from .dense import (
    linear_backward_data,
    linear_backward_weight,
    linear_forward,
    local_backward,
    local_forward,
)
from .elementwise import add, multiply
from .lookup import embedding_backward
from .loss import (
    class_targets,
    dice_backward,
    dice_forward,
    loss_backward,
    loss_forward,
    margin_backward,
    margin_forward,
    nll_backward,
    nll_forward,
)
from .moves import pixel_shuffle, pixel_unshuffle, take_rows, unpool_backward, unpool_forward
from .norm import batchnorm_backward, batchnorm_forward, batchnorm_statistics
from .optim import (
    adadelta_step,
    adam_step,
    adamax_step,
    asgd_step,
    average_step,
    factored_direction,
    factored_squares,
    inner,
    lamb_direction,
    lion_step,
    rmsprop_step,
    rprop_step,
    sgd_step,
)
from .pooling import (
    avgpool_backward,
    avgpool_forward,
    lppool_backward,
    lppool_forward,
    maxpool_backward,
    maxpool_forward,
)
from .resample import resample
from .response import response_backward, response_forward
from .rownorm import rownorm_backward, rownorm_forward
from .softmax import (
    cross_entropy_backward,
    cross_entropy_forward,
    log_softmax_backward,
    log_softmax_forward,
    soft_cross_entropy_backward,
    soft_cross_entropy_forward,
    softmax_backward,
    softmax_forward,
)
from .vectors import distance_backward, distance_forward, row_products, row_sums

__all__ = [
    "activation_backward",
    "activation_forward",
    "adadelta_step",
    "adam_step",
    "adamax_step",
    "add",
    "asgd_step",
    "average_step",
    "avgpool_backward",
    "avgpool_forward",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_statistics",
    "channel_sums",
    "class_targets",
    "col2im",
    "conv_backward_data",
    "conv_backward_weight",
    "conv_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dice_backward",
    "dice_forward",
    "distance_backward",
    "distance_forward",
    "embedding_backward",
    "factored_direction",
    "factored_squares",
    "fold",
    "glu_backward",
    "glu_forward",
    "im2col",
    "inner",
    "lamb_direction",
    "linear_backward_data",
    "linear_backward_weight",
    "linear_forward",
    "lion_step",
    "local_backward",
    "local_forward",
    "log_softmax_backward",
    "log_softmax_forward",
    "loss_backward",
    "loss_forward",
    "lppool_backward",
    "lppool_forward",
    "margin_backward",
    "margin_forward",
    "maxpool_backward",
    "maxpool_forward",
    "multiply",
    "nll_backward",
    "nll_forward",
    "pixel_shuffle",
    "pixel_unshuffle",
    "prelu_backward",
    "prelu_forward",
    "resample",
    "response_backward",
    "response_forward",
    "rmsprop_step",
    "row_products",
    "row_sums",
    "rownorm_backward",
    "rownorm_forward",
    "rprop_step",
    "sgd_step",
    "soft_cross_entropy_backward",
    "soft_cross_entropy_forward",
    "softmax_backward",
    "softmax_forward",
    "take_rows",
    "unfold",
    "unpool_backward",
    "unpool_forward",
]
