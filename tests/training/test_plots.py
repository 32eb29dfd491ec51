import sys

import numpy as np
import pytest

from kitnet.training import History
from kitnet.training.plots import curves, hardest, report, save


def history(epochs=3, **more):
    result = History()
    for epoch in range(1, epochs + 1):
        result.append({"epoch": epoch, "loss": 1 / epoch, "lr": 0.1, "seconds": 1.0} | more)
    return result


def test_misread_come_first_the_surest_first():
    probability = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.55, 0.45]])
    np.testing.assert_array_equal(hardest(probability, np.zeros(4, int), 9), [2, 1, 3, 0])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("samples", [3, 30])
def test_report_is_drawn(tmp_path, channels, samples):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    images, probability = rng.random((samples, channels, 8, 8)), rng.dirichlet(np.ones(4), samples)
    labels = rng.integers(0, 4, samples)
    figure = report(history(accuracy=0.5, val_loss=0.0), images, probability, labels, "title", "note")
    save(figure, tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    save(figure, tmp_path / "report.svg")
    assert b"<svg" in (tmp_path / "report.svg").read_bytes()


def test_many_classes_and_nan_are_fine():
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    nan = history(2, loss=float("nan"))
    report(nan, rng.random((9, 1, 4, 4)), rng.dirichlet(np.ones(30), 9), np.arange(9), "title")
    curves(history(1))


def test_unknown_formats_leave_no_file(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="xyz"):
        save(curves(history()), tmp_path / "picture.xyz")
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_there_is_a_hint(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        curves(history())


def test_importing_kitnet_training_does_not_import_matplotlib():
    import subprocess

    code = (
        "import sys, kitnet.training, kitnet.cli; assert not {'matplotlib', 'tqdm', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
