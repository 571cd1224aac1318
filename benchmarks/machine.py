"""Which machine it was, without its name."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import psutil

BUSY = 0.1
"""Share of the processors' time that others may take."""


def describe() -> str:
    """CPU, cores, memory and versions in a line."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{_cpu_model()}, {cores} cores, {memory:.0f} GiB of RAM, {platform.system()}, "
        f"Python {platform.python_version()}, llama-cpp-python {version('llama-cpp-python')}"
    )


class OtherPrograms:
    """Looks from its creation on how much of the processors goes to somebody else."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._everybody, self._ours = _everybody_s(), _ours_s()

    def share(self) -> float:
        """Of the processors' time, 0 to 1; the servers that were measured must have ended."""
        available = (time.monotonic() - self._started) * (os.cpu_count() or 1)
        others = _everybody_s() - self._everybody - (_ours_s() - self._ours)
        return min(1.0, max(0.0, others / available))


def _everybody_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _ours_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
