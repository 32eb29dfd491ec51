import math

import numpy as np
import pytest

from kitnet.training import accuracy, confusion_matrix


def test_accuracy_of_scores_and_of_labels():
    scores = np.array([[1.0, 2.0, 0.0], [3.0, 3.0, 1.0], [0.0, 0.0, 1.0]])
    target = np.array([1, 0, 0])
    assert accuracy(scores, target) == accuracy(scores.argmax(1), target) == 2 / 3
    assert type(accuracy(scores, target)) is float


def test_accuracy_of_nothing_is_nan():
    assert math.isnan(accuracy(np.zeros((0, 3)), np.zeros(0, int)))


def test_confusion_matrix_counts_by_true_row_and_predicted_column():
    target, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 2, 1, 1, 2, 2])
    expected = [[1, 0, 1], [0, 1, 0], [0, 1, 2]]
    np.testing.assert_array_equal(confusion_matrix(target, predicted), expected)
    np.testing.assert_array_equal(confusion_matrix(target, np.eye(3)[predicted]), expected)
    assert confusion_matrix(target, predicted, classes=5).shape == (5, 5)
    assert confusion_matrix(np.zeros(0, int), np.zeros(0, int)).shape == (0, 0)


def test_confusion_matrix_is_sklearns():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    target, predicted = rng.integers(0, 7, 200), rng.integers(0, 7, 200)
    np.testing.assert_array_equal(
        confusion_matrix(target, predicted), sklearn.confusion_matrix(target, predicted)
    )


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: accuracy(np.array([1, 2]), np.array([1])), ValueError, "target"),
        (lambda: accuracy([1, 2], np.array([1, 2])), TypeError, "predicted"),
        (lambda: accuracy(np.array([1.0]), np.array([1])), TypeError, "predicted"),
        (lambda: accuracy(np.array([1]), None), TypeError, "target"),
        (lambda: confusion_matrix(np.array([3]), np.array([0]), classes=3), ValueError, "target"),
        (lambda: confusion_matrix(np.array([0]), np.array([-1])), ValueError, "predicted"),
        (lambda: confusion_matrix(np.array([0]), np.array([3]), classes=2), ValueError, "predicted"),
    ],
)
def test_bad_arguments_are_named(call, error, match):
    with pytest.raises(error, match=match):
        call()
