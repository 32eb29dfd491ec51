import csv
import math

import pytest

from kitnet.training import History


def example():
    history = History()
    history.append({"epoch": 1, "loss": 1 / 3, "accuracy": 0.5})
    history.append({"epoch": 2, "loss": 0.1, "accuracy": 0.75, "val_loss": 0.2})
    return history


def test_rows_and_columns():
    history = example()
    assert history.epochs == 2
    assert history["loss"] == [1 / 3, 0.1]
    assert history.row(-1) == {"epoch": 2, "loss": 0.1, "accuracy": 0.75, "val_loss": 0.2}
    assert math.isnan(history["val_loss"][0])
    assert History().epochs == 0
    assert history.stopped is None


def test_csv_keeps_every_digit(tmp_path):
    path = tmp_path / "history.csv"
    example().to_csv(path)
    assert path.read_bytes().startswith(b"epoch,loss,accuracy,val_loss\n1,0.3333333333333333,0.5,nan\n")
    with open(path, newline="") as f:
        assert [float(row["loss"]) for row in csv.DictReader(f)] == [1 / 3, 0.1]


def test_csv_to_nowhere_is_an_error(tmp_path):
    with pytest.raises(OSError, match="folder"):
        example().to_csv(tmp_path / "missing" / "history.csv")


def test_plot_writes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    figure = example().plot(tmp_path / "curves.png")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "accuracy [%]"]
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
