"""Training: losses, optimizers, schedules, metrics, the training loop and what hangs on it."""

from . import schedules
from .averaging import (
    AveragedModel,
    WeightAveraging,
    get_ema_multi_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)
from .callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from .clipping import clip_grad_norm_, clip_grad_value_, get_total_norm
from .feed import predict
from .history import History
from .losses import CrossEntropyLoss, Loss
from .metrics import accuracy, confusion_matrix
from .optimizers import (
    ASGD,
    LAMB,
    LARS,
    LBFGS,
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Group,
    Lion,
    Muon,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
    Run,
    Several,
)
from .plateau import ReduceLROnPlateau
from .trainer import Trainer

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
    "AveragedModel",
    "CSVLogger",
    "Callback",
    "CrossEntropyLoss",
    "EarlyStopping",
    "Group",
    "History",
    "Lion",
    "Loss",
    "ModelCheckpoint",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Rprop",
    "Run",
    "Several",
    "Trainer",
    "WeightAveraging",
    "accuracy",
    "clip_grad_norm_",
    "clip_grad_value_",
    "confusion_matrix",
    "get_ema_multi_avg_fn",
    "get_swa_multi_avg_fn",
    "get_total_norm",
    "predict",
    "schedules",
    "update_bn",
]
