"""Updates that are being worked on."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

_LOGGER = logging.getLogger(__name__)


class Intake:
    """Works on updates at the same time, begun in the order in which they came, and on no more than `limit` of them.

    Messages of one conversation are put in order by the core; it has to see them at once, because a later one may
    stop what an earlier one began.
    """

    def __init__(self, *, limit: int) -> None:
        self._free = asyncio.Semaphore(limit)
        self._tasks: set[asyncio.Task[None]] = set()

    async def take(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin; wait for a free place before."""
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            work.close()
            raise
        task = asyncio.create_task(work, name="telegram update")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Return when everything was worked on."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Stop everything."""
        for task in self._tasks:
            task.cancel()
        await self.finish()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()
        if not task.cancelled() and task.exception() is not None:
            _LOGGER.error("an update failed", exc_info=task.exception())
