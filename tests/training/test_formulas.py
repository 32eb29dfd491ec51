"""Steps against their formulas; ``tests/parity`` has PyTorch's, and these need no PyTorch."""

import numpy as np
import pytest
from training.optimizer_cases import gradients, train

from kitnet.layers import Linear
from kitnet.training import LAMB, LARS, SGD, Adam, AdamW, Lion, Muon

every_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def sgd_by_hand(p, g, t, state, lr=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    state["v"] = v = g if t == 1 else momentum * state["v"] + (1 - dampening) * g
    return p - lr * ((g + momentum * v if nesterov else v) if momentum else g)


def adam_by_hand(p, g, t, state, lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.0, decoupled=False):
    if decoupled:
        p = p - lr * weight_decay * p
    else:
        g = g + weight_decay * p
    beta1, beta2 = betas
    state["m"] = m = beta1 * state.get("m", 0) + (1 - beta1) * g
    state["v"] = v = beta2 * state.get("v", 0) + (1 - beta2) * g * g
    return p - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)


def lion_by_hand(p, g, t, state, lr=0.1, betas=(0.9, 0.99), weight_decay=0.0):
    m = state.get("m", 0)
    state["m"] = betas[1] * m + (1 - betas[1]) * g
    return p - lr * (np.sign(betas[0] * m + (1 - betas[0]) * g) + weight_decay * p)


def parts(array):
    """The weight and the bias of Linear(3, 2)."""
    return array[:6], array[6:]


def lars_by_hand(p, g, t, state, lr=0.1, momentum=0.9, weight_decay=0.0, trust_coefficient=1e-3):
    """You et al. 2017, algorithm 1."""
    velocity, new = [], []
    for w, dw, v in zip(parts(p), parts(g), parts(state.get("v", 0 * p)), strict=True):
        norm = np.linalg.norm(w)
        rate = trust_coefficient * norm / (np.linalg.norm(dw) + weight_decay * norm)
        velocity.append(momentum * v + lr * rate * (dw + weight_decay * w))
        new.append(w - velocity[-1])
    state["v"] = np.concatenate(velocity)
    return np.concatenate(new)


def lamb_by_hand(p, g, t, state, lr=0.1, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0):
    """You et al. 2020, algorithm 2."""
    state["m"] = m = betas[0] * state.get("m", 0) + (1 - betas[0]) * g
    state["v"] = v = betas[1] * state.get("v", 0) + (1 - betas[1]) * g * g
    ratio = (m / (1 - betas[0] ** t)) / (np.sqrt(v / (1 - betas[1] ** t)) + eps) + weight_decay * p
    moves = (np.linalg.norm(w) / np.linalg.norm(r) * r for w, r in zip(parts(p), parts(ratio), strict=True))
    return p - lr * np.concatenate(list(moves))


BY_HAND = [
    (SGD, sgd_by_hand, {}),
    (SGD, sgd_by_hand, {"weight_decay": 0.1}),
    (SGD, sgd_by_hand, {"momentum": 0.9}),
    (SGD, sgd_by_hand, {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    (SGD, sgd_by_hand, {"momentum": 0.5, "nesterov": True}),
    (Adam, adam_by_hand, {"betas": (0.8, 0.9), "eps": 1e-3}),
    (Adam, adam_by_hand, {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.2}),
    (Lion, lion_by_hand, {}),
    (Lion, lion_by_hand, {"betas": (0.5, 0.6), "weight_decay": 0.2}),
    (LARS, lars_by_hand, {}),
    (LARS, lars_by_hand, {"momentum": 0.5, "weight_decay": 0.2, "trust_coefficient": 0.1}),
    (LAMB, lamb_by_hand, {}),
    (LAMB, lamb_by_hand, {"betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.2}),
]


@every_dtype
@pytest.mark.parametrize(("kind", "by_hand", "options"), BY_HAND)
def test_steps_are_the_formula(kind, by_hand, options, dtype):
    p, path = train(lambda model: kind(model, 0.1, **options), dtype, steps=20)
    state = {}
    for t, (found, g) in enumerate(zip(path, gradients(p.size, 20), strict=True), 1):
        p = by_hand(p, g, t, state, **options)
        bound = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(found, p, rtol=bound, atol=bound)


@every_dtype
def test_adamw_is_the_formula(dtype):
    p, path = train(lambda model: AdamW(model, 0.1, (0.8, 0.9), 1e-3, 0.2), dtype)
    state = {}
    for t, (found, g) in enumerate(zip(path, gradients(p.size), strict=True), 1):
        p = adam_by_hand(p, g, t, state, weight_decay=0.2, decoupled=True)
        bound = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(found, p, rtol=bound, atol=bound)


@pytest.mark.parametrize(
    ("kind", "plain"), [(LARS, lambda m: SGD(m, 0.1, momentum=0.9)), (LAMB, lambda m: Adam(m, 0.1, eps=1e-6))]
)
def test_without_adaptation_layerwise_is_plain(kind, plain):
    _, adapted = train(lambda model: kind(model, 0.1, adapt=False), np.float64)
    _, expected = train(plain, np.float64)
    np.testing.assert_allclose(adapted, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", [LARS, LAMB])
def test_parameters_of_norm_0_move_all_the_same(kind):
    model = Linear(2, 1, dtype=np.float64)
    model.weight.data[...] = 0
    optimizer = kind(model, 0.5)
    optimizer.grad[...] = 1
    optimizer.step()
    assert (model.weight.data < 0).all()


def test_muon_makes_singular_values_alike():
    model = Linear(8, 5, bias=False, dtype=np.float64)
    before = model.weight.data.copy()
    optimizer = Muon(model, lr=1.0, weight_decay=0.0)
    optimizer.grad[...] = gradients(40)[0]
    optimizer.step()
    assert np.linalg.svd(before - model.weight.data)[1] == pytest.approx(np.ones(5), abs=0.4)
