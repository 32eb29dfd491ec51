"""Data to train on: the bundled handwritten digits, and readers for the usual file formats."""

from .cifar import load_cifar10, load_cifar100, read_cifar
from .digits import load_digits
from .idx import load_mnist, read_idx
from .npy import read_npy, read_npz
from .split import stratified_split

__all__ = [
    "load_cifar10",
    "load_cifar100",
    "load_digits",
    "load_mnist",
    "read_cifar",
    "read_idx",
    "read_npy",
    "read_npz",
    "stratified_split",
]
