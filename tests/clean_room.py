"""Subprocesses and virtual environments that see neither this process's settings nor the source tree."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*command, env=None, cwd=None, check=True):
    """Run a command, without the variables that would leak into a build or an import."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KITNET_", "PYTHON", "CIBUILDWHEEL"))}
    words = [str(word) for word in command]
    result = subprocess.run(
        words, env=clean | (env or {}), cwd=cwd, text=True, capture_output=True, check=False
    )
    if check and result.returncode:
        raise AssertionError(f"{' '.join(words)} failed:\n{result.stdout}\n{result.stderr}")
    return result


class Environment:
    """A fresh virtual environment; what runs in it runs in its own empty folder."""

    def __init__(self, folder: Path, python: Path | str = sys.executable):
        run(python, "-m", "venv", folder / "venv")
        self.bin = folder / "venv" / "bin"
        self.home = folder / "home"
        self.home.mkdir()

    def pip(self, *words, **options):
        return run(
            self.bin / "python", "-m", "pip", "--disable-pip-version-check", *words, cwd=self.home, **options
        )

    def python(self, *words, **options):
        return run(self.bin / "python", *words, cwd=self.home, **options)

    def kitnet(self, *words, **options):
        return run(self.bin / "kitnet", *words, cwd=self.home, **options)
