"""How near to PyTorch a result has to be."""

import numpy as np
import pytest

both_dtypes = pytest.mark.parametrize("dtype", [np.dtype(np.float32), np.dtype(np.float64)], ids=str)

FLOAT_CONSTANTS = ("hardsigmoid", "Hardsigmoid", "binary_cross_entropy")
"""What PyTorch computes in double with a constant of float."""


def tolerance(dtype, name):
    return 1e-5 if dtype == np.float32 else 1e-7 if name in FLOAT_CONSTANTS else 1e-10


def tensor(value, gradient=False):
    """An array as a tensor of its own, anything else as it is."""
    if not isinstance(value, np.ndarray):
        return value
    import torch

    return torch.from_numpy(value.copy()).requires_grad_(gradient and value.dtype.kind == "f")


def assert_close(actual, expected, bound, what):
    """Errors of at most ``bound`` times the number, or times the largest one; dtypes are the same."""
    expected = expected.detach().numpy()
    assert np.asarray(actual).dtype == expected.dtype, what
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, bound, bound * scale, err_msg=what)
