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


@pytest.mark.parametrize("address", ["a.ctypes.data + a.nbytes", "b.ctypes.data - 1"])
def test_guard_pages_are_forbidden(address: str):
    """The harness itself: reading one byte beside a guarded array kills the process."""
    code = (
        f"import ctypes, numpy, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import guard_pages\n"
        "a, b = guard_pages.at_end(numpy.ones(3)), guard_pages.at_start(numpy.ones(3))\n"
        f"print('ready', flush=True); ctypes.string_at({address}, 1)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout == "ready\n", run.stderr
    assert run.returncode < 0
