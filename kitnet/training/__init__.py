"""Training: losses, optimizers, schedules, metrics, the training loop and what hangs on it."""

from . import schedules
from .callbacks import Callback, CSVLogger, EarlyStopping, ModelCheckpoint
from .feed import predict
from .history import History
from .losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CosineEmbeddingLoss,
    CrossEntropyLoss,
    DiceLoss,
    HingeEmbeddingLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    Loss,
    MSELoss,
    MultiMarginLoss,
    NLLLoss,
    PoissonNLLLoss,
    SigmoidFocalLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
)
from .metrics import accuracy, confusion_matrix
from .optimizers import SGD, Adam, AdamW, Optimizer
from .trainer import Trainer

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CSVLogger",
    "Callback",
    "CosineEmbeddingLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "EarlyStopping",
    "HingeEmbeddingLoss",
    "History",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "Loss",
    "MSELoss",
    "ModelCheckpoint",
    "MultiMarginLoss",
    "NLLLoss",
    "Optimizer",
    "PoissonNLLLoss",
    "SigmoidFocalLoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Trainer",
    "TripletMarginLoss",
    "accuracy",
    "confusion_matrix",
    "predict",
    "schedules",
]
