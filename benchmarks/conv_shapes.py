"""The convolutions of ``rows.py``: shapes of the networks people run, and a seeded sample of others."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

SAMPLE_SEED = 20160323
SAMPLE_PER_KIND = 8


@dataclass(frozen=True)
class Conv:
    """A convolution: input shape ``(n, c, *spatial)``, ``k`` output channels."""

    op: ClassVar[str] = "conv"

    x: tuple[int, ...]
    k: int
    kernel: tuple[int, ...]
    stride: int = 1
    padding: tuple[int, ...] = ()
    dilation: int = 1
    groups: int = 1

    def params(self) -> dict[str, Any]:
        ndim = len(self.kernel)
        return {
            "x": self.x,
            "k": self.k,
            "kernel": self.kernel,
            "stride": (self.stride,) * ndim,
            "padding": self.padding or (0,) * ndim,
            "dilation": (self.dilation,) * ndim,
            "groups": self.groups,
        }

    @property
    def out(self) -> tuple[int, ...]:
        pads = self.padding or (0,) * len(self.kernel)
        return tuple(
            (size + 2 * p - self.dilation * (kernel - 1) - 1) // self.stride + 1
            for size, kernel, p in zip(self.x[2:], self.kernel, pads, strict=True)
        )

    @property
    def flops(self) -> int:
        """Of the forward pass, counted directly."""
        return 2 * self.x[0] * self.k * prod(self.out) * (self.x[1] // self.groups) * prod(self.kernel)

    @property
    def label(self) -> str:
        text = f"{times(self.x)} -> {self.k}, {times(self.kernel)}"
        text += f"/{self.stride}" if self.stride > 1 else ""
        same = len(set(self.padding)) == 1
        text += f" p{times(self.padding[:1] if same else self.padding)}" if any(self.padding) else ""
        text += f" d{self.dilation}" if self.dilation > 1 else ""
        return text + (f" g{self.groups}" if self.groups > 1 else "")


@dataclass(frozen=True)
class Transposed(Conv):
    """A transposed convolution, from ``(n, c, *spatial)`` to ``k`` channels of larger images."""

    op: ClassVar[str] = "conv_transpose"

    output_padding: int = 0

    def params(self) -> dict[str, Any]:
        return super().params() | {"output_padding": (self.output_padding,) * len(self.kernel)}

    @property
    def out(self) -> tuple[int, ...]:
        pads = self.padding or (0,) * len(self.kernel)
        return tuple(
            (size - 1) * self.stride - 2 * p + self.dilation * (kernel - 1) + 1 + self.output_padding
            for size, kernel, p in zip(self.x[2:], self.kernel, pads, strict=True)
        )

    @property
    def flops(self) -> int:
        return 2 * prod(self.x) * (self.k // self.groups) * prod(self.kernel)

    @property
    def label(self) -> str:
        return f"transposed {super().label}" + (f" op{self.output_padding}" if self.output_padding else "")


def times(sizes: Iterable[int]) -> str:
    return "x".join(map(str, sizes))


def conv(
    n: int, c: int, size: int, k: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> Conv:
    """A square 2-D convolution, padded to keep the size (before the stride), as networks pad."""
    pad = dilation * (kernel - 1) // 2
    return Conv((n, c, size, size), k, (kernel,) * 2, stride, (pad,) * 2, dilation, groups)


def conv_nd(x: Sequence[int], k: int, kernel: int, stride: int = 1, dilation: int = 1) -> Conv:
    """A 1-D or 3-D convolution, padded like ``conv``."""
    ndim = len(x) - 2
    return Conv(tuple(x), k, (kernel,) * ndim, stride, (dilation * (kernel - 1) // 2,) * ndim, dilation)


VGG = [
    conv(4, 64, 224, 64, 3),
    conv(1, 64, 224, 64, 3),
    conv(4, 64, 112, 128, 3),
    conv(4, 128, 112, 128, 3),
    conv(4, 256, 56, 256, 3),
    conv(1, 256, 56, 256, 3),
    conv(4, 512, 28, 512, 3),
    conv(4, 512, 14, 512, 3),
    conv(1, 512, 14, 512, 3),
]
RESNET = [
    conv(8, 64, 56, 64, 3),
    conv(1, 64, 56, 64, 3),
    conv(8, 128, 28, 128, 3),
    conv(8, 256, 14, 256, 3),
    conv(8, 512, 7, 512, 3),
    conv(1, 512, 7, 512, 3),
]
CIFAR = [
    conv(32, 64, 32, 64, 3),
    conv(1, 64, 32, 64, 3),
    conv(32, 64, 32, 128, 3),
    conv(32, 128, 16, 128, 3),
    conv(1, 128, 16, 128, 3),
    conv(32, 256, 8, 256, 3),
    conv(32, 512, 4, 512, 3),
]

OTHERS: dict[str, list[Conv]] = {
    "1x1": [
        conv(8, 256, 56, 64, 1),
        conv(1, 256, 56, 64, 1),
        conv(8, 64, 56, 256, 1),
        conv(8, 512, 28, 128, 1),
        conv(8, 1024, 14, 256, 1),
        conv(1, 96, 56, 24, 1),
        conv(8, 256, 56, 512, 1, stride=2),
    ],
    "5x5": [conv(32, 64, 14, 64, 5), conv(32, 16, 28, 32, 5), conv(8, 96, 27, 256, 5)],
    "7x7/2": [conv(8, 3, 224, 64, 7, stride=2), conv(1, 3, 224, 64, 7, stride=2)],
    "3x3/2": [
        conv(8, 64, 56, 128, 3, stride=2),
        conv(8, 128, 28, 256, 3, stride=2),
        conv(32, 64, 32, 128, 3, stride=2),
    ],
    "3x3 dilated": [conv(4, 64, 56, 64, 3, dilation=2)],
    "first layer": [
        conv(32, 3, 32, 64, 3),
        conv(4, 3, 224, 64, 3),
        conv(8, 3, 224, 32, 3, stride=2),
        Conv((8, 3, 224, 224), 64, (11, 11), 4, (2, 2)),
    ],
    "LeNet": [
        conv(32, 1, 28, 6, 5),
        conv(1, 1, 28, 6, 5),
        Conv((32, 6, 14, 14), 16, (5, 5)),
        Conv((1, 6, 14, 14), 16, (5, 5)),
        conv(32, 1, 8, 16, 3),
    ],
    "depthwise": [
        conv(8, 32, 112, 32, 3, groups=32),
        conv(8, 96, 112, 96, 3, stride=2, groups=96),
        conv(8, 384, 14, 384, 3, groups=384),
        conv(1, 384, 14, 384, 3, groups=384),
        conv(8, 240, 28, 240, 5, groups=240),
    ],
    "grouped": [
        conv(8, 128, 56, 128, 3, groups=32),
        conv(8, 512, 14, 512, 3, groups=32),
        conv(8, 96, 27, 256, 5, groups=2),
    ],
    "1-D": [
        conv_nd((32, 64, 1024), 64, 3),
        conv_nd((8, 256, 512), 256, 5),
        conv_nd((32, 1, 4096), 32, 9, stride=2),
        Conv((8, 64, 2048), 64, (2,), 1, (2,), 4),
    ],
    "3-D": [
        conv_nd((2, 3, 16, 112, 112), 32, 3),
        conv_nd((2, 64, 8, 28, 28), 64, 3),
        conv_nd((2, 128, 4, 14, 14), 256, 3),
    ],
    "DCGAN": [
        Transposed((32, 512, 4, 4), 256, (4, 4), 2, (1, 1)),
        Transposed((32, 256, 8, 8), 128, (4, 4), 2, (1, 1)),
        Transposed((32, 128, 16, 16), 64, (4, 4), 2, (1, 1)),
        Transposed((32, 64, 32, 32), 3, (4, 4), 2, (1, 1)),
    ],
    "U-Net": [
        Transposed((4, 256, 28, 28), 128, (2, 2), 2),
        Transposed((8, 64, 56, 56), 32, (2, 2), 2),
        Transposed((2, 64, 8, 14, 14), 32, (2, 2, 2), 2),
    ],
    "decoder": [
        Transposed((8, 64, 28, 28), 32, (3, 3), 2, (1, 1), output_padding=1),
        Transposed((8, 64, 28, 28), 64, (3, 3), 1, (1, 1)),
        Transposed((8, 64, 256), 32, (8,), 4, (2,)),
    ],
}


def _sampled(rng: random.Random, kind: str) -> Conv:
    """One random convolution of a kind, whatever its cost."""
    narrow, wide = rng.randint(1, 12), rng.randint(13, 300)
    c, k = rng.choice((narrow, wide)), rng.choice((rng.randint(1, 12), rng.randint(13, 300)))
    n, size = rng.choice((1, 2, 5, 8, 16, 32)), rng.randint(5, 120)
    spatial = (size, rng.randint(5, 120))
    if kind == "3x3":
        return Conv((n, c, *spatial), k, (3, 3), 1, (rng.randint(0, 2),) * 2)
    if kind == "1x1":
        return Conv((n, c, *spatial), k, (1, 1), rng.choice((1, 1, 2)))
    if kind == "any kernel":
        kernel = rng.randint(1, 9), rng.randint(1, 9)
        return Conv((n, c, *spatial), k, kernel, rng.randint(1, 3), (kernel[0] // 2, kernel[1] // 2))
    if kind == "dilated":
        kernel, dilation = (rng.randint(2, 4),) * 2, rng.randint(2, 3)
        return Conv((n, c, *spatial), k, kernel, 1, (dilation,) * 2, dilation)
    if kind == "depthwise":
        c, kernel = rng.randint(8, 400), (rng.choice((3, 3, 5, 7)),) * 2
        return Conv(
            (n, c, *spatial),
            c * rng.choice((1, 1, 2)),
            kernel,
            rng.randint(1, 2),
            (kernel[0] // 2,) * 2,
            1,
            c,
        )
    if kind == "grouped":
        groups = rng.choice((2, 3, 4, 8, 16))
        c, k = groups * rng.randint(1, 24), groups * rng.randint(1, 24)
        return Conv((n, c, *spatial), k, (3, 3), rng.randint(1, 2), (1, 1), 1, groups)
    if kind == "transposed":
        stride = rng.choice((1, 2, 2, 3))
        kernel2 = (stride + rng.randint(0, 3),) * 2
        small = rng.randint(3, 56), rng.randint(3, 56)
        return Transposed((n, c, *small), k, kernel2, stride, (rng.randint(0, 1),) * 2)
    if kind == "1-D":
        kernel1 = rng.randint(1, 15)
        return Conv((n, c, rng.randint(20, 4000)), k, (kernel1,), rng.randint(1, 3), (kernel1 // 2,), 1)
    if kind == "3-D":
        kernel3 = (rng.choice((1, 3, 3)), 3, 3)
        volume = rng.randint(3, 16), rng.randint(6, 40), rng.randint(6, 40)
        return Conv((n, c, *volume), k, kernel3, rng.randint(1, 2), tuple(size // 2 for size in kernel3))
    raise ValueError(f"kind: expected a kind of convolution, got {kind!r}")


SAMPLED_KINDS = ("3x3", "1x1", "any kernel", "dilated", "depthwise", "grouped", "1-D", "3-D", "transposed")


def sample(seed: int = SAMPLE_SEED, per_kind: int = SAMPLE_PER_KIND) -> Iterator[Conv]:
    """Seeded random shapes: ``per_kind`` of each kind, 1 MFLOP to 2 GFLOP, at most 40 MB an array."""
    for kind in SAMPLED_KINDS:
        rng, found = random.Random(f"{seed} {kind}"), 0
        while found < per_kind:
            shape = _sampled(rng, kind)
            fits = min(shape.out, default=0) >= 1 and 1e6 <= shape.flops <= 2e9
            largest = max(prod(shape.x), shape.x[0] * shape.k * prod(shape.out)) if fits else 0
            if fits and largest <= 10_000_000:
                found += 1
                yield shape
