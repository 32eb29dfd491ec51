"""The article's convolution layer, as it uses it: image to rows, one matrix product, rows back to an image.

``kitnet.layers.Conv2d`` is the layer to train with; this one is for reading along. It keeps the matrices of
the article's figures as attributes. What the article's listing gets wrong is right here:

1. It promises an output (N, C, H, W) and reshapes to (N, H, W, C). ``output`` is (N, C, H, W).
2. It builds rows in the order (h, w, n) and reads them back as (n, h, w), which mixes the samples of a batch.
Here
   rows are in the order (n, h, w) throughout, those of ``kitnet.functional.im2col``; and ``backward`` puts
   delta into the same order before it is a matrix.
3. Where ``pad_h`` is 0 it does not take the padding of the width off ``delta``, and where only ``pad_w`` is 0
its
   slice ``0:-0`` is empty. Here ``delta`` has the shape of ``x`` for any padding.
4. It grows the matrix of rows with ``vstack``, one row at a time: quadratic in time. ``im2col`` writes each
once.
5. Its check that the stride fits divides integers first, and so never fails. Here it is a ValueError.
"""

from __future__ import annotations

import numpy as np

from . import functional as F
from . import init
from ._arrays import Array, gate
from ._geometry import Window, checked_shape, one_int

__all__ = ["ConvLayer", "ParamLayer"]


class ParamLayer:
    """A layer with weights ``W`` (in, fh, fw, out) and ``b`` (out,), as the article's listing derives from.

    Parameters
    ----------
    name
        What to call the layer.
    shape
        (in, fh, fw, out): input channels, the filter's height and width, output channels.
    init_method
        How W starts: ``"random"`` (normal, deviation 0.01), ``"xavier"`` (uniform), ``"kaiming"`` (normal,
        for ReLU) or ``"zeros"``. b starts with zeros.
    rng
        What W is drawn from; None: a fresh, unseeded generator.

    Attributes
    ----------
    W, b
        The parameters, float64 as NumPy makes them.
    input, output
        What ``forward`` worked on and what it made.
    grad, delta
        What ``backward`` found: the gradients [of W, of b], and that of the input.

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    >>> from kitnet.article import ParamLayer
    >>> layer = ParamLayer("layer", (3, 5, 5, 8), "xavier")
    >>> layer.W.shape, layer.b.shape
    ((3, 5, 5, 8), (8,))
    """

    input: Array
    output: Array
    grad: list[Array]
    delta: Array

    def __init__(
        self,
        name: str,
        shape: tuple[int, int, int, int],
        init_method: str = "random",
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.name = name
        *inputs, outputs = checked_shape(shape, 4, "shape")
        one_int(inputs[0], "shape")
        rng = np.random.default_rng() if rng is None else rng
        kernels = (outputs, *inputs)  # the order of axes that fans are counted in
        if init_method == "random":
            weight = init.normal(kernels, rng, std=0.01, dtype=np.float64)
        elif init_method == "xavier":
            weight = init.xavier_uniform(kernels, rng, dtype=np.float64)
        elif init_method == "kaiming":
            weight = init.kaiming_normal(kernels, rng, nonlinearity="relu", dtype=np.float64)
        elif init_method == "zeros":
            weight = init.zeros(kernels, np.float64)
        else:
            raise ValueError(
                f"init_method: expected 'random', 'xavier', 'kaiming' or 'zeros', got {init_method!r}"
            )
        self.W = np.ascontiguousarray(np.moveaxis(weight, 0, -1))
        self.b = init.zeros((outputs,), np.float64)


class ConvLayer(ParamLayer):
    """Convolution as one matrix product: rows of windows times columns of weights.

    Parameters
    ----------
    shape
        (in, fh, fw, out): input channels, the filter's height and width, output channels; W has it too.
    pad_w, pad_h
        The border of zeros at the left and right, and at the top and bottom.
    stride
        From window to window, both ways.
    name, init_method, rng
        As for ``ParamLayer``.
    debug
        Print the shapes of the matrices.

    Attributes
    ----------
    W, b, grad, delta
        As for ``ParamLayer``; delta has the shape of x.
    input
        The rows of windows, (N * OH * OW, in * fh * fw), in the order (n, oh, ow) and (in, fh, fw).
    w_cols
        W as a matrix, (in * fh * fw, out).
    output_col
        ``input @ w_cols + b``, (N * OH * OW, out).
    output
        (N, out, OH, OW)

    Raises
    ------
    ValueError, TypeError
        Naming the argument that does not fit.

    Source: the article, sections 5 and 6; the module's text lists what differs.

    >>> import numpy as np
    >>> from kitnet.article import ConvLayer
    >>> layer = ConvLayer((1, 3, 3, 2), pad_w=1, pad_h=1)
    >>> layer.forward(np.ones((4, 1, 5, 5))).shape, layer.input.shape
    ((4, 2, 5, 5), (100, 9))
    >>> layer.backward(np.ones((4, 2, 5, 5))).shape
    (4, 1, 5, 5)
    """

    w_cols: Array
    output_col: Array

    def __init__(
        self,
        shape: tuple[int, int, int, int],
        pad_w: int = 0,
        pad_h: int = 0,
        stride: int = 1,
        name: str = "ConvLayer",
        init_method: str = "random",
        debug: bool = False,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__(name, shape, init_method, rng=rng)
        self.in_channel, self.filter_h, self.filter_w, self.out_channel = self.W.shape
        self.indx = self.filter_h * self.filter_w * self.in_channel
        self.pad_h = one_int(pad_h, "pad_h", least=0)
        self.pad_w = one_int(pad_w, "pad_w", least=0)
        self.stride = one_int(stride, "stride")
        self.debug = debug

    def forward(self, x: Array) -> Array:
        """The convolution of x (N, in, H, W), which is ``output``; it is computed in the dtype of x.

        Raises
        ------
        ValueError, TypeError
            If x does not fit, or the stride does not fit its size without a rest.
        """
        x = gate(x, "x", 4)
        if x.shape[1] != self.in_channel:
            raise ValueError(f"x: expected {self.in_channel} channels, got shape {x.shape}")
        window = Window.of(x.shape[2:], *self._window())
        for axis, side in enumerate(("height", "width")):
            covered = (window.out_size[axis] - 1) * self.stride + window.kernel[axis]
            if (padded := x.shape[2 + axis] + 2 * window.pad_before[axis]) != covered:
                raise ValueError(
                    f"x: expected a {side} that windows at stride {self.stride} cover without a rest, "
                    f"got shape {x.shape}: {covered} of {padded} with padding"
                )
        self.batch_size, self._in_shape = x.shape[0], x.shape
        self.input = F.im2col(x, *self._window())
        self.w_cols = self.W.astype(x.dtype, copy=False).reshape(self.indx, self.out_channel)
        self.output_col = F.linear(self.input, self.w_cols.T, self.b.astype(x.dtype, copy=False))
        rows = self.output_col.reshape(self.batch_size, *window.out_size, self.out_channel)
        self.output = np.ascontiguousarray(rows.transpose(0, 3, 1, 2))
        if self.debug:
            print("x_cols.shape = ", self.input.shape)
            print("w_cols.shape = ", self.w_cols.shape)
            print("output.shape = ", self.output.shape)
        return self.output

    def backward(self, delta: Array) -> Array:
        """The gradients ``grad`` of [W, b] and ``delta`` of x, given that of the output, (N, out, OH, OW).

        Raises
        ------
        RuntimeError
            If there was no ``forward``.
        ValueError, TypeError
            If delta has not the shape and dtype of ``output``.
        """
        if not hasattr(self, "w_cols"):
            raise RuntimeError("ConvLayer.backward: expected a call of forward before")
        delta = gate(delta, "delta", dtype=self.output.dtype, shape=self.output.shape)
        delta_cols = delta.transpose(0, 2, 3, 1).reshape(self.output_col.shape)
        grad_x_cols, grad_w, grad_b = F.linear_backward(delta_cols, self.input, self.w_cols.T)
        assert grad_x_cols is not None
        self.grad = [grad_w.T.reshape(self.W.shape), grad_b.reshape(self.b.shape)]
        self.delta = F.col2im(grad_x_cols, self._in_shape, *self._window())
        if self.debug:
            print("grad_w.shape = ", self.grad[0].shape)
            print("delta.shape = ", self.delta.shape)
        return self.delta

    def _window(self) -> tuple[tuple[int, int], int, tuple[int, int]]:
        """Filter size, stride and padding as ``im2col`` takes them."""
        return (self.filter_h, self.filter_w), self.stride, (self.pad_h, self.pad_w)
