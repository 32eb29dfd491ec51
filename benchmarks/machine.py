"""What a measurement was made on, in words: processor, instruction sets, threads, versions."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

ISA_FLAGS = ("avx2", "fma", "avx512f", "avx512vl", "asimd", "sve")


def usable_cpus() -> int:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpuinfo(*fields: str) -> str:
    """The first value of one of the fields in Linux's list of processors, or nothing."""
    path = Path("/proc/cpuinfo")
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() in fields:
            return value.strip()
    return ""


def describe(libraries: dict[str, dict[str, Any]], threads: int) -> dict[str, str]:
    """The machine and the libraries, from what each worker says of itself."""
    flags = _cpuinfo("flags", "Features").split()
    return {
        "processor": _cpuinfo("model name") or platform.processor() or platform.machine(),
        "instruction sets": " ".join(flag for flag in ISA_FLAGS if flag in flags) or platform.machine(),
        "threads": str(threads),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    } | {
        name: ", ".join(f"{key} {value}" if key != "version" else str(value) for key, value in about.items())
        for name, about in libraries.items()
    }
