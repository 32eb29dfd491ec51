"""The specification of the optimizers' steps: one element, computed by hand; and the edges."""

import numpy as np
import pytest
from kernels.by_hand import INF, NAN

from kitnet._kernels import reference as ref

NONE: list[float] = []

# kernel, param, grad, state before, scalars; param and state after
BY_HAND = [
    # g = 4; param - 0.5 g
    ("sgd_step", 10, 4, [NONE], (1, 0, 0, 1, 0.5, False), 8, [NONE]),
    # g = -4 + 0.5 * 10
    ("sgd_step", 10, 4, [NONE], (-1, 0.5, 0, 1, 0.5, False), 9.5, [NONE]),
    # v = 0.5 * 2 + 0.75 * 4
    ("sgd_step", 10, 4, [[2]], (1, 0, 0.5, 0.75, 0.5, False), 8, [[4]]),
    # v = 0.5 * 2 + 4 = 5; the step is 4 + 0.5 * 5
    ("sgd_step", 10, 4, [[2]], (1, 0, 0.5, 1, 0.5, True), 10 - 0.5 * 6.5, [[5]]),
    # 0.5 * 10 - 0.25 * (4 + 0.1 * 10) = 3.75; the average from 8 half the way there, or all of it
    ("asgd_step", 10, 4, [[8]], (1, 0.1, 0.5, 0.25, 0.5), 3.75, [[5.875]]),
    ("asgd_step", 10, 4, [[NAN]], (-1, 0, 1, 0.5, 1), 12, [[12]]),
    # the same sign: the size grows, up to a bound; another: it shrinks, and there is no step; none: it stays
    ("rprop_step", 10, 4, [[1], [2]], (1, 0.5, 1.5, 0, 9), 7, [[4], [3]]),
    ("rprop_step", 10, -4, [[-1], [2]], (1, 0.5, 1.5, 0, 2.5), 12.5, [[-4], [2.5]]),
    ("rprop_step", 10, 4, [[-1], [2]], (1, 0.5, 1.5, 0, 9), 10, [[0], [1]]),
    ("rprop_step", 10, 4, [[0], [2]], (-1, 0.5, 1.5, 0, 9), 12, [[-4], [2]]),
    ("rprop_step", 10, 4, [[-1], [2]], (1, 0.5, 1.5, 1.5, 9), 10, [[0], [1.5]]),
    # 0.75 * 8 - 4 = 2 is above 0; m = 0.5 * 8 - 0.5 * 16
    ("lion_step", 10, -16, [[8]], (1, 0.5, 0.75, 0.5, 0.25), 4.75, [[-4]]),
    ("lion_step", 10, 16, [[8]], (-1, 1, 0.5, 0.5, 0.25), 10.25, [[-4]]),
    # m = 2 * 0.5 + 4 * 0.5 = 3; v = 8 * 0.5 + 16 * 0.5 = 12; / (sqrt(12) + 1)
    (
        "adam_step",
        10,
        4,
        [[2], [8], NONE],
        (1, 0, 0.5, 0.5, 0.5, 2, 0, 3**0.5, 1),
        5 - 6 / 7,
        [[3], [12], NONE],
    ),
    # g = -4 + 10 * 0.2 = -2; m = -1 + 1 = 0; v = 2 + 2 = 4; boost * g / 2
    ("adam_step", 10, 4, [[2], [4], NONE], (-1, 0.2, 1, 0.5, 0.5, 9, 3, 1, 0), 13, [[0], [4], NONE]),
    # the largest v, 36, in place of 12
    ("adam_step", 10, 4, [[2], [8], [36]], (1, 0, 1, 0.5, 0.5, 2, 0, 1, 0), 9, [[3], [12], [36]]),
    ("adam_step", 10, 4, [[2], [2], [8]], (1, 0, 1, 0.5, 0.5, 2, 0, 1, 0), 8, [[3], [9], [9]]),
    # no root: v has no say
    ("adam_step", 10, 4, [[2], [INF], NONE], (1, 0, 1, 0.5, 0.5, 2, 0, 0, 1), 4, [[3], [INF], NONE]),
    # m = 3; u = max(5, 4 + 2)
    ("adamax_step", 10, 4, [[2], [10]], (1, 0, 0.5, 0.5, 2, 4), 8, [[3], [6]]),
    ("adamax_step", 10, 4, [[2], [24]], (-1, 0.8, 0.5, 0.5, 2, 4), 10 - 4 * 3 / 12, [[3], [12]]),
    # square = 0.5 * 2 + 0.5 * 16 = 9; 4 / (3 + 1); 0.5 * 6 + 1; mean = 0.5 * -4 + 0.5 * 4 = 0, and 1 + 2 = 3
    ("rmsprop_step", 10, 4, [[2], NONE, NONE], (1, 0, 0.5, 0.5, 1, 0, 2), 8, [[9], NONE, NONE]),
    ("rmsprop_step", 10, 4, [[2], NONE, [6]], (1, 0, 0.5, 0.5, 1, 0.5, 2), 2, [[9], NONE, [4]]),
    ("rmsprop_step", 10, 4, [[2], [-4], NONE], (1, 0, 0.5, 0.5, 1, 0, 2), 8, [[9], [0], NONE]),
    (
        "rmsprop_step",
        10,
        -4,
        [[9], [2], NONE],
        (-1, 0, 0.5, 0.5, 0, 0, 7),
        10 - 7 * 4 / 3.5**0.5,
        [[12.5], [3], NONE],
    ),
    # a spread of less than 0 counts as 0
    ("rmsprop_step", 10, 4, [[0], [12], NONE], (1, 0, 1, 0.5, 2, 0, 0.5), 9, [[8], [14], NONE]),
    # square = 0.5 * 2 + 0.5 * 4 = 3; s = sqrt((3 + 1) / (3 + 1)) * 2; change = 1.5 + 2
    ("adadelta_step", 10, 2, [[2], [3]], (1, 0, 0.5, 1, 4), 2, [[3], [3.5]]),
    ("adadelta_step", 10, 0, [[2], [3]], (-1, 0.2, 0.5, 1, 4), 2, [[3], [3.5]]),
]


@pytest.mark.parametrize(("kernel", "param", "grad", "before", "scalars", "expected", "after"), BY_HAND)
def test_steps_by_hand(kernel, param, grad, before, scalars, expected, after):
    param, grad = np.array([param], float), np.array([grad], float)
    state = [np.array(array, float) for array in before]
    getattr(ref, kernel)(param, grad, *state, *scalars, 1)
    assert param == pytest.approx(expected)
    for array, values in zip(state, after, strict=True):
        assert array.tolist() == pytest.approx(values)


def test_the_direction_of_lamb_by_hand():
    param, grad, m, v, direction = (np.array([x], float) for x in (10, 4, 2, 8, NAN))
    ref.lamb_direction(param, grad, m, v, direction, 1, 0.5, 0.5, 0.5, 2, 3**0.5, 1, 1)
    assert (param, m, v) == (10, 3, 12)
    assert direction == pytest.approx(6 / 7 + 5)


def test_average_and_inner_product():
    average, out = np.array([1.0, NAN]), np.empty(1)
    ref.average_step(average, np.array([3.0, 1.0]), 0.25, 1)
    assert average[0] == 1.5
    assert np.isnan(average[1])
    ref.inner(np.array([1, 2], np.float32), np.array([3, 1e30], np.float32), out, 1)
    assert out == pytest.approx(2e30)


@pytest.mark.parametrize("kernel", ["lion_step", "rprop_step"])
def test_no_number_is_no_sign(kernel):
    param, state = np.zeros(2), [np.ones(2) for _ in range(1 + (kernel == "rprop_step"))]
    scalars = (1, 1, 0.5, 0.5, 1) if kernel == "lion_step" else (1, 0.5, 1.2, 0, 9)
    getattr(ref, kernel)(param, np.array([NAN, 1.0]), *state, *scalars, 1)
    assert np.isnan(param).tolist() == [True, False]
