"""Schedules beside what ``tests/parity`` compares: the ends, composition, and bad arguments."""

import math
import pickle

import pytest

from kitnet.training.schedules import (
    SWALR,
    ChainedScheduler,
    Constant,
    ConstantLR,
    Cosine,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PerEpoch,
    PolynomialLR,
    Schedule,
    SequentialLR,
    StepLR,
    Warmup,
    as_schedule,
)


def test_constant():
    assert [Constant()(0), Constant(0.5)(10**9)] == [1.0, 0.5]


def test_cosine_rises_falls_and_stays():
    schedule = Cosine(12, warmup=2, floor=0.1)
    values = [schedule(i) for i in range(15)]
    assert values[:3] == [0.5, 1.0, 1.0]
    assert values[7] == pytest.approx(0.55)
    assert values[12:] == pytest.approx([0.1] * 3)
    assert sorted(values[2:], reverse=True) == values[2:]


def test_one_cycle_stays_at_its_end():
    schedule = OneCycleLR(1.0, total_steps=10)
    assert schedule(9) == schedule(10) == schedule(10**6) == pytest.approx(1 / 25 / 1e4)
    assert schedule.momentum(10**6) == 0.95


def test_one_cycle_without_a_way_up():
    schedule = OneCycleLR(1.0, total_steps=10, pct_start=0.0)
    assert [schedule(0), schedule(9)] == [pytest.approx(1.0, abs=0.03), pytest.approx(1 / 25 / 1e4)]
    assert OneCycleLR(1.0, total_steps=10, pct_start=0.1)(0) == 1.0
    assert OneCycleLR(1.0, total_steps=1)(0) > 0


def test_powers_do_not_overflow():
    assert ExponentialLR(1.1)(10**6) == StepLR(1, 1.1)(10**6) == math.inf
    assert ExponentialLR(0.5)(10**6) == 0


def test_products_do_not_depend_on_the_order_of_questions():
    schedule = MultiplicativeLR(lambda step: 1 - 0.5 / step)
    forwards = [schedule(step) for step in range(20)]
    assert [schedule(step) for step in (19, 3, 3, 10)] == [forwards[step] for step in (19, 3, 3, 10)]
    assert schedule(5, 0.1) == 0.1 * forwards[5]


def test_functions_are_factors():
    assert as_schedule(lambda step: 0.5**step)(2, 0.4) == 0.1
    assert as_schedule(None)(7, 0.4) == 0.4
    assert Warmup(lambda step: 0.5, 2)(5, 0.4) == 0.2
    with pytest.raises(TypeError, match="schedule: expected a schedule or a function"):
        as_schedule(0.5)
    with pytest.raises(TypeError, match="schedule: expected a schedule or a function"):
        as_schedule(StepLR)


def test_parts_keep_their_momentum():
    cycle = CyclicLR(0.1, 0.2, step_size_up=4)
    shifted = SequentialLR([Constant(), cycle], [10])
    assert shifted.momentum(9) is None
    assert shifted.momentum(12) == cycle.momentum(2) == pytest.approx(0.85)
    assert ChainedScheduler([cycle, Constant()]).momentum(2) == cycle.momentum(2)
    assert PerEpoch(cycle, 5).momentum(14) == cycle.momentum(2)
    assert Warmup(cycle, 5).momentum(7) == cycle.momentum(2)
    assert Warmup(cycle, 5).momentum(3) == cycle.momentum(0)
    assert SWALR(0.1, schedule=cycle, start=2).momentum(7) == cycle.momentum(2)


SCHEDULES = [
    StepLR(5),
    MultiStepLR([5, 2]),
    ConstantLR(),
    LinearLR(),
    ExponentialLR(0.5),
    PolynomialLR(),
    Cosine(10),
    CosineAnnealingLR(10),
    CosineAnnealingWarmRestarts(10),
    CyclicLR(0.1, 0.2),
    OneCycleLR(1.0, 10),
    SequentialLR((LinearLR(), ExponentialLR(0.5)), (5,)),
    ChainedScheduler((LinearLR(), ExponentialLR(0.5))),
    Warmup(ExponentialLR(0.5), 3),
    PerEpoch(ExponentialLR(0.5), 3),
    SWALR(0.5),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
def test_schedules_are_values(schedule):
    again = pickle.loads(pickle.dumps(schedule))  # noqa: S301
    assert again == schedule
    assert [again(step) for step in range(20)] == [schedule(step) for step in range(20)]
    assert type(schedule).__name__ in repr(schedule)


def test_repr_is_the_constructor_call():
    assert repr(MultiStepLR([5, 2])) == "MultiStepLR(milestones=(2, 5), gamma=0.1)"
    assert repr(Warmup(StepLR(5), 3)) == "Warmup(schedule=StepLR(step_size=5, gamma=0.1), steps=3)"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: StepLR(0), "step_size"),
        (lambda: StepLR(1, -1), "gamma"),
        (lambda: StepLR(1, math.nan), "gamma"),
        (lambda: MultiStepLR([-1]), "milestones"),
        (lambda: ConstantLR(1.5), "factor"),
        (lambda: ConstantLR(total_iters=-1), "total_iters"),
        (lambda: LinearLR(-0.5), "start_factor"),
        (lambda: LinearLR(end_factor=2), "end_factor"),
        (lambda: ExponentialLR(-1), "gamma"),
        (lambda: PolynomialLR(0), "total_iters"),
        (lambda: PolynomialLR(power=-1), "power"),
        (lambda: Cosine(0), "steps"),
        (lambda: Cosine(5, warmup=5), "steps"),
        (lambda: Cosine(5, warmup=-1), "warmup"),
        (lambda: CosineAnnealingLR(0), "T_max"),
        (lambda: CosineAnnealingWarmRestarts(0), "T_0"),
        (lambda: CosineAnnealingWarmRestarts(5, 0), "T_mult"),
        (lambda: CyclicLR(-0.1, 1.0), "base_lr"),
        (lambda: CyclicLR(0.1, 1.0, mode="square"), "mode"),
        (lambda: CyclicLR(0.1, 1.0, scale_mode="epochs"), "scale_mode"),
        (lambda: CyclicLR(0.1, 1.0, step_size_down=0), "step_size_down"),
        (lambda: OneCycleLR(1.0), "total_steps"),
        (lambda: OneCycleLR(1.0, epochs=3), "total_steps"),
        (lambda: OneCycleLR(1.0, 10, pct_start=1.5), "pct_start"),
        (lambda: OneCycleLR(1.0, 10, div_factor=0), "div_factor"),
        (lambda: OneCycleLR(1.0, 10, anneal_strategy="square"), "anneal_strategy"),
        (lambda: SequentialLR([], []), "schedulers"),
        (lambda: SequentialLR([Constant()], [5]), "milestones"),
        (lambda: SequentialLR([Constant()] * 3, [5, 5]), "milestones"),
        (lambda: ChainedScheduler([]), "schedulers"),
        (lambda: Warmup(Constant(), 0), "steps"),
        (lambda: PerEpoch(Constant(), 0), "steps_per_epoch"),
        (lambda: SWALR(-1.0), "swa_lr"),
        (lambda: SWALR(1.0, -1), "anneal_epochs"),
        (lambda: SWALR(1.0, start=-1), "start"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises(ValueError, match=rf"^{match}: expected"):
        make()


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="__call__"):
        Schedule()(0)
