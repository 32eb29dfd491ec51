"""Wrong calls of the functions of elements, rows and channels: (call, error, the argument to blame)."""

import math

import numpy as np

from kitnet import functional as F

V, T = ValueError, TypeError


def zeros(*shape):
    return np.zeros(shape, np.float32)


def ints(*shape, fill=0):
    return np.full(shape, fill)


X, W = zeros(2, 4, 6, 6), zeros(4, 4, 3, 3)

ELEMENTS = [
    (lambda: F.softmax(zeros(2, 3), 2), V, "axis"),
    (lambda: F.softmax(zeros(2, 3), -3), V, "axis"),
    (lambda: F.softmax(zeros(2, 3), 1.0), T, "axis"),
    (lambda: F.softmax(zeros(2, 3), None), T, "axis"),
    (lambda: F.softmax(zeros(2, 0)), V, "x"),
    (lambda: F.softmax_backward(zeros(2, 3), zeros(3, 2)), V, "dy"),
    # scales and statistics shorter than the channels (CVE-2021-29583, -41223, CVE-2022-29201)
    (lambda: F.batch_norm(X, zeros(3), zeros(4)), V, "running_mean"),
    (lambda: F.batch_norm(X, zeros(4), zeros(5)), V, "running_var"),
    (lambda: F.batch_norm(X, zeros(4), zeros(4), zeros(3)), V, "weight"),
    (lambda: F.batch_norm(X, zeros(4), zeros(4), None, zeros(0)), V, "bias"),
    (lambda: F.batch_norm(X, zeros(4), zeros(4), eps=-1e-5), V, "eps"),
    (lambda: F.batch_norm(X, zeros(4), zeros(4), eps=math.nan), V, "eps"),
    (lambda: F.batch_norm(X, zeros(4), zeros(4), eps=None), T, "eps"),
    (lambda: F.batch_norm(zeros(4), zeros(4), zeros(4)), V, "x"),
    (lambda: F.batch_norm(zeros(2, 0, 3), zeros(0), zeros(0)), V, "x"),
    (lambda: F.batch_norm(zeros(2, 4, 0), zeros(4), zeros(4)), V, "x"),
    (lambda: F.batch_norm_train(zeros(1, 4)), V, "x"),
    (lambda: F.batch_norm_train(zeros(0, 4, 3)), V, "x"),
    (lambda: F.batch_norm_train(X, zeros(5)), V, "weight"),
    (lambda: F.batch_norm_train_backward(zeros(2, 4, 6, 5), X, zeros(4), zeros(4)), V, "dy"),
    (lambda: F.batch_norm_train_backward(X, X, zeros(1), zeros(4)), V, "mean"),
    (lambda: F.fold_batch_norm(W, None, zeros(4), zeros(4), zeros(3)), V, "norm_weight"),
    (lambda: F.dropout_mask((2,), -0.1, rng=np.random.default_rng()), V, "p"),
    (lambda: F.dropout_mask((2,), 1.5, rng=np.random.default_rng()), V, "p"),
    (lambda: F.dropout_mask((2,), math.nan, rng=np.random.default_rng()), V, "p"),
    (lambda: F.dropout_mask((2,), "0.5", rng=np.random.default_rng()), T, "p"),
    (lambda: F.dropout_mask((2,), rng=None), T, "rng"),
    (lambda: F.dropout_mask((2,), rng=np.random.default_rng(), dtype=int), T, "dtype"),
    (lambda: F.dropout_mask((2,), rng=np.random.default_rng(), dtype="no such"), T, "dtype"),
    (lambda: F.dropout_mask((2,), rng=np.random.default_rng(), dtype=None), T, "dtype"),
    (lambda: F.dropout_mask(2, rng=np.random.default_rng()), T, "shape"),
    (lambda: F.dropout_mask((2, -1), rng=np.random.default_rng()), V, "shape"),
    (lambda: F.dropout_mask((2**31 - 1,) * 3, rng=np.random.default_rng()), V, "shape"),
    (lambda: F.dropout(zeros(2, 3), zeros(3, 2)), V, "mask"),
    (lambda: F.relu_backward(zeros(3), zeros(2)), V, "dy"),
]

Z = zeros(2, 4)
ACTIVATIONS = [
    (lambda: F.hardtanh(Z, 1.0, 0.5), V, "max_val"),
    (lambda: F.hardtanh(Z, math.nan), V, "min_val"),
    (lambda: F.hardtanh_backward(Z, Z, 1.0, 0.5), V, "max_val"),
    (lambda: F.threshold(Z, "0", 1.0), T, "threshold"),
    (lambda: F.threshold(Z, 0.0, math.nan), V, "value"),
    (lambda: F.leaky_relu(Z, None), T, "negative_slope"),
    (lambda: F.leaky_relu_backward(Z, zeros(4, 2)), V, "dy"),
    (lambda: F.elu(Z, "1"), T, "alpha"),
    (lambda: F.celu(Z, 0.0), V, "alpha"),
    (lambda: F.celu_backward(Z, Z, -1), V, "alpha"),
    (lambda: F.gelu(Z, "erf"), V, "approximate"),
    (lambda: F.gelu_backward(Z, Z, None), V, "approximate"),
    (lambda: F.softplus(Z, 0), V, "beta"),
    (lambda: F.softplus(Z, threshold="20"), T, "threshold"),
    (lambda: F.softshrink(Z, -0.5), V, "lambd"),
    (lambda: F.hardshrink(Z, True), T, "lambd"),
    (lambda: F.prelu(Z, zeros(3)), V, "weight"),
    (lambda: F.prelu(Z, zeros(0)), V, "weight"),
    (lambda: F.prelu(Z, zeros(1, 4)), V, "weight"),
    (lambda: F.prelu(zeros(4), zeros(4)), V, "weight"),
    (lambda: F.prelu_backward(zeros(2, 3), Z, zeros(4)), V, "dy"),
    (lambda: F.glu(zeros(2, 3)), V, "x"),
    (lambda: F.glu(zeros(2, 0)), V, "x"),
    (lambda: F.glu(Z, 2), V, "axis"),
    (lambda: F.glu_backward(Z, Z), V, "dy"),
    (lambda: F.log_softmax(Z, 2), V, "axis"),
    (lambda: F.log_softmax_backward(Z, zeros(2, 0)), V, "y"),
    (lambda: F.softmin(Z, 1.0), T, "axis"),
]

LOSSES = [
    (lambda: F.cross_entropy(zeros(2, 3), ints(2, fill=3)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2, fill=-101)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), np.full(2, 2**32)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 300), np.array([0, 255], np.uint8).view(np.int8)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2, 1)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), zeros(2)), T, "target"),
    (lambda: F.cross_entropy(zeros(2, 0), ints(2)), V, "logits"),
    (lambda: F.cross_entropy(zeros(3), ints(1)), V, "logits"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), reduction="average"), V, "reduction"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), reduction=None), V, "reduction"),
    (lambda: F.cross_entropy_backward(zeros(2), zeros(2, 3), ints(2)), T, "dy"),
    (lambda: F.cross_entropy_backward("1", zeros(2, 3), ints(2)), T, "dy"),
    (lambda: F.cross_entropy_backward(1.0, zeros(2, 3), ints(2), reduction="none"), T, "dy"),
    (lambda: F.cross_entropy_backward(zeros(3), zeros(2, 3), ints(2), reduction="none"), V, "dy"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2, fill=2**63), ignore_index=-1), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), np.full(2, 2**64 - 1, np.uint64), ignore_index=-1), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2, fill=-100), ignore_index=1), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), ignore_index=1.0), T, "ignore_index"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), zeros(2)), V, "weight"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), label_smoothing=1.5), V, "label_smoothing"),
    (lambda: F.cross_entropy(zeros(2, 3), ints(2), label_smoothing=-0.1), V, "label_smoothing"),
    (lambda: F.cross_entropy(zeros(2, 3), zeros(3, 3)), V, "target"),
    (lambda: F.cross_entropy(zeros(2, 3), np.zeros((2, 3))), T, "target"),
    (lambda: F.cross_entropy_backward(1.0, zeros(2, 3), ints(2), prob=zeros(3, 3)), V, "prob"),
    (lambda: F.nll_loss(zeros(2, 3), ints(2, fill=3)), V, "target"),
    (lambda: F.nll_loss(zeros(2, 3), zeros(2)), T, "target"),
    (lambda: F.nll_loss(zeros(2, 3, 4), ints(2)), V, "target"),
    (lambda: F.nll_loss_backward(zeros(2), zeros(2, 3), ints(2)), T, "dy"),
    (lambda: F.mse_loss(Z, zeros(2, 1)), V, "target"),  # no broadcasting: a column is no row
    (lambda: F.mse_loss(Z, ints(2, 4)), T, "target"),
    (lambda: F.mse_loss(Z, Z, "average"), V, "reduction"),
    (lambda: F.mse_loss_backward(zeros(2, 4), Z, Z), T, "dy"),
    (lambda: F.mse_loss_backward(1.0, Z, Z, "none"), T, "dy"),
    (lambda: F.mse_loss_backward(zeros(4, 2), Z, Z, "none"), V, "dy"),
    (lambda: F.l1_loss(Z, Z, "batchmean"), V, "reduction"),
    (lambda: F.smooth_l1_loss(Z, Z, beta=-1), V, "beta"),
    (lambda: F.huber_loss(Z, Z, delta=0), V, "delta"),
    (lambda: F.kl_div(Z, Z, "median"), V, "reduction"),
    (lambda: F.poisson_nll_loss(Z, Z, eps=-1), V, "eps"),
    (lambda: F.binary_cross_entropy(Z, Z, zeros(3)), V, "weight"),
    (lambda: F.binary_cross_entropy(Z, Z, zeros(1, 2, 4)), V, "weight"),
    (lambda: F.binary_cross_entropy_with_logits(Z, Z, pos_weight=zeros(3)), V, "pos_weight"),
    (lambda: F.binary_cross_entropy_with_logits(Z, zeros(2, 3)), V, "target"),
    (lambda: F.sigmoid_focal_loss(Z, Z, alpha=1.5), V, "alpha"),
    (lambda: F.sigmoid_focal_loss(Z, Z, gamma=-1), V, "gamma"),
    (lambda: F.dice_loss(zeros(4), zeros(4)), V, "x"),
    (lambda: F.dice_loss(zeros(2, 3, 0), zeros(2, 3, 0)), V, "x"),
    (lambda: F.dice_loss(Z, Z, smooth=-1), V, "smooth"),
    (lambda: F.dice_loss_backward(zeros(2), Z, Z, reduction="none"), V, "dy"),
    (lambda: F.multi_margin_loss(Z, ints(2, fill=4)), V, "target"),
    (lambda: F.multi_margin_loss(Z, ints(2), p=3), V, "p"),
    (lambda: F.hinge_loss(Z, Z, p=3), V, "p"),
    (lambda: F.multi_margin_loss(Z, ints(2), p=True), V, "p"),
    (lambda: F.multi_margin_loss(Z, ints(2), weight=zeros(3)), V, "weight"),
    (lambda: F.multi_margin_loss(zeros(4), ints(1)), V, "x"),
    (lambda: F.cosine_embedding_loss(Z, zeros(2, 3), zeros(2)), V, "x2"),
    (lambda: F.cosine_embedding_loss(Z, Z, ints(2)), T, "target"),
    (lambda: F.cosine_embedding_loss(Z, Z, zeros(2), margin=2), V, "margin"),
    (lambda: F.triplet_margin_loss(Z, Z, zeros(3, 4)), V, "negative"),
    (lambda: F.triplet_margin_loss(zeros(4), zeros(4), zeros(4)), V, "anchor"),
    (lambda: F.triplet_margin_loss(Z, Z, Z, margin=0), V, "margin"),
    (lambda: F.triplet_margin_loss(Z, Z, Z, p=0), V, "p"),
    (lambda: F.triplet_margin_loss_backward(zeros(3), Z, Z, Z, reduction="none"), V, "dy"),
]
