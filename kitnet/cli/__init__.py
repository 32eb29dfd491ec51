"""The command line: ``kitnet train | evaluate | predict | info | bench``.

One file a command, each with ``add(commands)``, which declares its arguments and the function that runs it.
What a user can do wrong ends in one line on standard error and exit code 2; Ctrl-C in exit code 130.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from .. import __version__
from . import bench, evaluate, info, predict, train

WRONG_USE = 2
INTERRUPTED = 128 + 2
BROKEN_PIPE = 128 + 13


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(prog="kitnet", description="Convolutional networks on CPUs.")
    top.add_argument("--version", action="version", version=f"kitnet {__version__}")
    commands = top.add_subparsers(title="commands", dest="command", required=True, metavar="COMMAND")
    for command in (train, evaluate, predict, info, bench):
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    >>> from kitnet.cli import main
    >>> main(["predict", "no-such-file.safetensors", "x.png"])  # the reason goes to standard error
    2
    """
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has gone (``kitnet info | head -1``): nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (OSError, ValueError, TypeError, ImportError, MemoryError) as error:
        return _fail(_reason(error), WRONG_USE)
    return code


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error) or type(error).__name__


def _fail(text: str, code: int) -> int:
    print(f"kitnet: {' '.join(text.split())}", file=sys.stderr)
    return code
