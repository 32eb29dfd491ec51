"""Optimizer steps: the one family of functions that changes its arguments, in place.

They run over whole parameter arrays, best over a model's one flat array (``model.flat_data``,
``model.flat_grad``); ``lars_step``, ``lamb_step``, ``adafactor_step`` and ``muon_step``, which look at a
parameter as a whole, run over one parameter at a time.
"""

from .adam import adam_step, adamax_step, nadam_step, radam_step
from .adaptive import adadelta_step, adagrad_step, rmsprop_step, rprop_step
from .factored import adafactor_step
from .momentum import asgd_step, average_step, lion_step, sgd_step
from .whole import lamb_step, lars_step, muon_step

__all__ = [
    "adadelta_step",
    "adafactor_step",
    "adagrad_step",
    "adam_step",
    "adamax_step",
    "asgd_step",
    "average_step",
    "lamb_step",
    "lars_step",
    "lion_step",
    "muon_step",
    "nadam_step",
    "radam_step",
    "rmsprop_step",
    "rprop_step",
    "sgd_step",
]
