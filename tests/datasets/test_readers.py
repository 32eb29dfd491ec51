"""Readers of files that others wrote: exact on good ones, a ValueError on every other, whatever is in it."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from kitnet.datasets import (
    load_cifar10,
    load_cifar100,
    load_mnist,
    read_cifar,
    read_idx,
    read_npy,
    read_npz,
)


def idx(array):
    kind = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    head = bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def npy(array):
    f = io.BytesIO()
    np.save(f, array)
    return f.getvalue()


def npz(**arrays):
    f = io.BytesIO()
    np.savez_compressed(f, **arrays)
    return f.getvalue()


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return to_file


# IDX


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "f4", "f8"])
def test_idx_of_every_type(write, kind, pack):
    array = (np.arange(24) - 5).astype(kind).reshape(2, 3, 4)
    found = read_idx(write(pack(idx(array))))
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    assert found.flags.writeable
    np.testing.assert_array_equal(found, array)


GOOD = idx(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0\0\x08",
        b"\x01" + GOOD[1:],
        GOOD[:2] + b"\x0a" + GOOD[3:],
        GOOD[:3] + b"\0" + GOOD[4:],
        GOOD[:3] + b"\xff" + GOOD[4:],
        GOOD[:7],
        GOOD[:-1],
        GOOD + b"\0",
        bytes([0, 0, 8, 1]) + struct.pack(">I", 0),
        bytes([0, 0, 8, 4]) + struct.pack(">4I", *[2**32 - 1] * 4) + bytes(64),
        bytes([0, 0, 14, 3]) + struct.pack(">3I", 2**31, 2**31, 4) + b"",
        gzip.compress(GOOD, mtime=0)[:-4],
        gzip.compress(GOOD, mtime=0)[:12],
        gzip.compress(GOOD, mtime=0)[:-8] + bytes(8),
        b"\x1f\x8b",
        b"\x1f\x8b" + bytes(50),
    ],
)
def test_idx_that_is_none(write, content):
    with pytest.raises(ValueError, match="path: expected"):
        read_idx(write(content))


def test_idx_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "none")
    with pytest.raises(OSError, match=str(tmp_path.name)):
        read_idx(tmp_path)


def test_a_gzip_bomb_stops_at_the_limit(write):
    bomb = write(gzip.compress(bytes(50_000_000), 9, mtime=0))
    assert bomb.stat().st_size < 60_000
    with pytest.raises(ValueError, match="at most 1000000 bytes"):
        read_idx(bomb, limit=1_000_000)


def mnist(folder, end="", images=None, labels=None, stem="train"):
    images = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) if images is None else images
    labels = np.array([7, 1], np.uint8) if labels is None else labels
    pack = gzip.compress if end else bytes
    (folder / f"{stem}-images-idx3-ubyte{end}").write_bytes(pack(idx(images)))
    (folder / f"{stem}-labels-idx1-ubyte{end}").write_bytes(pack(idx(labels)))


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize(("stem", "train"), [("train", True), ("t10k", False)])
def test_mnist(tmp_path, end, stem, train):
    mnist(tmp_path, end, stem=stem)
    images, labels = load_mnist(tmp_path, train)
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, np.arange(18).reshape(2, 1, 3, 3) / 255, rtol=1e-6)
    np.testing.assert_array_equal(labels, [7, 1])
    assert labels.dtype == np.int64
    with pytest.raises(FileNotFoundError, match="folder: expected"):
        load_mnist(tmp_path, not train)


@pytest.mark.parametrize(
    "parts",
    [
        {"labels": np.zeros(3, np.uint8)},
        {"labels": np.zeros((2, 1), np.uint8)},
        {"labels": np.zeros(2, np.int32)},
        {"images": np.zeros((2, 9), np.uint8)},
        {"images": np.zeros((2, 3, 3), np.float32)},
    ],
)
def test_mnist_files_that_do_not_belong_together(tmp_path, parts):
    mnist(tmp_path, **parts)
    with pytest.raises(ValueError, match="folder: expected"):
        load_mnist(tmp_path)


# CIFAR


def cifar(labels, label_bytes=1):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (len(labels), 3072), np.uint8)
    rows = np.array(labels, np.uint8).reshape(len(labels), label_bytes)
    return np.hstack([rows, pixels]).tobytes(), pixels.reshape(-1, 3, 32, 32)


def test_cifar_records(write):
    content, pixels = cifar([3, 9])
    images, labels = read_cifar(write(content))
    np.testing.assert_array_equal(images, pixels)
    np.testing.assert_array_equal(labels, [3, 9])
    content, pixels = cifar([[19, 99], [0, 50]], 2)
    for classes, expected in ((20, [19, 0]), (100, [99, 50])):
        images, labels = read_cifar(write(content), classes)
        np.testing.assert_array_equal(images, pixels)
        np.testing.assert_array_equal(labels, expected)


def test_cifar_folders(tmp_path):
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}.bin").write_bytes(cifar([i])[0])
    (tmp_path / "test_batch.bin").write_bytes(cifar([0])[0])
    (tmp_path / "train.bin").write_bytes(cifar([[4, 44]], 2)[0])
    images, labels = load_cifar10(tmp_path)
    np.testing.assert_array_equal(labels, range(1, 6))
    assert images.dtype == np.float32
    assert 0 <= images.min() < images.max() <= 1
    assert load_cifar10(tmp_path, train=False)[1] == [0]
    assert load_cifar100(tmp_path)[1] == [44]
    assert load_cifar100(tmp_path, coarse=True)[1] == [4]
    with pytest.raises(FileNotFoundError):
        load_cifar100(tmp_path, train=False)


@pytest.mark.parametrize("content", [b"", bytes(3072), bytes(3074), cifar([10])[0]])
def test_cifar_that_is_none(write, content):
    with pytest.raises(ValueError, match="path: expected"):
        read_cifar(write(content))


def test_cifar_classes_are_checked(write):
    with pytest.raises(ValueError, match="classes: expected 10, 20 or 100, got 11"):
        read_cifar(write(cifar([1])[0]), 11)
    with pytest.raises(ValueError, match="labels below 20"):
        read_cifar(write(cifar([[20, 0]], 2)[0]), 20)


# npy, npz


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        np.array(5, np.uint8),
        np.zeros((0, 3), np.float32),
        np.array([True, False]),
        np.arange(3, dtype=">i4"),
        np.arange(3, dtype=np.float16),
    ],
    ids=str,
)
def test_npy(write, array):
    for content in (npy(array), gzip.compress(npy(array), mtime=0)):
        found = read_npy(write(content))
        assert found.dtype == array.dtype.newbyteorder("=")
        assert found.shape == array.shape
        np.testing.assert_array_equal(found, array)


def header(text, version=(1, 0)):
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(text)) + text


PLAIN = npy(np.arange(4.0))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        PLAIN[:5],
        PLAIN[:40],
        PLAIN[:-1],
        PLAIN + b"\0",
        b"PK" + PLAIN,
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }\n", (9, 9)) + bytes(32),
        header(b"{'descr': '|O', 'fortran_order': False, 'shape': (4,), }\n") + bytes(32),
        header(b"{'descr': '<U4', 'fortran_order': False, 'shape': (2,), }\n") + bytes(32),
        header(b"{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }\n") + bytes(32),
        header(b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (4,), }\n") + bytes(32),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-4,), }\n") + bytes(32),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -2), }\n") + bytes(32),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }\n"),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (True, 4), }\n") + bytes(32),
        header(b"__import__('os').system('true')\n") + bytes(32),
        header(b"((((((((((((((((((((((((\n"),
        header(b"\xff\xfe\0\0\n"),
    ],
)
def test_npy_that_is_none(write, content):
    with pytest.raises(ValueError, match="path: expected"):
        read_npy(write(content))
    with zipfile.ZipFile(path := write(b"", "x.npz"), "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ValueError, match="path: expected"):
        read_npz(path, ("a",))


def test_objects_are_never_unpickled(write):
    class Trap:
        def __reduce__(self):
            return (exec, ("raise SystemExit('unpickled')",))

    f = io.BytesIO()
    np.save(f, np.array([Trap()], object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"array of numbers|\.npy file"):
        read_npy(write(f.getvalue()))


def test_npz(write):
    path = write(npz(a=np.arange(3), b=np.ones((2, 2))))
    b, a = read_npz(path, ("b", "a"))
    np.testing.assert_array_equal(a, range(3))
    np.testing.assert_array_equal(b, np.ones((2, 2)))


def test_npz_that_is_none(write, tmp_path):
    good = npz(a=np.arange(1000.0))
    for content in (b"", good[:-5], good[: len(good) // 2], npy(np.ones(3))):
        with pytest.raises(ValueError, match="path: expected"):
            read_npz(write(content), ("a",))
    for place in range(0, len(good), 7):
        spoilt = bytearray(good)
        spoilt[place] ^= 0x55
        try:
            read_npz(write(bytes(spoilt)), ("a",))
        except ValueError as error:
            assert str(error).startswith("path: expected")  # noqa: PT017
    with pytest.raises(ValueError, match="an array 'c', got none"):
        read_npz(write(good), ("c",))
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "none", ("a",))


def test_a_zip_bomb_stops_at_the_limit(write):
    path = write(npz(a=np.zeros(10**6)))
    assert path.stat().st_size < 20_000
    with pytest.raises(ValueError, match="fewer bytes"):
        read_npz(path, ("a",), limit=10**6)
