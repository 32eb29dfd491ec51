"""What a row of ``cases/`` is: a family of kernels at one size, and the calls that belong to it.

``case.calls(dtype)`` gives kernel calls with seeded inputs; a ``Call`` runs on any set of kernels, any number
of times. The class attributes of a family say which kernel is the gradient of which: tests need no more.
"""

from .base import DTYPES, Array, Arrays, Call, Case
from .elements import Activation, Add, Glu, Multiply, PRelu
from .losses import ClassTargets, CrossEntropy, Dice, Loss, Margin, Nll, SoftCrossEntropy
from .moves import PixelShuffle, TakeRows, Unpool
from .pooling import AvgPool, LpPool, MaxPool, Resample
from .rows import (
    BatchNorm,
    Embedding,
    Linear,
    LogSoftmax,
    Response,
    RowNorm,
    Softmax,
)
from .updates import (
    Adadelta,
    Adam,
    Adamax,
    Asgd,
    Average,
    Factored,
    Inner,
    Lamb,
    Lion,
    Rmsprop,
    Rprop,
    Sgd,
    Update,
)
from .vectors import Distance, RowProducts, RowSums
from .windows import Conv, ConvTranspose, Im2col, Local, Unfold, Windowed

__all__ = [
    "DTYPES",
    "Activation",
    "Adadelta",
    "Adam",
    "Adamax",
    "Add",
    "Array",
    "Arrays",
    "Asgd",
    "Average",
    "AvgPool",
    "BatchNorm",
    "Call",
    "Case",
    "ClassTargets",
    "Conv",
    "ConvTranspose",
    "CrossEntropy",
    "Dice",
    "Distance",
    "Embedding",
    "Factored",
    "Glu",
    "Im2col",
    "Inner",
    "Lamb",
    "Linear",
    "Lion",
    "Local",
    "LogSoftmax",
    "Loss",
    "LpPool",
    "Margin",
    "MaxPool",
    "Multiply",
    "Nll",
    "PRelu",
    "PixelShuffle",
    "Resample",
    "Response",
    "Rmsprop",
    "RowNorm",
    "RowProducts",
    "RowSums",
    "Rprop",
    "Sgd",
    "SoftCrossEntropy",
    "Softmax",
    "TakeRows",
    "Unfold",
    "Unpool",
    "Update",
    "Windowed",
]
