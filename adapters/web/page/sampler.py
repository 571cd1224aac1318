"""Figures over time, for the plots of the admin page."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime

from adapters.web.page.memory import resident_mb
from adapters.web.page.sample import Look, look, sample
from bot.adapter import ChatCore

INTERVAL_S = 5.0
KEPT = 720
"""Samples, which is an hour."""

Sample = Mapping[str, float | None]


class Sampler:
    """Looks at the engine every few seconds, and remembers an hour of it."""

    def __init__(self, core: ChatCore, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._core = core
        self._sleep = sleep
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._last: Look | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name="page figures")

    async def samples(self) -> AsyncIterator[list[Sample]]:
        """All there are, then each new one."""
        yield list(self._samples)
        while not self._closed:
            async with self._changed:
                await self._changed.wait()
                newest = list(self._samples)[-1:]
            if not self._closed:
                yield newest

    async def aclose(self) -> None:
        """End, for everybody who listens too."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        async with self._changed:
            self._changed.notify_all()

    async def _run(self) -> None:
        while True:
            self._samples.append(self._sample())
            async with self._changed:
                self._changed.notify_all()
            await self._sleep(INTERVAL_S)

    def _sample(self) -> Sample:
        model = self._core.model
        now = look(datetime.now(UTC).timestamp(), model.figures(), model.requests())
        before, self._last = self._last, now
        return sample(before, now, model.status(), resident_mb())
