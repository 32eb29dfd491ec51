"""What PyTorch's worker does in the rows that move numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workers import inputs
from workers.protocol import Operation, Prepared


def moves(
    tensors: Callable[..., list[Any]], quiet: Callable[[Callable[[], Any]], Prepared]
) -> dict[str, Operation]:
    """The operations, given how the worker makes tensors of arrays, and how it runs a call."""
    import torch
    import torch.nn.functional as F

    aten = torch.ops.aten

    def pad(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.moved_arrays(params, inputs.padded_shape(params)), "x", "dy")
        border = list(params["pad"])
        if params["mode"] == "constant":
            back = [-width for width in border]
            return quiet(lambda: (F.pad(x, border), aten.constant_pad_nd(dy, back)))
        return quiet(
            lambda: (F.pad(x, border, params["mode"]), aten.reflection_pad2d_backward(dy, x, border))
        )

    def channel_shuffle(params: dict[str, Any], _: str) -> Prepared:
        """Dealing back is dealing to as many hands as each had cards."""
        x, dy = tensors(inputs.moved_arrays(params), "x", "dy")
        groups = params["groups"]
        back = x.shape[1] // groups
        return quiet(lambda: (F.channel_shuffle(x, groups), F.channel_shuffle(dy, back)))

    def pixel_shuffle(params: dict[str, Any], _: str) -> Prepared:
        x, dy = tensors(inputs.moved_arrays(params, inputs.shuffled_shape(params)), "x", "dy")
        factor = params["factor"]
        return quiet(lambda: (F.pixel_shuffle(x, factor), F.pixel_unshuffle(dy, factor)))

    def join(function: Callable[[Any, Any], Any]) -> Operation:
        def prepare(params: dict[str, Any], _: str) -> Prepared:
            x, other = tensors(inputs.moved_arrays(params), "x", "other")
            return quiet(lambda: function(x, other))

        return prepare

    return {
        "pad": pad,
        "channel_shuffle": channel_shuffle,
        "pixel_shuffle": pixel_shuffle,
        "add": join(torch.add),
        "cat": join(lambda x, other: torch.cat((x, other), 1)),
    }
