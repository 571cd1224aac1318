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


async def comes_within(event: asyncio.Event, seconds: float, clock: Clock) -> bool:
    """Whether `event` is set anew before so many seconds have passed on `clock`; what was set before does not count."""
    event.clear()
    coming = asyncio.create_task(event.wait(), name="event")
    pause = asyncio.create_task(clock.sleep(seconds), name="pause")
    try:
        await asyncio.wait({coming, pause}, return_when=asyncio.FIRST_COMPLETED)
        return event.is_set()
    finally:
        coming.cancel()
        pause.cancel()
        await asyncio.gather(coming, pause, return_exceptions=True)
