"""The compiled kernels under one roof; importing it fails where any of them was not built."""

from ._dispatch import available_isas, isa
from ._pool import empty_cache, memory_stats, pooled
from ._threads import effective_n_threads, get_num_threads, openmp, set_num_threads
from .avgpool import avgpool_backward, avgpool_forward
from .col2im import col2im, fold
from .conv import conv_backward_data, conv_forward
from .convweight import conv_backward_weight
from .elementwise import multiply, relu_backward, relu_forward
from .gemm import linear_backward_data, linear_backward_weight, linear_forward
from .im2col import im2col, unfold
from .local import local_backward, local_forward
from .lppool import lppool_backward, lppool_forward
from .maxpool import maxpool_backward, maxpool_forward
from .norm import batchnorm_backward, batchnorm_forward, batchnorm_statistics
from .optim import adam_step, sgd_step
from .resample import resample
from .softmax import cross_entropy_backward, cross_entropy_forward, softmax_backward, softmax_forward
from .winograd import get_winograd, set_winograd

__all__ = [
    "adam_step",
    "available_isas",
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
    "effective_n_threads",
    "empty_cache",
    "fold",
    "get_num_threads",
    "get_winograd",
    "im2col",
    "isa",
    "linear_backward_data",
    "linear_backward_weight",
    "linear_forward",
    "local_backward",
    "local_forward",
    "lppool_backward",
    "lppool_forward",
    "maxpool_backward",
    "maxpool_forward",
    "memory_stats",
    "multiply",
    "openmp",
    "pooled",
    "relu_backward",
    "relu_forward",
    "resample",
    "set_num_threads",
    "set_winograd",
    "sgd_step",
    "softmax_backward",
    "softmax_forward",
    "unfold",
]
