"""Where calls to one place wait for their turn."""

import asyncio
import math
from collections.abc import Sequence

from bot.adapter import Allowance
from bot.chat.clock import Clock
from bot.chat.delivering.pace import Pace
from bot.chat.delivering.undelivered import UndeliveredError

_LONGEST_PAUSE_S = 300.0
"""A platform that wants a longer pause gets it from the outbox, with nobody waiting meanwhile."""


class Gate:
    """Lets calls through as fast as the platform allows, in the order they came. Each `leave`s when it has ended."""

    def __init__(self, allowances: Sequence[Allowance], clock: Clock) -> None:
        self._pace = Pace(allowances)
        self._clock = clock
        self._line = asyncio.Lock()
        self._left = asyncio.Event()
        self._paused_until = 0.0

    @property
    def pause_s(self) -> float:
        """How long the platform wants to be left alone here, in seconds."""
        return max(0.0, self._paused_until - self._clock.now())

    @property
    def is_idle(self) -> bool:
        """Whether it can be forgotten."""
        return not self._line.locked() and not self.pause_s and self._pace.is_idle(self._clock.now())

    def pause(self, seconds: float) -> None:
        """The platform has said so, whoever was told."""
        self._paused_until = max(self._paused_until, self._clock.now() + seconds)

    def is_open(self, *, spare: bool) -> bool:
        """Whether a call may pass at once, and nobody waits; with `spare`, one that can as well be left out."""
        return not self._line.locked() and not self.pause_s and self._pace.has_room(self._clock.now(), spare=spare)

    async def enter(self) -> None:
        """Return when it is this call's turn; at once where there is room. Raises `UndeliveredError` in long pauses."""
        async with self._line:
            while wait := max(self.pause_s, self._pace.wait_s(self._clock.now())):
                if self.pause_s > _LONGEST_PAUSE_S:
                    raise UndeliveredError(retry_after_s=self.pause_s)
                if wait == math.inf:
                    self._left.clear()
                    await self._left.wait()
                else:
                    await self._clock.sleep(wait)
            self._pace.begin()

    def leave(self) -> None:
        """The call has ended."""
        self._pace.end(self._clock.now())
        self._left.set()
