"""Adding on the way to memory is adding afterwards, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
from agreement import assert_same_bits
from cases import CASES
from families import DTYPES, Conv

from kitnet import _backend

compiled = _backend.compiled
ROWS = [case for case in CASES if isinstance(case, Conv) and case.residual]


@pytest.mark.skipif(compiled is None, reason="the compiled kernels were not built")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("case", ROWS, ids=str)
def test_a_residual_is_added_to_the_result_and_then_clipped(case: Conv, dtype: np.dtype):
    call = case.calls(dtype)[case.forward]
    residual = call.inputs["residual"]
    plain = call.given(residual=residual[:0, :0, :0, :0, :0])
    y = replace(plain, scalars=plain.scalars | {"low": -np.inf, "high": np.inf}).run(compiled)["y"]
    with np.errstate(invalid="ignore"):
        y = y + residual
    y = np.where(y < case.low, dtype.type(case.low), y)
    y = np.where(y > case.high, dtype.type(case.high), y)
    assert_same_bits(call.run(compiled)["y"], y, str(case))
