"""Rectifiers: x where it is positive, something else where it is not.

All take any shape of float32 or float64 and return the same; a NaN stays a NaN. At a corner the gradient is
that of the side which PyTorch takes.
"""

from __future__ import annotations

from .._arrays import Array, empty, gate, gate_number, gate_positive
from .._backend import kernels, n_threads
from .._geometry import product
from ._elementwise import backward, forward


def relu(x: Array) -> Array:
    """max(x, 0) of every element; NaN stays NaN.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines" (2010).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu(np.array([-1.0, 2.0]))
    array([0., 2.])
    """
    return forward("relu", x)


def relu_backward(dy: Array, y: Array) -> Array:
    """The gradient dx of ``relu``, given that of its output and the output: dy where y > 0 or NaN, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu_backward(np.array([5.0, 6.0]), np.array([0.0, 2.0]))
    array([0., 6.])
    """
    return backward("relu", dy, y=y)


def hardtanh(x: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """x, but not below ``min_val`` and not above ``max_val``.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else,
    and where min_val is larger than max_val.

    Source: Collobert, "Large scale machine learning" (2004).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardtanh(np.array([-3.0, 0.5, 2.0]))
    array([-1. ,  0.5,  1. ])
    """
    return forward("clip", x, *_bounds(min_val, max_val))


def hardtanh_backward(dy: Array, y: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:
    """The gradient dx of ``hardtanh``, given that of its output and the output: dy within the bounds, or 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.hardtanh_backward(np.array([5.0, 6.0, 7.0]), np.array([-1.0, 0.5, 1.0]))
    array([0., 6., 0.])
    """
    return backward("clip", dy, *_bounds(min_val, max_val), y=y)


def _bounds(min_val: float, max_val: float) -> tuple[float, float]:
    low = gate_number(min_val, "min_val")
    return low, gate_number(max_val, "max_val", low)


def relu6(x: Array) -> Array:
    """min(max(x, 0), 6) of every element.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Krizhevsky, "Convolutional deep belief networks on CIFAR-10" (2010).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu6(np.array([-1.0, 2.0, 9.0]))
    array([0., 2., 6.])
    """
    return forward("clip", x, 0.0, 6.0)


def relu6_backward(dy: Array, y: Array) -> Array:
    """The gradient dx of ``relu6``, given that of its output and the output: dy where 0 < y < 6, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.relu6_backward(np.array([5.0, 6.0, 7.0]), np.array([0.0, 2.0, 6.0]))
    array([0., 6., 0.])
    """
    return backward("clip", dy, 0.0, 6.0, y=y)


def threshold(x: Array, threshold: float, value: float) -> Array:
    """x where it is above ``threshold``, else ``value``.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: PyTorch's ``torch.nn.functional.threshold``.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.threshold(np.array([-1.0, 2.0]), 0.5, 20.0)
    array([20.,  2.])
    """
    return forward("threshold", x, gate_number(threshold, "threshold"), gate_number(value, "value"))


def threshold_backward(dy: Array, x: Array, threshold: float) -> Array:
    """The gradient dx of ``threshold``: dy where x was above it, else 0.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.threshold_backward(np.array([5.0, 6.0]), np.array([-1.0, 2.0]), 0.5)
    array([0., 6.])
    """
    return backward("threshold", dy, gate_number(threshold, "threshold"), x=x)


def leaky_relu(x: Array, negative_slope: float = 0.01) -> Array:
    """x where it is positive, ``negative_slope`` x where it is not.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models" (2013).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.leaky_relu(np.array([-1.0, 2.0]), 0.1)
    array([-0.1,  2. ])
    """
    return forward("leaky_relu", x, gate_number(negative_slope, "negative_slope"))


def leaky_relu_backward(dy: Array, x: Array, negative_slope: float = 0.01) -> Array:
    """The gradient dx of ``leaky_relu``: dy, times the slope where x was not positive.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.leaky_relu_backward(np.array([5.0, 6.0]), np.array([-1.0, 2.0]), 0.1)
    array([0.5, 6. ])
    """
    return backward("leaky_relu", dy, gate_number(negative_slope, "negative_slope"), x=x)


def _by_weight(x: Array, weight: Array) -> tuple[int, int, int]:
    """The shape of x as (N, channels with a weight each, P)."""
    if weight.size == 1:
        return len(x), 1, product(x.shape[1:])
    if x.ndim < 2 or x.shape[1] != weight.size:
        raise ValueError(f"weight: expected 1 weight or one a channel of x {x.shape}, got {weight.size}")
    return len(x), weight.size, product(x.shape[2:])


def prelu(x: Array, weight: Array) -> Array:
    """x where it is positive, x times a weight where it is not.

    Parameters
    ----------
    x
        (N, C, ...), float32 or float64; with one weight any shape.
    weight
        (1,), or (C,) for one a channel.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape or dtype does not fit.

    Source: He et al., "Delving deep into rectifiers" (2015).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.prelu(np.array([[-1.0, -1.0]]), np.array([0.25, 0.5]))
    array([[-0.25, -0.5 ]])
    """
    x = gate(x, "x")
    weight = gate(weight, "weight", 1, x.dtype)
    shape = _by_weight(x, weight)
    y = empty(x.shape, x.dtype)
    kernels().prelu_forward(x.reshape(shape), weight, y.reshape(shape), n_threads())
    return y


def prelu_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """The gradients dx and dweight of ``prelu``, given that of its output, and x and weight.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.prelu_backward(np.array([[1.0, 2.0]]), np.array([[-3.0, 4.0]]), np.array([0.25]))
    (array([[0.25, 2.  ]]), array([-3.]))
    """
    x = gate(x, "x")
    weight = gate(weight, "weight", 1, x.dtype)
    shape = _by_weight(x, weight)
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    dx, dweight = empty(x.shape, x.dtype), empty(weight.shape, x.dtype)
    kernels().prelu_backward(
        dy.reshape(shape), x.reshape(shape), weight, dx.reshape(shape), dweight, n_threads()
    )
    return dx, dweight


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, ``alpha`` (exp(x) - 1) where it is not.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Clevert, Unterthiner and Hochreiter, "Fast and accurate deep network learning by exponential
    linear units" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.elu(np.array([-1.0, 2.0])).round(4)
    array([-0.6321,  2.    ])
    """
    return forward("elu", x, gate_number(alpha, "alpha"), 1.0)


def elu_backward(dy: Array, x: Array, alpha: float = 1.0) -> Array:
    """The gradient dx of ``elu``: dy, times alpha exp(x) where x was not positive.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.elu_backward(np.array([1.0, 1.0]), np.array([-1.0, 2.0])).round(4)
    array([0.3679, 1.    ])
    """
    return backward("elu", dy, gate_number(alpha, "alpha"), 1.0, x=x)


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x where it is positive, ``alpha`` (exp(x / alpha) - 1) where it is not: smooth for any alpha above 0.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Barron, "Continuously differentiable exponential linear units" (2017).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.celu(np.array([-1.0, 2.0]), 2.0).round(4)
    array([-0.7869,  2.    ])
    """
    alpha = gate_positive(alpha, "alpha")
    return forward("elu", x, alpha, 1 / alpha)


def celu_backward(dy: Array, x: Array, alpha: float = 1.0) -> Array:
    """The gradient dx of ``celu``: dy, times exp(x / alpha) where x was not positive.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.celu_backward(np.array([1.0, 1.0]), np.array([-1.0, 2.0]), 2.0).round(4)
    array([0.6065, 1.    ])
    """
    alpha = gate_positive(alpha, "alpha")
    return backward("elu", dy, alpha, 1 / alpha, x=x)


def selu(x: Array) -> Array:
    """1.0507 elu(x, 1.6733), with more digits: keeps mean 0 and variance 1 through layers.

    ``x`` has any shape, in float32 or float64; so has the result. ValueError or TypeError for anything else.

    Source: Klambauer et al., "Self-normalizing neural networks" (2017).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.selu(np.array([-1.0, 2.0])).round(4)
    array([-1.1113,  2.1014])
    """
    return forward("selu", x)


def selu_backward(dy: Array, x: Array) -> Array:
    """The gradient dx of ``selu``, given that of its output, and x.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.selu_backward(np.array([1.0, 1.0]), np.array([-1.0, 2.0])).round(4)
    array([0.6468, 1.0507])
    """
    return backward("selu", dy, x=x)
