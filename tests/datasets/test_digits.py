import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kitnet
from kitnet.datasets import load_digits, stratified_split

ROOT = Path(__file__).parents[2]


def test_shapes_and_values():
    images, labels = load_digits()
    assert images.shape == (1797, 1, 8, 8)
    assert images.dtype == np.float32
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(np.unique(images) * 16, range(17))
    np.testing.assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])


def test_they_are_scikit_learns_numbers():
    sklearn = pytest.importorskip("sklearn.datasets")
    images, labels = load_digits()
    np.testing.assert_array_equal(images[:, 0] * 16, sklearn.load_digits().images)
    np.testing.assert_array_equal(labels, sklearn.load_digits().target)


def test_every_call_gives_new_arrays():
    load_digits()[0][...] = 9
    assert load_digits()[0].max() == 1


def test_the_file_is_small_and_says_where_it_comes_from():
    from kitnet.datasets import digits

    assert (Path(kitnet.__file__).parent / "datasets" / "digits.npz").stat().st_size < 100_000
    for words in ("Alpaydin", "Kaynak", "1998", "CC BY 4.0", "10.24432/C50P49"):
        assert words in digits.__doc__
        assert words in load_digits.__doc__


def test_the_script_makes_the_same_numbers():
    pytest.importorskip("sklearn")
    script = ROOT / "tools" / "make_digits.py"
    if not script.exists():
        pytest.skip("not in a checkout")
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "the same numbers\n"), done.stderr


def test_the_split_is_fixed_for_ever():
    """Accuracies are comparable only on the same test part: this digest must never change."""
    train, test = stratified_split(load_digits()[1])
    assert (len(train), len(test)) == (1438, 359)
    assert (
        hashlib.sha256(test.astype("<i8").tobytes()).hexdigest()
        == "3530be80b9605f4c4adc46d0ee3006a356c16968a8efcc58f24463bc820d5ef9"
    )


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_the_split_is_stratified_and_whole(fraction):
    labels = load_digits()[1]
    train, test = stratified_split(labels, fraction, seed=3)
    np.testing.assert_array_equal(np.sort(np.r_[train, test]), range(1797))
    assert (np.diff(train) > 0).all()
    counts = np.bincount(labels)
    np.testing.assert_array_equal(np.bincount(labels[test]), [round(n * fraction) for n in counts])
    assert not np.array_equal(test, stratified_split(labels, fraction, seed=4)[1])


def test_split_of_little():
    train, test = stratified_split(np.array([5, 5, 7]), 0.4)
    assert len(train) == 2
    assert len(test) == 1
    assert all(len(part) == 0 for part in stratified_split(np.zeros(0, int)))


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (([0, 1],), TypeError, "labels"),
        ((np.zeros(3),), TypeError, "labels"),
        ((np.zeros((3, 1), int),), ValueError, "labels"),
        ((np.array([-1, 0]),), ValueError, "labels"),
        ((np.array([0, 1]), 0), ValueError, "test_fraction"),
        ((np.array([0, 1]), 1.0), ValueError, "test_fraction"),
        ((np.array([0, 1]), float("nan")), ValueError, "test_fraction"),
        ((np.array([0, 1]), 0.5, -1), ValueError, "seed"),
        ((np.array([0, 1]), 0.5, 2**32), ValueError, "seed"),
        ((np.array([0, 1]), 0.5, 0.5), TypeError, "seed"),
    ],
)
def test_bad_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        stratified_split(*arguments)
