"""Every schedule has PyTorch's rates, and its momentum, over 1,000 steps."""

import math

import pytest

from kitnet.layers import Linear
from kitnet.training import SGD, ReduceLROnPlateau
from kitnet.training import schedules as ours

torch = pytest.importorskip("torch")
theirs = torch.optim.lr_scheduler

LR, STEPS = 0.1, 1000

# The name of a schedule in both libraries, and its arguments; or a row for each.
SAME = [
    ("LambdaLR", {"lr_lambda": lambda step: 0.99**step}),
    ("LambdaLR", {"lr_lambda": lambda step: 1 + math.sin(step)}),
    ("MultiplicativeLR", {"lr_lambda": lambda step: 1 - 0.5 / (step + 1)}),
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 100, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [10, 500, 30, 30]}),
    ("MultiStepLR", {"milestones": [0, 999], "gamma": 0.5}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.9, "total_iters": 600}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.01, "end_factor": 0.7, "total_iters": 100}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 900}),
    ("ExponentialLR", {"gamma": 0.99}),
    ("ExponentialLR", {"gamma": 1.001}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 300, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 300, "eta_min": 0.01}),
    ("CosineAnnealingLR", {"T_max": 1000}),
    ("CosineAnnealingWarmRestarts", {"T_0": 10}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7, "T_mult": 3, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 2}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 1000}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 1000, "anneal_strategy": "linear", "pct_start": 0.1}),
    ("OneCycleLR", {"max_lr": 1.0, "epochs": 10, "steps_per_epoch": 100, "three_phase": True}),
    (
        "OneCycleLR",
        {
            "max_lr": 2.0,
            "total_steps": 1001,
            "three_phase": True,
            "anneal_strategy": "linear",
            "div_factor": 5.0,
            "final_div_factor": 10.0,
            "base_momentum": 0.5,
            "max_momentum": 0.6,
        },
    ),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 1000, "cycle_momentum": False}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 30}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 30, "step_size_down": 17}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 50, "mode": "triangular2"}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 50, "mode": "exp_range", "gamma": 0.99}),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 9,
            "scale_fn": lambda cycle: 1 / cycle,
            "base_momentum": 0.3,
            "max_momentum": 0.7,
        },
    ),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 9,
            "scale_fn": lambda step: 0.999**step,
            "scale_mode": "iterations",
            "cycle_momentum": False,
        },
    ),
]


def both(name, arguments):
    """The row as ours, and as a function that puts theirs on an optimizer."""
    return getattr(ours, name)(**arguments), lambda optimizer: getattr(theirs, name)(optimizer, **arguments)


WARM, FALL, WAVE = (
    both(*row)
    for row in (
        ("LinearLR", {"start_factor": 0.1, "total_iters": 20}),
        ("ExponentialLR", {"gamma": 0.99}),
        ("CosineAnnealingLR", {"T_max": 1001}),
    )
)


def sequence(parts, milestones):
    return (
        ours.SequentialLR([mine for mine, _ in parts], milestones),
        lambda optimizer: theirs.SequentialLR(optimizer, [make(optimizer) for _, make in parts], milestones),
    )


def chain(*parts):
    return (
        ours.ChainedScheduler([mine for mine, _ in parts]),
        lambda optimizer: theirs.ChainedScheduler([make(optimizer) for _, make in parts]),
    )


ROWS = {
    f"{name} {', '.join(map(str, arguments.values()))}": both(name, arguments) for name, arguments in SAME
}
ROWS |= {
    "warm-up, then falling": sequence([WARM, FALL], [20]),
    "warm-up, then a wave, then steps": sequence([WARM, WAVE, both("StepLR", {"step_size": 9})], [20, 800]),
    "cycles after a warm-up": sequence([WARM, both("CosineAnnealingWarmRestarts", {"T_0": 50})], [100]),
    "warm-up and falling at once": chain(WARM, FALL),
    "warm-up, steps and a wave at once": chain(both("StepLR", {"step_size": 90, "gamma": 0.5}), WARM, WAVE),
}


def rates(make, momentum=0.9):
    """The rate and the momentum of each step under PyTorch's scheduler."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR, momentum=momentum)
    scheduler = make(optimizer)
    for _ in range(STEPS):
        (group,) = optimizer.param_groups
        yield group["lr"], group["momentum"]
        optimizer.step()
        scheduler.step()


def assert_same(schedule, expected):
    for step, (rate, momentum) in enumerate(expected):
        assert schedule(step, LR) == pytest.approx(rate, rel=1e-10, abs=1e-16), f"rate of step {step}"
        mine = schedule.momentum(step)
        assert (0.9 if mine is None else mine) == pytest.approx(momentum, rel=1e-10), (
            f"momentum of step {step}"
        )


@pytest.mark.parametrize("row", ROWS)
def test_rates(row):
    schedule, make = ROWS[row]
    assert_same(schedule, rates(make))


@pytest.mark.parametrize(
    "arguments", [{}, {"anneal_epochs": 100, "anneal_strategy": "linear"}, {"anneal_epochs": 0}]
)
def test_rates_of_swa(arguments):
    schedule = ours.SWALR(0.05, **arguments)
    assert_same(schedule, rates(lambda optimizer: torch.optim.swa_utils.SWALR(optimizer, 0.05, **arguments)))


def test_swa_begins_where_another_schedule_is():
    """PyTorch: steps of one scheduler to the 300th, then steps of SWALR."""
    schedule = ours.SWALR(0.05, 20, schedule=ours.ExponentialLR(0.995), start=300)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    first, then = theirs.ExponentialLR(optimizer, 0.995), torch.optim.swa_utils.SWALR(optimizer, 0.05, 20)
    for step in range(STEPS):
        rate = optimizer.param_groups[0]["lr"]
        assert schedule(step, LR) == pytest.approx(rate, rel=1e-10), f"rate of step {step}"
        optimizer.step()
        (first if step < 300 else then).step()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "factor": 0.5, "patience": 2},
        {"threshold": 0.1, "patience": 3, "cooldown": 4, "factor": 0.9},
        {"threshold": 0.05, "threshold_mode": "abs", "patience": 0, "factor": 0.99, "min_lr": 0.01},
        {"mode": "max", "threshold": 0.1, "threshold_mode": "abs", "factor": 0.9, "eps": 1e-3},
    ],
    ids=str,
)
def test_reduction_on_a_plateau(options):
    """A value that falls, or rises, and then wavers."""
    sign = -1 if options.get("mode") == "max" else 1
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = theirs.ReduceLROnPlateau(optimizer, **options)
    mine = SGD(Linear(1, 1), lr=LR)
    callback = ReduceLROnPlateau(**{"mode": "min", **options})
    for step in range(STEPS):
        value = sign * (0.99**step + 0.1 * math.sin(step**2))
        scheduler.step(value)
        callback.step(value, mine)
        assert mine.lr == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-10), f"step {step}"
