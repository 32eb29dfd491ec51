import math

import numpy as np
import pytest

from kitnet.training import CrossEntropyLoss, Loss


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_gradient_are_those_of_the_formula(dtype):
    logits = np.random.default_rng(0).normal(size=(7, 5)).astype(dtype)
    target = np.array([0, 1, 2, 3, 4, 0, 4])
    value, pullback = CrossEntropyLoss().vjp(logits, target)
    softmax = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    tolerance = 1e-6 if dtype == np.float32 else 1e-14
    assert type(value) is float
    assert value == pytest.approx(-np.log(softmax[range(7), target]).mean(), rel=tolerance)
    gradient = pullback()
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient, (softmax - np.eye(5)[target]) / 7, atol=tolerance)


def test_call_is_the_value_alone():
    logits, target = np.array([[2.0, -1.0]]), np.array([1])
    loss = CrossEntropyLoss()
    assert loss(logits, target) == loss.vjp(logits, target)[0]


def test_huge_logits_stay_finite():
    loss = CrossEntropyLoss()
    value, pullback = loss.vjp(np.array([[1e4, -1e4]], np.float32), np.array([1]))
    assert value == 2e4
    np.testing.assert_array_equal(pullback(), [[1, -1]])


def test_empty_batch_is_nan():
    loss = CrossEntropyLoss()
    value, pullback = loss.vjp(np.zeros((0, 3), np.float32), np.zeros(0, int))
    assert math.isnan(value)
    assert pullback().shape == (0, 3)


@pytest.mark.parametrize(
    ("logits", "target", "error", "match"),
    [
        (np.zeros((2, 3)), np.array([0, 3]), ValueError, "target"),
        (np.zeros((2, 3)), np.array([-1, 0]), ValueError, "target"),
        (np.zeros((2, 3)), np.array([0, 1, 2]), ValueError, "target"),
        (np.zeros((2, 3)), np.array([0.0, 1.0]), TypeError, "target"),
        (np.zeros((2, 3), int), np.array([0, 1]), TypeError, "logits"),
        (np.zeros(3), np.array([0]), ValueError, "logits"),
        (None, np.array([0]), TypeError, "logits"),
        (np.zeros((2, 3)), None, TypeError, "target"),
    ],
)
def test_bad_arguments_are_named(logits, target, error, match):
    with pytest.raises(error, match=match):
        CrossEntropyLoss().vjp(logits, target)


def test_targets_are_checked_for_a_whole_data_set():
    assert CrossEntropyLoss().check_target(np.array([1, 2], np.uint8)).dtype == np.int64
    with pytest.raises(TypeError, match="labels"):
        CrossEntropyLoss().check_target([1, 2], "labels")


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="vjp"):
        Loss()(None, None)
    with pytest.raises(NotImplementedError, match="check_target"):
        Loss().check_target(None)
    assert repr(CrossEntropyLoss()) == "CrossEntropyLoss()"
