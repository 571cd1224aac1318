"""How much each person may have the model do."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from bot.chat.clock import Clock
from bot.chat.counted import counted
from bot.errors import QuotaExceededError
from bot.messages import Usage
from bot.settings import QuotaSettings
from bot.storage.access_records import Identity
from bot.storage.link_repository import LinkRepository
from bot.storage.usage_repository import DAY_MS, UsageRepository, Use

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

    async def begin(self, who: Identity, *, admin: bool) -> int | None:
        """Let somebody have one reply more; returns what `end` is to be given. Linked accounts are one person.

        Raises `QuotaExceededError`, which says when there is one again, and `StorageError`.
        """
        if not self._limits or not self._binds(admin=admin):
            return None
        link = await self._links.of(who)
        now_ms = self._clock.wall_ms()
        return await self._usage.begin(
            link.home if link else who, now_ms=now_ms, check=lambda uses: self._check(uses, now_ms)
        )

    async def end(self, use_id: int | None, usage: Usage | None) -> None:
        """Note what the reply cost; None where it came to nothing, and does not count. Raises `StorageError`."""
        if use_id is not None:
            tokens = None
            if usage is not None:
                tokens = usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens
            await self._usage.end(use_id, tokens=tokens)

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
