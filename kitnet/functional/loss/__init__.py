"""Losses: how far the outputs are from the targets, and the gradient that training starts from.

Every loss is a number for each element, row or sample, which ``reduction`` leaves alone (``"none"``), adds
(``"sum"``) or averages (``"mean"``); what the mean divides by, each loss says.
"""

from .binary import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_backward,
    dice_loss,
    dice_loss_backward,
    sigmoid_focal_loss,
    sigmoid_focal_loss_backward,
)
from .distance import (
    cosine_embedding_loss,
    cosine_embedding_loss_backward,
    triplet_margin_loss,
    triplet_margin_loss_backward,
)
from .divergence import kl_div, kl_div_backward, poisson_nll_loss, poisson_nll_loss_backward
from .entropy import cross_entropy, cross_entropy_backward, nll_loss, nll_loss_backward
from .margin import (
    hinge_embedding_loss,
    hinge_embedding_loss_backward,
    hinge_loss,
    hinge_loss_backward,
    multi_margin_loss,
    multi_margin_loss_backward,
    soft_margin_loss,
    soft_margin_loss_backward,
)
from .regression import (
    huber_loss,
    huber_loss_backward,
    l1_loss,
    l1_loss_backward,
    mse_loss,
    mse_loss_backward,
    smooth_l1_loss,
    smooth_l1_loss_backward,
)

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
    "cosine_embedding_loss",
    "cosine_embedding_loss_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "dice_loss",
    "dice_loss_backward",
    "hinge_embedding_loss",
    "hinge_embedding_loss_backward",
    "hinge_loss",
    "hinge_loss_backward",
    "huber_loss",
    "huber_loss_backward",
    "kl_div",
    "kl_div_backward",
    "l1_loss",
    "l1_loss_backward",
    "mse_loss",
    "mse_loss_backward",
    "multi_margin_loss",
    "multi_margin_loss_backward",
    "nll_loss",
    "nll_loss_backward",
    "poisson_nll_loss",
    "poisson_nll_loss_backward",
    "sigmoid_focal_loss",
    "sigmoid_focal_loss_backward",
    "smooth_l1_loss",
    "smooth_l1_loss_backward",
    "soft_margin_loss",
    "soft_margin_loss_backward",
    "triplet_margin_loss",
    "triplet_margin_loss_backward",
]
