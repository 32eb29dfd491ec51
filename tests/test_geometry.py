"""The window arithmetic, against counting cell by cell."""

from itertools import product

import pytest

from kitnet._geometry import LARGEST, Window, checked_shape, one_int, per_axis


def _starts(size, span, stride, before, after, ceil_mode):
    """Where windows start: inside, and the last one, if partial, not in the border after the input."""
    starts, at = [], -before
    while at + span <= size + after:
        starts.append(at)
        at += stride
    if ceil_mode and at + span - stride < size + after and at < size:
        starts.append(at)
    return starts


SMALL = list(
    product((1, 2, 3, 5, 6), (1, 2, 3), (1, 2, 4), (1, 2, 3, 5), ((0, 0), (1, 1), (2, 0), (1, 3), (5, 5)))
)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_output_size_is_the_number_of_windows(ceil_mode):
    for size, k, s, d, pads in SMALL:
        starts = _starts(size, d * (k - 1) + 1, s, *pads, ceil_mode)
        if starts:
            assert Window.of((size,), k, s, (pads,), d, ceil_mode=ceil_mode).out_size == (len(starts),)
        else:
            with pytest.raises(ValueError, match=r"^kernel_size: "):
                Window.of((size,), k, s, (pads,), d, ceil_mode=ceil_mode)


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_a_pooling_window_without_a_cell_in_the_input_is_refused(ceil_mode):
    for size, k, s, d, pads in SMALL:
        span = d * (k - 1) + 1
        starts = _starts(size, span, s, *pads, ceil_mode)
        if 2 * max(pads) > span or not starts:
            continue
        if all(any(0 <= start + d * tap < size for tap in range(k)) for start in starts):
            Window.of((size,), k, s, (pads,), d, ceil_mode=ceil_mode, pooling=True)
        else:
            with pytest.raises(ValueError, match=r"^dilation: "):
                Window.of((size,), k, s, (pads,), d, ceil_mode=ceil_mode, pooling=True)


@pytest.mark.parametrize(("size", "kernel", "stride"), list(product((1, 4, 5, 9), (1, 2, 3, 4), (1, 2, 3))))
def test_same_padding_is_tensorflows(size, kernel, stride):
    after, before = (Window.of((size,), kernel, stride, rule) for rule in ("same", "same_lower"))
    assert after.out_size == before.out_size == (-(-size // stride),)
    assert after.pad_before == before.pad_after
    assert after.pad_after == before.pad_before
    assert after.pad_after[0] - after.pad_before[0] in (0, 1)
    assert Window.of((9,), kernel, stride, "valid") == Window.of((9,), kernel, stride, 0)


@pytest.mark.parametrize(("size", "kernel", "stride"), list(product((1, 4, 5, 9), (1, 2, 3, 4), (1, 2, 3))))
@pytest.mark.parametrize("dilation", [1, 2, 5])
def test_causal_windows_end_where_their_output_stands(size, kernel, stride, dilation):
    window = Window.of((size,), kernel, stride, "causal", dilation)
    span = dilation * (kernel - 1) + 1
    assert (window.pads, window.out_size) == (((span - 1, 0),), (-(-size // stride),))


def test_causal_is_for_one_axis_without_pooling():
    for make in (
        lambda: Window.of((5, 5), 3, 1, "causal"),
        lambda: Window.of((5,), 3, 1, "causal", pooling=True),
        lambda: Window.transposed((5,), 3, 1, "causal"),
    ):
        with pytest.raises(
            ValueError, match=r"^padding: expected ints, 'valid', 'same' or 'same_lower', got"
        ):
            make()
    with pytest.raises(ValueError, match=r"'same', 'same_lower' or 'causal', got 'full'"):
        Window.of((5,), 3, 1, "full")


def test_a_transposed_window_is_the_smallest_that_has_so_many_places():
    """And ``output_padding`` cells more, which make no place, or (a stride of them) places of their own."""
    for out, k, s, d, pads in SMALL:
        least = (out - 1) * s + d * (k - 1) + 1 - sum(pads)
        if least < 1:
            with pytest.raises(ValueError, match=r"^padding: "):
                Window.transposed((out,), k, s, (pads,), 0, d)
            continue
        for extra in range(max(s, d)):
            window = Window.transposed((out,), k, s, (pads,), extra, d)
            assert window.in_size == (least + extra,)
            assert window.pads == (pads,)
            there = Window.of(window.in_size, k, s, (pads,), d)
            assert there.out_size == (out + extra // s,)
            assert there == window or extra >= s
        with pytest.raises(ValueError, match=r"^output_padding: "):
            Window.transposed((out,), k, s, (pads,), max(s, d), d)


@pytest.mark.parametrize(("out", "kernel", "stride"), list(product((1, 4, 5), (1, 2, 3, 4), (1, 2, 3))))
def test_a_transposed_window_of_same_padding_is_a_stride_times_as_large(out, kernel, stride):
    for rule in ("same", "same_lower"):
        window = Window.transposed((out,), kernel, stride, rule)
        assert window.in_size == (out * stride,)
        assert window == Window.of(window.in_size, kernel, stride, rule)
        with pytest.raises(ValueError, match=r"^output_padding: expected "):
            Window.transposed((out,), kernel, 4, rule, 1)
    assert Window.transposed((out,), kernel, stride, "valid") == Window.transposed((out,), kernel, stride)


def test_a_window_is_lifted_to_three_axes():
    window = Window.of((7, 9), (3, 2), (2, 1), ((1, 0), (0, 1)), (1, 3))
    assert window.geometry == ((1, 2, 1), (0, 1, 0), (1, 1, 3))
    assert (window.kernel3, window.out3) == ((1, 3, 2), (1, *window.out_size))


def test_equal_numbers_of_other_types_are_not_mistaken_for_checked_ones():
    """1 == True == 1.0, also as keys of a cache."""
    assert per_axis((1, 1), 2, "stride") == (1, 1)
    Window.of((4, 4), (1, 1))
    for bad in ((True, 1), (1.0, 1), True, 1.0, "11", None):
        with pytest.raises(TypeError, match=r"^kernel_size: "):
            Window.of((4, 4), bad)


@pytest.mark.parametrize("bad", [LARGEST + 1, 2**63, 10**40, (1, 2**31), -1, (0, 1), 0], ids=str)
def test_sizes_beyond_32_bits_or_below_one_are_refused(bad):
    with pytest.raises(ValueError, match=r"^stride: expected values from 1 to 2147483647, got "):
        per_axis(bad, 2, "stride")


def test_a_padded_size_beyond_32_bits_is_refused():
    with pytest.raises(ValueError, match=r"^padding: "):
        Window.of((8,), 1, 1, LARGEST)


def test_scalars_and_shapes():
    assert one_int(3, "groups") == 3
    assert checked_shape([0, 2, 3], 3, "input_shape") == (0, 2, 3)
    for bad in (True, 1.0, "1", None, [1]):
        with pytest.raises(TypeError, match=r"^groups: expected an int, got "):
            one_int(bad, "groups")
    for bad in ((1, 2), (1, 0, 3), (-1, 2, 3), (1, 2, 3, 4)):
        with pytest.raises(ValueError, match=r"^input_shape: "):
            checked_shape(bad, 3, "input_shape")
    for wrong in (3, "123", (1, 2.0, 3), ((1, 2, 3), 2, 3), None):
        with pytest.raises(TypeError, match=r"^input_shape: "):
            checked_shape(wrong, 3, "input_shape")
