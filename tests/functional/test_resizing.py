"""Interpolation, adaptive pooling and unpooling: values by hand, transposes, and what is refused."""

import numpy as np
import pytest

from kitnet import functional as F


def signal(*values):
    return np.array([[values]], float)


# ---- interpolation


@pytest.mark.parametrize(
    ("x", "arguments", "expected"),
    [
        ([1, 2, 3], {"size": 5}, [1, 1, 2, 2, 3]),
        ([1, 2, 3], {"size": 5, "mode": "nearest-exact"}, [1, 1, 2, 3, 3]),
        ([1, 2, 3, 4], {"size": 2}, [1, 3]),
        ([1, 2, 3, 4], {"size": 2, "mode": "nearest-exact"}, [2, 4]),
        ([0, 4], {"size": 4, "mode": "linear"}, [0, 1, 3, 4]),
        ([0, 3], {"size": 4, "mode": "linear", "align_corners": True}, [0, 1, 2, 3]),
        ([5, 6, 9], {"size": 1, "mode": "linear"}, [6]),  # the middle
        ([5, 6, 9], {"size": 1, "mode": "linear", "align_corners": True}, [5]),  # the first corner
        ([1, 3, 5, 7, 9], {"size": 2, "mode": "area"}, [3, 7]),
        # 3 * 1.5 rounds to 4: coordinates go by the factor, or by 4/3
        ([0, 6, 12], {"scale_factor": 1.5, "mode": "linear"}, [0, 3, 7, 11]),
        (
            [0, 6, 12],
            {"scale_factor": 1.5, "mode": "linear", "recompute_scale_factor": True},
            [0, 3.75, 8.25, 12],
        ),
        ([0, 6, 12], {"scale_factor": 0.4, "mode": "linear"}, [4.5]),  # 0.5 * 2.5 - 0.5 = 0.75 cells
        ([1, 2], {"scale_factor": 1.2, "mode": "linear"}, [1, 2]),
    ],
    ids=str,
)
def test_interpolation_takes_coordinates_as_pytorch_does(x, arguments, expected):
    np.testing.assert_allclose(F.interpolate(signal(*x), **arguments), signal(*expected), rtol=1e-13)


def test_bilinear_is_linear_along_each_axis():
    x = np.array([[[[0.0, 4], [8, 12]]]])
    rows = [[0, 1, 3, 4], [2, 3, 5, 6], [6, 7, 9, 10], [8, 9, 11, 12]]
    np.testing.assert_array_equal(F.interpolate(x, 4, mode="bilinear"), [[rows]])
    cube = np.arange(8.0).reshape(1, 1, 2, 2, 2)
    y = F.interpolate(cube, 3, mode="trilinear", align_corners=True)
    np.testing.assert_array_equal(y[0, 0, 1], [[2, 2.5, 3], [3, 3.5, 4], [4, 4.5, 5]])


def test_bicubic_uses_the_kernel_of_slope_three_quarters():
    """Halfway between cells the weights are -3/32, 19/32, 19/32, -3/32; cells beyond the edge repeat it."""
    x = np.array([[[[0.0, 32, 64, 0]]]])
    y = F.interpolate(x, (1, 2), mode="bicubic")[0, 0, 0]
    np.testing.assert_allclose(y, [(19 * 32 - 3 * 64) / 32, (-3 * 32 + 19 * 64) / 32], rtol=1e-14)
    np.testing.assert_allclose(F.interpolate(np.ones((1, 1, 3, 4)), (7, 9), mode="bicubic"), 1, rtol=1e-14)


MODES = {3: ["nearest", "nearest-exact", "linear", "area"], 4: ["nearest", "bilinear", "bicubic", "area"]}
MODES[5] = ["nearest", "nearest-exact", "trilinear", "area"]


@pytest.mark.parametrize("align", [None, True])
@pytest.mark.parametrize(("ndim", "mode"), [(n, mode) for n, modes in MODES.items() for mode in modes])
def test_interpolation_and_its_backward_are_transposes(ndim, mode, align):
    if align and (mode.startswith("nearest") or mode == "area"):
        return
    rng = np.random.default_rng(0)
    shape = (2, 3, 4, 5, 3)[:ndim]
    for size in ((7, 3, 6), (4, 9, 2), (8, 10, 6)):
        x = rng.normal(size=shape)
        y = F.interpolate(x, size[: ndim - 2], mode=mode, align_corners=align)
        dy = rng.normal(size=y.shape)
        dx = F.interpolate_backward(dy, shape, size[: ndim - 2], mode=mode, align_corners=align)
        assert (y * dy).sum() == pytest.approx((x * dx).sum(), rel=1e-12)


def test_a_cell_without_weight_has_no_say():
    y = F.interpolate(signal(1, np.inf), 3, mode="linear", align_corners=True)
    np.testing.assert_array_equal(y, signal(1, np.inf, np.inf))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, ValueError, "size: expected either"),
        ({"size": 3, "scale_factor": 2}, ValueError, "size: expected either"),
        ({"size": 0}, ValueError, "size: expected"),
        ({"size": (3, 3)}, ValueError, "size: expected"),
        ({"size": 3.0}, TypeError, "size: expected"),
        ({"scale_factor": 0}, ValueError, "scale_factor: expected"),
        ({"scale_factor": 0.2}, ValueError, "scale_factor: expected sizes"),
        ({"scale_factor": float("inf")}, ValueError, "scale_factor: expected"),
        ({"scale_factor": (2, 2)}, ValueError, "scale_factor: expected"),
        ({"scale_factor": "2"}, TypeError, "scale_factor: expected"),
        ({"scale_factor": 1e9}, ValueError, "scale_factor: expected sizes"),
        ({"size": 3, "mode": "cubic"}, ValueError, "mode: expected"),
        ({"size": 3, "mode": 3}, TypeError, "mode: expected"),
        ({"size": 3, "mode": "bilinear"}, ValueError, "mode: expected"),
        ({"size": 3, "align_corners": True}, ValueError, "align_corners: expected None"),
        ({"size": 3, "mode": "linear", "recompute_scale_factor": True}, ValueError, "recompute_scale_factor"),
    ],
    ids=str,
)
def test_interpolation_names_what_does_not_fit(arguments, error, match):
    with pytest.raises(error, match=match):
        F.interpolate(signal(1, 2, 3, 4), **arguments)
    with pytest.raises(error, match=match):
        F.interpolate_backward(signal(1, 2, 3), (1, 1, 4), **arguments)


# ---- adaptive pooling


def test_adaptive_windows_overlap_where_sizes_do_not_divide():
    x = signal(1, 2, 3, 4, 5, 6, 7)
    np.testing.assert_allclose(F.adaptive_avg_pool1d(x, 3), signal(2, 4, 6))  # [0, 3), [2, 5), [4, 7)
    np.testing.assert_array_equal(F.adaptive_max_pool1d(x, 3), signal(3, 5, 7))
    np.testing.assert_array_equal(F.adaptive_avg_pool1d(signal(1, 2), 3), signal(1, 1.5, 2))
    np.testing.assert_array_equal(F.adaptive_avg_pool1d(x, None), x)


def test_adaptive_maxima_are_the_first_in_row_order():
    x = np.zeros((1, 1, 3, 3))
    x[0, 0, 1, 2] = x[0, 0, 2, 0] = 5
    y, indices = F.adaptive_max_pool2d(x, (1, 2), return_indices=True)
    np.testing.assert_array_equal(y, [[[[5, 5]]]])
    np.testing.assert_array_equal(indices, [[[[6, 5]]]])
    x[0, 0, 1, 1] = 5
    assert F.adaptive_max_pool2d(x, (1, 2), return_indices=True)[1].tolist() == [[[[4, 4]]]]
    x[0, 0, 2, 2] = np.nan
    assert F.adaptive_max_pool2d(x, (1, 2), return_indices=True)[1].tolist() == [[[[4, 8]]]]


@pytest.mark.parametrize(
    ("shape", "out"), [((2, 9, 13, 11), (5, 4)), ((2, 2, 5, 6, 7), (2, 4, 3)), ((2, 8, 3, 4), (5, 7))]
)
def test_adaptive_maxima_are_those_of_their_windows(shape, out):
    """Also of windows that overlap or repeat, with ties, infinities and NaN."""
    values, shares = [np.nan, np.inf, -np.inf, 0.0, 1.0, 2.0], [0.03, 0.03, 0.34, 0.2, 0.2, 0.2]
    x = np.random.default_rng(0).choice(values, shape, p=shares)
    y, indices = getattr(F, f"adaptive_max_pool{len(out)}d")(x, out, return_indices=True)
    places = np.arange(x[0, 0].size).reshape(shape[2:])
    for at in np.ndindex(*out):
        window = tuple(
            slice(j * s // o, -(-(j + 1) * s // o)) for j, s, o in zip(at, shape[2:], out, strict=True)
        )
        cells = x[:, :, *window].reshape(*shape[:2], -1)
        first = cells.argmax(-1)
        np.testing.assert_array_equal(y[:, :, *at], np.take_along_axis(cells, first[..., None], -1)[..., 0])
        np.testing.assert_array_equal(indices[:, :, *at], places[window].reshape(-1)[first])


def test_adaptive_maxima_of_equal_and_unequal_windows_agree():
    x = np.random.default_rng(0).integers(0, 4, (2, 3, 4, 6, 9)).astype(float)
    for out in ((2, 3, 4), (4, 4, 9), (3, 6, 3)):
        y, indices = F.adaptive_max_pool3d(x, out, return_indices=True)
        for place in np.ndindex(*out):
            window = [
                slice(j * s // m, -(-(j + 1) * s // m))
                for j, s, m in zip(place, x.shape[2:], out, strict=True)
            ]
            np.testing.assert_array_equal(y[(..., *place)], x[(..., *window)].max((2, 3, 4)))
        np.testing.assert_array_equal(
            np.take_along_axis(x.reshape(2, 3, -1), indices.reshape(2, 3, -1), 2), y.reshape(2, 3, -1)
        )


@pytest.mark.parametrize(
    ("size", "error"),
    [(0, ValueError), (-1, ValueError), (1.0, TypeError), ("3", TypeError), ((2, 2), ValueError)],
)
def test_adaptive_sizes_are_named(size, error):
    for op in (F.adaptive_avg_pool1d, F.adaptive_max_pool1d):
        with pytest.raises(error, match=r"output_size: expected"):
            op(signal(1, 2, 3), size)


# ---- unpooling


def test_unpooling_takes_the_size_that_was_lost():
    x = signal(1, 5, 4, 3, 9)
    y, indices = F.max_pool1d(x, 2, return_indices=True)
    np.testing.assert_array_equal(F.max_unpool1d(y, indices, 2), signal(0, 5, 4, 0))
    for size in ((5,), x.shape):
        np.testing.assert_array_equal(F.max_unpool1d(y, indices, 2, output_size=size), signal(0, 5, 4, 0, 0))
    with pytest.raises(ValueError, match=r"output_size: expected sizes nearer than"):
        F.max_unpool1d(y, indices, 2, output_size=(6,))
    with pytest.raises(TypeError, match=r"output_size: expected"):
        F.max_unpool1d(y, indices, 2, output_size="5")


def test_unpooling_refuses_indices_out_of_range():
    for bad in (4, -1, 1 << 32, -(1 << 32)):
        with pytest.raises(ValueError, match=r"indices: expected values from 0 to 3"):
            F.max_unpool1d(signal(1, 2), np.array([[[0, bad]]]), 2)
        with pytest.raises(ValueError, match=r"indices: expected values from 0 to 3"):
            F.max_unpool1d_backward(signal(1, 2, 3, 4), np.array([[[0, bad]]]), 2)
    with pytest.raises(ValueError, match=r"padding: expected one that leaves"):
        F.max_unpool1d(signal(1), np.array([[[0]]]), 2, 2, 1)


def test_unpooling_and_its_backward_are_transposes():
    rng = np.random.default_rng(0)
    y, indices = F.max_pool3d(rng.normal(size=(2, 3, 4, 5, 6)), 2, return_indices=True)
    u = F.max_unpool3d(y, indices, 2, output_size=(4, 5, 6))
    du = rng.normal(size=u.shape)
    dy = F.max_unpool3d_backward(du, indices, 2, output_size=(4, 5, 6))
    assert (u * du).sum() == pytest.approx((y * dy).sum(), rel=1e-12)
