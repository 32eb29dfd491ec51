"""Convolutions and pools are those of the NumPy oracles that Keras tests itself with, and ships in its wheel.

Runs where Keras is installed. Its oracles take weights with the filters last. Some are no definition
everywhere, and asked only where they are: the one for "causal" has its border right at stride 1; those for
transposed convolution cut the wrong cells where there is dilation; those for pools put the whole border of
"same" at the end, and for means fill it with copies of the last cell, which is right where it is one cell
wide. What Keras defines beyond that, ``tests/functional/test_padding_rules.py`` has.
"""

import os
import random
import tempfile

import numpy as np
import pytest

from kitnet import functional as F

HOME = tempfile.TemporaryDirectory()  # Keras writes a file there as it is imported
os.environ.setdefault("KERAS_HOME", HOME.name)
os.environ.setdefault("KERAS_BACKEND", "torch")
pytest.importorskip("keras")
LAYERS = "keras.src.layers"
conv = pytest.importorskip(f"{LAYERS}.convolutional.conv_test", reason="a Keras without its tests")
transpose = pytest.importorskip(f"{LAYERS}.convolutional.conv_transpose_test")
depthwise = pytest.importorskip(f"{LAYERS}.convolutional.depthwise_conv_test")
max_pooling = pytest.importorskip(f"{LAYERS}.pooling.max_pooling_test")
average_pooling = pytest.importorskip(f"{LAYERS}.pooling.average_pooling_test")

COUNT = 60
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_ndim = pytest.mark.parametrize("ndim", [1, 2, 3])


def near(actual, expected, dtype):
    bound = 1e-5 if dtype == np.float32 else 1e-10
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, expected, bound, bound * np.abs(expected).max(initial=1))


def filters_last(weight):
    """(K, C, *kernel) as (*kernel, C, K)."""
    return np.moveaxis(weight, (0, 1), (-1, -2))


def draw(rng, ndim, most, least=1):
    return tuple(rng.randint(least, most) for _ in range(ndim))


def border(size, span, stride):
    """Cells that "same" adds to an axis."""
    return max((-(-size // stride) - 1) * stride + span - size, 0)


def geometries(seed, ndim, count=COUNT):
    """(padding, size, kernel, stride, dilation) that fit."""
    rng = random.Random(seed)
    while count:
        padding = rng.choice(("valid", "same", "same") + ("causal",) * (ndim == 1))
        size, kernel, dilation = draw(rng, ndim, 10 - ndim, 2), draw(rng, ndim, 4), draw(rng, ndim, 3)
        # TensorFlow, and so Keras, has no stride with dilation; causal: see above.
        stride = (1,) * ndim if max(dilation) > 1 or padding == "causal" else draw(rng, ndim, 4)
        spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
        if padding != "valid" or all(span <= s for span, s in zip(spans, size, strict=True)):
            yield padding, size, kernel, stride, dilation
            count -= 1


@both_dtypes
@every_ndim
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution(ndim, groups, dtype):
    rng = np.random.default_rng(ndim)
    for padding, size, kernel, stride, dilation in geometries(f"conv {ndim} {groups}", ndim):
        x, weight = rng.standard_normal((2, 3 * groups, *size)), rng.standard_normal((2 * groups, 3, *kernel))
        bias = rng.standard_normal(2 * groups)
        oracle = getattr(conv, f"np_conv{ndim}d")
        y = oracle(x, filters_last(weight), bias, stride, padding, "channels_first", dilation, groups)
        given = (a.astype(dtype) for a in (x, weight, bias))
        near(getattr(F, f"conv{ndim}d")(*given, stride, padding, dilation, groups), y, dtype)


@both_dtypes
@pytest.mark.parametrize("ndim", [1, 2])
def test_depthwise_convolution(ndim, dtype):
    rng = np.random.default_rng(ndim)
    for padding, size, kernel, stride, dilation in geometries(f"depthwise {ndim}", ndim):
        if padding == "causal":
            continue
        x, weight, bias = (rng.standard_normal(s) for s in ((2, 3, *size), (3, 2, *kernel), (6,)))
        oracle = getattr(depthwise, f"np_depthwise_conv{ndim}d")
        last = np.moveaxis(weight, (0, 1), (-2, -1))
        y = oracle(x, last, bias, stride, padding, "channels_first", dilation)
        given = (a.astype(dtype) for a in (x, weight.reshape(6, 1, *kernel), bias))
        near(getattr(F, f"conv{ndim}d")(*given, stride, padding, dilation, 3), y, dtype)


@both_dtypes
@every_ndim
def test_transposed_convolution(ndim, dtype):
    """What Keras calls "valid" reaches to the next place of a window, where a stride leaves gaps."""
    rng = np.random.default_rng(ndim)
    for padding, size, kernel, stride, dilation in geometries(f"transposed {ndim}", ndim, 4 * COUNT):
        if padding == "causal" or max(dilation) > 1:
            continue
        beyond = [max(s - k, 0) * (padding == "valid") for s, k in zip(stride, kernel, strict=True)]
        x, weight, bias = (rng.standard_normal(s) for s in ((2, 3, *size), (3, 2, *kernel), (2,)))
        oracle = getattr(transpose, f"np_conv{ndim}d_transpose")
        last = np.moveaxis(x, 1, -1)  # in 3-D it mixes up the axes of channels that come first
        y = oracle(last, filters_last(weight), bias, stride, padding, None, "channels_last", dilation)
        y = np.moveaxis(y, -1, 1)
        given = (a.astype(dtype) for a in (x, weight, bias))
        near(getattr(F, f"conv_transpose{ndim}d")(*given, stride, padding, beyond), y, dtype)


@both_dtypes
@every_ndim
@pytest.mark.parametrize("name", ["max", "avg"])
def test_pooling(name, ndim, dtype):
    rng, done = np.random.default_rng(ndim), 0
    module, widest = (max_pooling, 4) if name == "max" else (average_pooling, 2)
    for padding, size, kernel, stride, _ in geometries(f"{name} {ndim}", ndim, 4 * COUNT):
        cells = max(border(*axis) for axis in zip(size, kernel, stride, strict=True))
        if padding == "causal" or (padding == "same" and (cells > 1 or max(kernel) > widest)):
            continue
        if any(k > s for k, s in zip(kernel, size, strict=True)):
            continue
        x = rng.standard_normal((2, 3, *size))
        y = getattr(module, f"np_{name}pool{ndim}d")(x, kernel, stride, padding, "channels_first")
        more = {"count_include_pad": False} if name == "avg" else {}
        actual = getattr(F, f"{name}_pool{ndim}d")(x.astype(dtype), kernel, stride, padding, **more)
        near(actual, y, dtype)
        done += 1
    assert done > COUNT / 4
