"""ONNX models as graphs of kitnet's layers. An optional wing: it needs ``pip install 'kitnet[onnx]'``."""

from .assemble import load_onnx
from .node import UnsupportedError

__all__ = ["UnsupportedError", "load_onnx"]
