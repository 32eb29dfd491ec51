"""What kernels keep with sealed weights: the same bits, no more memory than said, gone with the weights."""

import gc

import numpy as np
import pytest
from agreement import assert_same_bits
from cases import CASES
from families import DTYPES, Case, Conv, ConvTranspose

from kitnet import _backend
from kitnet import functional as F

compiled = _backend.compiled
ISAS = compiled.available_isas() if compiled else []
pytestmark = pytest.mark.skipif(compiled is None, reason="the compiled kernels were not built")


def normal(*shape, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", [c for c in CASES if isinstance(c, Conv | ConvTranspose)], ids=str)
def test_sealed_weights_give_the_same_bits(case: Case, dtype: np.dtype):
    """The first time, the second, on other threads, with parts of the batch, and on each instruction set."""
    from kitnet._kernels._dispatch import use_isa

    for call in case.calls(dtype).values():
        if "weight" not in call.inputs:  # the gradient of the weights
            continue
        weight = call.inputs["weight"]
        sealed = _backend.seal(weight)
        for isa in ISAS[-2:]:
            with use_isa(isa):
                parts = [call, call, call.part(0, 1)] if call.samples > 1 else [call, call]
                for part, n_threads in zip(parts, (1, 3, 1), strict=False):
                    expected = part.run(compiled)
                    found = part.run(
                        compiled,
                        n_threads,
                        place=lambda a: sealed if a is weight else np.copy(a),  # noqa: B023
                    )
                    for name, array in found.items():
                        assert_same_bits(array, expected[name], f"{call.kernel} {name}, {n_threads}, {isa}")


def test_parts_of_sealed_memory_and_other_views_of_it_are_told_apart():
    weight, x = normal(64, 32, 3, 3), normal(1, 32, 8, 8)
    sealed = _backend.seal(weight)
    for part in (slice(0, 32), slice(32, 64), slice(0, 64)):
        for stride in (1, 2):
            found = F.conv2d(x, sealed[part], stride=stride, padding=1)
            assert_same_bits(found, F.conv2d(x, weight[part], stride=stride, padding=1), f"{part}, {stride}")
    for shape in ((32, 64, 3, 3), (128, 16, 3, 3), (64, 32, 1, 9), (64, 32, 9, 1), (64, 288, 1, 1)):
        groups = 2 if shape[1] == 16 else 1
        x = normal(1, shape[1] * groups, 12, 12)
        found = F.conv2d(x, sealed.reshape(shape), groups=groups)
        assert_same_bits(found, F.conv2d(x, weight.reshape(shape), groups=groups), str(shape))


def test_batches_and_directions_may_need_other_forms():
    weight, x = normal(144, 144, 3, 3), normal(80, 144, 4, 4)
    sealed = _backend.seal(weight)
    for op in (F.conv2d, F.conv_transpose2d, F.conv2d):
        for n in (1, 80, 1, 7):
            found = op(x[:n], sealed, padding=1)
            assert_same_bits(found, op(x[:n], weight, padding=1), f"{op.__name__}, {n} images")


@pytest.mark.parametrize(
    ("weight", "size", "least", "most"),
    [
        ((128, 128, 3, 3), 28, 4, 4.5),  # Winograd, by tiles
        ((512, 512, 3, 3), 7, 4, 4.5),  # Winograd, by filters
        ((512, 512, 1, 1), 7, 1, 1.3),
    ],
)
def test_what_is_kept_is_made_once_and_dies_with_the_weights(weight, size, least, most):
    x, sealed = normal(1, weight[1], size, size), _backend.seal(normal(*weight))
    F.conv2d(x, normal(*weight), padding=weight[2] // 2)
    before = compiled.memory_stats()["in_use"]
    for _ in range(3):
        F.conv2d(x, sealed, padding=weight[2] // 2)
        kept = compiled.memory_stats()["in_use"] - before
        assert least * sealed.nbytes <= kept <= most * sealed.nbytes
    size = sealed.nbytes
    del sealed
    gc.collect()
    assert compiled.memory_stats()["in_use"] <= before - size


def test_no_more_than_two_forms_are_kept():
    sealed = _backend.seal(normal(256, 256, 3, 3))
    before = compiled.memory_stats()["in_use"]
    for image in (normal(1, 256, 4, 4), normal(1, 256, 28, 28), normal(9, 256, 4, 4), normal(1, 256, 2, 2)):
        for stride in (1, 2):
            F.conv2d(image, sealed, padding=1, stride=stride)
    assert compiled.memory_stats()["in_use"] - before <= 9 * sealed.nbytes


def test_no_way_leads_to_writing():
    sealed = _backend.seal(normal(3, 4))
    with pytest.raises(ValueError, match="read-only"):
        sealed[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        sealed.flags.writeable = True
    with pytest.raises(ValueError, match="WRITEABLE"):
        sealed[:2].flags.writeable = True
