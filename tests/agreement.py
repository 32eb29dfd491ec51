"""What it means that two results agree: bit for bit, or within so many epsilons."""

import numpy as np


def assert_same_bits(actual: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Equal bit for bit, the sign of zero included; one NaN is as good as another."""
    if actual.tobytes() != expected.tobytes():
        different = actual.view(f"i{actual.itemsize}") != expected.view(f"i{expected.itemsize}")
        different &= ~(np.isnan(actual) & np.isnan(expected))
        places = np.argwhere(different)
        assert not len(places), (
            f"{what}: {len(places)} of {actual.size} differ, first at {tuple(places[0])}: "
            f"expected {expected[tuple(places[0])]}, got {actual[tuple(places[0])]}"
        )


def assert_close(
    actual: np.ndarray, expected: np.ndarray, epsilons: float, what: str, scale: float | None = None
) -> None:
    """Errors of at most ``epsilons`` of ``scale`` (None: the largest expected value), NaN in place."""
    finite = np.isfinite(expected)
    assert_same_bits(
        np.where(finite, 0, actual), np.where(finite, 0, expected), f"{what}, NaN and infinities"
    )
    if finite.any():
        info = np.finfo(expected.dtype)
        unit = info.eps * max(np.abs(expected[finite]).max() if scale is None else scale, info.tiny)
        error = (np.abs(actual[finite].astype(np.float64) - expected[finite]) / unit).max()
        assert error <= epsilons, f"{what}: expected errors of at most {epsilons} epsilons, got {error:.3g}"
