"""Any argument works, or raises a ValueError or TypeError that names it: every argument, varied in turn.

One valid call of each public function (``calls.py``) is changed in one argument at a time.
"""

import inspect
import math
import re

import numpy as np
import pytest
from functional.calls import FROM_INPUT, FROM_OUTPUT, arrays_of, call, results_of, valid_calls

from kitnet import functional as F

CALLS = valid_calls()
NAMES = sorted(CALLS)
FLOATS = [(f, a) for f in NAMES for a, value in arrays_of(CALLS[f]).items() if value.dtype.kind == "f"]
INTS = [(f, a) for f in NAMES for a, value in arrays_of(CALLS[f]).items() if value.dtype.kind == "i"]
LOSSES = ("cross_entropy", "nll_loss", "multi_margin_loss", "binary_cross_entropy")
OPTIONAL = {
    ("sgd_step", "velocity"),
    ("rmsprop_step", "velocity"),
}  # None is refused there for its own reason
OPTIONAL |= {("rmsprop_step", "mean"), ("adam_step", "max_v")}
OPTIONAL |= {(f, a) for f, a in FLOATS if a in ("bias", "norm_weight", "norm_bias")}
OPTIONAL |= {(f, a) for f, a in FLOATS if a == "weight" and f.startswith(LOSSES)}
OPTIONAL |= {(f, a) for f, a in FLOATS if a == "pos_weight"}
OPTIONAL |= {(f, "weight") for f, _ in FLOATS if re.match("(batch|layer|group|instance|rms)_norm", f)}
OPTIONAL |= {("weight_norm", "g"), ("scale_channels", "shift")}


def test_every_public_function_is_varied():
    assert sorted(F.__all__) == NAMES


def test_every_operation_has_its_backward_twin():
    without = {"dropout_mask", "fold_batch_norm"} | {name for name in NAMES if name.endswith("_step")}
    ops = {name for name in NAMES if not name.endswith("_backward")} - without
    assert {f"{op}_backward" for op in ops} == set(NAMES) - ops - without


@pytest.mark.parametrize("name", NAMES)
def test_the_calls_that_are_varied_are_valid(name):
    results = results_of(call(name, valid_calls()[name]))
    assert results or name.endswith("_step")


WRONG_TYPES = {
    "None": lambda a: None,
    "a list": lambda a: a.tolist(),
    "a number": lambda a: 1.0,
    "text": lambda a: "x",
    "a masked array": lambda a: np.ma.masked_array(a, a > 0),
    "objects": lambda a: a.astype(object),
    "int": lambda a: a.astype(np.int64),
    "uint8": lambda a: a.astype(np.uint8),
    "bool": lambda a: a > 0,
    "float16": lambda a: a.astype(np.float16),
    "long double": lambda a: a.astype(np.longdouble),
    "complex": lambda a: a.astype(complex),
    "big-endian": lambda a: a.astype(">f4"),
    "strings": lambda a: a.astype("U"),
    "records": lambda a: np.zeros(a.shape, [("f", np.float32)]),
}


@pytest.mark.parametrize("wrong", WRONG_TYPES)
@pytest.mark.parametrize(("function", "argument"), FLOATS)
def test_wrong_types_are_refused(function, argument, wrong):
    if wrong == "None" and (function, argument) in OPTIONAL:
        return
    value = WRONG_TYPES[wrong](CALLS[function][argument])
    with pytest.raises(TypeError, match=rf"^{argument}: expected .*, got "):
        call(function, CALLS[function], **{argument: value})


@pytest.mark.parametrize(
    "wrong", ["None", "a list", "a number", "a masked array", "objects", "bool", "float16"]
)
@pytest.mark.parametrize(("function", "argument"), INTS)
def test_wrong_types_of_integers_are_refused(function, argument, wrong):
    value = WRONG_TYPES[wrong](CALLS[function][argument])
    with pytest.raises(TypeError, match=rf"^{argument}: expected .*, got "):
        call(function, CALLS[function], **{argument: value})


@pytest.mark.parametrize(("function", "argument"), [*FLOATS, *INTS])
def test_zero_dimensions_are_refused(function, argument):
    value = CALLS[function][argument].dtype.type(1)
    with pytest.raises(ValueError, match=rf"^{argument}: expected .*, got "):
        call(function, CALLS[function], **{argument: np.array(value)})


@pytest.mark.parametrize(("function", "argument"), FLOATS)
def test_dtypes_do_not_mix(function, argument):
    arrays = arrays_of(CALLS[function])
    if sum(value.dtype.kind == "f" for value in arrays.values()) == 1:
        return
    with pytest.raises(TypeError, match=rf"^({'|'.join(arrays)}): expected float.*, got float"):
        call(function, CALLS[function], **{argument: arrays[argument].astype(np.float64)})


FREE = [  # functions, argument, axes that may have another size
    ("conv[123]d", "x", (0, 2, 3, 4)),
    ("conv[123]d", "weight", (2, 3, 4)),
    ("conv_transpose[123]d", "x", (0, 2, 3, 4)),
    ("conv_transpose[123]d", "weight", (2, 3, 4)),
    ("linear|locally_connected[123]d", "x", (0,)),
    ("interpolate", "x", (0, 1, 2, 3)),
    (".*_pool[123]d|unfold|im2col|fold_backward|col2im_backward|pad", "x", (0, 1, 2, 3, 4)),
    ("|".join(FROM_INPUT + FROM_OUTPUT + ("threshold",)), "x", (0, 1, 2, 3, 4)),
    ("prelu", "x", (0, 2, 3)),
    ("glu", "x", (0, 1, 3)),
    ("fold|unfold_backward", "cols", (0,)),
    ("pixel_shuffle|channel_shuffle", "x", (0, 2, 3)),
    ("pixel_unshuffle_backward|channel_shuffle_backward", "dy", (0, 2, 3)),
    ("pixel_unshuffle", "x", (0, 1)),
    ("pixel_shuffle_backward", "dy", (0, 1)),
    ("dropout[123]d", "x", (2, 3, 4)),
    ("dropout[123]d_backward", "dy", (2, 3, 4)),
    ("scale_channels", "x", (2, 3)),
    ("stochastic_depth", "x", (1, 2, 3)),
    ("stochastic_depth_backward", "dy", (1, 2, 3)),
    ("embedding", "x", (0, 1)),
    ("embedding", "weight", (0, 1)),
    ("embedding_backward", "dy", (2,)),
    ("batch_norm|batch_norm_train", "x", (0, 2, 3)),
    ("layer_norm|rms_norm", "x", (0, 1)),
    ("group_norm|instance_norm|local_response_norm", "x", (0, 2, 3)),
    ("local_response_norm", "x", (1,)),
    ("weight_norm", "v", (1,)),
    ("fold_batch_norm", "weight", (1,)),
]


@pytest.mark.parametrize("more", [1, -1])
@pytest.mark.parametrize(("function", "argument"), [*FLOATS, *INTS])
def test_shapes_that_do_not_fit_are_refused(function, argument, more):
    """One more or one less along each axis: no array is read past its end, and none in part."""
    value = CALLS[function][argument]
    free = {
        axis for names, a, axes in FREE if a == argument and re.fullmatch(names, function) for axis in axes
    }
    for axis in set(range(value.ndim)) - free:
        shape = [size + more * (i == axis) for i, size in enumerate(value.shape)]
        with pytest.raises(ValueError, match=rf"^({'|'.join(CALLS[function])}): expected .*, got "):
            call(function, CALLS[function], **{argument: np.zeros(shape, value.dtype)})


WITHOUT_BATCH = ("fold_batch_norm", "weight_norm", "weight_norm_backward")


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_of_0_works(name):
    if name.startswith("batch_norm_train"):  # there is nothing to take statistics of
        with pytest.raises(ValueError, match=r"^x: expected at least 2 values a channel"):
            call(name, valid_calls(0)[name])
        return
    with_two, with_none = (results_of(call(name, valid_calls(n)[name])) for n in (2, 0))
    for result, empty in zip(with_two, with_none, strict=True):
        if np.ndim(result) == 0:
            assert math.isnan(empty)  # a mean of nothing
        elif empty.size:
            assert empty.shape == result.shape
            assert name in WITHOUT_BATCH or not empty.any()
        else:
            assert empty.dtype == result.dtype
            assert empty.ndim == result.ndim


SPATIAL = re.compile(r"(conv|conv_transpose|(max|avg|sum|lp)_pool)[123]d(_backward)?")


@pytest.mark.parametrize("name", [name for name in NAMES if SPATIAL.fullmatch(name)])
def test_a_sample_by_itself_needs_no_batch(name):
    """What follows the samples' shapes has no axis of the batch; gradients of weights are the same."""
    arguments, expected = valid_calls(1)[name], results_of(call(name, valid_calls(1)[name]))
    batched = {a for a in ("x", "y", "dy", "indices", "input_shape") if a in arguments}
    alone = arguments | {a: arguments[a][1:] if a == "input_shape" else arguments[a][0] for a in batched}
    results = results_of(call(name, alone))
    first = 2 if name.startswith("max_pool") else 1
    for result, wanted in zip(results, [*(e[0] for e in expected[:first]), *expected[first:]], strict=True):
        np.testing.assert_array_equal(result, wanted)
        assert result.flags.c_contiguous
    for argument in batched - {"input_shape"} if len(batched) > 1 else ():  # the others have no batch
        with pytest.raises(ValueError, match=r"^\w+: expected .*, got "):
            call(name, alone, **{argument: arguments[argument].repeat(2, axis=0)})


HEARD = ("x", "dy", "param", "grad", "logits", "cols")
DEAF = {  # gradients that do not depend on x but by steps, and the loss of one of many x
    *((f"{name}_backward", "x") for name in ("hinge_loss", "hinge_embedding_loss", "kl_div", "nll_loss")),
    ("nll_loss", "x"),
}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_nan_and_infinity_go_through_without_a_word(name, value):
    """Alone and everywhere: no error, no warning, and NaN comes out where it went in."""
    arguments = valid_calls()[name]
    expected = results_of(call(name, valid_calls()[name]))
    for argument, array in arrays_of(arguments).items():
        if array.dtype.kind != "f":
            continue
        for where in (..., (0,) * array.ndim):
            fresh = valid_calls()[name]
            fresh[argument][where] = value
            results = results_of(call(name, fresh))
            assert [np.shape(r) for r in results] == [np.shape(r) for r in expected]
            if name.endswith("_step"):
                results = [fresh["param"]] if argument in ("param", "grad") else []
            if math.isnan(value) and argument in HEARD and (name, argument) not in DEAF:
                assert not results or any(np.isnan(r).any() for r in results if r.dtype.kind == "f")


BAD_NUMBERS = dict.fromkeys(
    [
        "lr",
        "eta",
        "lambd",
        "momentum",
        "dampening",
        "weight_decay",
        "eps",
        "eps1",
        "eps2",
        "lr_decay",
        "trust_coefficient",
        "momentum_decay",
        "least",
        "most",
        "beta1",
        "beta2",
        "mu",
        "alpha",
        "rho",
        "weight",
        "mu_product",
        "shrink",
    ],
    -1,
) | {"grow": 0.5, "d": 0.5, "beta2_decay": 0.5, "step": 0, "ns_steps": 100}
STEPS = [
    (f, a, value)
    for f in NAMES
    if f.endswith("_step")
    for a, value in BAD_NUMBERS.items()
    if a in inspect.signature(getattr(F, f)).parameters
]


@pytest.mark.parametrize(("function", "argument", "value"), STEPS)
def test_numbers_of_steps_are_refused_before_anything_is_changed(function, argument, value):
    arguments = valid_calls()[function]
    for wrong, error in ((value, ValueError), (math.nan, (ValueError, TypeError)), ("x", TypeError)):
        with pytest.raises(error, match=rf"^{argument}: expected .*, got "):
            call(function, arguments, **{argument: wrong})
    for name, array in arrays_of(valid_calls()[function]).items():
        np.testing.assert_array_equal(arguments[name], array, err_msg=name)


def test_muon_takes_matrices_only():
    with pytest.raises(ValueError, match=r"^param: expected 2 dimensions, got shape \(6,\)"):
        F.muon_step(*np.zeros((3, 6)))
    with pytest.raises(
        ValueError, match=r"^adjust_lr_fn: expected None, 'original' or 'match_rms_adamw', got 'x'"
    ):
        F.muon_step(*np.zeros((3, 2, 3)), adjust_lr_fn="x")
