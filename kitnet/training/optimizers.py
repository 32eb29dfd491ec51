"""Optimizers: how gradients change parameters. One kernel call a step, over all parameters at once."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from .. import functional as F
from .._arrays import gate_number
from ..layers import Layer
from .schedules import Constant, Schedule


class Optimizer:
    """The base of every optimizer: a model's parameters and gradients as one array each, and a learning rate.

    A subclass names its numbers in ``hyper`` and its arrays in ``slots`` (one value a parameter, zero at the
    start), keeps each as an attribute, and defines ``_update``.

    Parameters
    ----------
    model
        The model to train. Its parameters move into one flat array (``model.flatten_parameters()``).
    lr
        The learning rate; the attribute may be changed between steps. ``last_lr`` is what the last step used.
    schedule
        A function from the number of steps taken to a factor of ``lr`` (see ``kitnet.training.schedules``).

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Optimizer
    >>> class SignDescent(Optimizer):
    ...     def _update(self, lr):
    ...         self.data -= lr * np.sign(self.grad)
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = SignDescent(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[1000.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper: ClassVar[tuple[str, ...]] = ()
    slots: tuple[str, ...] = ()

    def __init__(self, model: Layer, lr: float, schedule: Schedule | None = None) -> None:
        if not isinstance(model, Layer):
            raise TypeError(f"model: expected a kitnet layer or model, got {type(model).__name__}")
        model.flatten_parameters()
        data, grad = model.flat_data, model.flat_grad
        assert data is not None
        assert grad is not None
        self.data, self.grad = data, grad
        self.lr = gate_number(lr, "lr", 0)
        self.schedule = Constant() if schedule is None else schedule
        self.last_lr = self.lr
        self.steps = 0
        for slot in self.slots:
            setattr(self, slot, np.zeros_like(data))

    def _update(self, lr: float) -> None:
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass that defines _update")

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self.grad.fill(0)

    def step(self) -> None:
        """Change all parameters once, by their gradients."""
        self.last_lr = self.lr * self.schedule(self.steps)
        self.steps += 1
        self._update(self.last_lr)

    def state(self) -> dict[str, Any]:
        """All that the next steps depend on, but for the parameters and the schedule (a function)."""
        numbers = {name: getattr(self, name) for name in ("lr", "steps", *self.hyper)}
        return {
            "class": type(self).__name__,
            **numbers,
            **{slot: getattr(self, slot).copy() for slot in self.slots},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on where ``state`` was taken.

        Raises
        ------
        ValueError
            If it is the state of another kind of optimizer or of another number of parameters; nothing
            changes then.
        """
        self.check_state(state)
        for name in ("lr", "steps", *self.hyper):
            setattr(self, name, state[name])
        for slot in self.slots:
            getattr(self, slot)[...] = state[slot]

    def check_state(self, state: dict[str, Any]) -> None:
        """ValueError if ``load_state`` cannot take ``state``."""
        if (found := state.get("class")) != type(self).__name__:
            raise ValueError(f"optimizer: expected the state of {type(self).__name__}, got that of {found}")
        expected = {"class", "lr", "steps", *self.hyper, *self.slots}
        if set(state) != expected:
            raise ValueError(f"optimizer: expected a state with {sorted(expected)}, got {sorted(state)}")
        for slot in self.slots:
            shape = np.shape(state[slot])
            if shape != self.data.shape:
                raise ValueError(f"optimizer: expected {slot} of shape {self.data.shape}, got {shape}")

    def __repr__(self) -> str:
        numbers = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("lr", *self.hyper))
        return f"{type(self).__name__}({numbers})"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov momentum and weight decay (PyTorch's formulas).

    g = grad + weight_decay param; v = momentum v + (1 - dampening) g; param -= lr v (or lr (g + momentum v),
    if ``nesterov``). In the first step v = g.

    Parameters
    ----------
    model, lr, schedule
        As ``Optimizer`` has them.
    momentum, dampening, weight_decay
        Numbers of 0 or more.
    nesterov
        Look ahead; needs a momentum, and no dampening.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning",
    2013.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import SGD
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = SGD(model, lr=0.5)
    >>> model.weight.accumulate(np.array([[0.5]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper = ("momentum", "dampening", "weight_decay", "nesterov")
    velocity: np.ndarray | None = None

    def __init__(
        self,
        model: Layer,
        lr: float = 0.01,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        schedule: Schedule | None = None,
    ) -> None:
        self.momentum = gate_number(momentum, "momentum", 0)
        self.dampening = gate_number(dampening, "dampening", 0)
        self.weight_decay = gate_number(weight_decay, "weight_decay", 0)
        self.nesterov = bool(nesterov)
        if nesterov and (self.momentum == 0 or self.dampening != 0):
            raise ValueError(
                f"nesterov: expected a momentum and no dampening, got {momentum} and {dampening}"
            )
        self.slots = ("velocity",) if self.momentum else ()
        super().__init__(model, lr, schedule)

    def _update(self, lr: float) -> None:
        dampening = 0.0 if self.steps == 1 else self.dampening  # the first velocity is the gradient
        F.sgd_step(
            self.data,
            self.grad,
            self.velocity,
            lr,
            self.momentum,
            dampening,
            self.weight_decay,
            self.nesterov,
        )


class Adam(Optimizer):
    """Adam (PyTorch's formulas): steps by the mean gradient over its root mean square, both running.

    Parameters
    ----------
    model, lr, schedule
        As ``Optimizer`` has them.
    betas
        How slowly the two running means follow, each from 0 to below 1.
    eps
        Added to the denominator.
    weight_decay
        Times the parameters, added to the gradients; see ``AdamW`` for the better form.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Notes
    -----
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import Adam
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> optimizer = Adam(model, lr=0.25)
    >>> model.weight.accumulate(np.array([[100.0]], np.float32))
    >>> optimizer.step()
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    hyper = ("beta1", "beta2", "eps", "weight_decay")
    slots = ("mean", "square")
    mean: np.ndarray
    square: np.ndarray
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        schedule: Schedule | None = None,
    ) -> None:
        below_1 = float(np.nextafter(1, 0))
        self.beta1, self.beta2 = (gate_number(beta, "betas", 0, below_1) for beta in betas)
        self.eps = gate_number(eps, "eps", 0)
        self.weight_decay = gate_number(weight_decay, "weight_decay", 0)
        super().__init__(model, lr, schedule)

    def _update(self, lr: float) -> None:
        F.adam_step(
            self.data,
            self.grad,
            self.mean,
            self.square,
            self.steps,
            lr,
            self.beta1,
            self.beta2,
            self.eps,
            self.weight_decay,
            self.decoupled,
        )


class AdamW(Adam):
    """Adam with decoupled weight decay: parameters shrink by lr weight_decay a step, whatever the gradient.

    Parameters, errors and formulas are ``Adam``'s but for the decay, whose default is 0.01 as in PyTorch.

    Notes
    -----
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from kitnet.layers import Linear
    >>> from kitnet.training import AdamW
    >>> model = Linear(1, 1, bias=False)
    >>> model.weight.data = np.array([[1.0]], np.float32)
    >>> AdamW(model, lr=0.5, weight_decay=0.5).step()  # no gradient: only the decay
    >>> model.weight.data
    array([[0.75]], dtype=float32)
    """

    decoupled = True

    def __init__(
        self,
        model: Layer,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        schedule: Schedule | None = None,
    ) -> None:
        super().__init__(model, lr, betas, eps, weight_decay, schedule=schedule)
