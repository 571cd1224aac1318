"""How many threads a computation deserves on this machine."""

import os
from pathlib import Path


def physical_cores() -> int:
    """Cores this process may use, hyper-threads counted once: a second thread on a core only adds waiting.

    Source: `thread_siblings_list` in Linux' sysfs (Documentation/ABI/stable/sysfs-devices-system-cpu).
    Where that cannot be read, every usable CPU counts.
    """
    usable = _usable()
    siblings = Path("/sys/devices/system/cpu")
    try:
        cores = {(siblings / f"cpu{cpu}/topology/thread_siblings_list").read_text() for cpu in usable}
    except OSError:
        return len(usable)
    return len(cores)


def logical_cpus() -> int:
    """CPUs this process may use, hyper-threads counted each."""
    return len(_usable())


def cpu_description() -> str:
    """Model name and feature flags of the CPU, empty where unknown. A remembered probe is only good for the same."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    wanted = ("model name", "flags", "Features")
    first = {line.split(":")[0].strip(): line for line in reversed(lines) if line.startswith(wanted)}
    return "\n".join(first[key] for key in sorted(first))


def _usable() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
