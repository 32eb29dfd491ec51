"""Training: losses, optimizers, schedules, metrics, the training loop and what hangs on it."""

from . import schedules
from .callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from .feed import predict
from .history import History
from .losses import CrossEntropyLoss, Loss
from .metrics import accuracy, confusion_matrix
from .optimizers import SGD, Adam, AdamW, Optimizer
from .trainer import Trainer

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "CSVLogger",
    "Callback",
    "CrossEntropyLoss",
    "EarlyStopping",
    "History",
    "Loss",
    "ModelCheckpoint",
    "Optimizer",
    "Trainer",
    "accuracy",
    "confusion_matrix",
    "predict",
    "schedules",
]
