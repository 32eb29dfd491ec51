import numpy as np
import pytest

from kitnet.layers import Linear, ReLU
from kitnet.training import SGD, Adam, AdamW, Optimizer, schedules


def gradients(steps=4):
    return np.random.default_rng(3).normal(size=(steps, 8))


def train(make, dtype, steps=4):
    """The flat parameters after each step on fixed gradients."""
    model = Linear(3, 2, dtype=dtype, rng=np.random.default_rng(0))
    optimizer = make(model)
    start = optimizer.data.copy()
    path = []
    for gradient in gradients(steps):
        optimizer.grad[...] = gradient
        optimizer.step()
        path.append(optimizer.data.copy())
    return start.astype(float), path


def sgd_by_hand(p, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    velocity = None
    for g in gradients():
        g = g + weight_decay * p
        velocity = g if velocity is None else momentum * velocity + (1 - dampening) * g
        step = (g + momentum * velocity if nesterov else velocity) if momentum else g
        p = p - lr * step
        yield p


def adam_by_hand(p, lr, weight_decay, decoupled, beta1=0.8, beta2=0.9, eps=1e-3):
    m = v = 0
    for t, g in enumerate(gradients(), 1):
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        p = p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        yield p


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01},
        {"momentum": 0.5, "nesterov": True},
    ],
)
def test_sgd_is_the_formula(options, dtype):
    start, path = train(lambda model: SGD(model, 0.1, **options), dtype)
    for found, expected in zip(path, sgd_by_hand(start, 0.1, **options), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "decoupled"), [(Adam, False), (AdamW, True)])
@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
def test_adam_is_the_formula(kind, decoupled, weight_decay, dtype):
    start, path = train(lambda model: kind(model, 0.1, (0.8, 0.9), 1e-3, weight_decay), dtype)
    expected = adam_by_hand(start, 0.1, weight_decay, decoupled)
    for found, values in zip(path, expected, strict=True):
        np.testing.assert_allclose(found, values, rtol=1e-4 if dtype == np.float32 else 1e-11)


def test_defaults_are_pytorchs():
    model = Linear(1, 1)
    assert (Adam(model).lr, Adam(model).weight_decay, AdamW(model).weight_decay) == (0.001, 0, 0.01)
    assert repr(AdamW(model)) == "AdamW(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.01)"


def test_layers_see_the_steps_and_zero_grad_is_for_all():
    model = Linear(3, 2)
    optimizer = SGD(model, 1.0)
    model.weight.accumulate(np.ones((2, 3), np.float32))
    before = model.weight.data.copy()
    optimizer.step()
    np.testing.assert_array_equal(model.weight.data, before - 1)
    optimizer.zero_grad()
    assert not model.weight.grad.any()


def test_without_momentum_there_is_no_velocity():
    assert SGD(Linear(1, 1)).velocity is None
    assert set(SGD(Linear(1, 1), momentum=0.5).state()) >= {"velocity"}


def test_schedule_scales_the_rate_of_each_step():
    optimizer = SGD(Linear(1, 1), 0.5, schedule=schedules.Step(2, gamma=0.5))
    rates = []
    for _ in range(4):
        optimizer.step()
        rates.append(optimizer.last_lr)
    assert rates == [0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("make", [lambda m: SGD(m, 0.1, momentum=0.9), lambda m: Adam(m, 0.1)])
def test_state_carries_everything(make):
    def step(model, optimizer, gradient):
        optimizer.grad[...] = gradient
        optimizer.step()

    first, second = (Linear(3, 2, rng=np.random.default_rng(0)) for _ in range(2))
    a, b = make(first), make(second)
    b.lr = 99.0
    for gradient in gradients(3):
        step(first, a, gradient)
    state = a.state()
    b.data[...] = a.data
    b.load_state(state)
    for gradient in gradients(2):
        step(first, a, gradient)
        step(second, b, gradient)
    assert a.data.tobytes() == b.data.tobytes()
    assert state["steps"] == 3  # a copy: the steps after did not change it


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (lambda s: s.update({"class": "SGD"}), "expected the state of Adam, got that of SGD"),
        (lambda s: s.pop("mean"), "expected a state with"),
        (lambda s: s.update(extra=1), "expected a state with"),
        (lambda s: s.update(mean=np.zeros(3)), "expected mean of shape"),
    ],
)
def test_state_of_another_optimizer_is_refused_whole(spoil, match):
    optimizer = Adam(Linear(3, 2))
    state = optimizer.state() | {"steps": 7}
    spoil(state)
    with pytest.raises(ValueError, match=match):
        optimizer.load_state(state)
    assert optimizer.steps == 0


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda m: SGD(m, -1.0), ValueError, "lr"),
        (lambda m: SGD(m, float("nan")), ValueError, "lr"),
        (lambda m: SGD(m, "fast"), TypeError, "lr"),
        (lambda m: SGD(m, 0.1, momentum=-0.5), ValueError, "momentum"),
        (lambda m: SGD(m, 0.1, nesterov=True), ValueError, "nesterov"),
        (lambda m: SGD(m, 0.1, 0.9, 0.1, nesterov=True), ValueError, "nesterov"),
        (lambda m: SGD(m, 0.1, weight_decay=-1), ValueError, "weight_decay"),
        (lambda m: Adam(m, betas=(1.0, 0.9)), ValueError, "betas"),
        (lambda m: Adam(m, eps=-1), ValueError, "eps"),
        (lambda m: Adam(None), TypeError, "model"),
    ],
)
def test_bad_arguments_are_named(make, error, match):
    with pytest.raises(error, match=match):
        make(Linear(1, 1))


def test_a_model_without_parameters_is_fine():
    optimizer = Adam(ReLU())
    optimizer.zero_grad()
    optimizer.step()
    assert optimizer.data.size == 0


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="_update"):
        Optimizer(Linear(1, 1), 0.1).step()
