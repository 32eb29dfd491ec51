"""What every kernel promises, asked of every row of the case list."""

import inspect
import math
from contextlib import nullcontext
from functools import lru_cache

import numpy as np
import pytest
from agreement import assert_close, assert_same_bits
from cases import CASES, WINOGRAD
from families import DTYPES, Arrays, Call, Case, Conv

from kitnet import _backend
from kitnet._kernels import reference

compiled = _backend.compiled
SETS = {"reference": reference} | ({"compiled": compiled} if compiled else {})
ISAS = compiled.available_isas() if compiled else []

FLOAT32, FLOAT64 = DTYPES
NEEDS_COMPILED = pytest.mark.skipif(compiled is None, reason="the compiled kernels were not built")

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)
every_set = pytest.mark.parametrize("kernels", SETS.values(), ids=SETS.keys())
every_isa = pytest.mark.parametrize("isa", ISAS or [pytest.param("none", marks=NEEDS_COMPILED)])


def use_isa(isa: str):
    if compiled is None:
        return nullcontext()
    from kitnet._kernels import _dispatch

    return _dispatch.use_isa(isa)


# ---- compiled against reference -----------------------------------------------------------------


@NEEDS_COMPILED
def test_both_sets_have_the_same_kernels_and_parameters():
    for name in reference.__all__:
        expected = list(inspect.signature(getattr(reference, name)).parameters)
        assert list(inspect.signature(getattr(compiled, name)).parameters) == expected, name


def test_every_kernel_has_a_case():
    called = {kernel for case in CASES for kernel in case.calls(FLOAT64)}
    assert called == set(reference.__all__)


def test_no_case_comes_twice():
    assert len({case.id for case in CASES}) == len(CASES)


@lru_cache(maxsize=1)
def calls_and_results(case: Case, dtype: np.dtype) -> list[tuple[Call, Arrays]]:
    """Each call of a row with what the reference makes of it; kept from one instruction set to the next."""
    return [(call, call.run(reference)) for call in case.calls(dtype).values()]


@every_isa
@every_dtype
@every_case
def test_parity(case: Case, dtype: np.dtype, isa: str):
    with use_isa(isa):
        for call, expected in calls_and_results(case, dtype):
            actual = call.run(compiled)
            for name, array in expected.items():
                if call.exact or array.dtype.kind == "i":
                    assert_same_bits(actual[name], array, f"{call.kernel} {name}")
                else:
                    assert_close(actual[name], array, case.tolerance, f"{call.kernel} {name}")


@NEEDS_COMPILED
@pytest.mark.parametrize("case", [Conv(**row) for row in WINOGRAD], ids=str)
def test_parity_of_plain_convolution_where_winograd_is_faster(case: Case):
    compiled.set_winograd(False)
    try:
        for call, expected in calls_and_results(case, FLOAT32):
            for name, array in call.run(compiled).items():
                # Some are sums of a thousand terms, cut off at 6: errors of what they were before.
                assert_close(array, expected[name], 128, f"{call.kernel} {name}")
    finally:
        compiled.set_winograd(True)


# ---- same bits ------------------------------------------------------------------------------------


@NEEDS_COMPILED
@every_dtype
@every_case
def test_same_bits_for_any_number_of_threads(case: Case, dtype: np.dtype):
    for call in case.calls(dtype).values():
        alone = call.run(compiled)
        for n_threads in (2, 3, 7):
            for name, array in call.run(compiled, n_threads=n_threads).items():
                assert_same_bits(array, alone[name], f"{call.kernel} {name}, {n_threads} threads")


def beside_a_line(array: np.ndarray) -> np.ndarray:
    """A copy that begins one element behind a cache line."""
    room = np.empty(array.nbytes + 128, np.uint8)
    start = -room.ctypes.data % 64 + array.itemsize
    copy = np.ndarray(array.shape, array.dtype, room.data, start)
    copy[...] = array
    return copy


@NEEDS_COMPILED
@every_dtype
@every_case
def test_same_bits_wherever_arrays_lie(case: Case, dtype: np.dtype):
    for call in case.calls(dtype).values():
        expected = call.run(compiled)
        for name, array in call.run(compiled, place=beside_a_line).items():
            assert_same_bits(array, expected[name], f"{call.kernel} {name}, beside a cache line")


@every_isa
@every_dtype
@every_case
def test_same_bits_for_any_batch(case: Case, dtype: np.dtype, isa: str):
    with use_isa(isa):
        for call in case.calls(dtype).values():
            if call.samples < 2:
                continue
            n, whole = call.samples, call.run(compiled)
            for low, high in {(0, 1), (n // 2, n // 2 + 1), (n - 1, n), (1, n)}:
                for name, array in call.part(low, high).run(compiled).items():
                    if name in call.batched:
                        part = whole[name][low:high]
                        assert_same_bits(array, part, f"{call.kernel} {name}, samples {low} to {high}")


@every_set
@every_dtype
@every_case
def test_outputs_are_overwritten_and_inputs_are_not(case: Case, dtype: np.dtype, kernels):
    """``Call.run`` hands out read-only inputs and looks at them afterwards."""
    for call in case.calls(dtype).values():
        expected = call.run(kernels, garbage=math.nan)
        for name, array in call.run(kernels, garbage=1e30).items():
            assert_same_bits(array, expected[name], f"{call.kernel} {name}, after other garbage")


def fill_pool(byte: int) -> None:
    """Leave three blocks of each size below 1 MB in the pool, and 1 MB of scratch, all full of ``byte``."""
    compiled.pooled(1 << 20, brief=True)  # so much will be wanted
    sizes = [(4 + step) << power for power in range(6, 17) for step in range(4)]
    blocks = [np.frombuffer(compiled.pooled(size), np.uint8) for size in 3 * sizes]
    for block in (*blocks, np.frombuffer(compiled.pooled(1 << 20, brief=True), np.uint8)):
        block.fill(byte)


@every_isa
@every_dtype
@every_case
def test_scratch_memory_has_no_say(case: Case, dtype: np.dtype, isa: str):
    """Kernels may read what they never wrote, at the ends of rows, but no result may depend on it."""
    with use_isa(isa):
        for call in case.calls(dtype).values():
            fill_pool(0)
            expected = call.run(compiled)
            fill_pool(0xFF)  # NaN in either dtype
            for name, array in call.run(compiled).items():
                assert_same_bits(array, expected[name], f"{call.kernel} {name}, scratch full of NaN")


# ---- gradients --------------------------------------------------------------------------------------


def _gradients(case: Case, kernels) -> tuple[dict, dict, np.ndarray, dict]:
    """The calls in float64, the inputs to differentiate by, the cotangent, and the gradients."""
    calls = case.calls(FLOAT64)
    known: dict[str, np.ndarray] = {}
    for call in calls.values():
        known = call.inputs | known
    backward = {kernel for kernel, _ in case.gradients.values()}
    results = {kernel: calls[kernel].run(kernels) for kernel in backward}
    cotangent = next(calls[kernel].inputs[case.cotangent] for kernel in backward)
    gradients = {name: results[kernel][output] for name, (kernel, output) in case.gradients.items()}
    if "shift" in known:
        known["beta"] = known["shift"]
    return calls, {name: known[name] for name in gradients}, cotangent, gradients


@every_set
@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable], ids=str)
def test_gradient_in_a_random_direction(case: Case, kernels):
    """<gradient, v> = d/dt <cotangent, output(input + t v)>, by central differences."""
    calls, inputs, cotangent, gradients = _gradients(case, kernels)
    step, rng = 1e-7, np.random.default_rng(0)
    for name, value in inputs.items():
        direction = rng.standard_normal(value.shape)
        ahead, behind = (
            case.value(kernels, calls, **inputs | {name: value + sign * step * direction}) for sign in (1, -1)
        )
        slope = (ahead - behind) / (2 * step)
        expected = np.vdot(slope, cotangent)
        bound = 1e-6 * np.linalg.norm(slope) * np.linalg.norm(cotangent) + 1e-9
        assert abs(np.vdot(gradients[name], direction) - expected) <= bound, name


@every_set
@pytest.mark.parametrize("case", [c for c in CASES if c.linear and c.differentiable], ids=str)
def test_backward_is_the_adjoint(case: Case, kernels):
    """<f(v) - f(0), dy> = <v, f*(dy)>: im2col and col2im, and every other linear pair."""
    calls, inputs, cotangent, gradients = _gradients(case, kernels)
    for name, value in inputs.items():
        image = case.value(kernels, calls, **inputs)
        image = image - case.value(kernels, calls, **inputs | {name: np.zeros_like(value)})
        bound = 1e-12 * (1 + np.linalg.norm(image) * np.linalg.norm(cotangent))
        assert abs(np.vdot(image, cotangent) - np.vdot(value, gradients[name])) <= bound, name


@every_isa
@every_dtype
@pytest.mark.parametrize("size", [1, 33, 100_003])
def test_a_sum_may_be_written_where_its_first_term_was(size: int, dtype: np.dtype, isa: str):
    total, more = np.random.default_rng(size).normal(size=(2, size)).astype(dtype)
    expected = total + more
    with use_isa(isa):
        compiled.add(total, more, total, 2)
    assert_same_bits(total, expected, "total")


@every_dtype
@every_set
def test_a_sum_keeps_denormal_numbers(kernels, dtype: np.dtype):
    tiny = np.full(40, np.finfo(dtype).smallest_subnormal)
    y = np.empty_like(tiny)
    kernels.add(tiny, tiny, y, 1)
    assert_same_bits(y, 2 * tiny, "y")


@every_set
def test_rows_may_lie_apart(kernels):
    """As they do where one array becomes a part of another."""
    x, y = np.arange(3 * 2 * 9.0).reshape(3, 2, 9), np.zeros((3, 2, 7))
    kernels.take_rows(x[..., 2:6], np.array([1, -1]), np.array([[1, 3], [-1, 1]]), y[..., 3:], -1.0, 2)
    assert not y[..., :3].any()
    np.testing.assert_array_equal(y[:, 0], [[0, 0, 0, *x[b, 1, 3:6], -1] for b in range(3)])
    assert (y[:, 1, 3:] == -1).all()
