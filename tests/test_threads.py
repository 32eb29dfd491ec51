"""How many threads kernels use, and what happens around them: limits, forks, other threads."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import threadpoolctl

import kitnet
from kitnet import _backend
from kitnet import functional as F

PARALLEL = _backend.compiled is not None and _backend.compiled.openmp()
needs_openmp = pytest.mark.skipif(not PARALLEL, reason="the kernels were not built, or without OpenMP")

# Work enough for a team in the parent, then the same in a child, which must not hang and find the same.
FORK = """
import os, warnings
import numpy as np
import kitnet
from kitnet import functional as F

warnings.simplefilter("ignore", DeprecationWarning)  # fork beside OpenMP's threads is what this is about
kitnet.set_num_threads(2)
x, w = np.ones((8, 16, 32, 32), np.float32), np.ones((16, 16, 3, 3), np.float32)
y = F.conv2d(x, w)
if (child := os.fork()) == 0:
    same = np.array_equal(F.conv2d(x, w), y) and kitnet.get_num_threads() == 1
    os._exit(0 if same else 1)
assert os.waitpid(child, 0)[1] == 0
assert kitnet.get_num_threads() == 2
"""


@pytest.fixture(autouse=True)
def restored():
    before = kitnet.get_num_threads()
    yield
    kitnet.set_num_threads(before)


@pytest.mark.parametrize("n", [0, -1, 1025, 2**70])
def test_number_has_bounds(n):
    before = kitnet.get_num_threads()
    with pytest.raises(ValueError, match=f"^n: expected 1 to 1024 threads, got {n}$"):
        kitnet.set_num_threads(n)
    assert kitnet.get_num_threads() == before


@pytest.mark.parametrize("n", [True, np.True_, 1.0, "2", None])
def test_number_is_an_int(n):
    with pytest.raises(TypeError, match=f"^n: expected an int, got {type(n).__name__}$"):
        kitnet.set_num_threads(n)


@pytest.mark.parametrize("n", [3, np.int32(2), 1])
def test_number_is_kept(n):
    kitnet.set_num_threads(n)
    assert kitnet.get_num_threads() == (n if PARALLEL else 1)


@needs_openmp
@pytest.mark.parametrize("name", ["KITNET_NUM_THREADS", "OMP_NUM_THREADS"])
def test_environment_sets_the_number(name, monkeypatch):
    for variable in ("KITNET_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, "3")
    command = [sys.executable, "-P", "-c", "import kitnet; print(kitnet.get_num_threads())"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "3"


@needs_openmp
def test_limit_of_threadpoolctl_is_obeyed():
    kitnet.set_num_threads(2)
    with threadpoolctl.threadpool_limits(1):
        assert _backend.n_threads() == 1
    assert _backend.n_threads() == 2


@needs_openmp
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_child_computes_on_one_thread_and_does_not_hang():
    subprocess.run([sys.executable, "-P", "-c", FORK], check=True, timeout=60)


@needs_openmp
def test_kernels_run_without_the_gil():
    """Another thread makes progress while a kernel runs (in one call of many: the machine may be busy)."""
    x, w = np.ones((4, 64, 64, 64), np.float32), np.ones((64, 64, 5, 5), np.float32)
    kitnet.set_num_threads(1)
    counted, stop = 0, threading.Event()

    def count():
        nonlocal counted
        while not stop.is_set():
            counted += 1
            time.sleep(0)

    def progress_during_a_call():
        before = counted
        F.conv2d(x, w)
        return counted - before

    counter = threading.Thread(target=count)
    counter.start()
    try:
        assert any(progress_during_a_call() > 10 for _ in range(100))
    finally:
        stop.set()
        counter.join()


def test_many_threads_get_the_bits_of_one():
    rng = np.random.default_rng(7)
    images = [rng.standard_normal((2, 8, 20, 20), np.float32) for _ in range(8)]
    weight = rng.standard_normal((8, 8, 3, 3), np.float32)
    expected = [F.conv2d(x, weight, padding=1) for x in images]
    found = [None] * len(images)

    def work(i):
        for _ in range(5):
            found[i] = F.conv2d(images[i], weight, padding=1)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for y, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(y, right)
