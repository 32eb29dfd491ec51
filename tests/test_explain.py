"""What ``explain_conv`` says is what the kernels do."""

import re

import numpy as np
import pytest
from families import DTYPES, Conv

import kitnet
from kitnet import _backend
from kitnet.explain import PASSES, PassReport

FLOAT32, FLOAT64 = DTYPES
needs_compiled = pytest.mark.skipif(kitnet.backend() != "cython", reason="not on the compiled kernels")

LANES = "direct, filters in lanes"
IMAGE, KERNELS = (2, 64, 56, 56), (64, 64, 3, 3)
ROWS = [
    (
        IMAGE,
        KERNELS,
        {"padding": 1},
        ("winograd, by tiles", "winograd, by tiles", "winograd"),
        "pieces of 3x3 or 2x2, stride 1",
    ),
    ((1, 512, 7, 7), (512, 512, 3, 3), {"padding": 1}, ("winograd, by filters",) * 2 + (LANES,), None),
    (IMAGE, KERNELS, {"padding": 1, "dtype": np.float64}, (LANES,) * 3, "float32 alone"),
    (IMAGE, KERNELS, {"padding": 1, "stride": 2}, (LANES,) * 3, "for stride 1"),
    (
        IMAGE,
        KERNELS,
        {"padding": 2, "dilation": 2},
        ("winograd, by tiles",) * 2 + ("winograd",),
        "pieces of 3x3 or 2x2",
    ),
    (IMAGE, KERNELS, {"padding": (6, 3), "dilation": (6, 3)}, (LANES, LANES, "winograd"), None),
    ((2, 3, 56, 56), (64, 3, 3, 3), {"padding": 1}, ("direct", "direct", LANES), "3 channels or filters"),
    ((2, 16, 56, 56), (31, 16, 3, 3), {"padding": 1}, (LANES, LANES, LANES), "496 pairs"),
    ((2, 17, 56, 56), (32, 17, 3, 3), {"padding": 1}, (LANES, "direct", "winograd"), None),
    ((2, 64, 2, 2), KERNELS, {"padding": 1}, ("direct", "direct", LANES), "16 pixels"),
    ((2, 8, 9, 9), (8, 1, 3, 3), {"groups": 8}, ("depthwise",) * 3, "1 filters a channel: up to"),
    ((2, 8, 9, 9), (64, 1, 2, 2), {"groups": 8}, ("direct",) * 3, None),
    ((2, 24, 9, 9), (32, 24, 1, 1), {}, ("direct, 1x1", "direct, 1x1", LANES), None),
    ((2, 6, 5, 5), (16, 6, 5, 5), {}, ("direct, packed", "direct", LANES), None),
    ((2, 1, 2, 3), (16, 1, 2, 3), {}, ("direct, packed", "direct", "direct, packed"), None),
    ((2, 17, 100), (32, 17, 9), {"padding": 4}, (LANES, "direct", LANES), "pieces of 3x3 or 2x2 fit"),
    ((2, 16, 5, 9, 9), (31, 16, 3, 3, 3), {"padding": 1}, (LANES, "direct", LANES), "496 pairs"),
    (
        (2, 32, 5, 9, 12),
        (40, 32, 3, 3, 3),
        {"padding": 1},
        ("winograd, by tiles",) * 2 + ("winograd",),
        "pieces",
    ),
    ((2, 200, 20, 20), (200, 200, 5, 5), {"padding": 2}, (LANES, LANES, "winograd"), None),
]


COSTS = re.compile(r"filters in the lanes, .* cost ([\d,]+) a row, and pay up to ([\d,]+)")


def number(text: str) -> int:
    return int(text.replace(",", ""))


def passes(report) -> tuple[PassReport, ...]:
    return report.forward, report.backward_data, report.backward_weight


@needs_compiled
@pytest.mark.parametrize(("x", "weight", "settings", "algorithms", "words"), ROWS, ids=str)
def test_algorithm_and_reason(x, weight, settings, algorithms, words):
    report = kitnet.explain_conv(x, weight, **settings)
    assert tuple(one.algorithm for one in passes(report)) == algorithms
    for one in passes(report):
        assert one.algorithm in str(report)
        assert one.why in str(report)
        if words is not None:
            assert words in one.why


@needs_compiled
def test_one_filter_too_many_for_depthwise_is_told():
    report = kitnet.explain_conv((2, 8, 9, 9), (64, 1, 3, 3), groups=8)
    assert "8 filters a channel: more than" in report.forward.why


@needs_compiled
def test_too_many_terms_are_told():
    report = kitnet.explain_conv((2, 200, 20, 20), (200, 200, 5, 5), padding=2)
    assert "800 terms a sum" in report.forward.why


@needs_compiled
def test_columns_that_are_not_woven_are_told():
    report = kitnet.explain_conv(IMAGE, KERNELS, padding=(6, 3), dilation=(6, 3))
    assert "columns dilated by 1, 2 or 4" in report.forward.why


@needs_compiled
def test_a_packed_lattice_is_told():
    report = kitnet.explain_conv((2, 6, 5, 5), (16, 6, 5, 5))
    assert "each tap has its own row" in report.forward.why
    assert "each tap has its own row" not in report.backward_data.why


@needs_compiled
def test_what_stands_in_the_lanes_is_told():
    report = kitnet.explain_conv((2, 3, 56, 56), (64, 3, 3, 3), padding=1)
    assert "27 weights are too few for filters in the lanes" in report.forward.why
    cost, limit = zip(*(map(number, pair) for pair in COSTS.findall(str(report))), strict=True)
    assert cost[0] > limit[0]  # of three channels, backward
    assert cost[1] <= limit[1]  # of 64 filters, weights
    report = kitnet.explain_conv((2, 64, 2, 2), KERNELS, padding=1)
    assert "rows of 2 pixels are too short" in report.forward.why
    assert "lanes" not in kitnet.explain_conv(IMAGE, KERNELS, padding=1).forward.why


@needs_compiled
def test_of_the_phases_of_a_stride_the_one_with_the_most_taps_is_told():
    # Of kernels of 3 and a stride of 2 the phases have 1, 2, 2 and 4 taps: 40 to 160 weights of a filter.
    for padding in (0, 1):
        report = kitnet.explain_conv((1, 64, 17, 17), (40, 64, 3, 3), stride=2, padding=padding)
        assert report.backward_data.algorithm == LANES


@needs_compiled
def test_windows_that_reach_no_input():
    report = kitnet.explain_conv((1, 3, 1), (3, 3, 1), stride=2, padding=((1, 0),))
    assert report.backward_data.algorithm == "direct"
    assert report.backward_data.workspace < 256


@needs_compiled
def test_settings_count():
    with kitnet.config_context(winograd="never"):
        report = kitnet.explain_conv(IMAGE, KERNELS, padding=1)
    assert {one.algorithm for one in passes(report)} == {LANES}
    assert {one.why.split("; ")[0] for one in passes(report)} == {"set_config(winograd='never')"}


@needs_compiled
def test_neither_batch_nor_threads_count():
    before = kitnet.get_num_threads()
    try:
        for x, weight, settings, algorithms, _ in ROWS:
            for n in (1, 33):
                for threads in (1, 3):
                    kitnet.set_num_threads(threads)
                    report = kitnet.explain_conv((n, *x[1:]), weight, **settings)
                    found = tuple(one.algorithm for one in passes(report))
                    # The gradient of the weights is a sum over the batch, which may have a say in how.
                    assert found[: 3 if n == x[0] else 2] == algorithms[: 3 if n == x[0] else 2]
    finally:
        kitnet.set_num_threads(before)


@needs_compiled
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("x", "weight", "settings", "algorithms", "words"), ROWS, ids=str)
def test_workspace_is_what_the_kernels_ask_for(x, weight, settings, algorithms, words, threads):
    """The pool counts what they take: as much, rounded up to its sizes of blocks."""
    settings = dict(settings)
    dtype = np.dtype(settings.pop("dtype", FLOAT32))
    case = Conv(x=x, k=weight[0], kernel=weight[2:], **settings)
    before = kitnet.get_num_threads()
    kitnet.set_num_threads(threads)
    try:
        report = kitnet.explain_conv(x, weight, dtype=dtype, **settings)
    finally:
        kitnet.set_num_threads(before)
    for one, kernel in zip(passes(report), PASSES.values(), strict=True):
        kitnet.empty_cache()
        in_use = kitnet.memory_stats()["in_use"]
        case.calls(dtype)[kernel].run(_backend.compiled, n_threads=threads)
        taken = kitnet.memory_stats()["most_in_use"] - in_use
        assert one.workspace <= taken <= 1.25 * one.workspace + 8 * 256, kernel


def test_operations_and_bytes():
    report = kitnet.explain_conv(
        (3, 4, 10, 9), (6, 2, 3, 2), stride=(2, 1), padding=(1, 0), groups=2, dtype="float64"
    )
    assert report.y_shape == (3, 6, 5, 8)
    for one in passes(report):
        assert one.flops == 2 * (3 * 6 * 5 * 8) * (2 * 3 * 2)
        assert one.nbytes == 8 * (3 * 4 * 10 * 9 + 6 * 2 * 3 * 2 + 3 * 6 * 5 * 8)
        assert one.intensity == one.flops / one.nbytes
        assert one.seconds is one.peak_share is one.bandwidth_share is None


@needs_compiled
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_measured(dtype):
    report = kitnet.explain_conv((1, 8, 12, 12), (8, 8, 3, 3), dtype=dtype, measure=True, seconds=0)
    assert report.peak > report.bandwidth / 100
    for one in passes(report):
        assert one.seconds > 0
        assert one.peak_share == pytest.approx(one.flops / one.seconds / report.peak)
        assert one.bandwidth_share == pytest.approx(one.nbytes / one.seconds / report.bandwidth)
        assert f"{1e3 * one.seconds:.3f}" in repr(report)
    assert "memory is the limit" in repr(report)


def test_the_numpy_backend_has_one_algorithm():
    with kitnet.use_backend("numpy"):
        report = kitnet.explain_conv((1, 2, 6, 6), (3, 2, 3, 3), measure=True, seconds=0)
    assert {one.algorithm for one in passes(report)} == {"reference"}
    assert report.peak is report.bandwidth is None
    for one in passes(report):
        assert one.seconds > 0
        assert one.workspace is one.peak_share is None
    assert "backend numpy, 1 threads" in str(report)


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "words"),
    [
        ((8, (8, 8, 3, 3)), {}, TypeError, "^x_shape: expected 3 or 4 or 5 ints"),
        (((1, 8), (8, 8, 3, 3)), {}, ValueError, "^x_shape: expected 3 or 4 or 5 ints"),
        (((0, 8, 9, 9), (8, 8, 3, 3)), {}, ValueError, "^x_shape: expected sizes of at least 1"),
        ((IMAGE, (0, 64, 3, 3)), {}, ValueError, "^weight_shape: expected sizes of at least 1"),
        ((IMAGE, (64, 64, 3)), {}, ValueError, "^weight_shape: expected 4 ints"),
        ((IMAGE, (64, 3, 3, 3)), {}, ValueError, "^weight_shape: expected 64 channels on axis 1"),
        ((IMAGE, (64, 64, 99, 3)), {}, ValueError, "^weight_shape: expected a kernel that fits"),
        ((IMAGE, KERNELS), {"groups": 7}, ValueError, "^groups: "),
        ((IMAGE, KERNELS), {"stride": 0}, ValueError, "^stride: "),
        ((IMAGE, KERNELS), {"padding": "odd"}, ValueError, "^padding: "),
        ((IMAGE, KERNELS), {"dtype": np.int32}, TypeError, "^dtype: "),
        ((IMAGE, KERNELS), {"measure": True, "seconds": -1}, ValueError, "^seconds: "),
        (((2**30, 64, 2**20, 2**20), KERNELS), {}, ValueError, "^x_shape: expected a result that fits"),
    ],
)
def test_wrong_arguments_are_named(arguments, settings, error, words):
    with pytest.raises(error, match=words):
        kitnet.explain_conv(*arguments, **settings)
