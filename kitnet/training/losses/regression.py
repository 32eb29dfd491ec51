"""Losses of numbers, and of distributions over them."""

from __future__ import annotations

from ... import functional as F
from ..._arrays import gate_number, gate_positive
from .base import FunctionLoss


class MSELoss(FunctionLoss):
    """Mean, or sum, of (output - target)^2.

    Shapes: output and target alike; targets are numbers of any type.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import MSELoss
    >>> value, pullback = MSELoss().vjp(np.array([1.0, 2.0]), np.array([1, 4]))
    >>> value, pullback()
    (2.0, array([ 0., -2.]))
    """

    _op = staticmethod(F.mse_loss)
    _op_backward = staticmethod(F.mse_loss_backward)


class L1Loss(FunctionLoss):
    """Mean, or sum, of abs(output - target).

    Shapes: output and target alike; targets are numbers of any type.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import L1Loss
    >>> L1Loss()(np.array([1.0, 2.0]), np.array([1, 4]))
    1.0
    """

    _op = staticmethod(F.l1_loss)
    _op_backward = staticmethod(F.l1_loss_backward)


class SmoothL1Loss(FunctionLoss):
    """Mean, or sum, of d^2 / (2 beta) for distances d below ``beta``, of d - beta / 2 for larger ones.

    Shapes: output and target alike; targets are numbers of any type.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Source: Girshick, "Fast R-CNN" (2015).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import SmoothL1Loss
    >>> SmoothL1Loss(reduction="sum")(np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    1.625
    """

    _op = staticmethod(F.smooth_l1_loss)
    _op_backward = staticmethod(F.smooth_l1_loss_backward)
    _names = ("beta",)

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        self._reduce_by(reduction)
        self.beta = gate_number(beta, "beta", 0.0)


class HuberLoss(FunctionLoss):
    """Mean, or sum, of d^2 / 2 for distances d up to ``delta``, of delta (d - delta / 2) for larger ones.

    Shapes: output and target alike; targets are numbers of any type.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Source: Huber, "Robust estimation of a location parameter" (1964).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import HuberLoss
    >>> HuberLoss(reduction="sum", delta=0.5)(np.array([1.0, 2.0]), np.array([1.5, 4.0]))
    1.0
    """

    _op = staticmethod(F.huber_loss)
    _op_backward = staticmethod(F.huber_loss_backward)
    _names = ("delta",)

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        self._reduce_by(reduction)
        self.delta = gate_positive(delta, "delta")


class KLDivLoss(FunctionLoss):
    """Kullback and Leibler's divergence of the targets, distributions, from the outputs, their logarithms.

    Shapes: output and target (N, ...) alike. ``"mean"`` divides by all elements, ``"batchmean"`` by N;
    ``log_target``: the targets are logarithms, too.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others.

    Source: Kullback and Leibler, "On information and sufficiency" (1951).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import KLDivLoss
    >>> round(KLDivLoss("batchmean")(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]])), 4)
    0.6931
    """

    _op = staticmethod(F.kl_div)
    _op_backward = staticmethod(F.kl_div_backward)
    _names = ("log_target",)

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        self._reduce_by(reduction, "batchmean")
        self.log_target = bool(log_target)


class PoissonNLLLoss(FunctionLoss):
    """Mean, or sum, of -log of the probability of counts, where exp(output) is the rate of Poisson's.

    Shapes: output and target alike. ``F.poisson_nll_loss`` has the formula and the parameters.

    Raises
    ------
    TypeError, ValueError
        If shapes or types are others, or an argument is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import PoissonNLLLoss
    >>> PoissonNLLLoss()(np.array([0.0, 0.0]), np.array([0, 3]))
    1.0
    """

    _op = staticmethod(F.poisson_nll_loss)
    _op_backward = staticmethod(F.poisson_nll_loss_backward)
    _names = ("log_input", "full", "eps")

    def __init__(
        self, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
    ) -> None:
        self.log_input = bool(log_input)
        self.full = bool(full)
        self.eps = gate_number(eps, "eps", 0.0)
        self._reduce_by(reduction)
