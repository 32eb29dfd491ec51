"""Make kitnet/datasets/digits.npz from the same numbers in scikit-learn (``pip install scikit-learn``).

    python tools/make_digits.py          write the file
    python tools/make_digits.py --check  only compare: exit code 1 if the shipped numbers differ

Data: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits" (test set), UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TARGET = Path(__file__).resolve().parent.parent / "kitnet" / "datasets" / "digits.npz"


def main() -> int:
    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    assert (images == digits.images).all()
    assert images.shape == (1797, 8, 8)
    if sys.argv[1:] == ["--check"]:
        with np.load(TARGET, allow_pickle=False) as shipped:
            same = np.array_equal(shipped["images"], images) and np.array_equal(shipped["labels"], labels)
        print("the same numbers" if same else "different numbers")
        return 0 if same else 1
    np.savez_compressed(TARGET, images=images, labels=labels)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
