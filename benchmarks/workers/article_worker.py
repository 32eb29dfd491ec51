"""The article's own convolution loops (``article_loops.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from article_loops import ArticleConvLayer

from workers import inputs
from workers.protocol import Operation, Prepared, in_turn, serve


def article_conv(params: dict[str, Any], pass_: str) -> Prepared:
    """Forward, backward (which needs a forward pass first, untimed) or both."""
    arrays = inputs.conv_arrays(params)
    weight = np.ascontiguousarray(arrays["weight"].transpose(1, 2, 3, 0))
    pad_h, pad_w = params["padding"]
    layer = ArticleConvLayer(weight, arrays["bias"], pad_h, pad_w, params["stride"][0])
    x, dy = arrays["x"], arrays["dy"]

    def backward() -> list[np.ndarray]:
        return [layer.backward(dy), *layer.grad]

    def both() -> list[np.ndarray]:
        return [layer.forward(x), *backward()]

    def canonical(result: list[np.ndarray]) -> list[np.ndarray]:
        """dW as (out, in, fh, fw)."""
        y, (dx, dw, db) = result[:-3], result[-3:]
        return [*y, dx, dw.transpose(3, 0, 1, 2), db]

    if pass_ == "forward":
        return Prepared(lambda: layer.forward(x))
    layer.forward(x)
    return Prepared(backward if pass_ == "backward" else both, canonical)


def load() -> tuple[dict[str, Any], dict[str, Operation]]:
    """What the article's code is, and its operation."""
    operations = {"article_conv": article_conv, "article_convs": in_turn(article_conv)}
    return {"version": f"NumPy {np.__version__}"}, operations


if __name__ == "__main__":
    serve(load)
