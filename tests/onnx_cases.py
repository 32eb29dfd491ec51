"""The cases that the package onnx ships, by group, and what becomes of each with kitnet.

As a script it prints the table; words behind it: also the outcome of the cases that have one in their name.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from kitnet.onnx import UnsupportedError, load_onnx

OPERATORS = {
    "conv": "Conv ConvTranspose Col2Im DeformConv ConvInteger QLinearConv",
    "pool": "AveragePool MaxPool LpPool RoiAlign MaxUnpool GlobalAveragePool GlobalMaxPool GlobalLpPool",
    "norm": "LayerNormalization RMSNormalization LpNormalization BatchNormalization InstanceNormalization "
    "GroupNormalization LRN MeanVarianceNormalization",
    "activation": "Clip Softmax LogSoftmax Hardmax Gelu LeakyRelu Elu Selu Celu HardSigmoid ThresholdedRelu "
    "PRelu Sigmoid Softplus Softsign Tanh Shrink Relu HardSwish Mish Swish Erf",
    "loss": "SoftmaxCrossEntropyLoss NegativeLogLikelihoodLoss",
    "optimizer": "Momentum Adam Adagrad",
}
GROUP = {operator: group for group, operators in OPERATORS.items() for operator in operators.split()}
GROUPS = (*OPERATORS, "pytorch-converted")

# What passes and what is refused by name. A later version of onnx may have more cases; none may be lost.
EXPECTED = {
    "conv": (26, ["test_convinteger_with_padding", "test_convinteger_without_padding", "test_qlinearconv"]),
    "pool": (55, ["test_maxpool_2d_uint8"]),
    "norm": (55, []),
    "activation": (
        67,
        ["test_celu_bfloat16", "test_celu_float16"]
        + [f"test_clip_default_int8_{bound}" for bound in ("inbounds", "max", "min")],
    ),
    "loss": (52, []),
    "optimizer": (7, []),
    "pytorch-converted": (82, []),
}

BASIC = {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL}

# Looser than the rest, as onnx's own runner is (rtol 1e-3, atol 1e-7): what they expect has four digits.
ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad", "test_roialign_aligned_false"}
ROUNDED |= {"test_roialign_aligned_true"}


@dataclass(frozen=True)
class Case:
    """One model, what goes in, and what must come out."""

    group: str
    name: str
    model: Any
    data: list[tuple[list[Any], list[Any]]]

    @property
    def basic(self) -> bool:
        """Whether all inputs and outputs are of the types that count: float32, int32, int64 and bool."""
        values = (*self.model.graph.input, *self.model.graph.output)
        return {value.type.tensor_type.elem_type for value in values} <= BASIC

    def run(self) -> None:
        """AssertionError, or what kitnet raises, if it fails."""
        graph = load_onnx(self.model)
        rtol, atol = (1e-3, 1e-7) if self.name in ROUNDED else (1e-5, 1e-6)
        for inputs, outputs in self.data:
            found = graph(*inputs)
            found = found if isinstance(found, tuple) else (found,)
            assert len(found) == len(outputs)
            for got, expected in zip(found, outputs, strict=True):
                assert got.dtype == expected.dtype
                assert got.shape == expected.shape
                np.testing.assert_allclose(got, expected, rtol, atol)

    def outcome(self) -> str:
        """``"passed"``, ``"refused"`` or ``"failed"``, the last two with the reason."""
        try:
            self.run()
        except UnsupportedError as error:
            return f"refused: {error}"
        except Exception as error:
            return f"failed: {type(error).__name__}: {error}"
        return "passed"


def _node_cases() -> Iterator[Case]:
    """Single operators of the core of CNNs; not the cases that write them out as several."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # onnx's own, while it computes what is expected
        found = load_model_tests(kind="node")
    for case in found:
        nodes = case.model.graph.node
        group = GROUP.get(nodes[0].op_type) if len(nodes) == 1 else None
        if group and "_expanded" not in case.name:
            yield Case(group, case.name, case.model, case.data_sets)


def _tensors(folder: Path, kind: str) -> list[Any]:
    files = sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
    return [numpy_helper.to_array(onnx.load_tensor(path)) for path in files]


def _model_cases(group: str) -> Iterator[Case]:
    """Whole models that lie beside the package as files."""
    for case in load_model_tests(kind=group):
        folder = Path(case.model_dir)
        data = [
            (_tensors(part, "input"), _tensors(part, "output")) for part in folder.glob("test_data_set_*")
        ]
        yield Case(group, case.name, onnx.load(folder / "model.onnx"), data)


@cache
def all_cases() -> list[Case]:
    """Every case, in a fixed order."""
    found = [*_node_cases(), *_model_cases("pytorch-converted")]
    return sorted(found, key=lambda case: (GROUPS.index(case.group), case.name))


def table(words: list[str]) -> tuple[str, bool]:
    """Cases, those of basic types, and what becomes of them, by group; and whether that is as expected."""
    counts: dict[str, Counter[str]] = {group: Counter() for group in GROUPS}
    lines, right = [], True
    for case in all_cases():
        outcome = case.outcome()
        kind = outcome.partition(":")[0]
        counts[case.group].update(["cases", kind, *(["basic types"] if case.basic else [])])
        lost = kind == "failed" or (kind == "refused" and case.name not in EXPECTED[case.group][1])
        right &= not lost
        if lost or any(word in case.name for word in words):
            lines.append(f"{case.name}: {outcome:.300}")
    right &= all(counts[group]["passed"] >= EXPECTED[group][0] for group in GROUPS)
    counts["in all"] = sum(counts.values(), Counter())
    heads = ("cases", "basic types", "passed", "refused", "failed")
    lines.append(f"{'group':<20}" + "".join(f"{head:>13}" for head in heads))
    for group, count in counts.items():
        lines.append(f"{group:<20}" + "".join(f"{count[head]:>13}" for head in heads))
    return "\n".join(lines), right


if __name__ == "__main__":
    text, right = table(sys.argv[1:])
    print(text)
    sys.exit(not right)
