"""Time, as something that tests can put in their own hands."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A clock that never goes back, and a calendar that may."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    def wall_ms(self) -> int:
        """Whole milliseconds since 1970 in UTC, for what must outlive the process."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        ...


class SystemClock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """Whole milliseconds since 1970 in UTC."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)
