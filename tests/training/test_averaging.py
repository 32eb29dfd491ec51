"""Averages of weights by hand; ``tests/parity`` has PyTorch's."""

import numpy as np
import pytest

from kitnet.layers import BatchNorm1d, BatchNorm2d, Conv2d, Dropout, Linear, ReLU
from kitnet.models import Sequential
from kitnet.training import (
    AveragedModel,
    WeightAveraging,
    get_ema_multi_avg_fn,
    get_swa_multi_avg_fn,
    update_bn,
)


def model_at(value):
    model = Linear(1, 1, bias=False, dtype=np.float64)
    model.weight.data[...] = value
    return model


OPTIONS = [
    ({}, [4, 3, 5]),
    ({"multi_avg_fn": get_swa_multi_avg_fn()}, [4, 3, 5]),
    ({"multi_avg_fn": get_ema_multi_avg_fn(0.75)}, [4, 3.5, 4.875]),
    ({"avg_fn": lambda average, newest, n: average + n * newest}, [4, 6, 24]),
]


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(("options", "expected"), OPTIONS)
def test_by_hand(options, expected, flat):
    model = model_at(1.0)
    averaged = AveragedModel(model, **options)
    if flat:
        model.flatten_parameters()
    for value, average in zip((4.0, 2.0, 9.0), expected, strict=True):
        model.weight.data[...] = value
        averaged.update_parameters(model)
        assert averaged.module.weight.data == average
    assert averaged.n_averaged == 3
    assert averaged(np.ones((1, 1))) == expected[-1]
    assert model(np.ones((1, 1))) == 9


def test_it_is_a_layer_around_a_copy():
    model = Sequential(Linear(3, 2), ReLU())
    averaged = AveragedModel(model)
    assert [name for name, _ in averaged.named_parameters()] == ["module.0.weight", "module.0.bias"]
    assert averaged.out_shape((5, 3)) == (5, 2)
    y, pullback = averaged.vjp(np.ones((5, 3), np.float32))
    assert pullback(y).shape == (5, 3)
    assert not np.shares_memory(averaged.module[0].weight.data, model[0].weight.data)


def test_statistics_follow_or_are_averaged():
    model = BatchNorm1d(1, dtype=np.float64)
    following, averaging = AveragedModel(model), AveragedModel(model, use_buffers=True)
    for value in (2.0, 4.0):
        model.running_mean[...] = value
        model.num_batches_tracked[...] = value
        for averaged in (following, averaging):
            averaged.update_parameters(model)
    assert (following.module.running_mean, following.module.num_batches_tracked) == (4, 4)
    assert (averaging.module.running_mean, averaging.module.num_batches_tracked) == (3, 3)


def test_fresh_statistics_are_those_of_the_data():
    rng = np.random.default_rng(0)
    model = Sequential(
        Conv2d(1, 2, 1, rng=rng), BatchNorm2d(2, momentum=0.3), ReLU(), BatchNorm2d(2), Dropout(0.0)
    )
    x = rng.normal(3, 2, (24, 1, 4, 4)).astype(np.float32)
    model.vjp(x * 100)
    update_bn(x, model, batch_size=8)
    first = model[0](x)
    np.testing.assert_allclose(model[1].running_mean, first.mean((0, 2, 3)), rtol=1e-5)
    variances = [part.var((0, 2, 3), ddof=1) for part in np.split(first, 3)]
    np.testing.assert_allclose(model[1].running_var, np.mean(variances, axis=0), rtol=1e-4)
    assert (model[1].momentum, model[3].momentum, model[1].num_batches_tracked) == (0.3, 0.1, 3)
    saved = {name: array.copy() for name, array in model.buffers().items()}
    update_bn(np.split(x, 3), model)
    update_bn([(batch, "label") for batch in np.split(x, 3)], model)
    for name, array in model.buffers().items():
        np.testing.assert_array_equal(array, saved[name])


def test_frozen_statistics_and_none_stay_as_they_are():
    frozen, without = BatchNorm2d(2, frozen=True), BatchNorm2d(2, track_running_stats=False)
    frozen.running_mean[...] = 3
    update_bn(np.ones((4, 2, 3, 3), np.float32), Sequential(frozen, without), batch_size=2)
    assert frozen.running_mean.tolist() == [3, 3]
    assert without.running_mean is None


def test_momentum_comes_back_after_an_error():
    norm = BatchNorm2d(2)
    with pytest.raises(ValueError, match="x"):
        update_bn([np.ones((1, 3, 2, 2), np.float32)], norm)
    assert norm.momentum == 0.1
    update_bn("not looked at", Linear(1, 1))


def test_callback_counts_steps_and_epochs(make_trainer, data):
    trainer = make_trainer()
    steps, epochs = AveragedModel(trainer.model), AveragedModel(trainer.model)
    trainer.callbacks = [WeightAveraging(steps, "step", start=4), WeightAveraging(epochs, start=1)]
    trainer.fit(*data, epochs=3, batch_size=8, verbose=0)
    assert (steps.n_averaged, epochs.n_averaged) == (9 - 4, 2)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda a: AveragedModel(None), TypeError, "model"),
        (lambda a: AveragedModel(a, lambda a, b, n: a, lambda a, b, n: None), ValueError, "multi_avg_fn"),
        (lambda a: get_ema_multi_avg_fn(1.5), ValueError, "decay"),
        (lambda a: WeightAveraging(a.module), TypeError, "averaged"),
        (lambda a: WeightAveraging(a, "batch"), ValueError, "every"),
        (lambda a: WeightAveraging(a, start=-1), ValueError, "start"),
        (lambda a: update_bn(np.ones(3), BatchNorm1d(1)), ValueError, "loader"),
        (lambda a: update_bn(np.ones((3, 1)), BatchNorm1d(1), 0), ValueError, "batch_size"),
    ],
)
def test_bad_arguments_are_named(make, error, match):
    with pytest.raises(error, match=rf"^{match}: expected"):
        make(AveragedModel(Linear(1, 1)))
