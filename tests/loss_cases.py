"""One list of losses: class, arguments, output, target. Tests of contracts and of parity iterate over it."""

import numpy as np

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((5, 4)), RNG.standard_normal((5, 4))
PROBABILITIES, SHARES = RNG.random((5, 4)), RNG.dirichlet(np.ones(4), 5)
CLASSES, SIGNS = np.array([0, 3, 1, 1, 2]), np.sign(T)
WEIGHT = RNG.random(4) + 0.5
MAPS = RNG.random((2, 3, 4, 5))

# class, arguments, output, target
ROWS = [
    ("CrossEntropyLoss", {}, X, CLASSES),
    ("CrossEntropyLoss", {"weight": WEIGHT, "ignore_index": 1, "label_smoothing": 0.1}, X, CLASSES),
    ("CrossEntropyLoss", {"weight": WEIGHT, "reduction": "sum"}, X, SHARES),
    ("CrossEntropyLoss", {"ignore_index": 2}, RNG.standard_normal((2, 4, 3)), RNG.integers(0, 4, (2, 3))),
    ("NLLLoss", {}, np.log(PROBABILITIES), CLASSES),
    ("NLLLoss", {"weight": WEIGHT, "ignore_index": 1, "reduction": "sum"}, X, CLASSES),
    ("MultiMarginLoss", {}, X, CLASSES),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": WEIGHT, "reduction": "sum"}, X, CLASSES),
    ("BCELoss", {}, PROBABILITIES, SIGNS > 0),
    ("BCELoss", {"weight": WEIGHT, "reduction": "sum"}, PROBABILITIES, SHARES),
    ("BCEWithLogitsLoss", {}, X, SIGNS > 0),
    ("BCEWithLogitsLoss", {"weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()}, X, SHARES),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHT[:1], "reduction": "sum"}, X, SHARES),
    ("SigmoidFocalLoss", {}, X, SIGNS > 0),
    ("SigmoidFocalLoss", {"alpha": -1, "gamma": 1.5, "reduction": "sum"}, X, SIGNS > 0),
    ("DiceLoss", {}, MAPS, MAPS > 0.5),
    ("DiceLoss", {"smooth": 0.1, "reduction": "sum"}, MAPS, MAPS[::-1].copy()),
    ("MSELoss", {}, X, T),
    ("MSELoss", {"reduction": "sum"}, MAPS, MAPS[::-1].copy()),
    ("L1Loss", {}, X, T),
    ("SmoothL1Loss", {}, X, T),
    ("SmoothL1Loss", {"reduction": "sum", "beta": 0.5}, X, T),
    ("HuberLoss", {}, X, T),
    ("HuberLoss", {"reduction": "sum", "delta": 0.5}, X, T),
    ("KLDivLoss", {}, np.log(PROBABILITIES), SHARES),
    ("KLDivLoss", {"reduction": "batchmean", "log_target": True}, np.log(PROBABILITIES), np.log(SHARES)),
    ("PoissonNLLLoss", {}, X, np.floor(9 * PROBABILITIES)),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-3}, PROBABILITIES, np.floor(9 * SHARES)),
    ("SoftMarginLoss", {}, X, SIGNS),
    ("HingeLoss", {}, X, SIGNS),
    ("HingeLoss", {"margin": 0.5, "p": 2, "reduction": "sum"}, X, SIGNS),
    ("HingeEmbeddingLoss", {}, abs(X), SIGNS),
    ("HingeEmbeddingLoss", {"margin": 2.0, "reduction": "sum"}, abs(X), SIGNS),
    ("CosineEmbeddingLoss", {}, (X, T), SIGNS[:, 0]),
    ("CosineEmbeddingLoss", {"margin": -0.5, "reduction": "sum"}, (X, T), SIGNS[:, 0]),
    ("TripletMarginLoss", {}, (X, T, PROBABILITIES), None),
    ("TripletMarginLoss", {"margin": 2.0, "p": 3.0, "swap": True}, (X, T, PROBABILITIES), None),
    ("TripletMarginLoss", {"p": 1.0, "reduction": "sum"}, (X, T, PROBABILITIES), None),
    ("TripletMarginLoss", {"p": float("inf")}, (X, T, PROBABILITIES), None),
]  # fmt: skip
