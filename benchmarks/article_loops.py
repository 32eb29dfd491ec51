"""The article's ``ConvLayer`` loops, as a peer to be compared with.

The listing of section 6 in Python 3: its lost digits inferred, its loops, ``np.vstack`` growth and
arithmetic kept as they are. What it gets wrong is put right without changing the work done: the rows of
the matrix are ordered (n, h, w) as they are read back, the output and the gradient are (N, C, H, W), the
weight is (in, fh, fw, out), and padding is removed axis by axis. ``kitnet.article.ConvLayer`` is the
same layer on kitnet's kernels.
"""

from __future__ import annotations

import numpy as np


class ArticleConvLayer:
    """A convolution with loops over every output position. ``W`` is (in, fh, fw, out), ``b`` is (out,)."""

    def __init__(self, W: np.ndarray, b: np.ndarray, pad_h: int = 0, pad_w: int = 0, stride: int = 1) -> None:
        self.W, self.b = W, b
        self.in_channel, self.filter_h, self.filter_w, self.out_channel = W.shape
        self.indx = self.filter_h * self.filter_w * self.in_channel
        self.pad_h, self.pad_w, self.stride = pad_h, pad_w, stride

    def forward(self, x: np.ndarray) -> np.ndarray:
        """x (n, c, h, w) -> (n, out, oh, ow)."""
        self.batch_size, _, in_h, in_w = x.shape
        out_h = (in_h + 2 * self.pad_h - self.filter_h) // self.stride + 1
        out_w = (in_w + 2 * self.pad_w - self.filter_w) // self.stride + 1
        x_padded = np.pad(x, ((0, 0), (0, 0), (self.pad_h, self.pad_h), (self.pad_w, self.pad_w)), "constant")
        self.h_padded, self.w_padded = x_padded.shape[2], x_padded.shape[3]

        x_cols = None
        for n in range(self.batch_size):
            for i in range(self.filter_h, self.h_padded + 1, self.stride):
                for j in range(self.filter_w, self.w_padded + 1, self.stride):
                    tmp = x_padded[n, :, i - self.filter_h : i, j - self.filter_w : j]
                    field = tmp.reshape((1, self.indx))
                    x_cols = field if x_cols is None else np.vstack((x_cols, field))

        assert x_cols is not None
        self.input = x_cols
        self.w_cols = self.W.reshape(self.indx, self.out_channel)
        self.output_col = np.dot(self.input, self.w_cols) + self.b
        output = self.output_col.reshape(self.batch_size, out_h, out_w, self.out_channel)
        self.output = np.ascontiguousarray(output.transpose(0, 3, 1, 2))
        return self.output

    def backward(self, delta: np.ndarray) -> np.ndarray:
        """delta (n, out, oh, ow) -> dx (n, c, h, w); leaves ``grad`` = [dW, db]."""
        delta_cols = delta.transpose(0, 2, 3, 1).reshape(self.output_col.shape)
        grad_x_cols = np.dot(delta_cols, self.w_cols.T)
        grad_w = np.dot(self.input.T, delta_cols)
        grad_b = np.sum(delta_cols, axis=0)
        self.grad = [grad_w.reshape(self.W.shape), grad_b.reshape(self.b.shape)]

        dx_padded = np.zeros((self.batch_size, self.in_channel, self.h_padded, self.w_padded))
        idx = 0
        tmp_shape = (1, self.in_channel, self.filter_h, self.filter_w)
        for n in range(self.batch_size):
            for i in range(self.filter_h, self.h_padded + 1, self.stride):
                for j in range(self.filter_w, self.w_padded + 1, self.stride):
                    tmp = grad_x_cols[idx, :].reshape(tmp_shape)
                    dx_padded[n : n + 1, :, i - self.filter_h : i, j - self.filter_w : j] += tmp
                    idx += 1
        self.delta = dx_padded[
            :, :, self.pad_h : self.h_padded - self.pad_h, self.pad_w : self.w_padded - self.pad_w
        ]
        return self.delta
