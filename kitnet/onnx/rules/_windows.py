"""The attributes that every sliding window has."""

from __future__ import annotations

from typing import Any

from ..node import Node

_PADDINGS = {"VALID": "valid", "SAME_UPPER": "same", "SAME_LOWER": "same_lower"}


def axes_of(node: Node, count: int) -> str:
    """The end of the name of a layer for ``count`` spatial axes."""
    if count not in (1, 2, 3):
        node.refuse("one to three spatial axes", count)
    return f"{count}d"


def pairs_of(pads: tuple[int, ...] | None) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis, from ONNX's list of all befores and then all afters."""
    pads = pads or ()
    half = len(pads) // 2
    return tuple(zip(pads[:half], pads[half:], strict=True))


def padding_of(node: Node, ndim: int) -> Any:
    """Padding in kitnet's form."""
    rule = node.text("auto_pad", "NOTSET", *_PADDINGS)
    pads = node.integers("pads", 2 * ndim)
    if rule != "NOTSET":
        return _PADDINGS[rule]
    pairs = pairs_of(pads)
    if all(before == after for before, after in pairs):
        return tuple(before for before, _ in pairs) or 0
    return pairs


def window_of(node: Node, ndim: int) -> dict[str, Any]:
    """Stride, padding and dilation as the layers' arguments."""
    return {
        "stride": node.integers("strides", ndim) or (1,) * ndim,
        "padding": padding_of(node, ndim),
        "dilation": node.integers("dilations", ndim) or (1,) * ndim,
    }
