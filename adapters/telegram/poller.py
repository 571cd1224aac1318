"""Long polling.

https://core.telegram.org/bots/api#getupdates
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from telegram import Update
from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError

from adapters.telegram.connection import POLL_S, Connection
from adapters.telegram.failures import adapter_error, pause_s
from adapters.telegram.update_source import ALLOWED_UPDATES, LONGEST_STORING_S, Take

_LOGGER = logging.getLogger(__name__)
MOST_CONFLICTS = 3
"""Answers in a row that somebody else polls, after which it is given up; after a restart the old request may linger."""
AWAY_FOR_S = 60.0
"""Seconds of failing after which the platform is said to be away."""
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0


class Poller:
    """Fetches updates, one batch after the other. Each is handed over once, and confirmed once it was taken.

    Asking for the next ones confirms those before, so that is not done until they are stored; but a storage that hangs
    does not make the bot deaf for ever.

    A network that is gone is waited for. Where a request hangs although it should have timed out long ago, its
    connections are given up for new ones: `watchdog_s` is how long nothing may have been heard.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        name: str,
        take: Take,
        watchdog_s: float,
        away: Callable[[str], None],
        back: Callable[[], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`away` is told, with the reason, when nothing has got through for a while, and `back` when it does again."""
        self._connection = connection
        self._name = name
        self._take = take
        self._watchdog_s = watchdog_s
        self._away = away
        self._back = back
        self._sleep = sleep
        self._offset = 0
        self._handed: deque[tuple[int, asyncio.Event]] = deque()
        """Updates that are not confirmed yet, oldest first."""
        self._failures = 0
        self._failing_s = 0.0
        self._is_away = False
        self._conflicts = 0

    async def start(self) -> None:
        """Ask once, so that what is wrong is known at once. Raises `TelegramError`."""
        await self._connection.bot.delete_webhook(drop_pending_updates=False)
        await self._hand_over(await self._fetch(0))

    async def run(self) -> None:
        """Poll for ever. Raises `AdapterError` when that makes no sense any more."""
        while True:
            try:
                updates = await self._watched()
            except TelegramError as error:
                await self._sleep(self._pause(error))
            else:
                await self._recovered()
                await self._hand_over(updates)

    async def drain(self) -> None:
        """Tell Telegram what was taken, so that it is not sent again at the next start."""
        self._advance()
        if self._offset:
            await self._connection.bot.get_updates(offset=self._offset, limit=1, timeout=0)

    async def aclose(self) -> None:
        """Nothing is held: the connections are closed with the bot."""

    async def _watched(self) -> tuple[Update, ...]:
        fetching = asyncio.ensure_future(self._fetch(POLL_S))
        alarm = asyncio.ensure_future(self._sleep(self._watchdog_s))
        try:
            await asyncio.wait({fetching, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if fetching.done():
                return fetching.result()
            _LOGGER.warning("nothing heard from Telegram for %g s; polling is started anew", self._watchdog_s)
            await _ended(fetching)
            await self._connection.renew_polling()
            return ()
        finally:
            await _ended(fetching, alarm)

    async def _fetch(self, timeout_s: int) -> tuple[Update, ...]:
        return await self._connection.bot.get_updates(
            offset=self._offset, timeout=timedelta(seconds=timeout_s), allowed_updates=ALLOWED_UPDATES
        )

    async def _hand_over(self, updates: tuple[Update, ...]) -> None:
        for update in updates:
            self._handed.append((update.update_id, await self._take(update)))
        if not updates:
            return
        taking = asyncio.ensure_future(self._taken())
        alarm = asyncio.ensure_future(self._sleep(LONGEST_STORING_S))
        try:
            await asyncio.wait({taking, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                _LOGGER.error("%d messages are not stored after %g s", len(self._handed), LONGEST_STORING_S)
                self._handed.clear()
                self._offset = updates[-1].update_id + 1
        finally:
            await _ended(taking, alarm)

    async def _taken(self) -> None:
        while self._handed:
            await self._handed[0][1].wait()
            self._advance()

    def _advance(self) -> None:
        while self._handed and self._handed[0][1].is_set():
            self._offset = self._handed.popleft()[0] + 1

    def _pause(self, error: TelegramError) -> float:
        """Seconds to wait. Raises `AdapterError` for what waiting cannot help."""
        self._failures += 1
        self._conflicts = self._conflicts + 1 if isinstance(error, Conflict) else 0
        problem = adapter_error(error, self._name)
        if isinstance(error, InvalidToken) or self._conflicts >= MOST_CONFLICTS:
            raise problem from error
        if self._failures == 1:
            _LOGGER.warning("%s; trying again", problem)
        if isinstance(error, RetryAfter):
            return pause_s(error)
        pause = float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures - 1, 10)))
        self._failing_s += pause
        if self._failing_s >= AWAY_FOR_S and not self._is_away:
            self._is_away = True
            self._away(str(problem))
        return pause

    async def _recovered(self) -> None:
        if self._failures:
            _LOGGER.info("Telegram answers again")
        if self._is_away:
            await self._back()
        self._failures = self._conflicts = 0
        self._failing_s, self._is_away = 0.0, False


async def _ended(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
