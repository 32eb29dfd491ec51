"""The compiled kernels under one roof; importing it fails where any of them was not built."""

from ._dispatch import available_isas, isa
from ._pool import Sealed, empty_cache, memory_stats, pooled, sealed
from ._threads import effective_n_threads, get_num_threads, openmp, set_num_threads
from .algorithm import conv_algorithm
from .avgpool import avgpool_backward, avgpool_forward
from .col2im import col2im, fold
from .convolve import conv_backward_data, conv_forward
from .convweight import conv_backward_weight
from .elementwise import activation_backward, activation_forward, add, multiply
from .factored import factored_direction, factored_squares
from .gemm import linear_backward_data, linear_backward_weight, linear_forward
from .im2col import im2col, unfold
from .local import local_backward, local_forward
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
from .lppool import lppool_backward, lppool_forward
from .maxpool import maxpool_backward, maxpool_forward
from .moves import pixel_shuffle, pixel_unshuffle, take_rows, unpool_backward, unpool_forward
from .norm import batchnorm_backward, batchnorm_forward, batchnorm_statistics
from .optim import (
    adadelta_step,
    adam_step,
    adamax_step,
    asgd_step,
    average_step,
    inner,
    lamb_direction,
    lion_step,
    rmsprop_step,
    rprop_step,
    sgd_step,
)
from .peak import mac_peak
from .prelu import glu_backward, glu_forward, prelu_backward, prelu_forward
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
from .sums import channel_sums
from .vectors import distance_backward, distance_forward, row_products, row_sums
from .winograd import get_winograd, set_winograd

__all__ = [
    "Sealed",
    "activation_backward",
    "activation_forward",
    "adadelta_step",
    "adam_step",
    "adamax_step",
    "add",
    "asgd_step",
    "available_isas",
    "average_step",
    "avgpool_backward",
    "avgpool_forward",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_statistics",
    "channel_sums",
    "class_targets",
    "col2im",
    "conv_algorithm",
    "conv_backward_data",
    "conv_backward_weight",
    "conv_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dice_backward",
    "dice_forward",
    "distance_backward",
    "distance_forward",
    "effective_n_threads",
    "embedding_backward",
    "empty_cache",
    "factored_direction",
    "factored_squares",
    "fold",
    "get_num_threads",
    "get_winograd",
    "glu_backward",
    "glu_forward",
    "im2col",
    "inner",
    "isa",
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
    "mac_peak",
    "margin_backward",
    "margin_forward",
    "maxpool_backward",
    "maxpool_forward",
    "memory_stats",
    "multiply",
    "nll_backward",
    "nll_forward",
    "openmp",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pooled",
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
    "sealed",
    "set_num_threads",
    "set_winograd",
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
