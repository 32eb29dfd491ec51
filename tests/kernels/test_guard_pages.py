"""No kernel touches memory outside its arrays."""

import subprocess
import sys
from pathlib import Path

import pytest

from kitnet import _backend

ISAS = _backend.compiled.available_isas() if _backend.compiled else []

pytestmark = [
    pytest.mark.skipif(not ISAS, reason="the compiled kernels were not built"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs mprotect"),
]


@pytest.mark.parametrize("isa", ISAS or ["none"])
def test_kernels_stay_inside_their_arrays(isa: str):
    script = Path(__file__).with_name("guard_pages.py")
    run = subprocess.run([sys.executable, script, isa], capture_output=True, text=True, timeout=300)
    last = run.stdout.strip().splitlines()[-1:]
    assert run.returncode == 0, f"exit status {run.returncode} in {last}\n{run.stderr[-2000:]}"


def test_guard_pages_are_forbidden():
    """The harness itself: reading one byte past a guarded array kills the process."""
    code = (
        "import ctypes, numpy, sys; sys.argv = ['guard_pages']; import guard_pages\n"
        "a = guard_pages.at_end(numpy.ones(3)); b = guard_pages.at_start(numpy.ones(3))\n"
        "print('ready', flush=True)\n"
        "ctypes.string_at({} , 1)\n"
    )
    for address in ("a.ctypes.data + a.nbytes", "b.ctypes.data - 1"):
        run = subprocess.run(
            [sys.executable, "-c", code.format(address)],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parent,
            timeout=60,
        )
        assert run.stdout == "ready\n", run.stderr
        assert run.returncode != 0
