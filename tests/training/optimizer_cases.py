"""One row for each optimizer, and for each kind of state that it may have; and how they are tried."""

import numpy as np

from kitnet import training
from kitnet.layers import Linear
from kitnet.training import (
    ASGD,
    LAMB,
    LARS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
    Several,
)

GROUPS = [{"params": "*.bias", "weight_decay": 0.5, "lr": 0.02}, {"params": "*"}]

MAKE = {
    "sgd": lambda model, lr: SGD(model, lr),
    "momentum": lambda model, lr: SGD(model, lr, momentum=0.9, dampening=0.2),
    "groups": lambda model, lr: SGD(model, lr, momentum=0.9, params=GROUPS),
    "adam": lambda model, lr: Adam(model, lr),
    "amsgrad": lambda model, lr: Adam(model, lr, amsgrad=True),
    "adamw": lambda model, lr: AdamW(model, lr, params=GROUPS),
    "adamax": lambda model, lr: Adamax(model, lr),
    "nadam": lambda model, lr: NAdam(model, lr, params=GROUPS),
    "radam": lambda model, lr: RAdam(model, lr),
    "adagrad": lambda model, lr: Adagrad(model, lr, lr_decay=0.1, initial_accumulator_value=0.1),
    "adadelta": lambda model, lr: Adadelta(model, lr),
    "rmsprop": lambda model, lr: RMSprop(model, lr, momentum=0.5, centered=True, eps=0.01),
    "rprop": lambda model, lr: Rprop(model, lr),
    "asgd": lambda model, lr: ASGD(model, lr, t0=2, lambd=0.1),
    "lion": lambda model, lr: Lion(model, lr),
    "lars": lambda model, lr: LARS(model, lr, trust_coefficient=0.1),
    "lamb": lambda model, lr: LAMB(model, lr, weight_decay=0.1),
    "adafactor": lambda model, lr: Adafactor(model, lr),
    "muon": lambda model, lr: Several(
        [Muon(model, lr, params="6.weight"), AdamW(model, lr, params="[0-5].*")]
    ),
    "one cycle": lambda model, lr: Adam(model, schedule=training.schedules.OneCycleLR(lr, 10)),
}


def classes():
    """Every optimizer of the package."""
    everything = (getattr(training, name) for name in training.__all__)
    return {thing for thing in everything if isinstance(thing, type) and issubclass(thing, Optimizer)}


def gradients(size, steps=4, seed=3):
    return np.random.default_rng(seed).normal(size=(steps, size))


def train(make, dtype, steps=4, build=lambda dtype: Linear(3, 2, dtype=dtype, rng=np.random.default_rng(0))):
    """The flat parameters at the start, and after each step on fixed gradients."""
    optimizer = make(build(dtype))
    start, path = optimizer.data.copy(), []
    for gradient in gradients(optimizer.data.size, steps):
        optimizer.grad[...] = gradient
        optimizer.step()
        path.append(optimizer.data.copy())
    return start.astype(float), path
