"""Files as images and labels for a model."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from ..datasets import load_digits, load_mnist, read_npy, read_npz, stratified_split
from ..layers import Layer

DIGITS = "digits"


class Labelled(NamedTuple):
    """Images (N, C, H, W) and labels (N,)."""

    images: np.ndarray
    labels: np.ndarray


def pixels(images: np.ndarray) -> np.ndarray:
    """Bytes are grey levels from 0 to 255, which become 0 to 1; anything else is taken as it is."""
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images


def training_data(source: str) -> tuple[Labelled, Labelled]:
    """The training and the test part of the digits, or of a folder with MNIST-like files."""
    if source != DIGITS:
        return Labelled(*load_mnist(source, train=True)), Labelled(*load_mnist(source, train=False))
    images, labels = load_digits()
    train, test = stratified_split(labels)
    return Labelled(images[train], labels[train]), Labelled(images[test], labels[test])


def test_data(source: str) -> Labelled:
    """What to evaluate on: the test part of the digits or of a folder, or all of a .npz file."""
    if source == DIGITS:
        return training_data(source)[1]
    if os.path.isdir(source):
        return Labelled(*load_mnist(source, train=False))
    images, labels = read_npz(source, ("images", "labels"))
    if images.ndim == 3:
        images = images[:, np.newaxis]
    if images.ndim != 4:
        raise ValueError(f"--data: expected images (N, C, H, W) or (N, H, W), got shape {images.shape}")
    return Labelled(pixels(images), labels)


def _accepts(model: Layer, shape: tuple[int, ...]) -> bool:
    try:
        return len(model.out_shape(shape)) == 2
    except (ValueError, TypeError):
        return False


def unlabelled(path: str, model: Layer, invert: bool) -> np.ndarray:
    """The images (N, C, H, W) of a .npy file or of a picture, as the model takes them."""
    if path.lower().endswith(".npy"):
        array = pixels(read_npy(path))
        for images in _as_batches(array):
            if _accepts(model, (1, *images.shape[1:])):
                return 1 - images if invert else images
        raise ValueError(f"{path}: expected images that the model takes, got an array of shape {array.shape}")
    channels, height, width = _input_shape(model)
    return _read_picture(path, channels, (height, width), invert)


def _as_batches(array: np.ndarray) -> Iterator[np.ndarray]:
    """The ways to read an array as (N, C, H, W)."""
    if array.ndim == 4:
        yield array
    elif array.ndim == 3:
        yield array[:, np.newaxis]
        yield array[np.newaxis]
    elif array.ndim == 2:
        yield array[np.newaxis, np.newaxis]


def _input_shape(model: Layer) -> tuple[int, int, int]:
    """(C, H, W) of the smallest square images that the model takes: grey, or else in colour."""
    for channels in (1, 3):
        for size in range(1, 513):
            if _accepts(model, (1, channels, size, size)):
                return channels, size, size
    raise ValueError(
        "model: expected one that classifies square images of up to 512 pixels, grey or in colour"
    )


def _read_picture(path: str, channels: int, size: tuple[int, int], invert: bool) -> np.ndarray:
    try:
        pil: Any = import_module("PIL.Image")
    except ImportError:
        raise ImportError("Pillow is needed to read pictures: pip install pillow") from None
    with warnings.catch_warnings():
        warnings.simplefilter("error", pil.DecompressionBombWarning)
        try:
            # PNG alone: the rare formats are where decoders have their holes.
            with pil.open(path, formats=("PNG",)) as opened:
                picture = opened.convert("RGBA")
        except (
            pil.UnidentifiedImageError,
            pil.DecompressionBombWarning,
            pil.DecompressionBombError,
        ) as error:
            raise ValueError(f"{path}: expected a .npy or .png file of sane size ({error})") from None
        except (SyntaxError, ValueError, OSError) as error:
            if isinstance(error, OSError) and error.filename is not None:
                raise
            raise ValueError(f"{path}: expected an intact .png file ({error})") from None
    ground = pil.new("RGBA", picture.size, "white")
    picture = pil.alpha_composite(ground, picture).convert("L" if channels == 1 else "RGB")
    finer = min(picture.size) >= max(size)
    picture = picture.resize(size[::-1], pil.Resampling.BOX if finer else pil.Resampling.BILINEAR)
    image = np.asarray(picture, np.float32) / np.float32(255)
    image = image.reshape(*size, channels).transpose(2, 0, 1)[np.newaxis]
    return 1 - image if invert else image
