"""Bounds of gradients, and in the trainer."""

import math

import numpy as np
import pytest

import kitnet
from kitnet.layers import Linear, Parameter
from kitnet.training import (
    SGD,
    Callback,
    CrossEntropyLoss,
    Trainer,
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
)


def model_with(gradient, flat=False):
    model = Linear(2, 1, dtype=np.float64)
    if flat:
        model.flatten_parameters()
    model.weight.accumulate(np.array([gradient[:2]], float))
    model.bias.accumulate(np.array(gradient[2:], float))
    return model


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize(
    ("norm_type", "norm"), [(2, 7.0), (1, 11.0), (math.inf, 6.0), (3, 251 ** (1 / 3))], ids=str
)
def test_norm_by_hand(norm_type, norm, flat):
    model = model_with([2.0, -3.0, 6.0], flat)
    assert get_total_norm(model, norm_type) == pytest.approx(norm, rel=1e-15)
    assert get_total_norm(list(model.parameters()), norm_type) == pytest.approx(norm, rel=1e-15)
    assert clip_grad_norm_(model, norm / 2, norm_type) == pytest.approx(norm, rel=1e-15)
    assert get_total_norm(model, norm_type) == pytest.approx(norm / 2, rel=1e-6)
    np.testing.assert_allclose(model.weight.grad, [[1, -1.5]], rtol=1e-6)


def test_what_is_within_the_bound_stays_bit_for_bit():
    model = model_with([0.1, 0.2, 0.3])
    clip_grad_norm_(model, 10.0)
    clip_grad_value_(model, 0.3)
    assert (model.weight.grad.tolist(), model.bias.grad.tolist()) == ([[0.1, 0.2]], [0.3])


def test_generators_serve_too():
    model = model_with([2.0, -3.0, 6.0])
    assert clip_grad_norm_((p for p in model.parameters()), 3.5) == 7
    assert get_total_norm(p for p in model.parameters()) == pytest.approx(3.5, rel=1e-6)
    clip_grad_value_((p for p in model.parameters()), 1.0)
    assert model.bias.grad == 1
    assert get_total_norm([]) == 0
    assert get_total_norm(Parameter(np.ones(4)), math.inf) == 0


def test_large_gradients_do_not_overflow():
    parameter = Parameter(np.ones(4, np.float32))
    parameter.accumulate(np.full(4, 1e30, np.float32))
    assert get_total_norm(parameter) == pytest.approx(2e30)
    clip_grad_norm_(parameter, 1.0)
    np.testing.assert_allclose(parameter.grad, 0.5, rtol=1e-5)


def test_norm_has_the_same_bits_for_any_number_of_threads():
    parameter = Parameter(np.ones(300_001, np.float32))
    parameter.accumulate(np.random.default_rng(0).standard_normal(300_001, np.float32))
    threads, norms = kitnet.get_num_threads(), set()
    try:
        for n in (1, 2, 3, 7):
            kitnet.set_num_threads(n)
            norms.add(get_total_norm(parameter))
    finally:
        kitnet.set_num_threads(threads)
    assert len(norms) == 1
    assert norms.pop() == pytest.approx(float(np.linalg.norm(parameter.grad.astype(float))), rel=1e-12)


def test_a_norm_that_is_not_finite_is_refused_whole():
    model = model_with([math.nan, 1.0, 1.0])
    with pytest.raises(RuntimeError, match=r"gradients: expected a finite norm of order 2, got nan"):
        clip_grad_norm_(model, 1.0, error_if_nonfinite=True)
    assert model.bias.grad == 1
    clip_grad_norm_(model, 1.0)
    assert np.isnan(model.bias.grad)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda m: clip_grad_norm_(m, -1.0), ValueError, "max_norm"),
        (lambda m: clip_grad_norm_(m, 1.0, 0), ValueError, "norm_type"),
        (lambda m: clip_grad_norm_(m, 1.0, "two"), TypeError, "norm_type"),
        (lambda m: clip_grad_norm_([1], 1.0), TypeError, "parameters"),
        (lambda m: clip_grad_value_(m, -1.0), ValueError, "clip_value"),
        (lambda m: clip_grad_value_([m], 1.0), TypeError, "parameters"),
    ],
)
def test_bad_arguments_are_named(call, error, match):
    with pytest.raises(error, match=rf"^{match}: expected"):
        call(Linear(1, 1))


class Watch(Callback):
    def __init__(self):
        self.norms, self.largest = [], []

    def on_step_end(self, trainer):
        self.norms.append(get_total_norm(trainer.model))
        self.largest.append(get_total_norm(trainer.model, math.inf))


def test_the_trainer_clips(make_net, data):
    def watched(**bounds):
        model, watch = make_net(), Watch()
        Trainer(model, CrossEntropyLoss(), SGD(model, 0.1), [watch], **bounds).fit(
            *data, batch_size=8, verbose=0
        )
        return watch

    free = watched()
    assert len(free.norms) == 3
    assert max(free.norms) > 0.2
    assert max(watched(clip_grad_norm=0.2).norms) == pytest.approx(0.2, rel=1e-4)
    assert max(watched(clip_grad_value=0.01).largest) == np.float32(0.01)
    for name in ("clip_grad_norm", "clip_grad_value"):
        with pytest.raises(ValueError, match=name):
            watched(**{name: -1})
