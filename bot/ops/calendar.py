"""Whether the machine's date can be relied on."""

import time
from collections.abc import Callable

LEAP_S = 60.0
"""Seconds by which the date may go faster or slower than time itself before it is taken for set anew."""
SETTLES_S = 600.0
"""Seconds after a start: a machine without a battery has got the date from the network by then."""
SETTLES_AFTER_LEAP_S = 6 * 3600.0
"""Seconds in which an owner can see that the date is wrong."""


def _elapsed_s() -> float:
    """Seconds that nobody can set, those in which the machine slept included where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Calendar:
    """Compares the date with a clock that only goes on, each time that it is looked at."""

    def __init__(self, *, date_s: Callable[[], float] = time.time, elapsed_s: Callable[[], float] = _elapsed_s) -> None:
        """`date_s` is in seconds since 1970, `elapsed_s` since any moment."""
        self._date_s = date_s
        self._elapsed_s = elapsed_s
        self._offset = date_s() - elapsed_s()
        self._settled_at = elapsed_s() + SETTLES_S

    @property
    def elapsed_s(self) -> float:
        """Seconds since some fixed moment, whatever the date is set to."""
        return self._elapsed_s()

    def leap_s(self) -> float:
        """How far the date was set forward (or back, below 0) since the last look; 0 where it was not."""
        offset = self._date_s() - self._elapsed_s()
        leap, self._offset = offset - self._offset, offset
        if abs(leap) < LEAP_S:
            return 0.0
        self._settled_at = max(self._settled_at, self._elapsed_s() + SETTLES_AFTER_LEAP_S)
        return leap

    @property
    def is_settled(self) -> bool:
        """Whether it has gone evenly for long enough to delete something for its age."""
        elapsed_s = self._elapsed_s()
        return elapsed_s >= self._settled_at and abs(self._date_s() - elapsed_s - self._offset) < LEAP_S
