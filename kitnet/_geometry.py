"""The sliding window: kernel, stride, padding and dilation, and the output size that follows.

The only home of this arithmetic and of its error texts. Sizes are Python integers, so nothing overflows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import index
from typing import Any, Literal, TypeAlias

Size: TypeAlias = "int | Sequence[int]"
Padding: TypeAlias = (
    "int | Sequence[int] | Sequence[tuple[int, int]] | Literal['valid', 'same', 'same_lower', 'causal']"
)
Ints: TypeAlias = "tuple[int, ...]"

MODES = ("constant", "reflect", "replicate", "circular")
"""What a border may hold."""

_RULES = ("valid", "same", "same_lower")

LARGEST = 2**31 - 1
"""The largest kernel, stride, dilation, padding or spatial size: planes are indexed by 32-bit offsets."""


def per_axis(value: Any, ndim: int, name: str, least: int = 1) -> Ints:
    """``value``, an integer or one integer per spatial axis, as a tuple of ``ndim`` checked integers."""
    if type(value) is int and least <= value <= LARGEST:  # the two usual cases, on the hot path of every call
        return (value,) * ndim
    if type(value) is tuple and len(value) == ndim:
        for i in value:
            if type(i) is not int or not least <= i <= LARGEST:
                break
        else:
            return value
    given = value
    if isinstance(value, str) or value is None:
        raise TypeError(f"{name}: expected an int or {ndim} ints, got {given!r}")
    try:
        items = tuple(value)
    except TypeError:
        items = (value,) * ndim
    if len(items) != ndim:
        raise ValueError(f"{name}: expected an int or {ndim} ints, got {given!r}")
    if any(isinstance(i, bool) for i in items):
        raise TypeError(f"{name}: expected an int or {ndim} ints, got {given!r}")
    try:
        ints = tuple(index(i) for i in items)
    except TypeError:
        raise TypeError(f"{name}: expected an int or {ndim} ints, got {given!r}") from None
    if any(not least <= i <= LARGEST for i in ints):
        raise ValueError(f"{name}: expected values from {least} to {LARGEST}, got {given!r}")
    return ints


def _pads(padding: Any, ndim: int, causal: bool = False) -> tuple[tuple[int, int], ...] | str:
    """Padding as one (before, after) pair per axis, or the name of the rule that yields it.

    ``causal``: whether that rule is one where there is a single axis, that of time.
    """
    if type(padding) is int and 0 <= padding <= LARGEST:  # the usual case
        return ((padding, padding),) * ndim
    if isinstance(padding, str):
        rules = _RULES + ("causal",) * (causal and ndim == 1)
        if padding not in rules:
            known = ", ".join(map(repr, rules[:-1]))
            raise ValueError(f"padding: expected ints, {known} or {rules[-1]!r}, got {padding!r}")
        return padding
    if isinstance(padding, (tuple, list)) and padding and isinstance(padding[0], (tuple, list)):
        if len(padding) != ndim:
            raise ValueError(f"padding: expected {ndim} (before, after) pairs, got {padding!r}")
        pairs = (per_axis(pair, 2, "padding", least=0) for pair in padding)
        return tuple((before, after) for before, after in pairs)
    both = per_axis(padding, ndim, "padding", least=0)
    return tuple(zip(both, both, strict=True))


def one_int(value: Any, name: str, least: int = 1, most: int = LARGEST) -> int:
    """``value``, an integer (no bool) from ``least`` to ``most``."""
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name}: expected an int, got {value!r}")
    if not least <= number <= most:
        raise ValueError(f"{name}: expected an int from {least} to {most}, got {value!r}")
    return number


def checked_shape(shape: Any, ndim: int | tuple[int, ...], name: str) -> Ints:
    """``shape``, (N, C, *spatial) in ``ndim`` integers, of which only N may be 0."""
    allowed = ndim if isinstance(ndim, tuple) else (ndim,)
    if not isinstance(shape, (tuple, list)) and (isinstance(shape, str) or not isinstance(shape, Iterable)):
        raise TypeError(f"{name}: expected {' or '.join(map(str, allowed))} ints, got {shape!r}")
    sizes = tuple(shape)
    if len(sizes) not in allowed:
        raise ValueError(f"{name}: expected {' or '.join(map(str, allowed))} ints, got {shape!r}")
    sizes = per_axis(sizes, len(sizes), name, least=0)
    if 0 in sizes[1:]:
        raise ValueError(f"{name}: expected sizes of at least 1 (only the batch may be 0), got {shape!r}")
    return sizes


def axis_sizes(value: Any, name: str) -> Ints:
    """``value``, an integer or the sizes of one or more axes, as a tuple of integers of at least 1."""
    if not isinstance(value, (tuple, list)):
        return (one_int(value, name),)
    if not value:
        raise ValueError(f"{name}: expected at least 1 axis, got {value!r}")
    return per_axis(tuple(value), len(value), name)


def product(sizes: Sequence[int]) -> int:
    """The number of elements, in Python integers."""
    return math.prod(sizes)


def _lift(values: Ints, fill: int) -> tuple[int, int, int]:
    """One value per spatial axis, lifted to (depth, height, width) by ``fill`` in front."""
    lifted = (fill,) * (3 - len(values)) + values
    return lifted[0], lifted[1], lifted[2]


@dataclass(frozen=True)
class Window:
    """A checked sliding window over an input of known size; every field has one value per spatial axis.

    >>> w = Window.of((5, 5), kernel_size=3, stride=2, padding=1)
    >>> w.out_size
    (3, 3)
    """

    in_size: Ints
    kernel: Ints
    stride: Ints
    pad_before: Ints
    pad_after: Ints
    dilation: Ints
    out_size: Ints

    @staticmethod
    def of(
        in_size: Sequence[int],
        kernel_size: Size,
        stride: Size | None = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        *,
        ceil_mode: bool = False,
        pooling: bool = False,
        kernel_name: str = "kernel_size",
        input_name: str = "x",
    ) -> Window:
        """Check every argument and resolve padding rules and the output size.

        ``ceil_mode`` keeps a last, partial window if it starts inside the input or the padding before it.
        ``pooling`` asks that each window touch real data: padding of at most half the (dilated) kernel. The
        stride may then be None: that of windows side by side, ``kernel_size``.
        ``kernel_name`` and ``input_name`` are the caller's arguments that error texts name.

        Raises
        ------
        ValueError, TypeError
            Naming the argument that is at fault.
        """
        n = len(in_size)
        kernel = per_axis(kernel_size, n, kernel_name)
        return _window(
            tuple(in_size),
            kernel,
            kernel if stride is None and pooling else per_axis(stride, n, "stride"),
            _pads(padding, n, causal=not pooling),
            per_axis(dilation, n, "dilation"),
            bool(ceil_mode),
            pooling,
            kernel_name,
            input_name,
        )

    @staticmethod
    def transposed(
        out_size: Sequence[int],
        kernel_size: Size,
        stride: Size = 1,
        padding: Padding = 0,
        output_padding: Size = 0,
        dilation: Size = 1,
        *,
        kernel_name: str = "kernel_size",
        input_name: str = "x",
    ) -> Window:
        """The window that a transposed convolution of an input of size ``out_size`` goes back through.

        Its ``in_size`` is the size of the result: the input whose convolution has size ``out_size``. A stride
        leaves several; the smallest is meant, and ``output_padding`` cells more at the end. The rules "same"
        and "same_lower" choose ``out_size`` times the stride.

        >>> Window.transposed((3,), kernel_size=3, stride=2, padding=1).in_size
        (5,)

        Raises
        ------
        ValueError, TypeError
            Naming the argument that is at fault.
        """
        n = len(out_size)
        return _transposed(
            tuple(out_size),
            per_axis(kernel_size, n, kernel_name),
            per_axis(stride, n, "stride"),
            _pads(padding, n),
            per_axis(output_padding, n, "output_padding", least=0),
            per_axis(dilation, n, "dilation"),
            input_name,
        )

    @property
    def ndim(self) -> int:
        return len(self.kernel)

    @cached_property
    def kernel3(self) -> tuple[int, int, int]:
        return _lift(self.kernel, 1)

    @cached_property
    def stride3(self) -> tuple[int, int, int]:
        return _lift(self.stride, 1)

    @cached_property
    def pad3(self) -> tuple[int, int, int]:
        return _lift(self.pad_before, 0)

    @cached_property
    def dilation3(self) -> tuple[int, int, int]:
        return _lift(self.dilation, 1)

    @cached_property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """Padding as (before, after) pairs."""
        return tuple(zip(self.pad_before, self.pad_after, strict=True))

    @cached_property
    def out3(self) -> tuple[int, int, int]:
        return _lift(self.out_size, 1)

    @cached_property
    def geometry(self) -> tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]]:
        """(stride, padding before, dilation), each lifted to three axes: what every windowed kernel takes."""
        return self.stride3, self.pad3, self.dilation3


_ALL = slice(None)
_LIFT = {3: (_ALL, _ALL, None, None), 4: (_ALL, _ALL, None)}


def lift(array: Any) -> Any:
    """An array (N, C, *spatial) or (K, C, *kernel) viewed as 5-D, with unit axes before the spatial ones."""
    return array if array.ndim == 5 else array[_LIFT[array.ndim]]


@lru_cache(maxsize=1024)
def _window(
    in_size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: tuple[tuple[int, int], ...] | str,
    dilation: Ints,
    ceil_mode: bool,
    pooling: bool,
    kernel_name: str,
    input_name: str,
) -> Window:
    if 0 in in_size:
        raise ValueError(f"{input_name}: expected spatial sizes of at least 1, got {in_size}")
    before, after, out = [], [], []
    for axis, (size, k, s, d) in enumerate(zip(in_size, kernel, stride, dilation, strict=True)):
        span = d * (k - 1) + 1
        low, high = _axis_padding(padding, axis, size, span, s)
        if pooling and 2 * max(low, high) > span:
            raise ValueError(
                f"padding: expected at most half of the kernel ({span // 2} on axis {axis}), "
                f"got {max(low, high)}"
            )
        room = size + low + high - span
        count = room // s + 1
        if ceil_mode and room % s and count * s < size + low:
            count += 1
        if count < 1:
            raise ValueError(
                f"{kernel_name}: expected a kernel that fits the padded input, got a window of {span} "
                f"on axis {axis}, where the input is {size} and the padding {(low, high)}"
            )
        if pooling and d > size and _steps_over(size, s, d, low, count):
            raise ValueError(
                f"dilation: expected windows that touch the input ({size} on axis {axis}), got {d}, "
                f"which steps over it from the padding"
            )
        if max(size + low + high, span, count) > LARGEST:
            raise ValueError(f"padding: expected a padded size of at most {LARGEST}, got {size + low + high}")
        before.append(low)
        after.append(high)
        out.append(count)
    return Window(in_size, kernel, stride, tuple(before), tuple(after), dilation, tuple(out))


@lru_cache(maxsize=1024)
def _transposed(
    out_size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: tuple[tuple[int, int], ...] | str,
    output_padding: Ints,
    dilation: Ints,
    input_name: str,
) -> Window:
    if 0 in out_size:
        raise ValueError(f"{input_name}: expected spatial sizes of at least 1, got {out_size}")
    same = padding in ("same", "same_lower")
    before, after, sizes = [], [], []
    axes = zip(out_size, kernel, stride, output_padding, dilation, strict=True)
    for axis, (out, k, s, extra, d) in enumerate(axes):
        span = d * (k - 1) + 1
        if extra >= max(s, d):
            raise ValueError(
                f"output_padding: expected less than the stride or the dilation, {max(s, d)} on axis {axis}, "
                f"got {extra}"
            )
        if same and extra:
            raise ValueError(f"output_padding: expected 0 with padding {padding!r}, got {extra}")
        low, high = _axis_padding(padding, axis, out * s, span, s)
        padded = (out - 1) * s + span + (max(s - span, 0) if same else extra)
        if padded > LARGEST:
            raise ValueError(f"stride: expected a padded result of at most {LARGEST}, got {padded}")
        if padded - low - high < 1:
            raise ValueError(
                f"padding: expected a result of at least 1 on axis {axis}, got {padded} less the padding "
                f"{(low, high)}"
            )
        before.append(low)
        after.append(high)
        sizes.append(padded - low - high)
    return Window(tuple(sizes), kernel, stride, tuple(before), tuple(after), dilation, out_size)


def _steps_over(size: int, stride: int, dilation: int, low: int, count: int) -> bool:
    """Whether some window that starts in the padding has no tap in the input (possible if dilation > size).

    A window that starts at i < 0 has its first tap behind the edge at i % dilation. The starts span less than
    one dilation, so these taps grow by ``stride`` from that of the first window, and wrap at most once; only
    the last window, which may be a partial one, is farther off and asked by itself.
    """
    starts = min(count, -(-low // stride))
    if starts == 0:
        return False
    tap = -low % dilation
    beyond = tap + max(-(-(size - tap) // stride), 0) * stride  # the first tap past the end, in some window
    last = ((starts - 1) * stride - low) % dilation
    return beyond < min(tap + starts * stride, dilation) or last >= size


def _axis_padding(
    padding: tuple[tuple[int, int], ...] | str, axis: int, size: int, span: int, stride: int
) -> tuple[int, int]:
    if not isinstance(padding, str):
        return padding[axis]
    if padding == "valid":
        return 0, 0
    if padding == "causal":  # whatever the stride: the last tap of window i is at cell i * stride
        return span - 1, 0
    # TensorFlow's rule: ceil(size / stride) windows; an odd cell of padding goes after ("same") or before.
    total = max((-(-size // stride) - 1) * stride + span - size, 0)
    small, large = total // 2, total - total // 2
    return (small, large) if padding == "same" else (large, small)


def bordered(sizes: Sequence[int], pairs: Sequence[tuple[int, int]], mode: str, name: str) -> Ints:
    """The sizes with a border of (before, after) cells around each axis; negative ones are cut off.

    The kind of border, one of ``MODES``, says how large it can be; ``name`` is the argument that errors name.
    """
    found = []
    for axis, (size, (low, high)) in enumerate(zip(sizes, pairs, strict=True)):
        most = {"reflect": size - 1, "replicate": LARGEST if size else 0, "circular": size}.get(mode, LARGEST)
        if (low, high) != (0, 0) and max(low, high) > most:
            raise ValueError(
                f"{name}: expected at most {most} cells with mode {mode!r} on axis {axis} of size {size}, "
                f"got {(low, high)}"
            )
        if size + min(low, 0) + min(high, 0) < min(size, 1) or size + low + high > LARGEST:
            raise ValueError(
                f"{name}: expected to leave from 1 to {LARGEST} cells on axis {axis} of size {size}, "
                f"got {(low, high)}"
            )
        found.append(size + low + high)
    return tuple(found)
