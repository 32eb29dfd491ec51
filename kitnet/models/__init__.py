"""Models: layers put together, architectures by name, and models in files."""

from .graph import Graph
from .lenet import digits_net, lenet
from .residual import Residual
from .resnet import resnet18
from .sequential import Sequential
from .serialization import load, save

__all__ = ["Graph", "Residual", "Sequential", "digits_net", "lenet", "load", "resnet18", "save"]
