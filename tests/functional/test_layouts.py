"""Public functions against the kernels below them, on every row of the case list, for arrays of any layout.

Read-only, strided, reversed, Fortran-ordered and unaligned arrays give the same bits as plain ones, and stay
as they were.
"""

import numpy as np
import pytest
from cases import CASES
from families import (
    DTYPES,
    Array,
    Arrays,
    AvgPool,
    BatchNorm,
    Case,
    Loss,
    Resample,
    RowNorm,
    TakeRows,
)
from functional.apply import APPLY, public

from kitnet import _backend


def _offered(case: Case) -> bool:
    """Whether a public function covers the row: kernels are more general here and there."""
    if isinstance(case, AvgPool):
        return case.dilation == 1
    if isinstance(case, Loss):  # the positive share alone is no loss
        return case.kind != "bce_with_logits" or case.b == 1
    if isinstance(case, BatchNorm):
        return case.n * case.p > 1
    if isinstance(case, RowNorm):  # the RMS has no groups, and no shift
        return case.centred or not (case.weight or case.groups > 1)
    if isinstance(case, Resample):
        return not case.ones
    if isinstance(case, TakeRows):  # others are parts of larger functions
        return case.x[0] == 1 and bool(case.rows) and not case.runs
    return type(case) in APPLY


ROWS = pytest.mark.parametrize("case", [case for case in CASES if _offered(case)], ids=str)


def _inputs(case: Case, dtype: np.dtype) -> Arrays:
    inputs: Arrays = {}
    for call in case.calls(dtype).values():
        taken = {name: f"{name} of {call.kernel}" for name in call.inputs if name in inputs}
        inputs |= {taken.get(name, name): array for name, array in call.inputs.items()}
    return public(case, inputs)


@ROWS
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_public_functions_call_the_kernels(case: Case, dtype: np.dtype):
    """Geometry, groups, bounds and layout reach the kernels: the results are theirs, bit for bit."""
    results = APPLY[type(case)](case, _inputs(case, dtype))
    expected: Arrays = {}
    for call in case.calls(dtype).values():
        expected |= call.run(_backend.kernels())
    for name in results.keys() & expected.keys():
        array = public(case, {name: expected[name]})[name]
        assert results[name].dtype == array.dtype, name
        assert results[name].shape == array.shape, name
        np.testing.assert_array_equal(results[name], array, err_msg=name)


def _read_only(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _every_other(array: Array) -> Array:
    """A view of every second cell along each axis, between NaN or garbage."""
    wide = np.full([2 * size for size in array.shape], -1, array.dtype)
    view = wide[tuple(slice(1, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _reversed(array: Array) -> Array:
    """A view with negative strides along each axis."""
    turn = (slice(None, None, -1),) * array.ndim
    return array[turn].copy()[turn]


def _unaligned(array: Array) -> Array:
    buffer = np.empty(array.nbytes + 1, np.uint8)
    view = np.ndarray(array.shape, array.dtype, buffer.data, 1)
    view[...] = array
    return view


LAYOUTS = {
    "read-only": _read_only,
    "every other": _every_other,
    "reversed": _reversed,
    "Fortran order": np.asfortranarray,
    "unaligned": _unaligned,
}


@ROWS
def test_layout_does_not_matter(case: Case):
    inputs = _inputs(case, DTYPES[0])
    apply = APPLY[type(case)]
    expected = apply(case, inputs)
    for layout, change in LAYOUTS.items():
        changed = {name: change(array) for name, array in inputs.items()}
        for name, array in apply(case, changed).items():
            np.testing.assert_array_equal(array, expected[name], err_msg=f"{name}, {layout}")
            assert array.flags.c_contiguous, f"{name}, {layout}"
            assert array.flags.aligned, f"{name}, {layout}"
            assert not any(np.shares_memory(array, given) for given in changed.values()), f"{name}, {layout}"
        for name, array in changed.items():
            np.testing.assert_array_equal(array, inputs[name], err_msg=f"{name}, {layout}")
