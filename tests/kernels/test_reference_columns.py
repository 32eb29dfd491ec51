"""The specification of im2col, unfold and their transposes: values by hand, and the adjoint identity."""

import numpy as np
import pytest
from kernels.by_hand import columns, images

from kitnet._kernels import reference as ref


def test_im2col_has_one_window_a_row():
    x = images([1, 2, 3], [4, 5, 6], [7, 8, 9])
    expected = [[1, 2, 4, 5], [2, 3, 5, 6], [4, 5, 7, 8], [5, 6, 8, 9]]
    assert columns(ref.im2col, x, (1, 4, 4), (1, 2, 2), (1, 2, 2)).tolist() == [expected]
    assert columns(ref.unfold, x, (1, 4, 4), (1, 2, 2), (1, 2, 2)).tolist() == [
        np.transpose(expected).tolist()
    ]


def test_im2col_orders_channels_before_kernel_cells():
    x = images(1, 2, 3, 10, 20, 30, shape=(1, 2, 1, 1, 3))
    cols = columns(ref.im2col, x, (1, 2, 4), (1, 1, 2), (1, 1, 2))
    assert cols.tolist() == [[[1, 2, 10, 20], [2, 3, 20, 30]]]


def test_im2col_pads_with_zeros_and_obeys_stride_and_dilation():
    x = images([1, 2, 3, 4, 5])
    cols = columns(ref.im2col, x, (1, 3, 2), (1, 1, 2), (1, 1, 3), (1, 1, 2), (0, 0, 1), (1, 1, 3))
    assert cols.tolist() == [[[0, 3], [2, 5], [4, 0]]]  # cells 2 o - 1 and 2 o + 2


def test_col2im_accumulates_where_windows_overlap():
    cols = np.ones((1, 4, 4))
    x = columns(ref.col2im, cols, (1, 1, 1, 3, 3), (1, 2, 2), (1, 2, 2))
    assert x[0, 0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert (columns(ref.fold, cols, (1, 1, 1, 3, 3), (1, 2, 2), (1, 2, 2)) == x).all()


def test_col2im_leaves_cells_that_no_window_reaches_zero():
    x = columns(ref.col2im, np.ones((1, 2, 1)), (1, 1, 1, 1, 5), (1, 1, 1), (1, 1, 2), (1, 1, 3))
    assert x.ravel().tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize(("forward", "backward"), [(ref.im2col, ref.col2im), (ref.unfold, ref.fold)])
def test_columns_forward_and_backward_are_adjoint(forward, backward):
    """<im2col(x), c> = <x, col2im(c)>"""
    rng = np.random.default_rng(0)
    geometry = ((2, 3, 2), (3, 2, 3), (1, 2, 2), (1, 0, 1), (2, 1, 1))
    x = rng.standard_normal((2, 3, 3, 5, 5))
    c = rng.standard_normal((2, 18, 36) if forward is ref.im2col else (2, 36, 18))
    cols = columns(forward, x, c.shape, *geometry)
    assert np.vdot(cols, c) == pytest.approx(np.vdot(x, columns(backward, c, x.shape, *geometry)))
