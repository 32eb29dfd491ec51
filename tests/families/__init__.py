"""What a row of ``cases/`` is: a family of kernels at one size, and the calls that belong to it.

``case.calls(dtype)`` gives kernel calls with seeded inputs; a ``Call`` runs on any set of kernels, any number
of times. The class attributes of a family say which kernel is the gradient of which: tests need no more.
"""

from .base import DTYPES, Array, Arrays, Call, Case
from .elements import Adam, Multiply, Relu, Sgd
from .pooling import AvgPool, LpPool, MaxPool, Resample
from .rows import BatchNorm, CrossEntropy, Linear, Softmax
from .windows import Conv, Im2col, Local, Unfold, Windowed

__all__ = [
    "DTYPES",
    "Adam",
    "Array",
    "Arrays",
    "AvgPool",
    "BatchNorm",
    "Call",
    "Case",
    "Conv",
    "CrossEntropy",
    "Im2col",
    "Linear",
    "Local",
    "LpPool",
    "MaxPool",
    "Multiply",
    "Relu",
    "Resample",
    "Sgd",
    "Softmax",
    "Unfold",
    "Windowed",
]
