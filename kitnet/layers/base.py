"""What every layer is: named parameters, configuration, and one primitive, ``vjp``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, TypeAlias

import numpy as np

from .._arrays import Array
from .._backend import is_sealed, seal
from ..functional._prepared import Prepared
from ._changes import changed
from .parameter import Parameter

Pullback: TypeAlias = Callable[[Array], Any]
"""From the gradient of an output to that of its input, or to None where nobody wants it."""

_NOTES = {"output", "delta", "grad", "_pullback", "_folded"}
"""Attributes that no result depends on: what ``forward`` and ``backward`` leave, and what others imply."""

MOST_AXES = 64
"""What NumPy allows, and so the bounds of an axis's number."""


def no_gradient(dy: Array) -> None:
    """The pullback of a layer without parameters whose input's gradient nobody wants."""


class Layer:
    """The base of every layer and container.

    A subclass keeps its constructor arguments as attributes of the same names, its ``Parameter``s and layers
    as attributes, and defines ``vjp`` and ``out_shape``; often also ``__call__``, where inference is cheaper
    than ``vjp`` or differs from it. All maths is in ``kitnet.functional``.

    ``layer(x)`` is inference: it keeps nothing, writes nothing and may be called from many threads at once.
    ``y, pullback = layer.vjp(x)`` is a training step's first half, ``dx = pullback(dy)`` the second.
    ``forward`` and ``backward`` are the classic pair on top of it, which leave ``output``, ``delta`` (the
    gradient of the input) and ``grad`` (those of the parameters) on the layer.

    >>> import numpy as np
    >>> from kitnet.layers import Layer
    >>> class Double(Layer):
    ...     def vjp(self, x, *, input_grad=True):
    ...         return 2 * x, lambda dy: 2 * dy
    ...
    ...     def out_shape(self, in_shape):
    ...         return tuple(in_shape)
    >>> Double()(np.ones(2)), Double().out_shape((2,))
    (array([2., 2.]), (2,))
    """

    whole_in_repr: ClassVar[frozenset[str]] = frozenset()
    """Arguments that are no values per axis: their sizes are all told, even where they are the same."""

    output: Array | None = None
    delta: Array | None = None
    grad: list[Array] | None = None
    _pullback: Pullback | None = None
    _flat: tuple[Array, Array, int] | None = None

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        """The output in training, and its pullback: the function from the output's gradient to the input's.

        Parameters
        ----------
        x
            The input, batch first.
        input_grad
            False where nobody wants the gradient of ``x`` (a network's first layer): the pullback returns
            None.

        Returns
        -------
        y, pullback
            ``pullback(dy)`` returns ``dx`` and adds to the ``grad`` of each parameter. It refers to ``x`` and
            the parameters, without copies: change them only after it was called.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines vjp")

    def __call__(self, x: Array) -> Array:
        """The output in inference."""
        return self.vjp(x, input_grad=False)[0]

    def prepare(self, shape: tuple[int, ...], dtype: np.dtype) -> Prepared | None:
        """What ``layer(x)`` does for arrays of this shape and dtype; None where nothing can be prepared.

        It is out of date as soon as any layer has other attributes, or a parameter lives in another array.
        """
        return None

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of the output for an input of ``in_shape``, batch included; touches no data.

        Raises
        ------
        ValueError
            If the layer cannot take such an input.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines out_shape")

    def absorb(self, successor: Layer) -> Layer | None:
        """One layer that does this one's work and then ``successor``'s, faster; None if there is none.

        The result refers to both layers and copies nothing: parameters and running statistics stay shared.
        """
        return None

    @property
    def adds(self) -> bool:
        """Whether ``__call__`` and ``vjp`` take ``residual``, an array that is added to the output.

        They take ``clip``, too, the bounds of the sum; a gradient that comes back is that of the sum.
        """
        return False

    # The classic pair

    def forward(self, x: Array) -> Array:
        """``vjp``, with the output and the pullback kept on the layer for ``backward``."""
        self.output, self._pullback = self.vjp(x)
        return self.output

    def backward(self, dy: Array) -> Array:
        """The gradient of the last ``forward``'s input, given that of its output; adds to the parameters'.

        Raises
        ------
        RuntimeError
            If there was no ``forward``.
        """
        if self._pullback is None:
            raise RuntimeError(f"{type(self).__name__}.backward: expected a call of forward before")
        self.delta = self._pullback(dy)
        self.grad = [parameter.grad for parameter in self.parameters()]
        assert self.delta is not None
        return self.delta

    # Structure

    def __setattr__(self, name: str, value: Any) -> None:
        # An attribute that was not there before, as in a constructor, is none that something was made of.
        known = name not in _NOTES and (name in vars(self) or hasattr(type(self), name))
        super().__setattr__(name, value)
        if known:
            changed()

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        changed()

    def config(self) -> dict[str, Any]:
        """The constructor arguments (layers and ``rng`` excluded), as JSON can hold them."""
        parameters = inspect.signature(type(self)).parameters.values()
        names = [p.name for p in parameters if p.name != "rng" and p.kind is not p.VAR_POSITIONAL]
        values = {name: getattr(self, name) for name in names}
        return {name: _jsonable(value) for name, value in values.items() if not isinstance(value, Layer)}

    def named_children(self) -> Iterator[tuple[str, Layer]]:
        """The layers directly inside, by name, in the order in which the constructor takes them."""
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Layer))

    def children(self) -> Iterator[Layer]:
        """The layers directly inside, in order."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Layer]:
        """This layer and all layers inside it, each once."""
        seen: dict[int, Layer] = {}

        def visit(layer: Layer) -> None:
            if id(layer) not in seen:
                seen[id(layer)] = layer
                for child in layer.children():
                    visit(child)

        visit(self)
        return iter(seen.values())

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters by dotted name ("0.weight"), in order; one that layers share once, or each time."""
        seen = set()
        for name, value in self._named("", lambda layer: vars(layer).items()):
            if isinstance(value, Parameter) and not (remove_duplicate and id(value) in seen):
                seen.add(id(value))
                yield name, value

    def parameters(self) -> Iterator[Parameter]:
        """The parameters, in order, each once."""
        return (parameter for _, parameter in self.named_parameters())

    def buffers(self) -> dict[str, Array]:
        """The arrays that are state but no parameters (running statistics), by dotted name."""
        return dict(self._named("", lambda layer: layer.own_buffers().items()))

    def own_buffers(self) -> dict[str, Array]:
        """This layer's own buffers: attributes by name."""
        return {}

    def _named(self, prefix: str, own: Callable[[Layer], Any]) -> Iterator[tuple[str, Any]]:
        """``own(layer)``'s (name, value) pairs, of this layer and then of those inside, with dotted names."""
        for name, value in own(self):
            yield prefix + name, value
        for name, child in self.named_children():
            yield from child._named(f"{prefix}{name}.", own)

    # Gradients, and the flat arrays

    def zero_grad(self) -> None:
        """Set all gradients to zero; one fill where the parameters are flat."""
        if (flat := self.flat_grad) is not None:
            flat.fill(0)
        else:
            for parameter in self.parameters():
                parameter.zero_grad()

    def flatten_parameters(self) -> None:
        """Move all parameters into one array, ``flat_data``, and all gradients into another, ``flat_grad``.

        Every ``Parameter`` then holds views, so that an optimiser is one loop and zeroing one fill. Call it
        on the outermost layer; calling it again changes nothing.

        Raises
        ------
        TypeError
            If the parameters are not all of one dtype.
        ValueError
            If some are sealed.
        """
        if self.flat_data is not None:
            return
        parameters = list(self.parameters())
        if any(parameter.sealed for parameter in parameters):
            raise ValueError(
                "parameters: expected parameters that may change, got sealed ones (unseal the model)"
            )
        dtypes = {parameter.dtype for parameter in parameters} or {np.dtype(np.float32)}
        if len(dtypes) > 1:
            raise TypeError(f"parameters: expected one dtype, got {', '.join(sorted(map(str, dtypes)))}")
        size = sum(parameter.size for parameter in parameters)
        data, grad = (np.zeros(size, dtype) for dtype in 2 * tuple(dtypes))
        end = 0
        for parameter in parameters:
            start, end = end, end + parameter.size
            for flat, values in ((data, parameter.data), (grad, parameter.grad)):
                flat[start:end] = values.reshape(-1)
            parameter.bind(*(flat[start:end].reshape(parameter.shape) for flat in (data, grad)))
        self._flat = data, grad, len(parameters)

    def seal(self) -> None:
        """Make all parameters and running statistics constants, for faster inference.

        They move into read-only memory, with which kernels keep what they made of it: weights transformed for
        Winograd's algorithm (four times their size), and convolutions with the batch norm after them folded
        into them. So a call begins with its proper work. Nothing can become stale: writing to a sealed array
        raises ValueError, and so does training. Copies, pickles and files of a sealed layer hold the same
        numbers, and are not sealed. An optimizer goes on with arrays of before: make a new one after
        ``unseal``.

        >>> import numpy as np
        >>> from kitnet.layers import Conv2d
        >>> layer = Conv2d(3, 8, 3)
        >>> layer.seal()
        >>> layer.weight.data[...] = 0
        Traceback (most recent call last):
            ...
        ValueError: assignment destination is read-only
        """
        for parameter in self.parameters():
            parameter.seal()
        for layer in self.modules():
            for name, array in layer.own_buffers().items():
                if not is_sealed(array):
                    setattr(layer, name, seal(array))

    def unseal(self) -> None:
        """Make constants of ``seal`` parameters and running statistics that may change again."""
        for parameter in self.parameters():
            parameter.unseal()
        for layer in self.modules():
            for name, array in layer.own_buffers().items():
                if is_sealed(array):
                    setattr(layer, name, array.copy())

    @property
    def flat_data(self) -> Array | None:
        """All parameters as one array; None before ``flatten_parameters``, or when that no longer holds."""
        return self._flat_arrays()[0]

    @property
    def flat_grad(self) -> Array | None:
        """All gradients as one array; None where ``flat_data`` is."""
        return self._flat_arrays()[1]

    def _flat_arrays(self) -> tuple[Array, Array] | tuple[None, None]:
        """The flat arrays, if all parameters live in them.

        Some may have been added since, or an outer model may have taken them.
        """
        if self._flat is None:
            return None, None
        data, grad, n = self._flat
        parameters = list(self.parameters())
        if len(parameters) != n or not all(parameter.lives_in(data, grad) for parameter in parameters):
            return None, None
        return data, grad

    def __getstate__(self) -> dict[str, Any]:
        """What ``copy`` and ``pickle`` take along: all but what the last ``forward`` left."""
        state = dict(vars(self))
        for name in ("output", "delta", "grad", "_pullback"):
            state.pop(name, None)
        if "_flat" in state:
            state["_flat"] = None
        return state

    def __repr__(self) -> str:
        """The constructor call, without the arguments that have their default value."""
        config = self.config()
        arguments = []
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if name not in config:
                continue
            value = tuple(config[name]) if name in self.whole_in_repr else _brief(config[name])
            if value != _jsonable(parameter.default):
                arguments.append(
                    f"{value!r}" if parameter.default is parameter.empty else f"{name}={value!r}"
                )
        return f"{type(self).__name__}({', '.join(arguments)})"


def _jsonable(value: Any) -> Any:
    """A constructor argument as JSON holds it."""
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    if isinstance(value, (type, np.dtype)):
        return np.dtype(value).name
    return value


def _brief(value: Any) -> Any:
    """A tuple for a list; one number for one per axis, where they are all the same."""
    if isinstance(value, list):
        return value[0] if value and value.count(value[0]) == len(value) else tuple(map(_brief, value))
    return value
