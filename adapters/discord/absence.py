"""Notices that Discord has been away for a while: discord.py connects again by itself, and says so to nobody."""

import asyncio
from collections.abc import Awaitable, Callable

AWAY_FOR_S = 60.0
"""Seconds without a connection after which it is said; most come back at once."""


class Absence:
    """Told of every loss and of every return."""

    def __init__(
        self,
        *,
        away: Callable[[], None],
        back: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`away` is called once it has lasted; `back` when such a one is over."""
        self._away = away
        self._back = back
        self._sleep = sleep
        self._waiting: asyncio.Task[None] | None = None
        self._said = False
        self._closed = False

    def begin(self) -> None:
        """The connection is lost. Every failed attempt to get it back says that again."""
        if self._waiting is None and not self._said and not self._closed:
            self._waiting = asyncio.create_task(self._wait(), name="absence")

    async def end(self) -> None:
        """It is there again."""
        await self._forget()
        if self._said:
            self._said = False
            await self._back()

    async def close(self) -> None:
        """What is lost from now on is so on purpose."""
        self._closed = True
        await self._forget()

    async def _forget(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _wait(self) -> None:
        await self._sleep(AWAY_FOR_S)
        self._waiting = None
        self._said = True
        self._away()
