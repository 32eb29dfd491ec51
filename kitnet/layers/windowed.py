"""What convolution and pooling layers share: a sliding window, and the output shape that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .._geometry import Padding, Size, Window, checked_shape
from .base import Layer

ANY_SIZE = 2**30
"""An input size that every sensible window fits, to check a layer's arguments before any input is known."""


class Windowed(Layer):
    """A layer with ``kernel_size``, ``stride``, ``padding`` and ``dilation`` over ``ndim`` spatial axes."""

    ndim: ClassVar[int]
    pooling: ClassVar[bool] = True

    def _set_window(
        self,
        kernel_size: Size,
        stride: Size | None,
        padding: Padding,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        """Check the window and keep its arguments, one int per axis (the padding as it was given)."""
        sizes = (ANY_SIZE,) * self.ndim
        window = Window.of(sizes, kernel_size, stride, padding, dilation, pooling=self.pooling)
        self.kernel_size, self.stride, self.dilation = window.kernel, window.stride, window.dilation
        self.padding = _as_tuples(padding)
        self.ceil_mode = bool(ceil_mode)

    def window(self, in_size: Sequence[int], name: str = "in_shape") -> Window:
        """The checked window over an input of these sizes; ``name`` is the argument that errors name."""
        return Window.of(
            in_size,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            pooling=self.pooling,
            input_name=name,
        )

    def out_size(self, in_size: Sequence[int], name: str = "in_shape") -> tuple[int, ...]:
        """The spatial sizes of the output for those of the input."""
        return self.window(in_size, name).out_size

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        if len(in_shape) == self.ndim + 1:  # a sample by itself
            return self.out_shape((1, *in_shape))[1:]
        n, c, *in_size = checked_shape(in_shape, self.ndim + 2, "in_shape")
        return (n, self._out_channels(c), *self.out_size(in_size))

    def _out_channels(self, channels: int) -> int:
        """The channels of the output for ``channels`` of the input; ValueError if there cannot be so many."""
        return channels

    def _expect_channels(self, channels: int, expected: int) -> None:
        if channels != expected:
            raise ValueError(f"in_shape: expected {expected} channels, got {channels}")


def _as_tuples(padding: Any) -> Any:
    """Padding with tuples for lists, as it comes from JSON."""
    if isinstance(padding, str) or not isinstance(padding, Sequence):
        return padding
    return tuple(_as_tuples(item) for item in padding)
