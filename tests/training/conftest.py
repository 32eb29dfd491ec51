"""A small problem that has everything in it: convolution, batch norm, dropout, several batches an epoch."""

import numpy as np
import pytest

from kitnet.layers import BatchNorm2d, Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU
from kitnet.models import Sequential
from kitnet.training import Adam, CrossEntropyLoss, Trainer
from kitnet.training.checkpoint import generators


@pytest.fixture
def data():
    """Bright bars, upright or lying, in noise; 22 samples, so that the last batch is a part."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 0.3, (22, 1, 6, 6)).astype(np.float32)
    y = np.arange(22) % 2
    for image, label, place in zip(x, y, rng.integers(0, 6, 22), strict=True):
        image[0, :, place] += 1 - label
        image[0, place, :] += label
    return x, y


def small_net(seed=0, dtype=np.float32):
    rng = np.random.default_rng(seed)
    return Sequential(
        Conv2d(1, 3, 3, dtype=dtype, rng=rng),
        BatchNorm2d(3, dtype=dtype),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Dropout(0.3, rng=rng),
        Linear(12, 2, dtype=dtype, rng=rng),
    )


@pytest.fixture
def make_net():
    return small_net


@pytest.fixture
def make_trainer():
    """The same trainer every time, down to the seeds."""

    def make(callbacks=(), optimizer=Adam, seed=0, dtype=np.float32, **options):
        model = small_net(dtype=dtype)
        return Trainer(model, CrossEntropyLoss(), optimizer(model, 0.01), callbacks, rng=seed, **options)

    return make


def _plain(tree):
    """A tree of dicts and arrays as one that can be compared."""
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items()}
    return tree.tobytes() if isinstance(tree, np.ndarray) else tree


def _outcome(trainer):
    """All that a run leaves, but for the time that it took."""
    history = {name: values for name, values in trainer.history.items() if name != "seconds"}
    states = {name: repr(rng.bit_generator.state) for name, rng in generators(trainer).items()}
    return _plain(trainer.arrays()), _plain(trainer.optimizer.state()), history, states, trainer.epoch


@pytest.fixture
def outcome():
    return _outcome
