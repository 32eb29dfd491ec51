"""kitnet: convolutional networks on CPUs.

``functional`` has the maths as pure functions on NumPy arrays, ``layers`` the same with parameters;
``models`` puts layers together, ``training`` trains them, ``datasets`` reads data, ``init`` draws first
weights; ``article`` has the layers of the article that kitnet grew out of; ``onnx`` reads ONNX models, with
the package onnx. Each is loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

from ._backend import backend, use_backend
from ._config import (
    config_context,
    empty_cache,
    get_config,
    get_num_threads,
    memory_stats,
    set_config,
    set_num_threads,
    show_config,
)

if TYPE_CHECKING:
    from . import article, datasets, functional, init, layers, models, onnx, training
    from .explain import explain_conv
    from .models import load, save

__all__ = [
    "__version__",
    "article",
    "backend",
    "config_context",
    "datasets",
    "empty_cache",
    "explain_conv",
    "functional",
    "get_config",
    "get_num_threads",
    "init",
    "layers",
    "load",
    "memory_stats",
    "models",
    "onnx",
    "save",
    "set_config",
    "set_num_threads",
    "show_config",
    "training",
    "use_backend",
]


_HOMES = {"explain_conv": ".explain", "load": ".models", "save": ".models"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name], __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
