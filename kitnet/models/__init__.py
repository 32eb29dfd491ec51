"""Models: layers put together, architectures by name, and models in files."""

from .graph import Graph
from .lenet import digits_net, lenet
from .sequential import Sequential
from .serialization import load, save

__all__ = ["Graph", "Sequential", "digits_net", "lenet", "load", "save"]
