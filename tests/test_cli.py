"""The command line, as a user has it: in a process of its own."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import kitnet
from kitnet.cli import main
from kitnet.cli.data import test_data as labelled_data
from kitnet.datasets import load_digits, stratified_split
from kitnet.layers import Conv2d, Flatten, Linear
from kitnet.models import Sequential, digits_net

KITNET = [sys.executable, "-W", "ignore", "-m", "kitnet"]


def run(*arguments, **options):
    command = [*KITNET, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def fails(done, *words):
    """One line on standard error, nothing on standard output, exit code 2."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("kitnet: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """One epoch of training, and what it printed."""
    out = tmp_path_factory.mktemp("runs") / "deep" / "er"
    return out, run("train", "--epochs", 1, "--batch-size", 64, "--out", out)


def test_train_writes_model_history_and_picture(trained):
    out, done = trained
    assert done.returncode == 0, done.stderr
    for words in (
        "test accuracy",
        "confusion matrix",
        "throughput",
        "images/s in training",
        "epoch 1/1  loss",
    ):
        assert words in done.stdout
    model = kitnet.load(out / "model.safetensors")
    images, labels = labelled_data("digits")
    right = (kitnet.training.predict(model, images).argmax(1) == labels).sum()
    assert f"test accuracy {100 * right / len(labels):.2f} %" in done.stdout
    with open(out / "history.csv", newline="") as f:
        (row,) = csv.DictReader(f)
    assert set(row) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"}
    pytest.importorskip("matplotlib")
    assert (out / "report.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in out.iterdir()) == ["history.csv", "model.safetensors", "report.png"]


def test_same_seed_same_file(trained, tmp_path):
    out, _ = trained
    assert run("train", "--epochs", 1, "--batch-size", 64, "--out", tmp_path, "--verbose", 0).returncode == 0
    assert (tmp_path / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_the_promised_accuracy(tmp_path):
    if kitnet.backend() != "cython":
        pytest.skip("minutes without the compiled kernels")
    assert main(["train", "--out", str(tmp_path), "--verbose", "0"]) == 0
    model = kitnet.load(tmp_path / "model.safetensors")
    images, labels = labelled_data("digits")
    assert kitnet.training.accuracy(model(images), labels) >= 0.985


def test_train_without_matplotlib_says_how_to_get_it(tmp_path):
    code = "import sys; sys.modules['matplotlib'] = None; from kitnet.cli import main; sys.exit(main())"
    command = [sys.executable, "-W", "ignore", "-c", code, "train", "--epochs", "1", "--batch-size", "256"]
    done = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "no picture: matplotlib is needed for pictures: pip install matplotlib\n" in done.stdout
    assert (tmp_path / "model.safetensors").exists()


def test_evaluate(trained, tmp_path):
    out, training = trained
    done = run("evaluate", out / "model.safetensors")
    assert done.returncode == 0
    accuracy = training.stdout.split("test accuracy ")[1].split(" %")[0]
    assert done.stdout.startswith(f"accuracy {accuracy} % of 359, loss ")
    assert done.stdout.count("\n") == 13
    images, labels = labelled_data("digits")
    np.savez(tmp_path / "same.npz", images=images[:, 0], labels=labels)
    assert run("evaluate", out / "model.safetensors", "--data", tmp_path / "same.npz").stdout == done.stdout


def test_predict_arrays(trained, tmp_path, capsys):
    model, (images, _) = str(trained[0] / "model.safetensors"), labelled_data("digits")
    expected = kitnet.load(model)(images[:3]).argmax(1)
    shapes = {"n1hw": images[:3], "nhw": images[:3, 0], "1hw": images[0], "hw": images[0, 0]}
    for name, array in shapes.items():
        np.save(tmp_path / f"{name}.npy", array)
        np.save(tmp_path / f"{name}-bytes.npy", np.round(array * 255).astype(np.uint8))
        for path in (str(tmp_path / f"{name}.npy"), str(tmp_path / f"{name}-bytes.npy")):
            assert main(["predict", model, path]) == 0
            lines = capsys.readouterr().out.splitlines()
            names = [path] if len(lines) == 1 else [f"{path}[{i}]" for i in range(3)]
            assert len(lines) == (3 if "n" in name else 1)
            for line, where, digit in zip(lines, names, expected, strict=False):
                assert line.startswith(f"{where}: {digit} (")


def test_predict_pictures(trained, tmp_path, capsys):
    pil = pytest.importorskip("PIL.Image")
    model, (images, _) = str(trained[0] / "model.safetensors"), labelled_data("digits")
    # One that the model reads surely, so that rounding to bytes changes nothing.
    scores = kitnet.functional.softmax(kitnet.load(model)(images))
    place = scores.max(1).argmax()
    small = pil.fromarray(np.round(images[place, 0] * 255).astype(np.uint8))
    large = small.resize((64, 64), pil.Resampling.NEAREST)
    inverted = pil.fromarray(255 - np.asarray(small))
    clear = small.convert("RGBA")
    for name, picture, more in (
        ("small", small, []),
        ("large", large, []),
        ("colour", large.convert("RGB"), []),
        ("alpha", clear, []),
        ("inverted", inverted, ["--invert"]),
        ("palette", small.convert("P"), []),
    ):
        path = str(tmp_path / f"{name}.png")
        picture.save(path)
        assert main(["predict", model, path, *more]) == 0
        assert capsys.readouterr().out.startswith(f"{path}: {scores[place].argmax()} ("), name


def test_predict_refuses_what_it_cannot_read(trained, tmp_path):
    pil = pytest.importorskip("PIL.Image")
    model = trained[0] / "model.safetensors"
    pil.new("L", (8, 8)).save(tmp_path / "a.bmp")
    (tmp_path / "bmp.png").write_bytes((tmp_path / "a.bmp").read_bytes())
    pil.new("L", (80, 80)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    (tmp_path / "x.npy").write_bytes(b"nonsense")
    np.save(tmp_path / "shape.npy", np.zeros((11, 11)))
    np.save(tmp_path / "objects.npy", np.array([None]), allow_pickle=True)
    for name in ("bmp.png", "cut.png", "x.npy", "shape.npy", "objects.npy", "none.png", "none.npy"):
        fails(run("predict", model, tmp_path / name), name)
    fails(run("predict", model, tmp_path), str(tmp_path))


def test_a_picture_too_large_to_open(trained, tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pil.new("1", (14_000, 14_000)).save(tmp_path / "bomb.png")
    fails(run("predict", trained[0] / "model.safetensors", tmp_path / "bomb.png"), "bomb.png", "sane size")


def test_predict_without_pillow_says_how_to_get_it(trained, tmp_path):
    (tmp_path / "x.png").touch()
    code = "import sys; sys.modules['PIL'] = None; from kitnet.cli import main; sys.exit(main())"
    command = [sys.executable, "-W", "ignore", "-c", code, "predict"]
    done = subprocess.run(
        [*command, trained[0] / "model.safetensors", tmp_path / "x.png"], capture_output=True, text=True
    )
    fails(done, "pip install pillow")


def test_predict_with_a_model_of_colour_pictures(tmp_path, capsys):
    pil = pytest.importorskip("PIL.Image")
    kitnet.save(Sequential(Conv2d(3, 2, 5), Flatten(), Linear(2, 4)), tmp_path / "model")
    pil.new("RGB", (20, 10), "red").save(tmp_path / "red.png")
    assert main(["predict", str(tmp_path / "model"), str(tmp_path / "red.png")]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_folder_of_idx_files(tmp_path, capsys):
    """MNIST's format, in small: bright bars, upright or lying."""
    rng = np.random.default_rng(0)
    for stem, n in (("train", 40), ("t10k", 10)):
        images, labels = rng.integers(0, 60, (n, 12, 12), np.uint8), np.arange(n, dtype=np.uint8) % 2
        for image, label, place in zip(images, labels, rng.integers(0, 12, n), strict=True):
            image[(place, slice(None)) if label else (slice(None), place)] = 255
        head = b"\0\0\x08\x03" + np.array([n, 12, 12], ">i4").tobytes()
        (tmp_path / f"{stem}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        head = b"\0\0\x08\x01" + np.array([n], ">i4").tobytes()
        (tmp_path / f"{stem}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    folder, out = str(tmp_path), tmp_path / "out"
    assert main(["train", "--data", folder, "--out", str(out), "--epochs", "3", "--batch-size", "8"]) == 0
    assert capsys.readouterr().out.startswith("lenet, ")
    assert main(["evaluate", str(out / "model.safetensors"), "--data", folder]) == 0
    assert " of 10, loss " in capsys.readouterr().out


def test_info(capsys):
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for word in (kitnet.__version__, kitnet.backend(), "backend", "instruction set", "OpenMP", "threads"):
        assert word in out
    done = run("info", "--require-ext", env=os.environ | {"KITNET_BACKEND": "numpy"})
    assert done.returncode == 2
    assert done.stderr == "kitnet: --require-ext: expected the compiled kernels, got backend 'numpy'\n"


def test_info_of_a_model(trained, capsys):
    model = str(trained[0] / "model.safetensors")
    assert main(["info", model]) == 0
    out = capsys.readouterr().out
    for words in (
        "Sequential(",
        "(0): Conv2d(1, 16, 3, padding=1)",
        "0.weight",
        "(16, 1, 3, 3)",
        "running_mean",
    ):
        assert words in out
    assert out.endswith("\n38,378 parameters\n")


def test_bench(capsys):
    assert main(["bench", "--seconds", "0"]) == 0
    out = capsys.readouterr().out
    for word in ("GFLOP/s", "GB/s", "conv2d_backward", "max_pool2d", "linear", "im2col", kitnet.backend()):
        assert word in out


def test_bench_explains_one_convolution(capsys):
    conv = [
        "--conv",
        "2x32x12x12",
        "--weight",
        "32x32x3x3",
        "--stride",
        "1",
        "--padding",
        "1",
        "--dilation",
        "1",
    ]
    assert main(["bench", *conv, "--groups", "1", "--dtype", "float32", "--seconds", "0"]) == 0
    out = capsys.readouterr().out
    for word in ("2x32x12x12", "backward weight", "GFLOP/s", "scratch MB", kitnet.backend()):
        assert word in out
    conv = [
        "--conv",
        "1x2x9",
        "--weight",
        "4x1x3",
        "--padding",
        "same_lower",
        "--stride",
        "2",
        "--groups",
        "2",
    ]
    assert main(["bench", *conv, "--dtype", "float64", "--seconds", "0"]) == 0
    assert "padding 1, dilation 1, groups 2; float64" in capsys.readouterr().out
    conv = ["--conv", "1x1x9x9", "--weight", "1x1x3x3", "--padding", "1x0", "--stride", "2x1"]
    assert main(["bench", *conv, "--seconds", "0"]) == 0
    assert "stride 2x1, padding 1x0, dilation 1x1" in capsys.readouterr().out


def test_version_and_help():
    assert run("--version").stdout == f"kitnet {kitnet.__version__}\n"
    assert all(word in run("--help").stdout for word in ("train", "evaluate", "predict", "info", "bench"))
    for arguments in ([], ["fly"], ["train", "--epochs", "many"], ["predict"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_wrong_use_is_one_line(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "model.safetensors").mkdir()
    for arguments, words in (
        (["train", "--out", tmp_path / "file"], ["--out", "file"]),
        (["train", "--out", tmp_path / "file" / "below"], ["--out", "below"]),
        (["train", "--out", tmp_path], ["model.safetensors", "regular file"]),
        (["train", "--out", tmp_path / "x", "--epochs", "0"], ["--epochs", "at least 1"]),
        (["train", "--out", tmp_path / "x", "--batch-size", "-3"], ["--batch-size"]),
        (["train", "--out", tmp_path / "x", "--seed", "-1"], ["--seed"]),
        (["train", "--out", tmp_path / "x", "--lr", "nan"], ["lr"]),
        (["train", "--out", tmp_path / "x", "--data", tmp_path / "none"], ["folder", "none"]),
        (["evaluate", tmp_path / "none"], ["none: No such file"]),
        (["evaluate", tmp_path / "file"], ["safetensors", "file"]),
        (["evaluate", tmp_path], [str(tmp_path)]),
        (["bench", "--seconds", "-1"], ["--seconds"]),
        (["bench", "--conv", "8x64x56x56"], ["--weight", "both"]),
        (["bench", "--stride", "2"], ["--conv", "both"]),
        (["bench", "--conv", "8x", "--weight", "64x64x3x3"], ["--conv", "'8x'"]),
        (["bench", "--conv", "8x64x56x56", "--weight", "64x3x3x3"], ["--weight: expected 64 channels"]),
        (["bench", "--conv", "8x64x56x56", "--weight", "64x64x3x3", "--dtype", "int8"], ["dtype", "int8"]),
        (["bench", "--conv", "8x64x56x56", "--weight", "64x64x3x3", "--padding", "odd"], ["padding", "odd"]),
    ):
        fails(run(*arguments), *words)
    assert (tmp_path / "file").read_text() == "old"


def test_evaluate_data_that_does_not_fit(trained, tmp_path):
    model = trained[0] / "model.safetensors"
    for name, arrays, word in (
        ("shape", {"images": np.zeros((2, 3)), "labels": np.zeros(2, int)}, "--data"),
        ("lengths", {"images": np.zeros((2, 8, 8)), "labels": np.zeros(3, int)}, "target"),
        ("floats", {"images": np.zeros((2, 8, 8)), "labels": np.zeros(2)}, "target"),
        ("classes", {"images": np.zeros((2, 8, 8)), "labels": np.array([0, 10])}, "target"),
        ("sizes", {"images": np.zeros((2, 11, 11)), "labels": np.zeros(2, int)}, "x"),
        ("names", {"x": np.zeros(2)}, "images"),
    ):
        np.savez(tmp_path / name, **arrays)
        fails(run("evaluate", model, "--data", tmp_path / f"{name}.npz"), word)


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
class TestCtrlC:
    def start(self, tmp_path, *more):
        """A training that would take hours; Ctrl-C reaches it even where the test runner ignores it."""
        code = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        code += "from kitnet.cli import main; sys.exit(main())"
        command = [
            sys.executable,
            "-u",
            "-W",
            "ignore",
            "-c",
            code,
            "train",
            "--out",
            tmp_path,
            "--verbose",
            "2",
        ]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*command, "--epochs", "100000", *more], **pipes)

    def test_keeps_what_was_learnt(self, tmp_path):
        process = self.start(tmp_path)
        for line in process.stdout:
            if line.startswith("epoch      1/100000"):
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 130
        assert err.startswith("kitnet: interrupted after ")
        assert err.count("\n") == 1
        assert "wrote" in out
        kitnet.load(tmp_path / "model.safetensors")
        with open(tmp_path / "history.csv", newline="") as f:
            rows = list(csv.DictReader(f))
        assert f"interrupted after {len(rows)} of 100000 epochs" in err

    def test_before_the_first_epoch_nothing_is_written(self, tmp_path):
        process = self.start(tmp_path, "--batch-size", "1")
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        assert process.returncode == 130
        assert err.count("\n") == 1
        assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX pipes")
def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen([*KITNET, "info"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 141


def test_data_for_training_are_the_fixed_split():
    images, labels = load_digits()
    _, test = stratified_split(labels)
    np.testing.assert_array_equal(labelled_data("digits").images, images[test])
    assert digits_net().out_shape((1, 1, 8, 8)) == (1, 10)
