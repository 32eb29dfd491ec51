"""Shuffling: channels to cells of the image and back, and channels among themselves. No arithmetic."""

from __future__ import annotations

import numpy as np

from .._arrays import Array, empty, gate_batch
from .._backend import kernels, n_threads
from .._geometry import one_int, product
from ._moves import take_rows


def _into_pixels(x: Array, name: str, factor: int, factor_name: str) -> Array:
    r = one_int(factor, factor_name)
    x = gate_batch(x, name, 4)
    n, c, h, w = x.shape
    if c % (r * r):
        raise ValueError(f"{name}: expected a multiple of {r * r} channels, got shape {x.shape}")
    c //= r * r
    y = empty((n, c, h * r, w * r), x.dtype)
    kernels().pixel_shuffle(x.reshape(n * c, r, r, h, w), y.reshape(n * c, h, r, w, r), n_threads())
    return y


def _into_channels(x: Array, name: str, factor: int, factor_name: str) -> Array:
    r = one_int(factor, factor_name)
    x = gate_batch(x, name, 4)
    n, c, h, w = x.shape
    if h % r or w % r:
        raise ValueError(f"{name}: expected sizes that are multiples of {r}, got shape {x.shape}")
    h, w = h // r, w // r
    y = empty((n, c * r * r, h, w), x.dtype)
    kernels().pixel_unshuffle(x.reshape(n * c, h, r, w, r), y.reshape(n * c, r, r, h, w), n_threads())
    return y


def pixel_shuffle(x: Array, upscale_factor: int) -> Array:
    """(N, C r r, H, W) to (N, C, H r, W r): r r channels become the r x r cells of a pixel.

    ``x`` is float32 or float64; only N may be 0. ValueError or TypeError for what does not fit.

    Source: Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
    convolutional neural network" (2016).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.pixel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), 2)
    array([[[[0., 1.],
             [2., 3.]]]])
    """
    return _into_pixels(x, "x", upscale_factor, "upscale_factor")


def pixel_shuffle_backward(dy: Array, upscale_factor: int) -> Array:
    """The gradient dx of ``pixel_shuffle``: dy (N, C, H r, W r), its cells put back into channels.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.pixel_shuffle_backward(np.arange(4.0).reshape(1, 1, 2, 2), 2).reshape(-1)
    array([0., 1., 2., 3.])
    """
    return _into_channels(dy, "dy", upscale_factor, "upscale_factor")


def pixel_unshuffle(x: Array, downscale_factor: int) -> Array:
    """(N, C, H r, W r) to (N, C r r, H, W): the inverse of ``pixel_shuffle``.

    Source: PyTorch's ``torch.nn.functional.pixel_unshuffle``, of Shi et al. (2016) the inverse.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.pixel_unshuffle(np.arange(8.0).reshape(1, 1, 2, 4), 2).reshape(4, 2)
    array([[0., 2.],
           [1., 3.],
           [4., 6.],
           [5., 7.]])
    """
    return _into_channels(x, "x", downscale_factor, "downscale_factor")


def pixel_unshuffle_backward(dy: Array, downscale_factor: int) -> Array:
    """The gradient dx of ``pixel_unshuffle``: dy (N, C r r, H, W), its channels put back into cells.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.pixel_unshuffle_backward(np.arange(4.0).reshape(1, 4, 1, 1), 2).reshape(-1)
    array([0., 1., 2., 3.])
    """
    return _into_pixels(dy, "dy", downscale_factor, "downscale_factor")


def _dealt(x: Array, name: str, groups: int, back: bool) -> Array:
    x, groups = gate_batch(x, name, (3, 4, 5)), one_int(groups, "groups")
    n, c = x.shape[:2]
    if c % groups:
        raise ValueError(f"{name}: expected a multiple of {groups} channels, got shape {x.shape}")
    hands = (c // groups, groups) if back else (groups, c // groups)
    rows, planes = np.arange(c).reshape(hands).T.reshape(-1), (n, c, product(x.shape[2:]))
    y = empty(x.shape, x.dtype)
    take_rows(x.reshape(planes), rows, y.reshape(planes))
    return y


def channel_shuffle(x: Array, groups: int) -> Array:
    """The channels dealt out again: the first of each group, then the second of each, and so on.

    ``x`` is (N, C, *spatial), float32 or float64, with C a multiple of ``groups``; the result has its shape.
    ValueError or TypeError for what does not fit.

    Source: Zhang et al., "ShuffleNet: an extremely efficient convolutional neural network for mobile devices"
    (2017).

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.channel_shuffle(np.arange(6.0).reshape(1, 6, 1), 2).reshape(-1)
    array([0., 3., 1., 4., 2., 5.])
    """
    return _dealt(x, "x", groups, back=False)


def channel_shuffle_backward(dy: Array, groups: int) -> Array:
    """The gradient dx of ``channel_shuffle``: the channels of dy as they were before.

    >>> import numpy as np
    >>> from kitnet import functional as F
    >>> F.channel_shuffle_backward(np.array([0.0, 3, 1, 4, 2, 5]).reshape(1, 6, 1), 2).reshape(-1)
    array([0., 1., 2., 3., 4., 5.])
    """
    return _dealt(dy, "dy", groups, back=True)
