"""How much each person may have the model do."""

import logging
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, tzinfo

from bot.chat.clock import Clock
from bot.chat.counted import counted
from bot.errors import QuotaExceededError, StorageError
from bot.metering import Meter
from bot.settings import QuotaSettings
from bot.storage.access_records import Identity
from bot.storage.link_repository import LinkRepository
from bot.storage.usage_repository import DAY_MS, UsageRepository, Use

_LOGGER = logging.getLogger(__name__)
_HOUR_MS = 3_600_000
_MINUTES_TOLD = 90
"""From here on a wait is told in hours."""


class Quotas:
    """Counted in the database, so that a restart changes nothing. Anything that has a name can be counted."""

    def __init__(
        self,
        settings: QuotaSettings,
        *,
        usage: UsageRepository,
        links: LinkRepository,
        clock: Clock,
        zone: tzinfo | None = None,
    ) -> None:
        """`zone` is where times are told; the machine's own where none is given."""
        self._settings = settings
        self._usage = usage
        self._links = links
        self._clock = clock
        self._zone = zone
        self._limits = [
            (window_ms, limit, weight, words)
            for window_ms, limit, weight, words in (
                (_HOUR_MS, settings.messages_per_hour, _one, "an hour"),
                (DAY_MS, settings.messages_per_day, _one, "a day"),
                (_HOUR_MS, settings.tokens_per_hour, _tokens, "an hour"),
                (DAY_MS, settings.tokens_per_day, _tokens, "a day"),
            )
            if limit is not None
        ]

    def check_waiting(self, waiting: int, *, admin: bool) -> None:
        """Refuse one more message to somebody with so many that wait. Raises `QuotaExceededError`."""
        limit = self._settings.waiting
        if limit is not None and waiting >= limit and self._binds(admin=admin):
            raise QuotaExceededError(
                f"{counted(waiting, 'message')} of yours in all chats wait for an answer already, "
                "which is as many as may. Please write again when there are fewer."
            )

    @asynccontextmanager
    async def metered(self, who: Identity, *, admin: bool) -> AsyncIterator[Meter]:
        """Let somebody have one reply more, and count what the block puts on the meter. Linked accounts are one person.

        Raises `QuotaExceededError`, which says when there is one again, and `StorageError`. What came to nothing does
        not count.
        """
        meter = Meter()
        if not self._limits or not self._binds(admin=admin):
            yield meter
            return
        link = await self._links.of(who)
        now_ms = self._clock.wall_ms()
        use_id = await self._usage.begin(
            link.home if link else who, now_ms=now_ms, check=lambda uses: self._check(uses, now_ms)
        )
        try:
            yield meter
        finally:
            try:
                await self._usage.end(use_id, tokens=meter.tokens)
            except StorageError:
                _LOGGER.exception("what a reply has cost could not be noted")

    def _binds(self, *, admin: bool) -> bool:
        return not admin or self._settings.admins

    def _check(self, uses: Sequence[Use], now_ms: int) -> None:
        refused = [
            (again_ms, limit, weight, words)
            for window_ms, limit, weight, words in self._limits
            if (again_ms := next_at(uses, now_ms=now_ms, window_ms=window_ms, limit=limit, weight=weight)) is not None
        ]
        if not refused:
            return
        again_ms, limit, weight, words = max(refused, key=lambda each: each[0])
        used = (
            f"You have had the {counted(limit, 'answer')} that I may give one person in {words}."
            if weight is _one
            else f"I have read and written for you as much as I may for one person in {words}."
        )
        raise QuotaExceededError(f"{used} Please try again {self._when(again_ms, now_ms)}.")

    def _when(self, again_ms: int, now_ms: int) -> str:
        """Such as `in 12 minutes, at 17:42`."""
        again, now = (datetime.fromtimestamp(ms / 1000, self._zone).astimezone(self._zone) for ms in (again_ms, now_ms))
        minutes = max(1, math.ceil((again_ms - now_ms) / 60_000))
        wait = (
            counted(minutes, "minute") if minutes < _MINUTES_TOLD else f"about {counted(round(minutes / 60), 'hour')}"
        )
        day = "" if again.date() == now.date() else "tomorrow "
        return f"in {wait}, {day}at {again:%H:%M}"


def next_at(
    uses: Sequence[Use], *, now_ms: int, window_ms: int, limit: int, weight: Callable[[Use], int]
) -> int | None:
    """When so much has left the window that there is room again; None where there is room now. Oldest use first."""
    inside = [use for use in uses if use.at_ms > now_ms - window_ms]
    total = sum(weight(use) for use in inside)
    if total < limit:
        return None
    for use in inside:
        total -= weight(use)
        if total < limit:
            return use.at_ms + window_ms
    raise ValueError("no limit is below 1")


def _one(_: Use) -> int:
    return 1


def _tokens(use: Use) -> int:
    return use.tokens
