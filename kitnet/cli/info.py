"""``kitnet info``: what runs here, or what is in a model file."""

from __future__ import annotations

import argparse
from typing import Any

from .. import _backend, _config
from .._text import table


def add(commands: Any) -> None:
    p = commands.add_parser(
        "info", help="versions, backend, instruction set, threads; or what is in a model file"
    )
    p.add_argument("model", metavar="MODEL", nargs="?", help="tell about this model file instead")
    p.add_argument("--require-ext", action="store_true", help="fail unless the compiled kernels are active")
    p.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if arguments.model is not None:
        _print_model(arguments.model)
    else:
        print(table(list(_config.info().items()), align="<<"))
    backend = _backend.backend()
    if arguments.require_ext and backend != "cython":
        raise ImportError(f"--require-ext: expected the compiled kernels, got backend {backend!r}")
    return 0


def _print_model(path: str) -> None:
    """The architecture, and every array under the name by which any reader of safetensors finds it."""
    from ..models import load

    model = load(path)
    arrays = {name: parameter.data for name, parameter in model.named_parameters()} | model.buffers()
    print(model)
    print(table([(name, array.dtype, array.shape) for name, array in arrays.items()], align="<<<"))
    print(f"{sum(parameter.size for parameter in model.parameters()):,} parameters")
