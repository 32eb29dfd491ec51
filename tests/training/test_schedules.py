import pytest

from kitnet.training.schedules import Constant, Cosine, Step


def test_constant():
    assert [Constant()(0), Constant(0.5)(10**9)] == [1.0, 0.5]


def test_step():
    assert [Step(3)(i) for i in (0, 2, 3)] == [1.0, 1.0, 0.1]


def test_cosine_rises_falls_and_stays():
    schedule = Cosine(12, warmup=2, floor=0.1)
    values = [schedule(i) for i in range(15)]
    assert values[:3] == [0.5, 1.0, 1.0]
    assert values[7] == pytest.approx(0.55)
    assert values[12:] == pytest.approx([0.1] * 3)
    assert sorted(values[2:], reverse=True) == values[2:]


def test_schedules_are_values():
    assert Cosine(10) == Cosine(10)
    assert repr(Step(5)) == "Step(size=5, gamma=0.1)"


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Step(0), "size"),
        (lambda: Step(1, -1), "gamma"),
        (lambda: Cosine(0), "steps"),
        (lambda: Cosine(5, warmup=5), "steps"),
        (lambda: Cosine(5, warmup=-1), "warmup"),
    ],
)
def test_bad_arguments_are_named(make, match):
    with pytest.raises(ValueError, match=match):
        make()
