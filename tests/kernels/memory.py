"""How much memory a convolution takes beside its arrays, as JSON: ``python memory.py THREADS [ROW]``.

In a process of its own. ROW is a row of ``Conv`` in JSON: for each pass the bytes that the pool gave out, and
for all together the growth of the resident set. Without it a large kernel meets a large image.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from families import Conv

import kitnet
from kitnet import functional as F
from kitnet._kernels import compiled


class Ones:
    """A source of ones, in no more memory than they take at last."""

    def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.broadcast_to(np.float32(1), shape)


class ConvOfOnes(Conv):
    def rng(self) -> Any:
        return Ones()


def resident(what: str = "VmRSS") -> int:
    """Bytes of the resident set now, or the most there ever were (``VmHWM``).

    Not ``ru_maxrss``, which a process inherits from the one that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(what))


def passes(case: Conv, n_threads: int) -> dict[str, Any]:
    """The kernels alone, on arrays that are in memory already."""
    ready = [
        (call, call.inputs | {name: np.ones(*output) for name, output in call.outputs.items()})
        for call in case.calls(np.dtype(np.float32)).values()
    ]
    before, taken = resident(), {}
    for call, arrays in ready:
        compiled.empty_cache()
        in_use = compiled.memory_stats()["in_use"]
        getattr(compiled, call.kernel)(**arrays, **call.scalars, n_threads=n_threads)
        taken[call.kernel] = compiled.memory_stats()["most_in_use"] - in_use
    return {"taken": taken, "grown": resident("VmHWM") - before, "weight": ready[0][1]["weight"].nbytes}


def large_image(n_threads: int) -> dict[str, Any]:
    """A 9x9 convolution of a large image, beside what its input and output take."""
    kitnet.set_num_threads(n_threads)
    weight, small = np.ones((8, 4, 9, 9), np.float32), np.ones((1, 4, 16, 16), np.float32)
    F.conv2d(small, weight, padding=4)
    before = resident()
    x = np.ones((1, 4, 1024, 1024), np.float32)
    y = F.conv2d(x, weight, padding=4)
    return {"grown": resident("VmHWM") - before, "arrays": x.nbytes + y.nbytes}


if __name__ == "__main__":
    threads, rows = int(sys.argv[1]), [json.loads(text) for text in sys.argv[2:]]
    found = (
        passes(ConvOfOnes(**rows[0] | {"x": tuple(rows[0]["x"])}), threads) if rows else large_image(threads)
    )
    print(json.dumps(found))
