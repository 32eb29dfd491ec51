"""L-BFGS finds minima; ``tests/parity`` has PyTorch's steps."""

import numpy as np
import pytest

from kitnet.layers import Layer, Linear, Parameter
from kitnet.training import LBFGS, Loss, Trainer, schedules


class Point(Layer):
    def __init__(self, *start):
        self.frozen = Parameter(np.zeros(3))
        self.at = Parameter(np.array(start, float))


def rosenbrock(point, optimizer):
    """The banana-shaped valley, whose minimum is at (1, 1)."""

    def closure():
        x, y = point.at.data
        optimizer.zero_grad()
        point.at.accumulate(np.array([-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]))
        return float(100 * (y - x * x) ** 2 + (1 - x) ** 2)

    return closure


def test_the_valley_is_walked_to_its_end():
    point = Point(-1.2, 1.0)
    optimizer = LBFGS(point, max_iter=100, line_search_fn="strong_wolfe", params="at")
    closure = rosenbrock(point, optimizer)
    assert optimizer.step(closure) == pytest.approx(24.2)
    assert closure() < 1e-8
    np.testing.assert_allclose(point.at.data, 1, atol=1e-3)
    assert not point.frozen.data.any()
    memory = optimizer.param_groups[0].memory
    assert 20 < memory["n_iter"] < memory["func_evals"] < 100
    before = dict(memory)
    optimizer.step(closure)  # nothing left to do
    assert memory["n_iter"] <= before["n_iter"] + 1


def test_history_is_no_longer_than_asked_for():
    point = Point(-1.2, 1.0)
    optimizer = LBFGS(point, max_iter=30, line_search_fn="strong_wolfe", history_size=3)
    optimizer.step(rosenbrock(point, optimizer))
    assert len(optimizer.old_dirs) == len(optimizer.old_stps) == 3
    assert optimizer.state()["old_dirs"].shape == (3, 5)


def test_steps_without_a_search_take_the_schedules_rate():
    point = Point(0.0, 0.0)
    optimizer = LBFGS(point, max_iter=1, schedule=schedules.StepLR(1, 0.5))
    optimizer.step(rosenbrock(point, optimizer))
    assert optimizer.last_lr == 1.0
    optimizer.step(rosenbrock(point, optimizer))
    assert optimizer.last_lr == 0.5


def test_a_damaged_history_is_refused_whole():
    point = Point(-1.2, 1.0)
    optimizer = LBFGS(point, max_iter=5)
    optimizer.step(rosenbrock(point, optimizer))
    state = optimizer.state()
    for name, change in (
        ("old_dirs", lambda a: a[:1]),
        ("old_stps", lambda a: a[:, :3]),
        ("d", lambda a: a[:3]),
    ):
        with pytest.raises(ValueError, match=f"optimizer: expected {name} of shape"):
            LBFGS(Point(0.0, 0.0), max_iter=5).load_state(state | {name: change(state[name])})


def test_the_trainer_hands_out_its_closure():
    class SquaredError(Loss):
        def vjp(self, output, target):
            error = output - target
            return float((error**2).mean()), lambda: 2 * error / error.size

        def check_target(self, target, name="y"):
            return target

    x = np.random.default_rng(0).normal(size=(50, 3))
    y = x @ np.array([[1.0], [2.0], [3.0]])
    model = Linear(3, 1, dtype=np.float64, rng=np.random.default_rng(0))
    trainer = Trainer(model, SquaredError(), LBFGS(model, line_search_fn="strong_wolfe"))
    history = trainer.fit(x, y, epochs=2, batch_size=50, verbose=0)
    assert history["loss"][0] > 1 > 1e-10 > history["loss"][1]
    np.testing.assert_allclose(model.weight.data, [[1, 2, 3]], atol=1e-6)
