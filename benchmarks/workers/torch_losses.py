"""PyTorch's losses, for its worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workers import inputs
from workers.protocol import Operation, Prepared


def losses(
    torch: Any,
    tensors: Callable[..., list[Any]],
    quiet: Callable[..., Prepared],
    only_default: Callable[[str], None],
    plain: Callable[[Any], Any],
) -> dict[str, Operation]:
    """The operations that are losses, with the worker's helpers."""
    F, aten = torch.nn.functional, torch.ops.aten

    def element_loss(params: dict[str, Any], _: str) -> Prepared:
        x, target = tensors(inputs.pair_arrays(params), "x", "target")
        one, mean = torch.ones(()), 1

        def logits(x: Any, target: Any) -> Any:
            # As autograd has it: the derivative formula, which is no single operator.
            return (torch.sigmoid(x) - target).mul_(1 / x.numel())

        forward, backward = {
            "mse_loss": (F.mse_loss, lambda: aten.mse_loss_backward(one, x, target, mean)),
            "huber_loss": (F.huber_loss, lambda: aten.huber_loss_backward(one, x, target, mean, 1.0)),
            "binary_cross_entropy_with_logits": (
                F.binary_cross_entropy_with_logits,
                lambda: logits(x, target),
            ),
        }[params["kind"]]
        return quiet(lambda: (forward(x, target), backward()))

    def likelihood(x: Any) -> tuple[Any, Any]:
        """``nll_loss`` of x of so many dimensions, and its gradient."""
        if x.ndim == 2:
            return aten.nll_loss_forward, aten.nll_loss_backward
        return aten.nll_loss2d_forward, aten.nll_loss2d_backward

    def nll_loss(params: dict[str, Any], _: str) -> Prepared:
        only_default("the likelihood of classes")
        x, target = tensors(inputs.class_arrays(params), "x", "target")
        (forward, backward), one = likelihood(x), torch.ones(())

        def call() -> Any:
            loss, total = forward(x, target, None, 1, -100)
            return loss, backward(one, x, target, None, 1, -100, total)

        return quiet(call)

    def through_autograd(
        what: str,
        forward: Callable[..., Any],
        arrays: Callable[[dict[str, Any]], dict[str, Any]],
        leaves: Sequence[str],
        *others: str,
    ) -> Operation:
        """A loss that is no operator, and its gradients by the arrays ``leaves``."""

        def prepare(params: dict[str, Any], _: str) -> Prepared:
            only_default(what)
            given = tensors(arrays(params), *leaves, *others)
            wanted = [tensor.requires_grad_() for tensor in given[: len(leaves)]]

            def call() -> Any:
                loss = forward(*given)
                return loss.detach(), *torch.autograd.grad(loss, wanted)

            return Prepared(call, plain)

        return prepare

    def dice(x: Any, target: Any) -> Any:
        """There is none: the formula."""
        common, whole = ((a.flatten(2)).sum(2) for a in (x * target, x + target))
        return (1 - (2 * common + 1) / (whole + 1)).mean()

    def multi_margin_loss(params: dict[str, Any], _: str) -> Prepared:
        only_default("the margin between classes")
        x, target = tensors(inputs.class_arrays(params), "x", "target")
        one, how = torch.ones(()), (1, 1.0, None, 1)
        return quiet(
            lambda: (
                aten.multi_margin_loss(x, target, *how),
                aten.multi_margin_loss_backward(one, x, target, *how),
            )
        )

    def cross_entropy(params: dict[str, Any], _: str) -> Prepared:
        only_default("cross-entropy")
        x, target = tensors(inputs.class_arrays(params), "x", "target")
        (forward, backward), one = likelihood(x), torch.ones(())
        smoothing = params.get("label_smoothing", 0.0)
        even = torch.tensor(-smoothing / x.numel())

        def smoothed() -> Any:
            logp = torch.log_softmax(x, 1)
            loss, total = forward(logp, target, None, 1, -100)
            dlogp = backward(one * (1 - smoothing), logp, target, None, 1, -100, total)
            dlogp = dlogp + even
            loss = (1 - smoothing) * loss - smoothing / x.shape[1] * logp.sum(1).mean()
            return loss, aten._log_softmax_backward_data(dlogp, logp, 1, torch.float32)

        def call() -> Any:
            logp = torch.log_softmax(x, 1)
            loss, total = forward(logp, target, None, 1, -100)
            dlogp = backward(one, logp, target, None, 1, -100, total)
            return loss, aten._log_softmax_backward_data(dlogp, logp, 1, torch.float32)

        return quiet(smoothed if smoothing else call)

    return {
        "element_loss": element_loss,
        "nll_loss": nll_loss,
        "dice_loss": through_autograd("Dice's loss", dice, inputs.mask_arrays, ["x"], "target"),
        "multi_margin_loss": multi_margin_loss,
        "cosine_embedding_loss": through_autograd(
            "a loss of vectors", F.cosine_embedding_loss, inputs.vector_arrays, ["first", "second"], "target"
        ),
        "triplet_margin_loss": through_autograd(
            "a loss of vectors", F.triplet_margin_loss, inputs.vector_arrays, ["first", "second", "third"]
        ),
        "cross_entropy": cross_entropy,
    }
