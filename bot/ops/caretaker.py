"""Looks after the daemon while nobody does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from bot.adapter_state import AdapterState
from bot.errors import EngineLostError, StorageError
from bot.ops.alarms import Alarms

log = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
TIDY_EVERY = timedelta(hours=6)


class Caretaker:
    """Tells the admins what has happened, and deletes what is older than it may become."""

    def __init__(
        self,
        *,
        adapters: Callable[[], Sequence[AdapterState]],
        free_space: Callable[[], int],
        tell_admins: Callable[[str], Awaitable[int]],
        delete_before: Callable[[datetime], Awaitable[object]],
        retention_days: Callable[[], int | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`free_space` is in bytes; `retention_days` is None where everything is kept."""
        self._adapters = adapters
        self._free_space = free_space
        self._tell_admins = tell_admins
        self._delete_before = delete_before
        self._retention_days = retention_days
        self._now = now
        self._sleep = sleep
        self._alarms = Alarms()
        self._untold: list[str] = []
        self._tidied: datetime | None = None

    async def run(self, *first: str) -> None:
        """Go on until cancelled. `first` are sentences for the admins from before."""
        self._untold += first
        while True:
            await self._look()
            await self._tidy()
            await self._sleep(LOOK_EVERY_S)

    async def _look(self) -> None:
        try:
            free = self._free_space()
        except OSError as error:
            log.warning("the free space of the disk is not known: %s", error)
            return
        for sentence in self._alarms.news(self._adapters(), free, self._now()):
            log.warning("%s", sentence)
            self._untold.append(sentence)
        try:
            # Nobody may be reachable now: the adapter that is lost may be the only one.
            while self._untold and await self._tell_admins(self._untold[0]):
                self._untold.pop(0)
        except StorageError as error:
            log.warning("the admins could not be told: %s", error)

    async def _tidy(self) -> None:
        days, now = self._retention_days(), self._now()
        if days is None or (self._tidied is not None and now - self._tidied < TIDY_EVERY):
            return
        self._tidied = now
        try:
            await self._delete_before(now - timedelta(days=days))
        except (StorageError, EngineLostError) as error:
            log.warning("messages of more than %d days could not be deleted: %s", days, error)
