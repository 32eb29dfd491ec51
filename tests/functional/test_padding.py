"""Borders: against np.pad, and the gradient as its adjoint."""

import random

import numpy as np
import pytest
from families import DTYPES

from kitnet import functional as F

NUMPYS = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _random_pad(rng: random.Random, shape: tuple[int, ...], mode: str) -> list[tuple[int, int]]:
    """(before, after) for some of the last axes, from the largest that the mode allows down to nothing."""
    most = {"reflect": lambda n: n - 1, "circular": lambda n: n}.get(mode, lambda n: 5)
    return [(rng.randint(0, most(n)), rng.randint(0, most(n))) for n in shape[rng.randrange(len(shape)) :]]


def _cases(mode: str):
    rng = random.Random(mode)
    for _ in range(100):
        shape = tuple(rng.randint(1, 6) for _ in range(rng.randint(1, 5)))
        pairs = _random_pad(rng, shape, mode)
        yield shape, [cells for pair in reversed(pairs) for cells in pair], pairs


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("mode", NUMPYS)
def test_pad_is_numpys(mode, dtype):
    for shape, pad, pairs in _cases(mode):
        x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
        whole = [(0, 0)] * (len(shape) - len(pairs)) + pairs
        y = F.pad(x, pad, mode)
        assert y.dtype == dtype
        assert y.flags.c_contiguous
        np.testing.assert_array_equal(y, np.pad(x, whole, NUMPYS[mode]))
        if mode == "constant":
            given = np.pad(x, whole, constant_values=-2.5)
            np.testing.assert_array_equal(F.pad(x, tuple(pad), mode, -2.5), given)


@pytest.mark.parametrize("mode", NUMPYS)
def test_the_gradient_is_the_adjoint_of_the_border(mode):
    """<pad(x), dy> = <x, pad_backward(dy)>, exactly: in whole numbers."""
    rng = np.random.default_rng(1)
    for shape, pad, _ in _cases(mode):
        x = rng.integers(-9, 9, shape).astype(float)
        y = F.pad(x, pad, mode)
        dy = rng.integers(-9, 9, y.shape).astype(float)
        before = dy.copy()
        assert np.vdot(y, dy) == np.vdot(x, F.pad_backward(dy, shape, pad, mode))
        np.testing.assert_array_equal(dy, before)


def test_negative_borders_cut():
    x = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(F.pad(x, (-1, 1, 0, -2)), [[1, 2, 3, 0]])
    dx = F.pad_backward(np.array([[1.0, 2, 3, 4]]), (3, 4), (-1, 1, 0, -2))
    np.testing.assert_array_equal(dx, [[0, 1, 2, 3], [0, 0, 0, 0], [0, 0, 0, 0]])


def test_empty_batches_have_borders_too():
    for mode in NUMPYS:
        assert F.pad(np.empty((0, 2, 3)), (1, 2), mode).shape == (0, 2, 6)
        assert F.pad_backward(np.empty((0, 2, 6)), (0, 2, 3), (1, 2), mode).shape == (0, 2, 3)
    np.testing.assert_array_equal(F.pad(np.empty((0, 2)), (0, 0, 1, 0), value=3), [[3, 3]])


def test_values_beyond_float32_are_infinite():
    np.testing.assert_array_equal(F.pad(np.zeros(1, np.float32), (1, 0), value=1e300), [np.inf, 0])
