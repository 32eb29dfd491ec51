"""Learning-rate schedules: pure functions from the number of steps taken, and a rate, to a rate.

An optimizer takes one as its ``schedule``, and calls it with its own ``lr`` in each step. So there is
nothing to save, and nothing to forget to call; a resumed run has the rates of the one that was stopped. A
plain function from the number of steps to a factor of ``lr`` is a schedule, too. Names, arguments and
values are those of ``torch.optim.lr_scheduler``, where one step of the scheduler is one of ours:
``PerEpoch`` makes it an epoch. ``kitnet.training.ReduceLROnPlateau``, which looks at the results, is a
callback.
"""

from .base import Constant, LambdaLR, MultiplicativeLR, Schedule, as_schedule
from .compose import SWALR, ChainedScheduler, PerEpoch, SequentialLR, Warmup
from .decay import ConstantLR, ExponentialLR, LinearLR, MultiStepLR, PolynomialLR, StepLR
from .waves import Cosine, CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR

__all__ = [
    "SWALR",
    "ChainedScheduler",
    "Constant",
    "ConstantLR",
    "Cosine",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PerEpoch",
    "PolynomialLR",
    "Schedule",
    "SequentialLR",
    "StepLR",
    "Warmup",
    "as_schedule",
]
