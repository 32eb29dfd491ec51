"""Files are written whole or not at all, and read back exactly or not at all."""

import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from kitnet._files import atomic_write, check_writable, read_tensors, write_tensors

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
no_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")


def test_text_and_bytes(tmp_path):
    path = tmp_path / "file"
    with atomic_write(path) as f:
        f.write(b"\0\n")
    assert path.read_bytes() == b"\0\n"
    with atomic_write(path, text=True) as f:
        f.write("ä\n")
    assert path.read_bytes() == "ä\n".encode()
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_inside_leaves_everything_as_it_was(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with atomic_write(path) as f:
            f.write(b"half")
            f.flush()
            assert path.read_text() == "old"
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_writing_is_seen_only_at_the_end(tmp_path):
    with atomic_write(tmp_path / "file") as f:
        f.write(b"x")
        assert not (tmp_path / "file").exists()
    assert (tmp_path / "file").exists()


@posix
def test_access_rights_are_those_of_a_plain_open_or_of_the_old_file(tmp_path):
    path = tmp_path / "file"
    before = os.umask(0o027)
    try:
        with atomic_write(path):
            pass
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        with atomic_write(path):
            pass
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(before)


@posix
def test_links_are_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "file")
    for text in ("one", "two"):
        with atomic_write(tmp_path / "link", text=True) as f:
            f.write(text)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "file").read_text() == text


@posix
def test_devices_are_not_replaced():
    for call in (check_writable, lambda path: atomic_write(path).__enter__()):
        with pytest.raises(OSError, match="regular file"):
            call(os.devnull)
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_the_longest_names_that_the_system_takes(tmp_path):
    path = tmp_path / ("n" * 255)
    with atomic_write(path) as f:
        f.write(b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize("call", [check_writable, lambda path: atomic_write(path).__enter__()])
def test_unwritable_paths_are_told_at_once(tmp_path, call):
    (tmp_path / "file").write_text("old")
    for path in (tmp_path, tmp_path / "no" / "file", tmp_path / "file" / "below", "", "."):
        with pytest.raises(OSError, match="path: expected"):
            call(path)
    with pytest.raises(TypeError, match="path"):
        call(None)
    with pytest.raises(ValueError, match="path"):
        call("nul\0byte")
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"


@no_root
def test_read_only_files_and_folders(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="writable file"):
        check_writable(path)
    path.chmod(0o644)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="writable folder"):
            check_writable(path)
    finally:
        tmp_path.chmod(0o755)


def test_check_writable_leaves_nothing(tmp_path):
    check_writable(tmp_path / "file")
    assert not os.listdir(tmp_path)


@posix
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    """SIGKILL, twenty times, into a loop that saves two models in turn: the file is always one of them."""
    code = """if True:
        import os, signal, sys, time
        import numpy as np
        from kitnet._files import read_tensors, write_tensors
        path, old = sys.argv[1], {"a": np.zeros(50_000)}
        new = {"a": np.ones(50_000), "b": np.ones(9, np.int64)}
        write_tensors(path, old, {"format": "test"})
        seen = set()
        for i in range(20):
            child = os.fork()
            if child == 0:
                while True:
                    for tensors in (new, old):
                        write_tensors(path, tensors, {"format": "test"})
            time.sleep(0.005 + 0.0013 * i)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            tensors, metadata = read_tensors(path, "test")
            assert metadata == {"format": "test"}
            seen.add(len(tensors))
        print(sorted(seen))
    """
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "model")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("[1, 2]\n", "[1]\n", "[2]\n")


# Tensors


def example():
    return {
        "w": np.arange(6, dtype=np.float32).reshape(2, 3),
        "scalar": np.array(3, np.int64),
        "empty": np.zeros((0, 2)),
        "flags": np.array([True, False]),
        "": np.ones(1, np.uint8),
    }


def same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_tensors_come_back(tmp_path):
    write_tensors(tmp_path / "t", example(), {"format": "f", "note": 'ä"\n'})
    tensors, metadata = read_tensors(tmp_path / "t", "f")
    same(tensors, example())
    assert metadata == {"format": "f", "note": 'ä"\n'}
    assert all(tensor.flags.writeable and tensor.flags.aligned for tensor in tensors.values())


def test_any_layout_is_stored_right(tmp_path):
    """safetensors 0.8 alone stores these as other values of the same shape, without a word."""
    w = np.arange(12, dtype=np.float32).reshape(3, 4)
    views = {
        "transposed": w.T,
        "strided": w[:, ::2],
        "reversed": w[::-1],
        "repeated": np.broadcast_to(w[0], (2, 4)),
    }
    write_tensors(tmp_path / "t", views, {})
    same(read_tensors(tmp_path / "t")[0], views)


def test_equal_content_is_an_equal_file(tmp_path):
    metadata = {str(i): str(i) for i in range(20)}
    for name in "ab":
        write_tensors(tmp_path / name, example(), metadata)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_others_can_read_our_files_and_we_theirs(tmp_path):
    from safetensors.numpy import load_file, save_file

    write_tensors(tmp_path / "ours", example(), {"format": "f"})
    same(load_file(tmp_path / "ours"), example())
    save_file(example(), tmp_path / "theirs")
    same(read_tensors(tmp_path / "theirs")[0], example())
    with pytest.raises(ValueError, match="format 'f'"):
        read_tensors(tmp_path / "theirs", "f")
    save_file(example(), tmp_path / "theirs", {"format": "f"})
    with pytest.raises(ValueError, match="intact"):  # without a digest
        read_tensors(tmp_path / "theirs", "f")


def test_no_flipped_bit_and_no_cut_goes_unseen(tmp_path):
    path = tmp_path / "t"
    write_tensors(path, example(), {"format": "f"})
    content = path.read_bytes()
    for place in range(0, len(content), 3):
        for spoilt in (content[:place], content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :]):
            path.write_bytes(spoilt)
            try:
                tensors, metadata = read_tensors(path, "f")
            except ValueError as error:
                assert str(error).startswith("path: expected")  # noqa: PT017
            else:  # a blank of the padding: nothing that means anything
                same(tensors, example())
                assert metadata == {"format": "f"}
                assert len(spoilt) == len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 8,
        b"\xff" * 16,
        b"PK\x03\x04" * 10,
        (2).to_bytes(8, "little") + b"{}",
        (10**9).to_bytes(8, "little") + b"{}",
        (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}',
    ],
)
def test_hostile_files_are_value_errors(tmp_path, content):
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(ValueError, match="path: expected"):
        read_tensors(tmp_path / "t", "f")


def test_unreadable_files_are_os_errors(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(OSError):  # noqa: PT011
            read_tensors(path)


@pytest.mark.parametrize(
    "bad",
    [
        [1.0],
        np.array([None]),
        np.ma.zeros(2),
        np.zeros(2, ">f4"),
        np.array(["text"]),
        np.zeros(2, complex),
    ],
)
def test_what_cannot_be_stored_is_refused_before_the_file_is_touched(tmp_path, bad):
    with pytest.raises(TypeError, match="'x'"):
        write_tensors(tmp_path / "t", {"x": bad}, {})
    with pytest.raises(TypeError, match="metadata"):
        write_tensors(tmp_path / "t", {}, {"n": 1})
    assert not os.listdir(tmp_path)
