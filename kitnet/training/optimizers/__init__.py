"""Optimizers: how gradients change parameters. One kernel call a step for each run of equal options.

Names, arguments and formulas are PyTorch's where it has the optimizer, else those of the paper that is
cited. State arrays have PyTorch's names.
"""

from .adam import Adam, Adamax, AdamW, NAdam, RAdam
from .adaptive import Adadelta, Adagrad, RMSprop, Rprop
from .base import Optimizer
from .groups import Group, Run
from .lbfgs import LBFGS
from .momentum import ASGD, SGD, Lion
from .several import Several
from .whole import LAMB, LARS, Adafactor, Muon

__all__ = [
    "ASGD",
    "LAMB",
    "LARS",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Group",
    "Lion",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Run",
    "Several",
]
