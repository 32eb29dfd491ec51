"""From a model's nodes to the layers of a Graph."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._arrays import FLOATS, Array
from .._geometry import product
from ..layers import Layer, Parameter
from ..models import Graph
from .node import Late, Node, Rule, UnknownRankError, UnsupportedError, as_value_errors, takes
from .reader import Contents, Entry, read
from .rules import RULES


class Constant(Layer):
    """A value of the model that takes no input: ``weight``, trained or ``fixed``."""

    def __init__(self, value: Array | Parameter) -> None:
        self.trained = isinstance(value, Parameter)
        self.weight = value

    def __call__(self) -> Array:  # type: ignore[override]
        return self.weight.data if isinstance(self.weight, Parameter) else self.weight

    def vjp(self, *, input_grad: bool = True) -> tuple[Array, Any]:  # type: ignore[override]
        def pullback(dy: Array) -> tuple[()]:
            if isinstance(self.weight, Parameter):
                self.weight.accumulate(dy)
            return ()

        return self(), pullback

    def own_buffers(self) -> dict[str, Array]:
        return {} if isinstance(self.weight, Parameter) else {"weight": self.weight}

    def out_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.weight.shape

    def config(self) -> dict[str, Any]:
        return {}

    def __repr__(self) -> str:
        return f"Constant(shape={self.weight.shape}, dtype={self.weight.dtype}, trained={self.trained})"


def load_onnx(source: Any) -> Graph:
    """Read an ONNX model: a ``Graph`` of kitnet's layers that predicts, and can be trained further.

    Weights become parameters: the initializers of convolutions, dense layers and norms, and those that other
    operators take, if they are floats with at least one axis. Values of Constant nodes stay as they are. What
    is computed from constants alone is computed here. As in all of kitnet, calling the graph is inference,
    and ``graph.vjp`` a step of training, with batch statistics and dropout.

    Parameters
    ----------
    source
        A path, the bytes of a file, or an ``onnx.ModelProto``.

    Returns
    -------
    graph
        Takes an array for each input of the model, and gives one for each output.

    Raises
    ------
    UnsupportedError
        A ValueError: if the model has an operator, an attribute, a type or a form of storage that kitnet does
        not know; the text names them, and the node.
    ValueError
        If it is no ONNX model, or one that is damaged or contradicts itself.
    TypeError
        If ``source`` is none of the three.
    OSError
        If the file cannot be read.
    ImportError
        If the package onnx is not installed (``pip install 'kitnet[onnx]'``).

    Source: the ONNX specification, https://onnx.ai/onnx/operators/.

    >>> import numpy as np
    >>> from onnx import TensorProto, helper
    >>> from kitnet.onnx import load_onnx
    >>> x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "xy")
    >>> model = helper.make_model(
    ...     helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "example", [x], [y])
    ... )
    >>> load_onnx(model)(np.array([[-1, 2]], np.float32))
    array([[0., 2.]], dtype=float32)
    """
    contents = read(source)
    unknown = sorted({entry.op for entry in contents.entries} - set(RULES) - {"Constant"})
    if unknown:
        where = next(entry for entry in contents.entries if entry.op == unknown[0])
        raise UnsupportedError(
            f"model: expected operators that kitnet knows, got {', '.join(map(repr, unknown))} "
            f"(first at node {where.name!r:.80})"
        )
    return _Assembly(contents).graph()


class _Assembly:
    """The layers found so far, and the values that are known without running them."""

    def __init__(self, contents: Contents) -> None:
        self.contents = contents
        self.known = dict(contents.constants)
        self.trained = {name for name, array in self.known.items() if array.dtype in FLOATS and array.ndim}
        self.budget = (1 << 16) + 4 * sum(array.size for array in self.known.values())
        self.memo: dict[tuple[int, str], tuple[Array, Any]] = {}
        self.layers: list[Layer] = []
        self.wires: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
        self.placed: set[str] = set()

    def graph(self) -> Graph:
        for entry in self.contents.entries:
            if entry.op == "Constant":
                self.known[entry.makes[0]] = _constant(entry)
            else:
                with as_value_errors(
                    f"model: expected a layer that can be built from {entry.op} ({entry.name!r:.80})"
                ):
                    self._place(entry)
        for name in self.contents.outputs:
            if name in self.known:
                self._source(name)
        return Graph(
            *self.layers,
            wires=self.wires,
            inputs=tuple(self.contents.inputs),
            outputs=tuple(self.contents.outputs),
        )

    def _place(self, entry: Entry) -> None:
        """Turn a node into a layer, or, if it depends on nothing, into the values that it makes."""
        if entry.op == "Identity" and entry.takes and entry.takes[0] in self.known:
            self._rename(entry.takes[0], entry.makes[0])
            return
        rule = RULES[entry.op]
        if rule.otherwise is not None and not self._fits(rule, entry):
            rule = rule.otherwise
        flows, rest = rule.split(len(entry.takes))
        if not flows or not entry.takes[flows[0]]:
            raise ValueError(f"model: expected an input of {entry.op} ({entry.name!r:.80}), got none")
        flowing = [entry.takes[i] for i in flows if entry.takes[i]]
        settings = [entry.takes[i] for i in rest]
        node = self._node(entry, flowing)
        if rule.outputs is not None and len(entry.makes) > rule.outputs:
            node.refuse(f"at most {rule.outputs} outputs", len(entry.makes))
        late = not all(name in self.known for name in settings if name)
        arrays = [self.known.get(name) for name in settings]
        if not _suits(rule, node, settings):
            raise ValueError(f"model: expected other inputs of {node}, got {len(entry.takes)} of them")
        layer: Layer = Late(rule, node, len(flowing), [bool(name) for name in settings])
        if not late:
            try:
                layer = _built(rule, node, arrays)
            except UnknownRankError:
                late = all(array is None or array.dtype not in FLOATS for array in arrays)
                if not late:  # weights have to have one layer to live in
                    raise
        if late:
            flowing += [name for name in settings if name]
        if not takes(layer.vjp, *flowing):
            raise ValueError(f"model: expected other inputs of {node}, got {len(entry.takes)} of them")
        makes = [name or f"{entry.makes[0]}:{i}" for i, name in enumerate(entry.makes)]
        constant = all(name in self.known and name not in self.trained for name in flowing)
        if constant and self._affordable(layer, [self.known[name].shape for name in flowing]):
            results = layer(*(self.known[name] for name in flowing))
            self.known.update(zip(makes, results if len(makes) > 1 else (results,), strict=True))
            return
        for name in flowing:
            if name in self.known:
                self._source(name)
        self._add(layer, flowing, makes)

    def _affordable(self, layer: Layer, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Whether these constants may be computed now; all of them together are not to outgrow the file."""
        made: Any = layer.out_shape(*shapes)
        made = made if made and isinstance(made[0], tuple) else (made,)
        self.budget -= sum(map(product, made))
        return self.budget >= 0

    def _rename(self, old: str, new: str) -> None:
        """A second name for a value that is known: the same weight, if it is one."""
        self.known[new] = self.known[old]
        if old in self.trained:
            self.trained.add(new)

    def _fits(self, rule: Rule, entry: Entry) -> bool:
        """Whether all settings are known, and the rule is for them."""
        settings = [entry.takes[i] for i in rule.split(len(entry.takes))[1]]
        node = self._node(entry, entry.takes[:1])
        if not settings or not all(name in self.known for name in settings if name):
            return False
        if not _suits(rule, node, settings):
            return False
        return rule.fits is None or rule.fits(node, *(self.known.get(name) for name in settings))

    def _node(self, entry: Entry, flowing: Sequence[str]) -> Node:
        ranks = [
            self.known[name].ndim if name in self.known else self.contents.ranks.get(name) for name in flowing
        ]
        return Node(
            entry.op,
            entry.name,
            entry.version,
            entry.attributes,
            len(entry.makes),
            ranks,
            any(name in self.known and self.known[name].dtype not in FLOATS for name in flowing),
            self.memo,
        )

    def _source(self, name: str) -> None:
        """Let a value that is known flow, from a layer of its own."""
        if name not in self.placed:
            self.placed.add(name)
            array = self.known[name]
            node = Node("Constant", name, 0, memo=self.memo)
            self._add(Constant(node.parameter(array) if name in self.trained else array), [], [name])

    def _add(self, layer: Layer, takes: Sequence[str], makes: Sequence[str]) -> None:
        self.layers.append(layer)
        self.wires.append((tuple(takes), tuple(makes)))


def _built(rule: Rule, node: Node, settings: Sequence[Array | None]) -> Layer:
    """The layer; every attribute of the node must have been understood."""
    layer = rule.build(node, *settings)
    node.finish()
    return layer


def _suits(rule: Rule, node: Node, settings: Sequence[str]) -> bool:
    """Whether these are settings that the rule takes: none too many, and none missing that must be there."""
    if not takes(rule.build, node, *settings):
        return False
    parameters = list(inspect.signature(rule.build).parameters.values())[1:]
    return all(
        name or parameter.default is None for name, parameter in zip(settings, parameters, strict=False)
    )


def _constant(entry: Entry) -> Array:
    """The value of a Constant node, whatever form it has."""
    if len(entry.attributes) == 1 and len(entry.makes) == 1:
        (name, value), *_ = entry.attributes.items()
        if name == "value" and isinstance(value, np.ndarray):
            return value
        if name in ("value_float", "value_floats"):
            return np.array(value, np.float32)
        if name in ("value_int", "value_ints"):
            return np.array(value, np.int64)
    raise UnsupportedError(
        f"model: expected one value of numbers in Constant ({entry.name!r:.80}), got others"
    )
