"""Every optimizer that PyTorch has takes PyTorch's steps: 100 of them, under several sets of options."""

from contextlib import contextmanager

import numpy as np
import pytest

from kitnet import training as ours
from kitnet.layers import Layer, Parameter

torch = pytest.importorskip("torch")

STEPS = 100
SHAPES = {"weight": (7, 5), "kernel": (4, 3, 2, 3), "bias": (7,), "tall": (9, 2)}

ROWS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "nesterov": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("Adam", {"lr": 0.1, "betas": (0.0, 0.9), "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.1, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.6)}),
    ("RAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adagrad", {"lr": 0.1, "eps": 0.1, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.5, "eps": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True, "eps": 0.01}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "eps": 0.01, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.2), "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 20, "weight_decay": 0.1, "maximize": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (0.01, 0.1), "d": 2.0, "weight_decay": 0.1}),
    ("Adafactor", {"maximize": True}),
]
MATRICES = [
    ("Muon", {}),
    ("Muon", {"lr": 0.1, "weight_decay": 0.5, "momentum": 0.5, "nesterov": False}),
    ("Muon", {"adjust_lr_fn": "match_rms_adamw", "ns_steps": 3, "eps": 0.1}),
    ("Muon", {"ns_coefficients": (2.0, -1.5, 0.5)}),
]
ALL = [(name, options, SHAPES) for name, options in ROWS]
ALL += [(name, options, {k: s for k, s in SHAPES.items() if len(s) == 2}) for name, options in MATRICES]


class Parameters(Layer):
    """Parameters and nothing else."""

    def __init__(self, dtype, shapes):
        rng = np.random.default_rng(0)
        for name, shape in shapes.items():
            setattr(self, name, Parameter(rng.standard_normal(shape).astype(dtype)))


@contextmanager
def default_dtype(dtype):
    """PyTorch keeps the numbers of some optimizers in its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, np.dtype(dtype).name))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Pair:
    """The same parameters in both libraries, and gradients for them."""

    def __init__(self, dtype, shapes):
        self.model = Parameters(dtype, shapes)
        arrays = [p.data.copy() for p in self.model.parameters()]
        self.tensors = [torch.nn.Parameter(torch.from_numpy(array)) for array in arrays]
        self.rng = np.random.default_rng(1)

    def new_gradients(self):
        """Noise around a pull to 0.3, so that parameters settle; some elements far smaller than others."""
        for mine, theirs in zip(self.model.parameters(), self.tensors, strict=True):
            noise = self.rng.standard_normal(mine.shape) * self.rng.choice([1, 1, 1e-3], mine.shape)
            gradient = (mine.data - 0.3 + noise).astype(mine.dtype)
            mine.zero_grad()
            mine.accumulate(gradient)
            theirs.grad = torch.from_numpy(gradient.copy())

    def assert_close(self, dtype, what):
        bound = 1e-5 if dtype == np.float32 else 1e-10
        for (name, mine), theirs in zip(self.model.named_parameters(), self.tensors, strict=True):
            expected = theirs.detach().numpy()
            scale = np.abs(expected).max()
            np.testing.assert_allclose(
                mine.data, expected, rtol=bound, atol=bound * scale, err_msg=f"{name}, {what}"
            )


def full_precision(patch):
    """Muon multiplies in bfloat16 in PyTorch, and in the precision of the parameters here."""
    patch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(("name", "options", "shapes"), ALL, ids=lambda value: str(value)[:60])
def test_steps(name, options, shapes, dtype, monkeypatch):
    full_precision(monkeypatch)
    with default_dtype(dtype):
        pair = Pair(dtype, shapes)
        mine = getattr(ours, name)(pair.model, **options)
        theirs = getattr(torch.optim, name)(pair.tensors, **options)
        for step in range(STEPS):
            pair.new_gradients()
            mine.step()
            theirs.step()
            pair.assert_close(dtype, f"step {step}")
    assert_same_state(pair, mine, theirs, dtype)


def assert_same_state(pair, mine, theirs, dtype):
    """Each array of PyTorch's state is a slot of the same name, each number in the group's memory."""
    bound = 1e-4 if dtype == np.float32 else 1e-9
    tensors = dict(zip([name for name, _ in pair.model.named_parameters()], pair.tensors, strict=True))
    seen = set()
    for group in mine.param_groups:
        for run in group.runs:
            states = [theirs.state[tensors[name]] for name in run.names]
            for key in {key for state in states for key in state} - {"step"}:
                expected = np.concatenate([state[key].numpy().ravel() for state in states if key in state])
                found = group.memory[key] if key in group.memory else getattr(run, key).ravel()
                scale = np.abs(expected).max()
                np.testing.assert_allclose(
                    found, expected, rtol=bound, atol=bound * scale + 1e-30, err_msg=key
                )
                seen.add(key)
    assert seen >= {slot for slot in mine.slots if getattr(mine, slot).size}


@pytest.mark.parametrize("name", ["SGD", "AdamW", "RMSprop"])
def test_groups_and_schedules(name):
    """Two groups, one of them with options of its own, under a schedule."""
    pair = Pair(np.float64, SHAPES)
    own = {"lr": 0.02, "weight_decay": 0.2}
    common = {
        "SGD": {"momentum": 0.9},
        "AdamW": {},
        "RMSprop": {"momentum": 0.5, "centered": True, "eps": 0.1},
    }
    mine = getattr(ours, name)(
        pair.model,
        lr=0.1,
        **common[name],
        params=[{"params": ["bias", "weight"], **own}, {"params": "*"}],
        schedule=ours.schedules.ExponentialLR(0.99),
    )
    tensors = dict(zip([name for name, _ in pair.model.named_parameters()], pair.tensors, strict=True))
    groups = [
        {"params": [tensors.pop("weight"), tensors.pop("bias")], **own},
        {"params": list(tensors.values())},
    ]
    theirs = getattr(torch.optim, name)(groups, lr=0.1, **common[name])
    scheduler = torch.optim.lr_scheduler.ExponentialLR(theirs, 0.99)
    for step in range(STEPS):
        pair.new_gradients()
        mine.step()
        theirs.step()
        scheduler.step()
        pair.assert_close(np.float64, f"step {step}")
    assert [group.last_lr for group in mine.param_groups] == pytest.approx([0.02 * 0.99**99, 0.1 * 0.99**99])


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_one_cycle_moves_the_momentum_too(name):
    pair = Pair(np.float64, SHAPES)
    options = {"max_lr": 0.5, "total_steps": STEPS}
    start = {"momentum": 0.5} if name == "SGD" else {}
    mine = getattr(ours, name)(pair.model, **start, schedule=ours.schedules.OneCycleLR(**options))
    theirs = getattr(torch.optim, name)(pair.tensors, **start)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(theirs, **options)
    for step in range(STEPS):
        pair.new_gradients()
        mine.step()
        theirs.step()
        scheduler.step()
        pair.assert_close(np.float64, f"step {step}")


def valley(arrays):
    """A smooth function of all parameters with a curved valley, and its gradients."""
    x = np.concatenate([array.ravel() for array in arrays]).astype(np.float64)
    a, b = x[:-1], x[1:]
    loss = (3 * (b - a**2) ** 2 + (1 - a) ** 2).sum()
    gradient = np.zeros_like(x)
    gradient[:-1] = -12 * a * (b - a**2) - 2 * (1 - a)
    gradient[1:] += 6 * (b - a**2)
    parts = np.split(gradient, np.cumsum([array.size for array in arrays])[:-1])
    return loss, [part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]


@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1},
        {"line_search_fn": "strong_wolfe"},
        {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 5},
        {"line_search_fn": "strong_wolfe", "max_iter": 50, "max_eval": 7, "lr": 10.0},
        {"lr": 0.02, "history_size": 2, "max_iter": 4, "tolerance_change": 1e-4},
        {"line_search_fn": "strong_wolfe", "tolerance_grad": 0.1},
    ],
    ids=str,
)
def test_lbfgs(options):
    pair = Pair(np.float64, {"weight": (5, 2), "bias": (3,)})
    mine, theirs = ours.LBFGS(pair.model, **options), torch.optim.LBFGS(pair.tensors, **options)
    parameters = list(pair.model.parameters())

    def my_closure():
        loss, gradients = valley([p.data for p in parameters])
        mine.zero_grad()
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.accumulate(gradient)
        return loss

    def their_closure():
        loss, gradients = valley([p.detach().numpy() for p in pair.tensors])
        for parameter, gradient in zip(pair.tensors, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient)
        return torch.tensor(loss)

    for step in range(8):
        assert mine.step(my_closure) == pytest.approx(float(theirs.step(their_closure)), rel=1e-10, abs=1e-14)
        (state,) = [theirs.state[p] for p in pair.tensors if theirs.state[p]]
        memory = mine.param_groups[0].memory
        assert [memory[key] for key in ("func_evals", "n_iter")] == [state["func_evals"], state["n_iter"]]
        for parameter, tensor in zip(parameters, pair.tensors, strict=True):
            np.testing.assert_allclose(
                parameter.data, tensor.detach().numpy(), rtol=1e-10, atol=1e-10, err_msg=f"step {step}"
            )
