"""What a loss is, and what all the losses share that are one function of ``kitnet.functional``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, TypeAlias

import numpy as np

from ..._arrays import gate, gate_int
from ..metrics import Metric, accuracy

LossPullback: TypeAlias = "Callable[..., Any]"
"""The gradient of a loss with respect to the output; of losses that are an array, for a gradient of them."""


class Loss:
    """The base of every loss. A subclass defines ``vjp`` and ``check_target``.

    ``metrics`` names what a ``Trainer`` reports beside the loss unless it is told otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.training import Loss
    >>> class SquaredError(Loss):
    ...     def vjp(self, output, target):
    ...         error = output - target
    ...         return float((error**2).mean()), lambda: 2 * error / error.size
    ...
    ...     def check_target(self, target, name="y"):
    ...         return target
    >>> SquaredError()(np.array([[1.0], [3.0]]), np.array([[1.0], [1.0]]))
    2.0
    """

    metrics: ClassVar[dict[str, Metric]] = {}

    def vjp(self, output: Any, target: Any) -> tuple[float, LossPullback]:
        """The loss, and the function that returns its gradient with respect to ``output``."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines vjp")

    def check_target(self, target: Any, name: str = "y") -> Any:
        """All targets of a data set as ``vjp`` takes them in batches; errors name ``name``."""
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines check_target")

    def __call__(self, output: Any, target: Any) -> float:
        """The loss alone."""
        return self.vjp(output, target)[0]

    def __repr__(self) -> str:
        """The constructor call, without the arguments that have their default value."""
        parameters = inspect.signature(type(self)).parameters.values()
        given = [(p.name, getattr(self, p.name)) for p in parameters if hasattr(self, p.name)]
        defaults = {p.name: p.default for p in parameters}
        texts = [
            f"{name}={value!r}"
            for name, value in given
            if isinstance(value, np.ndarray) or value != defaults[name]
        ]
        return f"{type(self).__name__}({', '.join(texts)})"


class FunctionLoss(Loss):
    """A loss that is a function of output, target and options, all three of which PyTorch names.

    A subclass keeps its options as attributes of the names they have there, and lists those in ``_names``;
    weights are arrays, which take the dtype of the output.

    Training takes one number, the mean or the sum. With ``reduction="none"`` a loss is an array, as that of
    the function is, and its pullback takes the gradient of that array.
    """

    _op: ClassVar[Callable[..., Any]]
    _op_backward: ClassVar[Callable[..., Any]]
    _names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, reduction: str = "mean") -> None:
        self._reduce_by(reduction)

    def _reduce_by(self, reduction: str, *more: str) -> None:
        """One of PyTorch's three, or of ``more``."""
        known = ("none", "mean", "sum", *more)
        if reduction not in known:
            raise ValueError(f"reduction: expected {' or '.join(map(repr, known))}, got {reduction!r}")
        self.reduction = reduction

    def _keywords(self, output: Any) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in (*self._names, "reduction")}
        return {name: match(value, output) for name, value in values.items()}

    def vjp(self, output: Any, target: Any) -> tuple[Any, LossPullback]:
        keywords, target = self._keywords(output), self._target(target, output)
        value = self._op(output, target, **keywords)
        return self._result(value, lambda dy: self._op_backward(dy, output, target, **keywords))

    def _result(self, value: Any, backward: Callable[[Any], Any]) -> tuple[Any, LossPullback]:
        """What ``vjp`` returns: a number, whose own gradient is 1 unless it is given, or an array."""
        if self.reduction == "none":
            return value, backward
        return float(value), lambda dy=1.0: backward(dy)

    def _target(self, target: Any, output: Any) -> Any:
        """The targets of a batch as the function takes them."""
        return match(target, output)

    def check_target(self, target: Any, name: str = "y") -> Any:
        return numbers(target, name)


class ClassLoss(FunctionLoss):
    """A loss whose targets are the numbers of classes, integers of any type."""

    metrics: ClassVar[dict[str, Metric]] = {"accuracy": accuracy}

    def _target(self, target: Any, output: Any) -> Any:
        return target

    def check_target(self, target: Any, name: str = "y") -> Any:
        return gate_int(target, name)


def weights(value: Any, name: str = "weight") -> Any:
    """An argument that is a float array or None."""
    return None if value is None else gate(value, name)


def numbers(target: Any, name: str) -> np.ndarray:
    """An array of numbers of any type, which ``match`` converts batch by batch.

    Raises
    ------
    TypeError
        For anything else.
    """
    if not isinstance(target, np.ndarray) or target.dtype.kind not in "biuf" or target.ndim == 0:
        kind = f"an array of {target.dtype}" if isinstance(target, np.ndarray) else type(target).__name__
        raise TypeError(f"{name}: expected a NumPy array of numbers, got {kind}")
    return target


def match(value: Any, output: Any) -> Any:
    """An array of numbers in the dtype of the output; anything else as it is, for the function to judge."""
    if isinstance(value, np.ndarray) and isinstance(output, np.ndarray) and value.dtype.kind in "biuf":
        return value.astype(output.dtype, copy=False)
    return value
