"""One reply being written, as the event loop sees it."""

import asyncio
from collections.abc import AsyncIterator, Callable

from bot.request import GenerationDone, GenerationEvent, GenerationFailed


class Generation:
    """Handle of a submitted request: an asynchronous iterator of its events, and the way to cancel it.

    Lives in the event loop; the engine's thread reaches it only through `call_soon_threadsafe`.
    """

    def __init__(self, request_id: int, cancel: Callable[[int], None]) -> None:
        self.request_id = request_id
        self.ended = False
        """Whether the last event was pushed."""
        self._cancel = cancel
        self._events: asyncio.Queue[GenerationEvent] = asyncio.Queue()

    def push(self, event: GenerationEvent) -> None:
        """Add an event; called by the engine, in the event loop."""
        self._events.put_nowait(event)
        self.ended = isinstance(event, GenerationDone | GenerationFailed)

    def cancel(self) -> None:
        """Ask the engine to stop. The `GenerationDone` that follows has what was written and `cancelled`."""
        self._cancel(self.request_id)

    async def __aiter__(self) -> AsyncIterator[GenerationEvent]:
        """Yield every event once; ends after the last. An iteration that is broken off cancels the request."""
        try:
            while not (self.ended and self._events.empty()):
                yield await self._events.get()
        finally:
            if not self.ended:
                self.cancel()

    async def result(self) -> GenerationDone:
        """Wait for the end and return it; raises the error of a failed request."""
        async for event in self:
            if isinstance(event, GenerationDone):
                return event
            if isinstance(event, GenerationFailed):
                raise event.error
        raise RuntimeError("the events of this generation were read before")
