"""The bundled data set: 1,797 scans of handwritten digits.

``digits.npz`` holds the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak,
UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, under the Creative Commons Attribution
4.0 licence (CC BY 4.0). The numbers are unchanged; only the file format is ours. ``tools/make_digits.py``
makes the file.
"""

from __future__ import annotations

import os

import numpy as np

from ._bytes import unit_interval
from .npy import read_npz

_FILE = os.path.join(os.path.dirname(__file__), "digits.npz")


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Load the bundled handwritten digits: 1,797 real scans of 8 x 8 pixels, ten classes.

    Returns
    -------
    images, labels
        float32 of shape (1797, 1, 8, 8) with values from 0 (paper) to 1 (ink) in steps of 1/16, and int64 of
        shape (1797,) with values from 0 to 9. ``images * 16`` are the integers of the original file.

    Notes
    -----
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (its test set), UCI Machine
    Learning Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0. Each pixel counts the inked cells
    of a 4 x 4 block of a 32 x 32 scan. scikit-learn's ``load_digits`` has the same numbers.

    Examples
    --------
    >>> from kitnet.datasets import load_digits, stratified_split
    >>> images, labels = load_digits()
    >>> images.shape, labels[:10]
    ((1797, 1, 8, 8), array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    >>> train, test = stratified_split(labels)
    >>> len(train), len(test)
    (1438, 359)
    """
    images, labels = read_npz(_FILE, ("images", "labels"))
    return unit_interval(images[:, np.newaxis], top=16), labels.astype(np.int64)
