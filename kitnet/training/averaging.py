"""Averages of a model's weights over training: exponential ones, and equal ones (SWA)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from .. import functional as F
from .._arrays import Array, gate_number
from .._geometry import one_int
from ..layers import Layer
from ..layers.base import Pullback
from ..layers.norm import BatchNorm
from .callbacks import Callback
from .feed import Feed, check_images

if TYPE_CHECKING:
    from .trainer import Trainer

Averages: TypeAlias = "Sequence[Array]"
AvgFn: TypeAlias = "Callable[[Array, Array, int], Array]"
MultiAvgFn: TypeAlias = "Callable[[Averages, Averages, int], None]"


def _move(averages: Averages, newest: Averages, weight: float) -> None:
    """averages += weight (newest - averages), in place; counts, which are integers, are cut off."""
    for average, values in zip(averages, newest, strict=True):
        if average.dtype.kind == "f":
            F.average_step(average, values, weight)
        else:
            average[...] = average + weight * (values - average)


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """An exponential average, in place: average = decay average + (1 - decay) newest.

    >>> import numpy as np
    >>> from kitnet.training import get_ema_multi_avg_fn
    >>> average = np.array([1.0])
    >>> get_ema_multi_avg_fn(0.75)([average], [np.array([2.0])], 10)
    >>> average
    array([1.25])
    """
    weight = 1 - gate_number(decay, "decay", 0.0, 1.0)
    return lambda averages, newest, n: _move(averages, newest, weight)


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """The mean of all, in place: average = average + (newest - average) / (n + 1), ``n`` averaged before.

    >>> import numpy as np
    >>> from kitnet.training import get_swa_multi_avg_fn
    >>> average = np.array([1.0])
    >>> get_swa_multi_avg_fn()([average], [np.array([2.0])], 3)
    >>> average
    array([1.25])
    """
    return lambda averages, newest, n: _move(averages, newest, 1 / (n + 1))


class AveragedModel(Layer):
    """A copy of a model whose parameters are averages of the model's, over training.

    The first call of ``update_parameters`` copies the parameters. Running statistics are those of the model
    at the last call, which are not those of the averaged weights: see ``update_bn``; or they are averaged,
    too.

    Parameters
    ----------
    model
        The model that is trained; it is copied.
    avg_fn
        From the average, the newest values and the number that was averaged before, to the new average.
    multi_avg_fn
        The same for lists of arrays, in place: ``get_ema_multi_avg_fn(0.999)``, or
        ``get_swa_multi_avg_fn()``, which is the default.
    use_buffers
        Average the running statistics, too.

    Attributes
    ----------
    module
        The averaged model.
    n_averaged
        The number of calls of ``update_parameters``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Izmailov et al., "Averaging weights leads to wider optima and better generalization", 2018; Polyak and
    Juditsky, "Acceleration of stochastic approximation by averaging", 1992. Names and semantics are those of
    ``torch.optim.swa_utils``.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import AveragedModel
    >>> model = Linear(1, 1, bias=False)
    >>> averaged = AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     model.weight.data = np.array([[value]], np.float32)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.data, averaged.n_averaged
    (array([[3.]], dtype=float32), 3)
    """

    def __init__(
        self,
        model: Layer,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        if not isinstance(model, Layer):
            raise TypeError(f"model: expected a kitnet layer or model, got {type(model).__name__}")
        if avg_fn is not None and multi_avg_fn is not None:
            raise ValueError("multi_avg_fn: expected None, as there is an avg_fn, got both")
        self.module = copy.deepcopy(model)
        self.avg_fn, self.multi_avg_fn = avg_fn, multi_avg_fn
        self.use_buffers = bool(use_buffers)
        self.n_averaged = 0

    def __call__(self, x: Array) -> Array:
        return self.module(x)

    def vjp(self, x: Array, *, input_grad: bool = True) -> tuple[Array, Pullback]:
        return self.module.vjp(x, input_grad=input_grad)

    def out_shape(self, in_shape: Sequence[int]) -> tuple[int, ...]:
        return self.module.out_shape(in_shape)

    def _pairs(self, model: Layer) -> list[tuple[Array, Array]]:
        """The arrays to average, and those of the model: one each where both are flat."""
        self.module.flatten_parameters()
        mine, theirs = self.module.flat_data, model.flat_data
        if mine is not None and theirs is not None and mine.size == theirs.size:
            return [(mine, theirs)]
        pairs = zip(self.module.parameters(), model.parameters(), strict=True)
        return [(average.data, parameter.data) for average, parameter in pairs]

    def update_parameters(self, model: Layer) -> None:
        """Take the parameters of ``model``, the one that was copied, into the averages."""
        buffers = list(zip(self.module.buffers().values(), model.buffers().values(), strict=True))
        pairs = self._pairs(model) + (buffers if self.use_buffers else [])
        averages, newest = ([pair[i] for pair in pairs] for i in (0, 1))
        if self.n_averaged == 0:
            for average, values in pairs:
                average[...] = values
        elif self.avg_fn is not None:
            for average, values in pairs:
                average[...] = self.avg_fn(average, values, self.n_averaged)
        else:
            (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, newest, self.n_averaged)
        if not self.use_buffers:
            for average, values in buffers:
                average[...] = values
        self.n_averaged += 1

    def arrays(self) -> dict[str, Array]:
        """The averaged parameters and buffers by name: the arrays themselves."""
        return {name: p.data for name, p in self.module.named_parameters()} | self.module.buffers()


class WeightAveraging(Callback):
    """Update an ``AveragedModel`` as a ``Trainer`` trains: after each step (EMA), or each epoch (SWA).

    Parameters
    ----------
    averaged
        Made of the trainer's model.
    every
        "step" or "epoch".
    start
        The number of steps, or epochs, that are left out at first.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import AveragedModel, WeightAveraging, get_ema_multi_avg_fn
    >>> averaged = AveragedModel(Linear(2, 2), multi_avg_fn=get_ema_multi_avg_fn(0.99))
    >>> callback = WeightAveraging(averaged, every="step")
    """

    def __init__(
        self, averaged: AveragedModel, every: Literal["step", "epoch"] = "epoch", start: int = 0
    ) -> None:
        if not isinstance(averaged, AveragedModel):
            raise TypeError(f"averaged: expected an AveragedModel, got {type(averaged).__name__}")
        if every not in ("step", "epoch"):
            raise ValueError(f"every: expected 'step' or 'epoch', got {every!r}")
        self.averaged, self.every, self.start = averaged, every, one_int(start, "start", 0)

    def on_step_end(self, trainer: Trainer) -> None:
        if self.every == "step" and trainer.optimizer.steps > self.start:
            self.averaged.update_parameters(trainer.model)

    def on_epoch_end(self, trainer: Trainer, row: dict[str, float]) -> None:
        if self.every == "epoch" and trainer.epoch > self.start:
            self.averaged.update_parameters(trainer.model)

    def state(self) -> dict[str, Any]:
        arrays = {name: array.copy() for name, array in self.averaged.arrays().items()}
        return {"n_averaged": self.averaged.n_averaged, "arrays": arrays}

    def load_state(self, state: dict[str, Any]) -> None:
        self.averaged.n_averaged = state["n_averaged"]
        for name, array in self.averaged.arrays().items():
            array[...] = state["arrays"][name]


def update_bn(loader: Any, model: Layer, batch_size: int = 256) -> None:
    """Take the running statistics of all batch normalisations in ``model`` anew, from one pass over data.

    Averaged weights need it: no batch has gone through them. Frozen ones stay as they are.

    Parameters
    ----------
    loader
        Samples (N, ...), of any number type, as ``Trainer.fit`` takes them; or an iterable of batches, or
        of tuples that begin with one, as the model takes them.
    model
        A layer or model.
    batch_size
        How many of the samples to take at once.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import BatchNorm1d
    >>> from kitnet.training import update_bn
    >>> norm = BatchNorm1d(1)
    >>> update_bn(np.array([[1], [3], [6], [8]]), norm, batch_size=2)
    >>> norm.running_mean, norm.running_var
    (array([4.5], dtype=float32), array([2.], dtype=float32))
    """
    norms = [
        layer
        for layer in model.modules()
        if isinstance(layer, BatchNorm) and layer.track_running_stats and not layer.frozen
    ]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    batches = _batches(loader, model, batch_size)
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    try:
        for batch in batches:
            model.vjp(batch[0] if isinstance(batch, (tuple, list)) else batch, input_grad=False)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _batches(loader: Any, model: Layer, batch_size: int) -> Iterable[Any]:
    if not isinstance(loader, np.ndarray):
        return loader
    x, batch_size = check_images(loader, "loader"), one_int(batch_size, "batch_size")
    dtype = next((parameter.dtype for parameter in model.parameters()), np.dtype(np.float32))
    feed = Feed(x, dtype, batch_size)
    return (feed.slice(start, start + batch_size) for start in range(0, len(x), batch_size))
