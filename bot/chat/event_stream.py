"""Events that are made in a task of their own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class EventStream(Generic[T]):
    """Runs an asynchronous iterator to its end, even when whoever reads its events leaves early.

    So a reply is stored with its outcome although the person's connection is gone.
    """

    def __init__(self, events: AsyncIterator[T]) -> None:
        self._queue: asyncio.Queue[T | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._run(events), name="reply")

    async def __aiter__(self) -> AsyncIterator[T]:
        """Yield every event once, then raise what the iterator raised, if it did."""
        while (event := await self._queue.get()) is not None:
            yield event
        await self._task

    async def ended(self) -> None:
        """Wait for the iterator's end, whatever it is. A cancel that comes while waiting cancels the iterator too."""
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            raise
        finally:
            if not self._task.cancelled():
                # Marked as seen: a reader that left has nobody to raise it to.
                self._task.exception()

    async def _run(self, events: AsyncIterator[T]) -> None:
        try:
            async for event in events:
                self._queue.put_nowait(event)
        finally:
            self._queue.put_nowait(None)
