"""How busy other programs keep the machine."""

import os
import time
from pathlib import Path

_IDLE = slice(3, 5)
"""Columns of idle and iowait in the first line of `/proc/stat` (man 5 proc_stat), behind its name."""


class LoadGauge:
    """Looks from its creation on."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._busy_s = _busy_s()
        self._ours_s = _children_s()

    def others(self) -> float:
        """Share of all CPUs' time, 0 to 1, that went neither to idling nor to children of this process that have ended.

        0 where the system does not tell.
        """
        available = (time.monotonic() - self._started) * (os.cpu_count() or 1)
        others_s = _busy_s() - self._busy_s - (_children_s() - self._ours_s)
        return min(1.0, max(0.0, others_s / available)) if available else 0.0


def _busy_s() -> float:
    try:
        ticks = [int(column) for column in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return 0.0
    return (sum(ticks) - sum(ticks[_IDLE])) / os.sysconf("SC_CLK_TCK")


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
