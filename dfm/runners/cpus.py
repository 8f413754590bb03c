"""How many CPUs this process may use: its affinity, and the quota of its control group."""

import math
import os
from collections.abc import Mapping

# What a batch system says that a job may use, in the order of section 27 of the language.
_ALLOCATIONS = (
    "DFM_CORES", "LSB_DJOB_NUMPROC", "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NSLOTS",
)  # fmt: skip


def usable_cpus() -> int:
    """At least 1."""
    allowed = len(os.sched_getaffinity(0))
    quota = _quota()
    return max(1, min(allowed, math.ceil(quota)) if quota else allowed)


def told_cores(environ: Mapping[str, str], jobs: int) -> int:
    """What tasks find in DFM_CORES that do not ask for cores themselves."""
    for name in _ALLOCATIONS:
        text = environ.get(name, "")
        if text.isdigit() and int(text) > 0:
            return int(text)
    return jobs


def _quota() -> float | None:
    """CPUs by the quotas of the control groups around this process, the least of them.

    https://docs.kernel.org/admin-guide/cgroup-v2.html (cpu.max), and cpu.cfs_quota_us of version 1.
    """
    try:
        with open("/proc/self/cgroup") as file:
            lines = file.read().splitlines()
    except OSError:
        return None
    found: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            found += _quotas_v2("/sys/fs/cgroup", path)
        elif "cpu" in controllers.split(","):
            found += _quotas_v1("/sys/fs/cgroup/cpu", path)
    return min(found, default=None)


def _quotas_v2(root: str, path: str) -> list[float]:
    found = []
    for folder in _upwards(root, path):
        words = _words(f"{folder}/cpu.max")
        if len(words) == 2 and words[0] != "max":
            found.append(int(words[0]) / int(words[1]))
    return found


def _quotas_v1(root: str, path: str) -> list[float]:
    found = []
    for folder in _upwards(root, path):
        quota, period = _words(f"{folder}/cpu.cfs_quota_us"), _words(f"{folder}/cpu.cfs_period_us")
        if quota and period and int(quota[0]) > 0:
            found.append(int(quota[0]) / int(period[0]))
    return found


def _upwards(root: str, path: str) -> list[str]:
    """The folder of a group and those above it; in a container only the root may be there."""
    parts = [part for part in path.split("/") if part]
    return [root, *("/".join([root, *parts[: n + 1]]) for n in range(len(parts)))]


def _words(file: str) -> list[str]:
    try:
        with open(file) as stream:
            return stream.read().split()
    except OSError:
        return []
