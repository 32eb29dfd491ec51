"""Public functions against the kernels below them, on every row of the case list, for arrays of any layout.

Read-only, strided, reversed, Fortran-ordered and unaligned arrays give the same bits as plain ones, and stay
as they were.
"""

from collections.abc import Callable
from typing import Any

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
    Conv,
    CrossEntropy,
    Im2col,
    Linear,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Relu,
    Resample,
    Softmax,
    Unfold,
    Windowed,
)

from kitnet import _backend
from kitnet import functional as F


def _public(case: Case, arrays: Arrays) -> Arrays:
    """Kernel arrays (N, C, D, H, W) without the unit axes that the public functions add."""
    ndim = len(case.x) - 2 if isinstance(case, Windowed | Resample) else 3
    return {n: a.reshape(*a.shape[:2], *a.shape[-ndim:]) if a.ndim == 5 else a for n, a in arrays.items()}


def _op(case: Windowed, name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function of so many dimensions, and its backward."""
    name = f"{name}{len(case.x) - 2}d"
    return getattr(F, name), getattr(F, f"{name}_backward")


def _optional(array: Array) -> Array | None:
    return array if array.size else None


def _conv(case: Conv, a: Arrays) -> Arrays:
    op, backward = _op(case, "conv")
    moves = (case.stride, case.padding, case.dilation, case.groups)
    y = op(a["x"], a["weight"], _optional(a["bias"]), *moves, clip=(case.low, case.high))
    dx, dweight, dbias = backward(a["dy"], a["x"], a["weight"], *moves)
    return {"y": y, "dx": dx, "dweight": dweight} | ({"dbias": dbias} if case.bias else {})


def _linear(case: Linear, a: Arrays) -> Arrays:
    y = F.linear(a["x"], a["weight"], _optional(a["bias"]), clip=(case.low, case.high))
    dx, dweight, dbias = F.linear_backward(a["dy"], a["x"], a["weight"])
    return {"y": y, "dx": dx, "dweight": dweight} | ({"dbias": dbias} if case.bias else {})


def _local(case: Local, a: Arrays) -> Arrays:
    moves = (case.stride, case.padding, case.dilation)
    places, k, _ = a["weight"].shape
    weight = a["weight"].reshape(places, k, case.x[1], case.window.kernel[0])
    y = F.locally_connected1d(a["x"], weight, _optional(a["bias"]), *moves)
    dx, dweight, dbias = F.locally_connected1d_backward(a["dy"], a["x"], weight, *moves)
    return {"y": y, "dx": dx, "dweight": dweight.reshape(places, k, -1)} | (
        {"dbias": dbias} if case.bias else {}
    )


def _im2col(case: Im2col, a: Arrays) -> Arrays:
    moves = (case.kernel, case.stride, case.padding, case.dilation)
    matrix = a["cols"].reshape(-1, a["cols"].shape[2])
    cols = F.im2col(a["x"], *moves).reshape(a["cols"].shape)
    return {"cols": cols, "x": F.col2im(matrix, case.x, *moves)}


def _unfold(case: Unfold, a: Arrays) -> Arrays:
    moves = (case.kernel, case.dilation, case.padding, case.stride)
    return {"cols": F.unfold(a["x"], *moves), "x": F.fold(a["cols"], case.x[2:], *moves)}


def _max_pool(case: MaxPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "max_pool")
    moves = (case.kernel, case.stride, case.padding, case.dilation, case.ceil_mode)
    if not case.indices:
        return {"y": op(a["x"], *moves)}
    y, index = op(a["x"], *moves, return_indices=True)
    return {"y": y, "index": index, "dx": backward(a["dy"], a["index"], case.x)}


def _avg_pool(case: AvgPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "sum_pool" if case.ones else "avg_pool")
    moves = (case.kernel, case.stride, case.padding, case.ceil_mode)
    results = {"y": op(a["x"], *moves), "dx": backward(a["dy"], case.x, *moves)}
    return results if case.ones else {f"mean {name}": array for name, array in results.items()}


def _lp_pool(case: LpPool, a: Arrays) -> Arrays:
    op, backward = _op(case, "lp_pool")
    moves = (case.p, case.kernel, case.stride, case.ceil_mode)
    rest = {"padding": case.padding, "dilation": case.dilation}
    return {"y": op(a["x"], *moves, **rest), "dx": backward(a["dy"], a["x"], a["y"], *moves, **rest)}


def _resample(case: Resample, a: Arrays) -> Arrays:
    op, backward = (getattr(F, f"adaptive_avg_pool{len(case.out)}d{end}") for end in ("", "_backward"))
    return {"y": backward(a["x"], case.x, case.out) if case.transposed else op(a["x"], case.out)}


def _relu(case: Relu, a: Arrays) -> Arrays:
    return {"y": F.relu(a["x"]), "dx": F.relu_backward(a["dy"], a["y"])}


def _multiply(case: Multiply, a: Arrays) -> Arrays:
    return {"y": F.dropout(a["a"], a["b"])}


def _batch_norm(case: BatchNorm, a: Arrays) -> Arrays:
    y, mean, var = F.batch_norm_train(a["x"], a["scale"], a["shift"], eps=case.eps)
    dx, dgamma, dbeta = F.batch_norm_train_backward(a["dy"], a["x"], mean, var, a["gamma"], eps=case.eps)
    return {"mean": mean, "var": var, "trained y": y, "trained dx": dx, "dweight": dgamma, "dbias": dbeta}


def _softmax(case: Softmax, a: Arrays) -> Arrays:
    return {"y": F.softmax(a["x"]), "dx": F.softmax_backward(a["dy"], a["y"])}


def _cross_entropy(case: CrossEntropy, a: Arrays) -> Arrays:
    loss = F.cross_entropy(a["x"], a["target"], "none")
    dx = F.cross_entropy_backward(a["dloss"], a["x"], a["target"], "none")
    return {"loss": loss, "dx of a new softmax": dx}


APPLY: dict[type[Case], Callable[[Any, Arrays], Arrays]] = {
    AvgPool: _avg_pool,
    BatchNorm: _batch_norm,
    Conv: _conv,
    CrossEntropy: _cross_entropy,
    Im2col: _im2col,
    Linear: _linear,
    Local: _local,
    LpPool: _lp_pool,
    MaxPool: _max_pool,
    Multiply: _multiply,
    Relu: _relu,
    Resample: _resample,
    Softmax: _softmax,
    Unfold: _unfold,
}


def _offered(case: Case) -> bool:
    """Whether a public function covers the row: kernels are more general here and there."""
    if isinstance(case, Local):
        return len(case.x) == 3
    if isinstance(case, AvgPool):
        return case.dilation == 1
    if isinstance(case, BatchNorm):
        return case.n * case.p > 1
    return type(case) in APPLY


ROWS = pytest.mark.parametrize("case", [case for case in CASES if _offered(case)], ids=str)


def _inputs(case: Case, dtype: np.dtype) -> Arrays:
    inputs: Arrays = {}
    for call in case.calls(dtype).values():
        inputs |= call.inputs
    return _public(case, inputs)


@ROWS
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_public_functions_call_the_kernels(case: Case, dtype: np.dtype):
    """Geometry, groups, bounds and layout reach the kernels: the results are theirs, bit for bit."""
    results = APPLY[type(case)](case, _inputs(case, dtype))
    expected: Arrays = {}
    for call in case.calls(dtype).values():
        expected |= call.run(_backend.kernels())
    for name in results.keys() & expected.keys():
        array = _public(case, {name: expected[name]})[name]
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
