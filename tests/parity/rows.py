"""Every function that is compared with PyTorch. Layers and losses need no rows here: ``layer_cases`` and
``loss_cases`` are compared whole, as far as PyTorch has a class of that name.
"""

from parity.element_rows import ACTIVATIONS, LOSSES
from parity.norm_rows import NORMS
from parity.row import Row
from parity.window_rows import WINDOWS

ROWS = [*ACTIVATIONS, *LOSSES, *WINDOWS, *NORMS]

__all__ = ["ROWS", "Row"]
