"""Feature maps scaled one by one, each sample's by numbers of its own.

Seen as one sample of N C channels, this is what batch normalisation does in inference, by its kernel.
"""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate, gate_batch
from .._backend import kernels, n_threads
from .._geometry import product


def _rows(x: Array) -> Array:
    """x (N, C, *spatial) as (1, N C, P)."""
    n, c, *size = x.shape
    return x.reshape(1, n * c, product(size))


def scale_channels(x: Array, scale: Array, shift: Array | None = None) -> Array:
    """x scale + shift, with one number of each for a feature map.

    Parameters
    ----------
    x
        (N, C, *spatial) with one to three axes, float32 or float64; only N may be 0.
    scale, shift
        (N, C), of the dtype of x; no shift: 0.

    Returns
    -------
    y
        Of the shape of x.

    Raises
    ------
    ValueError, TypeError
        Naming the argument whose shape, value or dtype does not fit.

    Source: Hu, Shen and Sun, "Squeeze-and-excitation networks" (2018), equation 4; with a shift, Perez et
    al., "FiLM: visual reasoning with a general conditioning layer" (2018).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.scale_channels(np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([[10.0, 0.5]]))
    array([[[10. , 20. ],
            [ 1.5,  2. ]]])
    """
    x = gate_batch(x, "x", (3, 4, 5))
    scale = gate(scale, "scale", dtype=x.dtype, shape=x.shape[:2])
    if shift is None:
        shift = np.zeros(x.shape[:2], x.dtype)
    shift = gate(shift, "shift", dtype=x.dtype, shape=x.shape[:2])
    y = empty(x.shape, x.dtype)
    kernels().batchnorm_forward(
        _rows(x), scale.reshape(-1), shift.reshape(-1), _rows(y), -np.inf, np.inf, n_threads()
    )
    return y


def scale_channels_backward(
    dy: Array, x: Array, scale: Array, *, input_grad: bool = True, shift_grad: bool = True
) -> tuple[Array | None, Array, Array | None]:
    """The gradients (dx, dscale, dshift) of ``scale_channels``, given that of its output.

    False for ``input_grad`` or ``shift_grad`` spares the work for dx or dshift, which is then None.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> x, scale, dy = np.array([[[1.0, 2.0]]]), np.array([[10.0]]), np.array([[[1.0, 3.0]]])
    >>> F.scale_channels_backward(dy, x, scale)
    (array([[[10., 30.]]]), array([[7.]]), array([[4.]]))
    """
    x = gate_batch(x, "x", (3, 4, 5))
    scale = gate(scale, "scale", dtype=x.dtype, shape=x.shape[:2])
    dy = gate(dy, "dy", dtype=x.dtype, shape=x.shape)
    dscale = empty(scale.shape, np.float64)
    kernels().row_products(_rows(dy)[0], _rows(x)[0], dscale.reshape(-1), n_threads())
    dshift = None
    if shift_grad:
        dshift = empty(scale.shape, x.dtype)
        kernels().channel_sums(_rows(dy), dshift.reshape(-1), n_threads())
    return scale_channels(dy, scale) if input_grad else None, dscale.astype(x.dtype, copy=False), dshift
