"""Layers whose parameters are constants."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from layer_case import LayerCase
from layer_cases import CASES

from kitnet.layers import BatchNorm2d, Conv2d, Linear, ReLU
from kitnet.models import Sequential, load, save
from kitnet.training import SGD


def make_net() -> Sequential:
    rng = np.random.default_rng(0)
    net = Sequential(
        Conv2d(3, 64, 3, padding=1, rng=rng),
        BatchNorm2d(64),
        ReLU(),
        Conv2d(64, 64, 3, 2, rng=rng),
        BatchNorm2d(64),
    )
    for layer in net.modules():
        if isinstance(layer, BatchNorm2d):
            layer.running_mean[:] = rng.normal(size=64)
            layer.running_var[:] = rng.uniform(1, 2, 64)
    return net


def image(n: int = 1, size: int = 9) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, 3, size, size)).astype(np.float32)


def arrays(layer):
    return [p.data for p in layer.parameters()] + list(layer.buffers().values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_sealing_changes_no_result_and_unsealing_takes_it_back(case: LayerCase):
    layer, x = case.layer(), case.x()
    values, y = [a.copy() for a in arrays(layer)], layer(x)
    layer.seal()
    sealed = arrays(layer)
    assert not any(a.flags.writeable for a in sealed)
    for _ in range(2):
        np.testing.assert_allclose(layer(x), y, rtol=1e-12, atol=1e-12)
    layer.seal()
    assert all(a is b for a, b in zip(arrays(layer), sealed, strict=True))
    layer.unseal()
    assert all(a.flags.writeable and a.flags.owndata for a in arrays(layer))
    assert all(np.array_equal(a, b) for a, b in zip(arrays(layer), values, strict=True))
    np.testing.assert_array_equal(layer(x), y)
    _, pullback = layer.vjp(x)
    pullback(np.ones_like(y))


def test_sealed_layers_cannot_be_changed_or_trained():
    net, x = make_net(), image()
    net.seal()
    weight = net[0].weight
    with pytest.raises(ValueError, match="read-only"):
        weight.data[...] = 0
    with pytest.raises(ValueError, match=r"^data: expected a parameter that may change, got a sealed one"):
        weight.data = np.zeros_like(weight.data)
    with pytest.raises(ValueError, match="read-only"):
        net[1].running_mean += 1
    with pytest.raises(ValueError, match="read-only"):
        net.vjp(x)
    for attempt in (net.flatten_parameters, lambda: SGD(net, 0.1)):
        with pytest.raises(ValueError, match="expected parameters that may change, got sealed ones"):
            attempt()
    y, pullback = net[0].vjp(x)
    with pytest.raises(
        ValueError, match=r"^gradient: expected a parameter that may change, got a sealed one"
    ):
        pullback(y)


def test_results_follow_the_weights_of_the_next_sealing():
    """Nothing that was kept outlives what it was made of."""
    net, x = make_net(), image(2)
    for layer in (net[0].weight, net[1].weight, net[1].bias, net[3].bias):
        net.seal()
        before = net(x)
        net.unseal()
        layer.data += 0.5
        expected = net(x)
        net.seal()
        assert np.abs(net(x) - before).max() > 0.01
        np.testing.assert_allclose(net(x), expected, rtol=1e-4, atol=1e-4)
        net.unseal()
    net.seal()
    before = net(x)
    net[1].eps = 1.0
    after = net(x)
    assert np.abs(after - before).max() > 0.01
    net[1].unseal()
    net[1].running_mean += 1
    assert np.abs(net(x) - after).max() > 0.01


def test_convolutions_and_norms_are_folded_once_and_always(monkeypatch):
    net, x, folds = make_net(), image(), []
    fold = BatchNorm2d.fold
    monkeypatch.setattr(BatchNorm2d, "fold", lambda self, *rest: folds.append(self) or fold(self, *rest))
    y = net(x)
    assert folds == [net[1]]  # the other one has more weights than results
    net.seal()
    for _ in range(3):
        np.testing.assert_allclose(net(x), y, rtol=1e-4, atol=1e-5)
    assert folds == [net[1], net[1], net[4]]
    np.testing.assert_array_equal(net(image(3))[:1], net(image(3)[:1]))


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])  # noqa: S301
def test_copies_are_not_sealed(clone):
    net, x = make_net(), image()
    size = len(pickle.dumps(net))
    y = net(x)
    net.seal()
    net(x)
    other = clone(net)
    assert all(a.flags.writeable for a in arrays(other))
    assert not any(a.flags.writeable for a in arrays(net))
    np.testing.assert_array_equal(other(x), y)
    assert len(pickle.dumps(net)) <= size + 100


def test_sealed_models_are_saved_and_loaded(tmp_path):
    net = make_net()
    net.seal()
    save(net, tmp_path / "net.safetensors")
    other = load(tmp_path / "net.safetensors")
    assert all(np.array_equal(a, b) for a, b in zip(arrays(net), arrays(other), strict=True))
    assert all(a.flags.writeable for a in arrays(other))


def test_a_sealed_part_leaves_the_flat_arrays():
    net = Sequential(Linear(4, 3), Linear(3, 2))
    net.flatten_parameters()
    net[0].seal()
    assert net.flat_data is None
    net.unseal()
    net.flatten_parameters()
    assert net.flat_data is not None


def test_many_threads_may_make_what_is_kept():
    x = image(2)
    for _ in range(5):
        net = make_net()
        net.seal()
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: net(x), range(24)))  # noqa: B023
        assert all(np.array_equal(y, results[0]) for y in results)
