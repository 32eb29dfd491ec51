"""What a row of ``cases/`` is: a family of kernels at one size, and the calls that belong to it.

``case.calls(dtype)`` gives kernel calls with seeded inputs; a ``Call`` runs on any set of kernels, any number
of times. The class attributes of a family say which kernel is the gradient of which: tests need no more.
"""

from .base import DTYPES, Array, Arrays, Call, Case
from .elements import Activation, Adam, Glu, Loss, Multiply, PRelu, Sgd
from .pooling import AvgPool, LpPool, MaxPool
from .rows import BatchNorm, CrossEntropy, Linear, LogSoftmax, SoftCrossEntropy, Softmax
from .windows import Conv, Im2col, Local, Unfold, Windowed

__all__ = [
    "DTYPES",
    "Activation",
    "Adam",
    "Array",
    "Arrays",
    "AvgPool",
    "BatchNorm",
    "Call",
    "Case",
    "Conv",
    "CrossEntropy",
    "Glu",
    "Im2col",
    "Linear",
    "Local",
    "LogSoftmax",
    "Loss",
    "LpPool",
    "MaxPool",
    "Multiply",
    "PRelu",
    "Sgd",
    "SoftCrossEntropy",
    "Softmax",
    "Unfold",
    "Windowed",
]
