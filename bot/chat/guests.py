"""Requests to the model that are no chat messages, such as those of programs."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.chat.empty_within import empty_within
from bot.errors import StoppingError
from bot.metering import Meter

_LOGGER = logging.getLogger(__name__)
_GRACE_S = 5.0
"""Seconds for those that were stopped to end."""


class Guests:
    """Knows them, so that they can be let finish when the daemon ends."""

    def __init__(self) -> None:
        self._inside: set[Meter] = set()
        self._left = asyncio.Event()
        self._closed = False

    @contextmanager
    def enter(self, meter: Meter) -> Iterator[None]:
        """One request, for as long as the block takes. Raises `StoppingError` when there is no time for it any more."""
        if self._closed:
            raise StoppingError
        self._inside.add(meter)
        try:
            yield
        finally:
            self._inside.remove(meter)
            self._left.set()

    async def drain(self, timeout_s: float) -> None:
        """Return when the last one has ended; those that take longer than `timeout_s` seconds are stopped."""
        if await empty_within(self._inside, self._left, timeout_s):
            return
        self._closed = True
        for meter in self._inside:
            meter.stop()
        if not await empty_within(self._inside, self._left, _GRACE_S):
            _LOGGER.warning("%d requests of programs have not ended in time", len(self._inside))
