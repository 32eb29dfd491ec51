"""Graph: ways that part and meet, fusion that changes nothing, and wires that cannot be."""

import numpy as np
import pytest

import kitnet
from kitnet.layers import (
    Add,
    BatchNorm2d,
    Bilinear,
    Cat,
    Conv2d,
    Embedding,
    Layer,
    Linear,
    MaxUnpool2d,
    ReLU,
    Sigmoid,
)
from kitnet.models import Graph

RNG = np.random.default_rng(0)


def dense(c, k):
    return Linear(c, k, dtype=np.float64, rng=np.random.default_rng(c + k))


class Halves(Layer):
    """Two results of one input."""

    def vjp(self, x, *, input_grad=True):
        half = x.shape[1] // 2

        def pullback(da, db):
            zeros = np.zeros((len(x), half))
            return np.concatenate([zeros if d is None else d for d in (da, db)], axis=1)

        return (x[:, :half].copy(), x[:, half:].copy()), pullback

    def out_shape(self, in_shape):
        n, c = in_shape
        return (n, c // 2), (n, c // 2)


def residual(**kwargs):
    """relu(conv(norm(x))) + x, then two uses of that."""
    conv = Conv2d(2, 2, 3, padding=1, dtype=np.float64, rng=np.random.default_rng(0))
    norm = BatchNorm2d(2, dtype=np.float64)
    return Graph(
        *(conv, norm, ReLU(), Add(), Cat()),
        wires=[("x", "a"), ("a", "b"), ("b", "c"), (["x", "c"], "d"), (["d", "c"], "y")],
        **kwargs,
    )


def test_values_and_gradients_of_ways_that_part_and_meet():
    graph, x = residual(), RNG.normal(size=(3, 2, 4, 5))
    conv, norm, relu, *_ = graph
    h = relu(norm(conv(x)))
    np.testing.assert_allclose(graph(x), np.concatenate([x + h, h], axis=1), rtol=1e-12)
    y, pullback = graph.vjp(x)
    dy = RNG.normal(size=y.shape)
    dx = pullback(dy)
    graph.zero_grad()
    a, conv_back = conv.vjp(x)
    b, norm_back = norm.vjp(a)
    _, relu_back = relu.vjp(b)
    first, second = dy[:, :2], dy[:, 2:]
    np.testing.assert_allclose(dx, first + conv_back(norm_back(relu_back(first + second))), rtol=1e-10)


def test_fusion_changes_nothing_but_speed():
    fused, plain = residual(), residual(fuse=False)
    assert len(fused._plan) == 3
    assert len(plain._plan) == 5
    x = RNG.normal(size=(2, 2, 5, 5))
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-12)
    for _ in range(2):
        (y, back), (other, other_back) = fused.vjp(x), plain.vjp(x)
        np.testing.assert_array_equal(y, other)
        np.testing.assert_allclose(back(y), other_back(y), rtol=1e-12)
    for mine, others in zip(fused.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad, others.grad, rtol=1e-12)


def test_a_value_with_two_users_is_not_fused_away():
    graph = Graph(
        *(dense(3, 3), ReLU(), Add()), wires=[("x", "a"), ("a", "b"), (("a", "b"), "y")], outputs=("y", "a")
    )
    x = RNG.normal(size=(4, 3))
    y, a = graph(x)
    np.testing.assert_array_equal(a, graph[0](x))
    np.testing.assert_array_equal(y, a + np.maximum(a, 0))


def test_an_output_is_not_fused_away_either():
    graph = Graph(dense(3, 3), ReLU(), wires=[("x", "a"), ("a", "y")], outputs=("a", "y"))
    x = RNG.normal(size=(4, 3))
    a, y = graph(x)
    np.testing.assert_array_equal(a, graph[0](x))
    np.testing.assert_array_equal(y, np.maximum(a, 0))


def block(way, fuse=True, norm=False):
    """A residual block whose shortcut is x, or another convolution before or after the main one."""
    rng = np.random.default_rng(0)
    convs = [Conv2d(3, 3, 3, padding=1, dtype=np.float64, rng=rng) for _ in range(2)]
    main: list[tuple[Layer, object]] = [(convs[0], ("x", "h"))]
    if norm:
        main = [(convs[0], ("x", "g")), (BatchNorm2d(3, dtype=np.float64), ("g", "h"))]
    side = [(convs[1], ("x", "s"))]
    steps = {"x": main, "before": side + main, "after": main + side}[way]
    joins = [(Add(), (("h", "x" if way == "x" else "s"), "r")), (ReLU(), ("r", "y"))]
    layers, wires = zip(*steps, *joins, strict=True)
    return Graph(*layers, wires=wires, fuse=fuse)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("way", ["x", "before", "after"])
def test_a_sum_joins_the_convolution_before_it(way, norm):
    fused, plain = block(way, norm=norm), block(way, fuse=False, norm=norm)
    assert len(fused._plan) == (1 if way == "x" else 2)
    x, dy = RNG.normal(size=(2, 2, 3, 6, 7))
    np.testing.assert_allclose(fused(x), plain(x), rtol=1e-12, atol=1e-12)
    (y, back), (other, other_back) = fused.vjp(x), plain.vjp(x)
    np.testing.assert_array_equal(y, other)
    np.testing.assert_allclose(back(dy), other_back(dy), rtol=1e-12)
    for mine, others in zip(fused.parameters(), plain.parameters(), strict=True):
        np.testing.assert_allclose(mine.grad, others.grad, rtol=1e-12)
    assert fused.out_shape(x.shape) == x.shape


def joined(shape, takes=("a", "b"), **more):
    conv = Conv2d(3, 3, 1, dtype=np.float64, rng=np.random.default_rng(0))
    wires = [("x", "a"), (takes, "c"), ("c", "y")]
    graph = Graph(conv, Add(), ReLU(), wires=wires, inputs=("x", "b"), **more)
    return graph, RNG.normal(size=(2, 3, 4, 5)), RNG.normal(size=shape)


@pytest.mark.parametrize("takes", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 3, 1, 1), (5,), (7, 2, 3, 4, 5)])
def test_a_sum_that_is_stretched_is_computed_apart(shape, takes):
    (fused, x, b), (plain, *_) = joined(shape, takes), joined(shape, takes, fuse=False)
    assert len(fused._plan) == 1
    y, back = fused.vjp(x, b)
    other, other_back = plain.vjp(x, b)
    np.testing.assert_array_equal(y, other)
    np.testing.assert_array_equal(fused(x, b), other)
    for mine, others in zip(back(y), other_back(y), strict=True):
        np.testing.assert_array_equal(mine, others)
    assert fused.out_shape(x.shape, shape) == y.shape


def test_a_sum_with_something_else_is_refused_as_ever():
    graph, x, b = joined((2, 3, 4, 5))
    with pytest.raises(TypeError, match="b: expected float64"):
        graph(x, b.astype(np.float32))
    with pytest.raises(TypeError, match="b: expected a NumPy array"):
        graph(x, b.tolist())
    with pytest.raises(ValueError, match="b: expected a shape"):
        graph.vjp(x, b[..., :2])


def test_a_sum_of_a_value_with_itself_or_with_other_users_stays():
    conv = Conv2d(3, 3, 1)
    twice = Graph(conv, Add(), wires=[("x", "a"), (("a", "a"), "y")])
    assert len(twice._plan) == 2
    seen = Graph(conv, Add(), wires=[("x", "a"), (("a", "x"), "y")], outputs=("y", "a"))
    assert len(seen._plan) == 2


def test_layers_that_make_too_few_values_are_named():
    graph = Graph(ReLU(), wires=[("x", ("y", "z"))])
    with pytest.raises(ValueError, match=r"wires: expected 2 results of ReLU\(\), got others"):
        graph(np.zeros((2, 2)))


def test_several_inputs_and_outputs():
    graph = Graph(
        *(Halves(), Bilinear(2, 2, 3, dtype=np.float64, rng=RNG), Sigmoid()),
        wires=[("x", ("a", "b")), (("a", "z"), "y"), ("b", "s")],
        inputs=("x", "z"),
        outputs=("y", "s"),
    )
    x, z = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 2))
    y, s = graph(x, z)
    assert (y.shape, s.shape) == graph.out_shape(x.shape, z.shape) == ((5, 3), (5, 2))
    found, pullback = graph.vjp(x, z)
    np.testing.assert_array_equal(found[0], y)
    dx, dz = pullback(np.ones_like(y), np.ones_like(s))
    assert (dx.shape, dz.shape) == (x.shape, z.shape)
    only, _ = pullback(np.ones_like(y), None)  # nobody used s
    assert not only[:, 2:].any()
    np.testing.assert_array_equal(only[:, :2], dx[:, :2])
    np.testing.assert_array_equal(pullback((None, np.ones_like(s)))[0][:, 2:], dx[:, 2:])
    graph.zero_grad()
    _, pullback = graph.vjp(x, z, input_grad=False)
    assert pullback(np.ones_like(y), np.ones_like(s)) == (None, None)
    assert graph[1].weight.grad.any()
    with pytest.raises(TypeError, match="x: expected one for each of x, z, got 1"):
        graph(x)
    with pytest.raises(TypeError, match="dy: expected one for each of y, s, got 3"):
        pullback(x, x, x)


def test_an_input_that_has_no_gradient():
    graph = Graph(*(Embedding(5, 3, dtype=np.float64, rng=RNG), dense(3, 2)), wires=[("x", "h"), ("h", "y")])
    y, pullback = graph.vjp(np.array([0, 4, 4]))
    assert pullback(np.ones_like(y)) is None
    assert graph[0].weight.grad[4].any()
    unpool = Graph(MaxUnpool2d(2), wires=[(("x", "i"), "y")], inputs=("x", "i"))
    y, pullback = unpool.vjp(np.ones((1, 1, 1, 1)), np.zeros((1, 1, 1, 1), np.int64))
    assert pullback(y)[0] == 1
    assert pullback(y)[1] is None


def test_a_saved_graph_comes_back(tmp_path):
    graph, x = residual(fuse=False), RNG.normal(size=(2, 2, 4, 4))
    kitnet.save(graph, tmp_path / "graph.safetensors")
    again = kitnet.load(tmp_path / "graph.safetensors")
    assert repr(again) == repr(graph)
    assert not again.fuse
    np.testing.assert_array_equal(again(x), graph(x))
    assert "(3): Add(): x, c -> d" in repr(graph)


@pytest.mark.parametrize(
    ("wires", "more", "text"),
    [
        ([("x", "y")], {}, "wires: expected one pair for each of 2 layers, got 1"),
        ([("x", "y"), ("h", "z")], {}, "wires: expected values made before layer 1 takes them, got 'h'"),
        ([("h", "a"), ("a", "h")], {"outputs": "h"}, "wires: expected values made before layer 0 .*'h'"),
        ([("x", "y"), ("x", "y")], {}, "wires: expected layer 1 to make new values, got \\('y',\\)"),
        ([("x", "x"), ("x", "y")], {}, "wires: expected layer 0 to make new values"),
        ([("x", ("a", "a")), ("a", "y")], {}, "wires: expected layer 0 to make new values"),
        ([("x", ()), ("x", "y")], {}, "wires: expected layer 0 to make new values"),
        ([("x", "a"), ("a", "b")], {}, "outputs: expected values that a layer makes, got 'y'"),
        ([("x", "a"), ("a", "y")], {"inputs": ("x", "x")}, "inputs: expected each name once"),
        ([("x", "a"), ("a", "y")], {"outputs": ()}, "outputs: expected at least one name"),
    ],
)
def test_wires_that_cannot_be(wires, more, text):
    with pytest.raises(ValueError, match=text):
        Graph(ReLU(), ReLU(), wires=wires, **more)


@pytest.mark.parametrize(
    ("layers", "wires", "text"),
    [
        ([ReLU], [("x", "y")], "layers: expected layers, got type"),
        ([ReLU()], "xy", "wires: expected \\(takes, makes\\) for each layer"),
        ([ReLU()], [("x",)], "wires: expected \\(takes, makes\\) for each layer"),
        ([ReLU()], [("x", 3)], "wires: expected a name or several, got 3"),
        ([ReLU()], [("", "y")], "wires: expected a name or several, got ''"),
    ],
)
def test_arguments_of_wrong_types(layers, wires, text):
    with pytest.raises(TypeError, match=text):
        Graph(*layers, wires=wires)


def test_no_layers():
    with pytest.raises(ValueError, match="layers: expected at least one, got none"):
        Graph(wires=[])


def test_shapes_that_do_not_fit_name_the_layer():
    with pytest.raises(
        ValueError, match=r"in_shape: Conv2d\(2, 2, 3, padding=1, .*\) at 0: .*2 channels, got 3"
    ):
        residual().out_shape((1, 3, 4, 4))
