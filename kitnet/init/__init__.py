"""Initialisers: the arrays that weights start from. Names, formulas and defaults are PyTorch's.

Each takes a shape and, if it is random, a ``numpy.random.Generator``, and returns a new array. Values are
drawn in float64, so that one seed gives the same weights (rounded) in either dtype.

The fans of a weight of shape (K, C, \\*kernel) are ``fan_in = C * prod(kernel)`` and ``fan_out = K *
prod(kernel)``.

Sources: Glorot and Bengio 2010 (xavier), He et al. 2015 (kaiming), LeCun et al. 1998 (lecun), Saxe,
McClelland and Ganguli 2014 (orthogonal), Zagoruyko and Komodakis 2017 (dirac), Martens 2010 (sparse).
"""

from .plain import constant, normal, ones, trunc_normal, uniform, zeros
from .plain import placeholders as placeholders
from .plain import placing as placing
from .scaled import (
    calculate_gain,
    fans,
    kaiming_normal,
    kaiming_uniform,
    lecun_normal,
    lecun_uniform,
    xavier_normal,
    xavier_uniform,
)
from .structured import dirac, eye, orthogonal, sparse

__all__ = [
    "calculate_gain",
    "constant",
    "dirac",
    "eye",
    "fans",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "sparse",
    "trunc_normal",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
