"""Looks after the daemon while nobody does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from bot.adapter_state import AdapterState
from bot.errors import EngineLostError, StorageError
from bot.ops.alarms import Alarms
from bot.ops.calendar import Calendar

log = logging.getLogger(__name__)

LOOK_EVERY_S = 15.0
TIDY_EVERY_S = 6 * 3600.0
_DAY_S = 24 * 3600.0


class Caretaker:
    """Tells the admins what has happened, and deletes what is older than it may become."""

    def __init__(
        self,
        *,
        adapters: Callable[[], Sequence[AdapterState]],
        free_space: Callable[[], int],
        damaged: Callable[[], bool],
        tell_admins: Callable[[str], Awaitable[int]],
        delete_before: Callable[[datetime], Awaitable[object]],
        retention_days: Callable[[], int | None],
        calendar: Calendar | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`free_space` is in bytes; `retention_days` is None where everything is kept.

        `damaged` is whether damage was met in the database.
        """
        self._adapters = adapters
        self._free_space = free_space
        self._damaged = damaged
        self._tell_admins = tell_admins
        self._delete_before = delete_before
        self._retention_days = retention_days
        self._calendar = calendar or Calendar()
        self._now = now
        self._sleep = sleep
        self._alarms = Alarms()
        self._untold: list[str] = []
        self._tidied_at: float | None = None

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
        news = self._alarms.news(
            self._adapters(), free=free, damaged=self._damaged(), elapsed_s=self._calendar.elapsed_s
        )
        for sentence in [*news, *self._of_the_date()]:
            log.warning("%s", sentence)
            self._untold.append(sentence)
        try:
            # There may be no admin yet.
            while self._untold and await self._tell_admins(self._untold[0]):
                self._untold.pop(0)
        except StorageError as error:
            log.warning("the admins could not be told: %s", error)

    def _of_the_date(self) -> list[str]:
        """What to say of a date that was set far ahead: by it, everything may seem old."""
        leap_s, days = self._calendar.leap_s(), self._retention_days()
        if leap_s < _DAY_S or days is None:
            return []
        what = f"The clock of my machine was set forward by {round(leap_s / _DAY_S)} days."
        return [
            f"{what} Some hours from now I delete what is older than {days} days by it; please see that it is right."
        ]

    async def _tidy(self) -> None:
        days, elapsed_s = self._retention_days(), self._calendar.elapsed_s
        soon = self._tidied_at is not None and elapsed_s - self._tidied_at < TIDY_EVERY_S
        if days is None or soon or not self._calendar.is_settled:
            return
        self._tidied_at = elapsed_s
        try:
            await self._delete_before(self._now() - timedelta(days=days))
        except (StorageError, EngineLostError) as error:
            log.warning("messages of more than %d days could not be deleted: %s", days, error)
