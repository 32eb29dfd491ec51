"""Layers wired to each other: any network without loops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from .._arrays import Array
from ..functional._elementwise import add
from ..layers.base import Layer, Pullback, no_gradient
from ..layers.fused import WithSum
from ..layers.joins import Add

Names: TypeAlias = "str | Sequence[str]"


class Step(NamedTuple):
    """One layer, the names of the values it takes, and of those it makes."""

    layer: Layer
    takes: tuple[str, ...]
    makes: tuple[str, ...]


class Graph(Layer):
    """A network of layers without loops: values have names, and each layer takes some and makes others.

    Where a value has one user, neighbours are computed together as in ``Sequential``, and so are a
    convolution and the ``Add`` at the end of a residual block, as in ``Residual``. A layer may take
    several values, ``layer.vjp(x1, x2)``, with a pullback that returns a gradient for each, or None; and make
    several, as a tuple. A value with several users gets the sum of their gradients.

    ``graph(x)`` and ``graph.vjp(x)`` take an array for each of ``inputs``, and give one for each of
    ``outputs``: a tuple if there are several. So does ``pullback(dy)`` the other way round; the gradient of
    an output that nobody uses may be None.

    Parameters
    ----------
    layers
        At least one, in an order in which each value is made before it is used. Names of parameters start
        with the place of their layer: ``"0.weight"``.
    wires
        For each layer a pair: the values it takes, and the values it makes; a name, or several.
    inputs, outputs
        The names of what the graph takes and gives.
    fuse
        False: compute layer by layer.

    Raises
    ------
    TypeError, ValueError
        If an argument is no layer or no name, or a value is used before it is made, or made twice.

    >>> import numpy as np
    >>> from kitnet.layers import Bilinear, Linear, ReLU
    >>> from kitnet.models import Graph
    >>> graph = Graph(
    ...     Linear(4, 3), ReLU(), Bilinear(4, 3, 2), wires=[("x", "a"), ("a", "h"), (("x", "h"), "y")]
    ... )
    >>> graph(np.zeros((5, 4), np.float32)).shape
    (5, 2)
    """

    def __init__(
        self,
        *layers: Layer,
        wires: Sequence[Sequence[Names]],
        inputs: Names = "x",
        outputs: Names = "y",
        fuse: bool = True,
    ) -> None:
        if not layers:
            raise ValueError("layers: expected at least one, got none")
        for layer in layers:
            if not isinstance(layer, Layer):
                raise TypeError(f"layers: expected layers, got {type(layer).__name__}")
        self._layers = layers
        self.inputs, self.outputs = _names(inputs, "inputs"), _names(outputs, "outputs")
        self.wires = _checked(wires, len(layers), self.inputs, self.outputs)
        self.fuse = bool(fuse)
        steps = [Step(layer, *wire) for layer, wire in zip(layers, self.wires, strict=True)]
        self._plan = _fused(steps, self.outputs) if self.fuse else steps
        self._last = _last_uses(self._plan, self.outputs)

    def _named_inputs(self, xs: Sequence[Any], name: str = "x") -> dict[str, Any]:
        if len(xs) != len(self.inputs):
            raise TypeError(f"{name}: expected one for each of {', '.join(self.inputs)}, got {len(xs)}")
        return dict(zip(self.inputs, xs, strict=True))

    def __call__(self, *xs: Array) -> Any:
        values = self._named_inputs(xs)
        for step, done in zip(self._plan, self._last, strict=True):
            y = step.layer(*(values[name] for name in step.takes))
            values.update(_made(step, y))
            for name in done:
                values.pop(name, None)
        return self._results(values)

    def vjp(self, *xs: Array, input_grad: bool = True) -> tuple[Any, Pullback]:
        values = self._named_inputs(xs)
        wanted = set(self.inputs) if input_grad else set()
        tape: list[tuple[Step, Pullback]] = []
        for step, done in zip(self._plan, self._last, strict=True):
            backwards = any(name in wanted for name in step.takes)
            y, pullback = step.layer.vjp(*(values[name] for name in step.takes), input_grad=backwards)
            if backwards or next(step.layer.parameters(), None) is not None:
                wanted.update(step.makes)
                tape.append((step, pullback))
            values.update(_made(step, y))
            for name in done:
                values.pop(name, None)

        def pullback_all(*dys: Any) -> Any:
            if len(dys) == 1 and len(self.outputs) > 1:
                dys = tuple(dys[0])
            if len(dys) != len(self.outputs):
                raise TypeError(f"dy: expected one for each of {', '.join(self.outputs)}, got {len(dys)}")
            gradients: dict[str, Any] = {}
            for name, dy in zip(self.outputs, dys, strict=True):
                _add(gradients, name, dy)
            for step, pullback in reversed(tape):
                given = [gradients.pop(name, None) for name in step.makes]
                if all(dy is None for dy in given):
                    continue
                for name, dx in zip(step.takes, _per_input(step, pullback(*given)), strict=True):
                    _add(gradients, name, dx if name in wanted else None)
            found = tuple(gradients.get(name) if input_grad else None for name in self.inputs)
            return found[0] if len(found) == 1 else found

        alone = len(self.inputs) == 1 and not tape
        return self._results(values), no_gradient if alone else pullback_all

    def _results(self, values: dict[str, Any]) -> Any:
        results = tuple(values[name] for name in self.outputs)
        return results if len(results) > 1 else results[0]

    def out_shape(self, *in_shapes: Sequence[int]) -> Any:
        """The shape of the output for inputs of these shapes; a tuple of shapes if there are several."""
        shapes = self._named_inputs([tuple(shape) for shape in in_shapes], "in_shape")
        for i, step in enumerate(self._steps()):
            try:
                made = step.layer.out_shape(*(shapes[name] for name in step.takes))
            except ValueError as error:
                raise ValueError(f"in_shape: {step.layer!r} at {i}: {error}") from None
            shapes.update(_made(step, made))
        return self._results(shapes)

    def _steps(self) -> list[Step]:
        """All layers with their wires, as they were given."""
        return [Step(layer, *wire) for layer, wire in zip(self._layers, self.wires, strict=True)]

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        return ((str(i), layer) for i, layer in enumerate(self._layers))

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self._layers)

    def __getitem__(self, i: int) -> Layer:
        """The layer at ``i``."""
        return self._layers[i]

    def __repr__(self) -> str:
        lines = [f"inputs: {', '.join(self.inputs)}"]
        for i, step in enumerate(self._steps()):
            layer = repr(step.layer).replace("\n", "\n  ")
            lines.append(f"({i}): {layer}: {', '.join(step.takes)} -> {', '.join(step.makes)}")
        return "\n  ".join(["Graph(", *lines, f"outputs: {', '.join(self.outputs)}"]) + "\n)"


def _names(value: Any, name: str) -> tuple[str, ...]:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (tuple, list)) or not all(isinstance(one, str) and one for one in names):
        raise TypeError(f"{name}: expected a name or several, got {value!r}")
    return tuple(names)


def _checked(
    wires: Any, count: int, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The wires of ``count`` layers, if every value is made once, and before it is used."""
    if not isinstance(wires, (tuple, list)) or not all(
        isinstance(wire, (tuple, list)) and len(wire) == 2 for wire in wires
    ):
        raise TypeError(f"wires: expected (takes, makes) for each layer, got {wires!r:.200}")
    if len(wires) != count:
        raise ValueError(f"wires: expected one pair for each of {count} layers, got {len(wires)}")
    if not outputs:
        raise ValueError("outputs: expected at least one name, got none")
    made = set(inputs)
    if len(made) != len(inputs):
        raise ValueError(f"inputs: expected each name once, got {inputs}")
    found = []
    for i, wire in enumerate(wires):
        takes, makes = _names(wire[0], "wires"), _names(wire[1], "wires")
        if missing := [name for name in takes if name not in made]:
            raise ValueError(f"wires: expected values made before layer {i} takes them, got {missing[0]!r}")
        if not makes or made & set(makes) or len(set(makes)) != len(makes):
            raise ValueError(f"wires: expected layer {i} to make new values, got {makes}")
        made.update(makes)
        found.append((takes, makes))
    if missing := [name for name in outputs if name not in made]:
        raise ValueError(f"outputs: expected values that a layer makes, got {missing[0]!r}")
    return tuple(found)


def _fused(steps: Sequence[Step], outputs: Sequence[str]) -> list[Step]:
    """The steps, with two joined wherever the first can absorb the second and nobody else sees its value.

    Where two ways meet in a sum, so can a layer that ``adds``; it waits until the other way is there.
    """
    users = Counter(name for step in steps for name in step.takes) + Counter(outputs)
    plan: list[Step | None] = []
    maker: dict[str, int] = {}
    for step in steps:
        i, joined = len(plan), None
        for name in (name for name in reversed(step.takes) if name in maker and users[name] == 1):
            before = plan[maker[name]]
            joined = before and _joined(before, step, name)
            if joined:
                plan[maker[name]] = None
                i = maker[name] if len(step.takes) == 1 else i
                break
        plan[i : i + 1] = [joined or step]
        maker.update(dict.fromkeys(step.makes, i))
    return [step for step in plan if step]


def _joined(before: Step, step: Step, name: str) -> Step | None:
    """Two steps as one, where the second takes ``name`` from the first and they can be computed together."""
    if len(before.makes) != 1 or len(step.makes) != 1:
        return None
    if len(step.takes) == 1:
        layer = before.layer.absorb(step.layer)
        return None if layer is None else Step(layer, before.takes, step.makes)
    if not (isinstance(step.layer, Add) and before.layer.adds and len(before.takes) == 1):
        return None
    other = step.takes[1 - step.takes.index(name)]
    return Step(WithSum(before.layer, step.layer), (*before.takes, other), step.makes)


def _last_uses(plan: Sequence[Step], outputs: Sequence[str]) -> list[list[str]]:
    """For each step the values that nobody needs after it."""
    needed = set(outputs)
    done = []
    for step in reversed(plan):
        names = {*step.takes, *step.makes} - needed
        needed |= names
        done.append(sorted(names))
    return done[::-1]


def _made(step: Step, y: Any) -> zip[tuple[str, Any]]:
    """The values that a step makes, by name, or their shapes."""
    many = len(step.makes) > 1
    if many and (not isinstance(y, tuple) or len(y) != len(step.makes)):
        raise ValueError(f"wires: expected {len(step.makes)} results of {step.layer!r}, got others")
    return zip(step.makes, y if many else (y,), strict=True)


def _per_input(step: Step, dx: Any) -> Sequence[Any]:
    """A gradient, or None, for each value the step takes; what its layer does not tell is None."""
    given = dx if isinstance(dx, tuple) else (dx,)
    return given + (None,) * (len(step.takes) - len(given))


def _add(gradients: dict[str, Any], name: str, dx: Any) -> None:
    """Add to a gradient; not in place, since others may refer to the array."""
    if dx is not None:
        known = gradients.get(name)
        gradients[name] = dx if known is None else add(known, dx)
