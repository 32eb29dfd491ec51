"""Results larger than the caches are written past them: the bits are those of one image at a time."""

import numpy as np
import pytest

from kitnet import functional as F

HELD = 32 << 20  # bytes of source and result, see depthwise.pyx


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kernel", [3, 5])
def test_a_large_batch_has_the_bits_of_its_images(dtype, kernel):
    rng = np.random.default_rng(0)
    channels = 64 * 4 // np.dtype(dtype).itemsize
    x = rng.standard_normal((6, channels, 112, 112)).astype(dtype)
    weight = rng.standard_normal((channels, 1, kernel, kernel)).astype(dtype)
    bias = rng.standard_normal(channels).astype(dtype)
    options = {"padding": kernel // 2, "groups": channels}
    y = F.conv2d(x, weight, bias, clip=(0, 6), **options)
    dx = F.conv2d_backward(x, x, weight, **options)[0]
    assert x.nbytes + y.nbytes > HELD > 2 * x[:1].nbytes
    for n in range(len(x)):
        one = x[n : n + 1]
        np.testing.assert_array_equal(F.conv2d(one, weight, bias, clip=(0, 6), **options), y[n : n + 1])
        np.testing.assert_array_equal(F.conv2d_backward(one, one, weight, **options)[0], dx[n : n + 1])
