"""A node of an ONNX model as the rules see it: attributes by type, inputs that are known, weights to fill."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from .. import init
from .._arrays import Array
from ..layers import Layer, Parameter


class UnsupportedError(ValueError):
    """A model that may be right, and that kitnet does not run: the text says why, and names the node.

    >>> from kitnet.onnx import UnsupportedError
    >>> issubclass(UnsupportedError, ValueError)
    True
    """


class UnknownRankError(UnsupportedError):
    """A layer that depends on the number of axes of its input, which is not known before the call."""


@dataclass
class Node:
    """What a rule may know of a node."""

    op: str
    name: str
    version: int
    """Of the operator set that the model uses."""
    attributes: dict[str, Any] = field(default_factory=dict)
    outputs: int = 1
    ranks: Sequence[int | None] = ()
    """The number of axes of each input that flows, where it is known."""
    integers_flow: bool = False
    """Whether some input that flows is known, and no float: then this is arithmetic on shapes."""
    memo: dict[tuple[int, str], tuple[Array, Any]] = field(default_factory=dict)
    """What was made of the model's arrays so far, so that nodes which share one go on sharing it."""
    seen: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.op} ({self.name!r})" if self.name else self.op

    def refuse(self, expected: str, got: Any) -> NoReturn:
        """End the import: the model asks for something that kitnet does not do."""
        raise UnsupportedError(f"model: expected {expected} in {self}, got {got}")

    def attribute(self, name: str, kind: type | tuple[type, ...], default: Any) -> Any:
        """An attribute, checked for its type; ``default`` where the node has none."""
        self.seen.add(name)
        value = self.attributes.get(name, default)
        if value is not default and not isinstance(value, kind):
            raise ValueError(f"model: expected {name} of {self} to be {kind}, got {value!r:.80}")
        return value

    def integer(self, name: str, default: int) -> int:
        return int(self.attribute(name, int, default))

    def flag(self, name: str) -> bool:
        return bool(self.integer(name, 0))

    def number(self, name: str, default: float) -> float:
        return float(self.attribute(name, (float, int), default))

    def text(self, name: str, *known: str) -> str:
        """One of a few words, of which the first is the default."""
        value = self.attribute(name, str, known[0])
        if value not in known:
            self.refuse(f"{name} to be one of {', '.join(known)}", repr(value))
        return str(value)

    def integers(self, name: str, length: int | None = None) -> tuple[int, ...] | None:
        """A list of integers, or None; ``length``: how many there must be."""
        value = self.attribute(name, list, None)
        if value is None:
            return None
        if not all(isinstance(item, int) for item in value) or length not in (None, len(value)):
            raise ValueError(f"model: expected {length or 'some'} integers as {name} of {self}, got {value}")
        return tuple(value)

    def ignore(self, *names: str) -> None:
        """Attributes that say nothing about the result."""
        self.seen.update(names)

    def finish(self) -> None:
        """Every attribute must have been understood."""
        if unknown := sorted(set(self.attributes) - self.seen):
            self.refuse(
                f"attributes that kitnet knows ({', '.join(sorted(self.seen)) or 'none'})", unknown[0]
            )

    def rank(self, i: int = 0) -> int:
        """The number of axes of an input, which the layer depends on."""
        rank = self.ranks[i] if i < len(self.ranks) else None
        if rank is None:
            raise UnknownRankError(f"model: expected an input of a known number of axes in {self}, got none")
        return rank

    def made_of(self, array: Array, what: str, make: Callable[[Array], Any]) -> Any:
        """``make(array)``, the same one for whoever asks for ``what`` of this array again."""
        key = id(array), what
        if key not in self.memo:
            self.memo[key] = array, make(array)  # the array stays alive, and its id its own
        return self.memo[key][1]

    def parameter(self, array: Array) -> Parameter:
        """The parameter with these values."""
        return self.made_of(array, "parameter", Parameter)

    def fill(self, make: Callable[[], Layer], **weights: Array | None) -> Any:
        """The layer that ``make`` makes, with these weights for its own, which are never drawn."""
        with init.placeholders():
            layer: Any = make()
        for name, array in weights.items():
            if array is None:
                continue
            own = getattr(layer, name)
            if array.shape != own.shape:
                raise ValueError(f"model: expected {name} of shape {own.shape} for {self}, got {array.shape}")
            # A Parameter may be shared with other layers; a buffer is the layer's own.
            shared = isinstance(own, Parameter)
            setattr(layer, name, self.parameter(array) if shared else np.array(array, own.dtype))
        return layer


def whole(array: Array, name: str) -> tuple[int, ...]:
    """The integers of an array that says what to do, one axis of them."""
    if array.dtype.kind != "i" or array.ndim != 1:
        raise ValueError(f"{name}: expected integers along one axis, got {array.dtype} {array.shape}")
    return tuple(array.tolist())


def takes(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether the function can be called with so many arguments."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    return True


@contextmanager
def as_value_errors(expected: str) -> Iterator[None]:
    """What goes wrong inside, with what a model says, is a ValueError."""
    try:
        yield
    except UnsupportedError:
        raise
    except (ArithmeticError, AttributeError, IndexError, RuntimeError, TypeError, ValueError) as error:
        if str(error).startswith("model:"):
            raise
        raise ValueError(f"{expected}, got others ({error})") from error


@dataclass(frozen=True)
class Rule:
    """How an operator becomes a layer: ``build(node, *settings)``.

    The inputs numbered ``flows`` (None: all) are those of the layer; the others are settings, arrays or None,
    which are built into it: weights, and numbers that say what to do.
    """

    build: Callable[..., Layer]
    flows: tuple[int, ...] | None = (0,)
    fits: Callable[..., bool] | None = None
    """Of the node and the settings, which are known: whether this rule is for them."""
    otherwise: Rule | None = None
    """The rule where this one does not fit, or a setting is not known."""
    outputs: int | None = 1
    """How many outputs there may be; None: any number."""

    def split(self, count: int) -> tuple[list[int], list[int]]:
        """The numbers of the inputs that flow, and of the settings."""
        flows = range(count) if self.flows is None else self.flows
        return [i for i in flows if i < count], [i for i in range(count) if i not in flows]


class Late(Layer):
    """A layer whose settings or weights are results themselves: it is built anew for each call.

    It takes what flows and then the settings; its pullback gives the gradients of both.
    """

    def __init__(self, rule: Rule, node: Node, flows: int, settings: Sequence[bool]) -> None:
        self.rule = rule
        self.node = node
        self.flows = flows
        self.settings = tuple(settings)
        """For each setting whether there is one."""

    def _build(self, xs: Sequence[Array]) -> tuple[Layer, list[Array]]:
        given = [np.require(x, requirements=("C", "A")) for x in xs[self.flows :]]
        rest = iter(given)
        settings = [next(rest) if there else None for there in self.settings]
        node = Node(
            self.node.op,
            self.node.name,
            self.node.version,
            self.node.attributes,
            self.node.outputs,
            [x.ndim for x in xs[: self.flows]],
        )
        with as_value_errors(f"settings: expected such as {self.node} can be built with"):
            layer = self.rule.build(node, *settings)
        if not takes(layer.vjp, *xs[: self.flows]):
            raise ValueError(f"x: expected as many inputs as {self.node} has, got {self.flows}")
        return layer, given

    def __call__(self, *xs: Array) -> Any:
        return self._build(xs)[0](*xs[: self.flows])

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Any, Any]:
        layer, given = self._build(xs)
        y, pullback = layer.vjp(*xs[: self.flows], input_grad=input_grad)

        def pullback_all(*dys: Any) -> tuple[Any, ...]:
            dx = pullback(*dys)
            dx = dx if isinstance(dx, tuple) else (dx,)
            gradients = [_gradient(layer, setting) for setting in given]
            return *dx, *[None] * (self.flows - len(dx)), *gradients

        return y, pullback_all

    def out_shape(self, *in_shapes: Sequence[int]) -> tuple[int, ...]:
        raise ValueError(
            f"in_shape: expected settings that are known, got those of {self.node} from elsewhere"
        )

    def config(self) -> dict[str, Any]:
        return {}

    def __repr__(self) -> str:
        return f"Late({self.node})"


def _gradient(layer: Layer, setting: Array) -> Array | None:
    """That of the layer's parameter which lives in ``setting``; None if it is no parameter."""
    for parameter in layer.parameters():
        if np.may_share_memory(parameter.data, setting):
            return parameter.grad.reshape(setting.shape)
    return None
