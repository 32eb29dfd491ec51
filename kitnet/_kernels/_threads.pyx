"""Threads: how many, and where not. The only file that calls omp_*.

The number is, in this order: ``set_num_threads``; ``KITNET_NUM_THREADS``; ``OMP_NUM_THREADS``; the physical cores that
affinity and the cgroup quota leave. A limit set through OpenMP (threadpoolctl) is obeyed on top. A forked child stays
on one thread for good: the OpenMP team of its parent did not come with it, and waiting for it would never end.
No result depends on any of this, only the time it takes.
"""

import os
import sys

cdef extern from "kn_openmp.h" nogil:
    int KN_OPENMP
    int omp_get_max_threads()
    int omp_get_thread_num()
    int omp_in_parallel()

# Opening a team costs about as much as this many multiply-adds or copied elements; work is given in those.
cdef double WORTHWHILE = 100000.0
cdef int MOST = 1024

cdef int unlimited = omp_get_max_threads()
cdef int chosen = 1
cdef bint forked = False


cdef int team(int n_threads, double work) noexcept nogil:
    """The size of the team for ``work`` elementary operations: 1 where a team would not pay."""
    if n_threads <= 1 or work < WORTHWHILE or not KN_OPENMP:
        return 1
    return n_threads


cdef int thread_number() noexcept nogil:
    return omp_get_thread_num()


def openmp():
    """Whether the kernels were built with OpenMP."""
    return bool(KN_OPENMP)


def get_num_threads():
    """The number of threads that kernels may use."""
    return 1 if forked or not KN_OPENMP else chosen


def set_num_threads(int n):
    """Let kernels use up to ``n`` threads, 1 to 1024."""
    global chosen
    chosen = n


def effective_n_threads():
    """``get_num_threads()`` under the limits that hold here and now."""
    cdef int limit
    if forked or not KN_OPENMP or omp_in_parallel():
        return 1
    limit = omp_get_max_threads()
    return min(chosen, limit) if limit < unlimited else chosen


def physical_cores():
    """The physical cores that this process may use, by affinity and cgroup quota."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, len(_cores()) or usable, _quota() or usable))


def _cores():
    """The distinct (socket, core) pairs among the usable logical CPUs; empty where the system does not say."""
    if not sys.platform.startswith("linux"):
        return set()
    pairs = set()
    for cpu in os.sched_getaffinity(0):
        try:
            topology = f"/sys/devices/system/cpu/cpu{cpu}/topology"
            with open(f"{topology}/physical_package_id") as socket, open(f"{topology}/core_id") as core:
                pairs.add((socket.read(), core.read()))
        except OSError:
            return set()
    return pairs


def _quota():
    """The CPUs that the cgroup grants, rounded up; None without a quota."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
    except (OSError, ValueError):
        try:
            with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as q, open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as p:
                quota, period = q.read().strip(), p.read()
        except OSError:
            return None
    return None if quota in ("max", "-1") else -(-int(quota) // int(period))


def _from_environment():
    for name in ("KITNET_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "").split(",")[0].strip()
        if value.isdigit() and 1 <= int(value) <= MOST:
            return int(value)
        if value and name.startswith("KITNET"):
            raise ValueError(f"{name}: expected 1 to {MOST}, got {value!r}")
    return None


def _after_fork():
    global forked
    forked = True


chosen = _from_environment() or physical_cores()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
